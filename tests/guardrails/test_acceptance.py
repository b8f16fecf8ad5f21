"""What is accepted, and that nothing worse is: fingerprints, acknowledgements, declarations, the baseline."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kms_constructs.errors import ConfigurationError
from kms_constructs.guardrails.acceptance import one_by_one
from kms_constructs.guardrails.baseline import Baseline
from kms_constructs.guardrails.config import Acknowledgement, GuardrailConfig
from kms_constructs.guardrails.engine import judge
from kms_constructs.guardrails.finding import Finding, RemarkKind, Report, Severity
from kms_constructs.guardrails.fingerprint import Fingerprints, principals_of
from kms_constructs.model.estate import Acceptance, Estate, Grant, Key, Location
from tests.guardrails.factories import (
    TODAY,
    a_key,
    a_policy,
    allow,
    an_iam_policy,
    deny,
    iam_allow,
    role,
)

ADMINS = allow([role("Admin"), role("Ops")], "kms:ScheduleKeyDeletion", "kms:DescribeKey", sid="Admins")
READERS = allow(role("Reader"), "kms:DescribeKey", sid="Readers")
ORDER = ("resource", "finding", "principal", "fingerprint")
CONTRACTOR = role("Contractor", "444455556666")
"""Of another account: it may make grants, but deletes nothing, whatever the key policy says."""
TEMP = role("Temp")


def report(*statements: object, config: GuardrailConfig | None = None, **more: Any) -> Report:
    key = more.pop("key", None) or a_key(*statements)
    policies = more.pop("policies", ())
    acceptances = more.pop("acceptances", ())
    estate = Estate(keys=(key,), identity_policies=tuple(policies), acceptances=tuple(acceptances))
    return judge(estate, config, today=TODAY, **more)


def ids(found: Report) -> set[str]:
    return {one for finding in found.failures for one in finding.exact_ids}


def fingerprints(found: Report) -> set[str]:
    return {one for finding in found.failures for one in finding.fingerprints}


def of_deletion(found: Report) -> set[str]:
    """Not those of what else is wrong with these policies: that nobody may change them is said of each."""
    return {one for item in found.failures if item.control == "IAM-KMS-3" for one in item.fingerprints}


SAME = {
    "statements in another order": lambda: report(READERS, ADMINS),
    "another Sid": lambda: report({**ADMINS, "Sid": "Renamed"}, READERS),
    "no Sid": lambda: report({k: v for k, v in ADMINS.items() if k != "Sid"}, READERS),
    "principals in another order": lambda: report(
        {**ADMINS, "Principal": {"AWS": [role("Ops"), role("Admin")]}}, READERS
    ),
    "actions in another order and case": lambda: report(
        {**ADMINS, "Action": ["kms:DescribeKey", "kms:SCHEDULEKeyDeletion"]}, READERS
    ),
    "another file": lambda: report(
        key=a_key(ADMINS, READERS, location=Location("elsewhere.json", "App", "Key", "App/Key"))
    ),
    "a statement beside": lambda: report(ADMINS, READERS, allow(role("Other"), "kms:GetKeyPolicy")),
}
WORSE = {
    "another action": lambda: report(
        {**ADMINS, "Action": ["kms:ScheduleKeyDeletion", "kms:*Alias"]}, READERS
    ),
    "a wildcard": lambda: report({**ADMINS, "Action": ["kms:Schedule*", "kms:DescribeKey"]}, READERS),
    "a condition gone": lambda: report(
        {**ADMINS, "Condition": {"Bool": {"aws:SecureTransport": "false"}}}, READERS
    ),
    "another key": lambda: report(
        key=a_key(ADMINS, READERS, location=Location("app.json", "App", "Other", "App/Other"))
    ),
}


@pytest.mark.parametrize("changed", SAME.values(), ids=SAME)
def test_what_says_the_same_has_the_same_fingerprints(changed: Any) -> None:
    assert fingerprints(changed()) == fingerprints(report(ADMINS, READERS)) != set()


@pytest.mark.parametrize("changed", WORSE.values(), ids=WORSE)
def test_what_says_something_else_has_others(changed: Any) -> None:
    before = of_deletion(report(ADMINS, READERS))
    assert len(before) == 2, "one for each role"
    assert not of_deletion(changed()) & before
    assert of_deletion(changed())


def test_a_principal_more_is_one_fingerprint_more() -> None:
    before = fingerprints(report(ADMINS))
    after = report({**ADMINS, "Principal": {"AWS": [role("Admin"), TEMP, role("Ops")]}})
    of_three = [one for one in after.failures if one.control == "IAM-KMS-3"]

    assert len({one for finding in of_three for one in finding.fingerprints} & before) == 2
    assert sum(len(one.fingerprints) for one in of_three) == 3


def test_an_accepted_grant_does_not_hide_a_contractor() -> None:
    own = allow(role("Admin"), "kms:CreateGrant", sid="Own")
    (finding,) = judge(Estate(keys=(a_key(own),)), controls=["IAM-KMS-6"], today=TODAY).failures
    config = GuardrailConfig(acknowledgements=(Acknowledgement(finding.exact_ids[0], "ticket 1"),))

    later = a_key(own, allow(CONTRACTOR, "kms:CreateGrant", sid="Later"))
    found = judge(Estate(keys=(later,)), config, controls=["IAM-KMS-6"], today=TODAY)

    assert [one.acknowledged for one in found.findings if one.path.endswith("/1")] == ["ticket 1"]
    (left,) = found.failures
    assert left.principals == (CONTRACTOR,)


def test_some_principals_of_a_finding_are_accepted_and_the_others_fail() -> None:
    before = report(ADMINS)
    (finding,) = [one for one in before.failures if one.control == "IAM-KMS-3"]
    config = GuardrailConfig(acknowledgements=(Acknowledgement(finding.exact_ids[0], "break glass"),))
    wider = {**ADMINS, "Principal": {"AWS": [role("Admin"), role("Ops"), TEMP]}}

    found = [one for one in report(wider, config=config).findings if one.control == "IAM-KMS-3"]

    accepted = [(one.acknowledged, one.principals) for one in found if not one.fails]
    assert accepted == [("break glass", (principals_of(finding)[0],))]
    (left,) = [one for one in found if one.fails]
    assert set(left.principals) == {role("Admin"), role("Ops"), TEMP} - set(principals_of(finding)[:1])
    assert principals_of(finding)[0] not in left.message


def test_an_iam_policy_that_uses_a_delegation_makes_another_finding_of_it() -> None:
    open_root = allow("arn:aws:iam::111122223333:root", "kms:*", sid="Account")
    key = a_key(policy=a_policy(open_root))
    before = report(key=key)
    after = report(key=key, policies=[an_iam_policy(iam_allow("kms:ScheduleKeyDeletion", "*"))])

    def delegated(found: Report) -> Finding:
        (one,) = [one for one in found.failures if one.id == "IAM-KMS-3[delegation]"]
        return one

    assert delegated(before).fingerprints != delegated(after).fingerprints


def test_a_finding_of_several_principals_comes_apart() -> None:
    (finding,) = [one for one in report(ADMINS).failures if one.control == "IAM-KMS-3"]
    parts = list(one_by_one(finding))
    assert [one.principals for one in parts] == [(name,) for name in principals_of(finding)]
    assert [one.exact_ids[0] for one in parts] == list(finding.exact_ids)


@given(st.permutations([READERS, ADMINS, deny(role("X"), "kms:Decrypt"), allow(role("Y"), "kms:Sign")]))
def test_order_never_matters(statements: list[object]) -> None:
    assert fingerprints(report(*statements)) == fingerprints(
        report(READERS, ADMINS, deny(role("X"), "kms:Decrypt"), allow(role("Y"), "kms:Sign"))
    )


def no_alias(*acknowledgements: Acknowledgement, **more: Any) -> Report:
    return report(
        key=a_key(aliases=()),
        config=GuardrailConfig(acknowledgements=acknowledgements, **more.pop("settings", {})),
        controls=["KMS:010"],
        **more,
    )


EXACT = no_alias().failures[0].exact_ids[0]
REMARKS = {
    "it is used": (Acknowledgement(EXACT, "r"), []),
    "its last day": (Acknowledgement(EXACT, "r", until="2026-06-01"), []),
    "it has ended": (
        Acknowledgement(EXACT, "r", until="2026-05-31"),
        [f"The acknowledgement '{EXACT}' (default configuration) ended on 2026-05-31."],
    ),
    "it matches nothing": (
        Acknowledgement("KMS:010[missing:0123456789ab]", "r"),
        ["The acknowledgement 'KMS:010[missing:0123456789ab]' (default configuration) matches nothing."],
    ),
    "it is vague": (
        Acknowledgement("KMS:010[missing]", "r"),
        [
            "The acknowledgement 'KMS:010[missing]' (default configuration) names a kind of finding and no "
            "fingerprint, and so accepts nothing."
        ],
    ),
    "its control is not judged": (Acknowledgement("KMS:001[period:0123456789ab]", "r"), []),
}


@pytest.mark.parametrize(("given", "said"), REMARKS.values(), ids=REMARKS)
def test_what_accepts_nothing_is_reported(given: Acknowledgement, said: list[str]) -> None:
    found = no_alias(given)
    assert [one.text for one in found.remarks] == said
    assert bool(found.failures) is bool(said) or given.id.startswith("KMS:001")


def test_a_vague_one_is_told_what_to_write() -> None:
    (remark,) = no_alias(Acknowledgement("KMS:010", "r")).remarks
    assert (
        remark.fix
        == f"Name what is there: {EXACT}. KMS:010[*] accepts whatever of the kind is still to come."
    )


@pytest.mark.parametrize("name", ["App", "App/*", "App/Key", "Key"])
def test_what_is_excluded_fails_nothing_and_stays(name: str) -> None:
    found = no_alias(settings={"excluded": {name: "goes in March"}})
    assert [one.acknowledged for one in found.findings] == ["goes in March"]


def test_exclusion_goes_no_further_than_its_name() -> None:
    assert no_alias(settings={"excluded": {"Ap": "r", "App/Ke": "r"}}).failures


DECLARED = {
    "a construct": (Acceptance(EXACT, "r", construct_path="App/Key"), True),
    "the app": (Acceptance("KMS:010[*]", "r"), True),
    "the pack": (Acceptance(EXACT, "r", construct_path="App", pack="KmsRequirements"), True),
    "the other pack": (Acceptance("*", "r", pack="IamKmsGuardrails"), False),
    "another plugin": (Acceptance(EXACT, "r", pack="OtherPack"), False),
    "another construct": (Acceptance(EXACT, "r", construct_path="App/Ke"), False),
    "the resource": (Acceptance(EXACT, "r", source="app.json", logical_id="Key"), True),
    "a resource of another template": (Acceptance(EXACT, "r", source="b.json", logical_id="Key"), False),
    "ended": (Acceptance(EXACT, "r", until="2026-05-31", construct_path="App"), False),
    "vague": (Acceptance("KMS:010", "r", construct_path="App"), False),
}


@pytest.mark.parametrize(("declared", "accepted"), DECLARED.values(), ids=DECLARED)
def test_what_the_input_accepts(declared: Acceptance, *, accepted: bool) -> None:
    assert bool(no_alias(acceptances=[declared]).failures) is not accepted
    assert no_alias(acceptances=[declared], declarations=False).failures


class TestDeclarations:
    """Who is authorised by what a template says of itself."""

    OWN = role("BreakGlass")

    def key(self) -> Key:
        statement = allow(self.OWN, "kms:ScheduleKeyDeletion", "kms:CreateGrant", sid="Own")
        grant = Grant(grantee=role("App"), operations=("Decrypt",))
        return a_key(statement, authorised={"IAM-KMS-3": (self.OWN,)}, grants=(grant,))

    def found(self, config: GuardrailConfig | None = None, **more: Any) -> Report:
        return report(key=self.key(), config=config, controls=["IAM-KMS-3"], **more)

    def test_they_count_and_are_shown(self) -> None:
        found = self.found()
        assert not found.failures
        assert [(one.kind, one.text) for one in found.remarks] == [
            (
                RemarkKind.DECLARATION,
                f"app.json: App/Key declares itself who is authorised for IAM-KMS-3: {self.OWN}; "
                f"and a grant to {role('App')}.",
            ),
        ]

    @pytest.mark.parametrize(
        ("authorised", "grantees", "said"),
        [
            ({}, [], None),
            ({"IAM-KMS-7": ()}, [], None),
            (
                {"IAM-KMS-3": ("a", "b"), "IAM-KMS-7": (), "IAM-KMS-4": ("a", "b"), "IAM-KMS-5": ("a",)},
                [],
                "who is authorised for IAM-KMS-3, IAM-KMS-4: a, b; for IAM-KMS-5: a.",
            ),
            ({}, ["x"], "a grant to x."),
            ({}, ["x", "y"], "grants to x, y."),
            ({"IAM-KMS-3": ("a",)}, ["x", "y"], "who is authorised for IAM-KMS-3: a; and grants to x, y."),
        ],
    )
    def test_a_key_is_told_of_in_one_line(
        self, authorised: dict[str, tuple[str, ...]], grantees: list[str], said: str | None
    ) -> None:
        grants = tuple(Grant(grantee=name, operations=("Decrypt",)) for name in grantees)
        found = report(key=a_key(authorised=authorised, grants=grants))

        told = [one.text for one in found.remarks if one.kind is RemarkKind.DECLARATION]
        assert told == ([] if said is None else [f"app.json: App/Key declares itself {said}"])

    def test_they_can_be_refused(self) -> None:
        found = self.found(declarations=False)
        assert [one.principals for one in found.failures] == [(self.OWN,)]
        assert not found.remarks

    @pytest.mark.parametrize(
        ("allowed", "holds"),
        [
            ({}, False),
            ({"IAM-KMS-3": ("arn:aws:iam::*:role/BreakGlass",)}, True),
            ({"*": ("arn:aws:iam::*:role/Break*",)}, True),
            ({"IAM-KMS-4": ("arn:aws:iam::*:role/BreakGlass",)}, False),
            ({"IAM-KMS-3": ("arn:aws:iam::*:role/Other",)}, False),
        ],
    )
    def test_the_configuration_limits_them(self, allowed: Any, *, holds: bool) -> None:
        assert bool(self.found(GuardrailConfig(may_declare=allowed)).failures) is not holds


class TestBaseline:
    """Only what is new or worse fails."""

    def test_what_is_there_is_accepted_and_the_file_says_it(self, tmp_path: Path) -> None:
        before = report(ADMINS)
        file = tmp_path / "baseline.json"
        file.write_text(Baseline.of(before.findings).to_text(), "utf-8")

        found = report(ADMINS, baseline=Baseline.read(file))

        assert before.failures
        assert not found.failures
        assert {one.acknowledged for one in found.findings if one.fingerprints} == {f"in the baseline {file}"}
        lines = file.read_text("utf-8").splitlines()
        listed = [line for line in lines if line.startswith("    {")]
        assert len(listed) == sum(len(one.fingerprints) for one in before.failures)
        assert listed == sorted(
            listed, key=lambda line: [json.loads(line.rstrip(","))[name] for name in ORDER]
        )

    def test_only_the_new_fails(self) -> None:
        baseline = Baseline.of(report(ADMINS).findings)
        wider = {**ADMINS, "Principal": {"AWS": [role("Admin"), role("Ops"), TEMP]}}
        new = [one for one in report(wider, baseline=baseline).failures if one.control == "IAM-KMS-3"]
        assert [one.principals for one in new] == [(TEMP,)]

    def test_what_weighs_more_than_it_did_fails(self) -> None:
        low = GuardrailConfig(severities={"IAM-KMS-3": Severity.LOW})
        baseline = Baseline.of(report(ADMINS, config=low).findings)
        assert not report(ADMINS, config=low, baseline=baseline).failures
        assert report(ADMINS, baseline=baseline).failures

    def test_what_is_mended_is_told_and_pruned(self) -> None:
        baseline = Baseline.of(report(ADMINS).findings)
        found = report(READERS, baseline=baseline)
        # Nobody may change either policy, and that is still accepted; the two roles are gone.
        still = [one for one in baseline.entries if one.finding == "KMS:LINT[lockout]"]
        assert [one.id for one in found.findings if one.acknowledged] == ["KMS:LINT[lockout]"]
        assert not found.failures
        assert {one.kind for one in found.remarks} == {RemarkKind.BASELINE}
        assert len(found.remarks) == len(baseline.entries) - len(still) == 2
        assert list(baseline.left()) == still

    def test_when_everything_is_mended_nothing_is_left(self) -> None:
        baseline = Baseline.of(report(ADMINS).findings)
        sound = GuardrailConfig(authorised={"IAM-KMS-5": (TEMP,)})
        found = report(READERS, allow(TEMP, "kms:PutKeyPolicy"), baseline=baseline, config=sound)
        assert not found.failures
        assert len(found.remarks) == len(baseline.entries) == 3
        assert baseline.left() == ()

    def test_what_was_not_judged_is_not_mended(self) -> None:
        baseline = Baseline.of(report(ADMINS).findings)
        found = report(READERS, baseline=baseline, controls=["KMS:010"])
        assert not found.remarks
        assert baseline.left(["KMS:010"]) == baseline.entries

    def test_it_reads_what_it_writes_in_any_order(self, tmp_path: Path) -> None:
        baseline = Baseline.of(report(ADMINS).findings)
        file = tmp_path / "b.json"
        file.write_text(Baseline(tuple(reversed(baseline.entries))).to_text(), "utf-8")
        assert Baseline.read(file).entries == baseline.entries

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("<<<<<<< ours", "a merge may have left its marks"),
            ("[]", "it is no baseline of version 1"),
            ('{"version": 2, "accepted": []}', "it is no baseline of version 1"),
            ('{"version": 1}', "accepted: it is no list"),
            ('{"version": 1, "accepted": [1]}', r"accepted\[0\]: it has not all of"),
        ],
    )
    def test_what_is_no_baseline_is_refused(self, tmp_path: Path, text: str, message: str) -> None:
        file = tmp_path / "b.json"
        file.write_text(text, "utf-8")
        with pytest.raises(ConfigurationError, match=message):
            Baseline.read(file)

    def test_a_missing_one_says_how_to_make_it(self, tmp_path: Path) -> None:
        with pytest.raises(ConfigurationError, match="kms-constructs baseline"):
            Baseline.read(tmp_path / "none.json")

    def test_a_rule_that_failed_is_never_in_it(self) -> None:
        broken = replace(report(ADMINS).failures[0], detail="internal-error")
        assert Baseline.of([broken]).entries == ()


def test_fingerprints_are_made_when_something_asks_for_them(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Finding] = []
    make = Fingerprints.of

    def counted(self: Fingerprints, finding: Finding) -> tuple[str, ...]:
        made.append(finding)
        return make(self, finding)

    monkeypatch.setattr(Fingerprints, "of", counted)
    found = report(ADMINS, READERS)
    assert found.failures
    assert not made, "nothing is accepted, and so nobody asks"
    first = found.failures[0]
    assert first.fingerprints == first.fingerprints != ()
    assert first.exact_ids
    assert len(made) == 1, "they are made once"
    told = fingerprints(found)

    accepted = report(
        ADMINS,
        READERS,
        config=GuardrailConfig(acknowledgements=(Acknowledgement(first.exact_ids[0], "known"),)),
    )
    assert {one for finding in accepted.findings for one in finding.fingerprints} == told
    assert fingerprints(accepted) == told - {first.fingerprints[0]}


def test_fingerprints_are_those_of_what_was_found_whatever_a_report_calls_it() -> None:
    found = report(ADMINS, READERS).failures
    renamed = [
        replace(one, message="In other words.", location=Location("elsewhere.json"), principals=(), chain=())
        for one in report(ADMINS, READERS).failures
    ]
    assert [one.fingerprints for one in renamed] == [one.fingerprints for one in found]
