from __future__ import annotations

import gc
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import date
from typing import Any, ClassVar

import pytest

from kms_constructs.errors import ConfigurationError
from kms_constructs.guardrails.catalogue import CATALOGUE
from kms_constructs.guardrails.config import Acknowledgement, GuardrailConfig
from kms_constructs.guardrails.engine import judge
from kms_constructs.guardrails.finding import INTERNAL_ERROR, Finding, Outcome, Severity
from kms_constructs.guardrails.rule import KeyRule, Rule, RuleContext
from kms_constructs.guardrails.rules.kms_003_in_use import CONTROL as KMS_003
from kms_constructs.guardrails.rules.kms_010_alias import CONTROL as KMS_010
from kms_constructs.model.estate import Estate, Key, Location, SourceProblem
from kms_constructs.model.policy import parse_policy
from kms_constructs.model.text import CLOSE, OPEN
from kms_constructs.model.unknown import Unknown
from tests.guardrails import factories
from tests.guardrails.factories import (
    DEPLOYER,
    DEPLOYS,
    ROOT,
    ROOT_STATEMENT,
    TODAY,
    C,
    N,
    U,
    V,
    a_policy,
    a_trail,
    allow,
    an_iam_policy,
    iam_allow,
    role,
)

POLICY_CONTROLS = (*(f"IAM-KMS-{number}" for number in range(1, 9)), "KMS:004", "KMS:LINT")


def a_key(*statements: object, **changes: Any) -> Key:
    """A key that breaks no guardrail at all: whoever deploys it may change its policy, and is authorised."""
    if "policy" not in changes:
        changes["policy"] = a_policy(ROOT_STATEMENT, *statements, DEPLOYS)
    return factories.a_key(**{"authorised": {"IAM-KMS-5": (DEPLOYER,)}, **changes})


def at(name: str, source: str = "app.json") -> Location:
    return Location(source, "App", name, f"App/{name}")


def test_a_sound_key_has_one_answer_for_each_control_and_none_fails() -> None:
    report = judge(Estate(keys=(a_key(),), sources=("app.json",)), today=TODAY)
    assert [finding.control for finding in report.findings] == list(CATALOGUE)
    assert {finding.outcome for finding in report.findings} == {C, N}
    assert (report.failures, report.exit_code, report.keys, report.sources) == ((), 0, 1, ("app.json",))


def test_a_policy_that_is_not_known_passes_no_rule_about_it() -> None:
    key = a_key(
        policy=parse_policy(Unknown("imported")),
        origin="EXTERNAL",
        rotation_enabled=None,
        material_expires="2027-01-01",
    )
    report = judge(Estate(keys=(key,)), today=TODAY)
    undetermined = {finding.control for finding in report.findings if finding.outcome is U}
    # Imported material does not rotate, whatever the policy says.
    assert undetermined == {*POLICY_CONTROLS} - {"IAM-KMS-7"}
    assert report.exit_code == 3


def test_findings_are_sorted_by_source_resource_and_control_whatever_the_order_of_the_keys() -> None:
    keys = [
        a_key(location=at(name, source), aliases=(f"alias/{source[0]}/{name}",))
        for source in ("b.json", "a.json")
        for name in ("Z", "A")
    ]
    forwards = judge(Estate(keys=tuple(keys)), today=TODAY)
    backwards = judge(Estate(keys=tuple(reversed(keys))), today=TODAY)
    assert forwards == backwards
    order = [(item.location.source, item.location.logical_id, item.control) for item in forwards.findings]
    expected = [
        (source, name, control) for source in ("a.json", "b.json") for name in "AZ" for control in CATALOGUE
    ]
    assert order == expected


def test_the_problems_of_the_sources_stay_in_the_report() -> None:
    problem = SourceProblem("broken.json", "it is not JSON", "correct it")
    report = judge(Estate(problems=(problem,)))
    assert (report.problems, report.exit_code) == ((problem,), 2)


def test_only_the_controls_that_are_asked_for() -> None:
    found = judge(Estate(keys=(a_key(),)), controls=["kms:001", "IAM-KMS-8"], today=TODAY).findings
    assert [finding.control for finding in found] == ["IAM-KMS-8", "KMS:001"]


def test_a_control_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="controls: KMS:011: there is no such control"):
        judge(Estate(), controls=["KMS:011"])


def test_the_day_is_today_by_default() -> None:
    key = a_key(tags={"kms:policy-reviewed-on": date.max.isoformat()})
    (finding,) = judge(Estate(keys=(key,)), controls=["KMS:008"]).findings
    assert finding.detail == "future"


class Broken(KeyRule):
    """Fails on the key called Bad, after it has found something."""

    control = KMS_010
    compliant_message: ClassVar[str] = "Fine."

    def judge(self, key: Key) -> Iterator[Finding]:
        if key.location.logical_id == "Bad":
            yield self.violation(key, "Found before it failed.", detail="early")
            yield self.undetermined(key, "Said before it failed.", detail="early")
            raise ZeroDivisionError("division by zero")


class BrokenAtOnce(Rule):
    control = KMS_003

    def __init__(self, context: RuleContext) -> None:
        super().__init__(context)
        raise KeyError("index")


class BrokenOnEstate(Rule):
    control = KMS_003

    def check_estate(self) -> Iterable[Finding]:
        raise RecursionError("too deep")


def test_a_rule_that_fails_is_undetermined_and_never_passes() -> None:
    estate = Estate(keys=(a_key(location=at("Bad")), a_key(location=at("Good"))))
    found = judge(estate, rules=[Broken], today=TODAY).findings
    assert [(item.location.logical_id, item.outcome, item.detail) for item in found] == [
        ("Bad", V, "early"),
        ("Bad", U, "internal-error"),
        ("Good", C, ""),
    ]
    assert found[1].message == "The rule for KMS:010 failed with ZeroDivisionError: division by zero"
    assert found[1].fails


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        (BrokenAtOnce, "The rule for KMS:003 failed with KeyError: 'index'"),
        (BrokenOnEstate, "The rule for KMS:003 failed with RecursionError: too deep"),
    ],
)
def test_a_rule_that_fails_outside_a_key_fails_the_run_even_if_it_only_warns(
    rule: type[Rule], message: str
) -> None:
    (finding,) = judge(Estate(keys=(a_key(),), sources=("app.json",)), rules=[rule]).findings
    assert (finding.outcome, finding.message, finding.severity) == (U, message, Severity.LOW)
    assert finding.location == Location("app.json")


def no_alias(config: GuardrailConfig, **changes: object) -> Finding:
    key = a_key(aliases=(), **changes)
    (finding,) = judge(Estate(keys=(key,)), config, controls=["KMS:010"], today=TODAY).findings
    return finding


SEVERITIES = [
    ({}, Severity.LOW),
    ({"KMS:010": Severity.HIGH}, Severity.HIGH),
    ({"KMS:010[missing]": Severity.WARNING}, Severity.WARNING),
    ({"KMS:010": Severity.HIGH, "KMS:010[missing]": Severity.WARNING}, Severity.WARNING),
    ({"KMS:010[other]": Severity.HIGH}, Severity.LOW),
]


@pytest.mark.parametrize(("severities", "expected"), SEVERITIES)
def test_severities_are_overridden_by_control_and_by_finding(
    severities: dict[str, Severity], expected: Severity
) -> None:
    assert no_alias(GuardrailConfig(severities=severities)).severity is expected


def test_undetermined_warns_when_the_configuration_says_so() -> None:
    key = a_key(rotation_enabled=Unknown("why"))
    for fails in (True, False):
        config = GuardrailConfig(undetermined_fails=fails, severities={"KMS:001": Severity.HIGH})
        report = judge(Estate(keys=(key,)), config, controls=["KMS:001"])
        assert report.exit_code == (3 if fails else 0)
        assert [finding.outcome for finding in report.findings] == [U]


ACKNOWLEDGED = {
    "exact": ("KMS:010[missing:{}]", "*", True),
    "exact, in another case": ("kms:010[missing:{}]", "*", True),
    "another fingerprint": ("KMS:010[missing:0123456789ab]", "*", False),
    "another finding": ("KMS:010[other:{}]", "*", False),
    "another control": ("KMS:001[missing:{}]", "*", False),
    "control alone": ("KMS:010", "*", False),
    "kind alone": ("KMS:010[missing]", "*", False),
    "everything of a kind": ("KMS:010[missing:*]", "*", True),
    "everything of a control": ("KMS:010[*]", "*", True),
    "everything of some controls": ("KMS:01?", "*", True),
    "everything of a pack": ("KMS:*", "*", True),
    "everything of another pack": ("IAM-KMS-*", "*", False),
    "everything of another kind": ("KMS:010[policy:*]", "*", False),
    "construct path": ("KMS:010[*]", "App/Key", True),
    "glob over the construct path": ("KMS:010[*]", "App/*", True),
    "what it lies in": ("KMS:010[*]", "App", True),
    "logical id": ("KMS:010[*]", "Key", True),
    "stack and logical id": ("KMS:010[*]", "App/K?y", True),
    "source": ("KMS:010[*]", "app.json", True),
    "another resource": ("KMS:010[*]", "App/Other", False),
    "another case": ("KMS:010[*]", "app/key", False),
}


@pytest.mark.parametrize(("id_", "resource", "expected"), ACKNOWLEDGED.values(), ids=ACKNOWLEDGED)
def test_acknowledgements(id_: str, resource: str, *, expected: bool) -> None:
    (fingerprint,) = no_alias(GuardrailConfig()).fingerprints
    given = Acknowledgement(id_.format(fingerprint), "names are kept elsewhere", resource)
    finding = no_alias(GuardrailConfig(acknowledgements=(given,)))
    assert finding.acknowledged == ("names are kept elsewhere" if expected else None)
    assert finding.fails is not expected
    assert finding.outcome is V


def test_a_fingerprint_may_stand_by_itself() -> None:
    (fingerprint,) = no_alias(GuardrailConfig()).fingerprints
    given = Acknowledgement("KMS:010[missing]", "why", fingerprint=fingerprint)
    assert no_alias(GuardrailConfig(acknowledgements=(given,))).acknowledged == "why"


def test_compliance_is_not_acknowledged() -> None:
    config = GuardrailConfig(acknowledgements=(Acknowledgement("KMS:010[*]", "why"),))
    (finding,) = judge(Estate(keys=(a_key(),)), config, controls=["KMS:010"]).findings
    assert finding.acknowledged is None


def test_a_rule_that_failed_is_acknowledged_by_its_own_id_only() -> None:
    estate = Estate(keys=(a_key(location=at("Bad")),))
    for id_, expected in (
        ("KMS:010", None), ("KMS:010[*]", None), ("*", None), ("KMS:010[internal-error:*]", "known")
    ):  # fmt: skip
        config = GuardrailConfig(acknowledgements=(Acknowledgement(id_, "known"),))
        found = judge(estate, config, rules=[Broken]).findings
        assert [item.acknowledged for item in found if item.outcome is U] == [expected]


def test_a_control_that_is_switched_off_leaves_a_trace() -> None:
    config = GuardrailConfig(disabled={"KMS:010": "aliases come from another stack"})
    finding = no_alias(config)
    assert (finding.outcome, finding.detail, finding.fails) == (N, "disabled", False)
    assert finding.message == "Switched off by the configuration: aliases come from another stack"
    assert finding.location == Location("default configuration")


def test_iam_policies_and_trails_are_judged_beside_the_keys() -> None:
    estate = Estate(
        keys=(a_key(allow(role("App"), "kms:Decrypt")),),
        identity_policies=(an_iam_policy(iam_allow("kms:*", "*")),),
        trails=(a_trail(kms_excluded=True),),
    )
    failures = judge(estate, today=TODAY).failures
    assert {(item.control, item.location.logical_id) for item in failures} == {
        *((f"IAM-KMS-{number}", "AppPolicy") for number in (2, 3, 4, 5, 7)),
        ("KMS:004", "AppPolicy"),
        ("KMS:005", "Trail"),
    }
    assert all(item.outcome is Outcome.VIOLATION for item in failures)


@pytest.mark.parametrize("asked", [False, True], ids=["by default", "when asked"])
def test_the_garbage_collector_is_paused_only_when_asked(asked: bool) -> None:
    seen: list[bool] = []

    class Watching(Rule):
        control = KMS_010

        def check_key(self, key: Key) -> Iterable[Finding]:
            seen.append(gc.isenabled())
            return ()

    judge(Estate(keys=(a_key(),)), rules=[Watching], pause_gc=asked)
    assert seen == [not asked]
    assert gc.isenabled()


@pytest.mark.parametrize(
    "name",
    [
        "arn:::::",
        "arn:",
        "arn:aws:iam::111122223333:group/Admins",
        "arn:aws:sts::111122223333:assumed-role/App/me",
        "arn:aws:s3:::bucket",
        "arn:aws:iam::111122223333:role",
    ],
)
@pytest.mark.parametrize("kind", ["AWS", "Service", "Federated", "CanonicalUser"])
def test_no_rule_fails_on_what_can_be_no_caller(kind: str, name: str) -> None:
    statements = [allow({kind: name}, "kms:*"), allow({kind: [name, ROOT]}, "kms:Decrypt", "kms:CreateGrant")]
    policy = an_iam_policy({"Effect": "Allow", "Action": "kms:*", "Resource": "*"}, attached_to=(name,))
    estate = Estate(keys=(a_key(*statements),), identity_policies=(policy,))
    assert [one.message for one in judge(estate).findings if one.detail == INTERNAL_ERROR] == []


@pytest.mark.parametrize(
    "name", [f"{CLOSE}{OPEN}g:", OPEN, f"{OPEN}x:y{CLOSE}", f"a{CLOSE}", f"{OPEN}g:{OPEN}{CLOSE}"]
)
def test_no_rule_fails_on_a_name_with_a_mark_of_this_package(name: str) -> None:
    key = replace(a_key(allow(role("App"), "kms:*")), id=name, key_id=name)
    assert [one.message for one in judge(Estate(keys=(key,))).findings if one.detail == INTERNAL_ERROR] == []
