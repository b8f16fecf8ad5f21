"""A live key that is held against its template is judged by whom that authorises."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kms_constructs.guardrails.config import GuardrailConfig
from kms_constructs.guardrails.engine import judge
from kms_constructs.guardrails.finding import Outcome
from kms_constructs.guardrails.live.authorised import as_declared
from kms_constructs.model.estate import Estate, Key
from kms_constructs.sources.kms_api.estate import estate_from_answers
from tests.guardrails.factories import TODAY, C, V
from tests.guardrails.rules.test_kms_drift import MADE, USER, declared, policy
from tests.sources.kms_api.build import ACCOUNT, Seed, answers_of

RESCUE = f"arn:aws:iam::{ACCOUNT}:role/Rescue"
MAY_DELETE = {
    "Effect": "Allow",
    "Principal": {"AWS": RESCUE},
    "Action": "kms:ScheduleKeyDeletion",
    "Resource": "*",
}
WRITTEN = policy(MAY_DELETE)


def audited(*authorised: str, expected: int = 1, control: str = "IAM-KMS-3") -> Estate:
    live = estate_from_answers(answers_of(Seed(policy=WRITTEN, tags=MADE)))
    (key,) = declared(KeyPolicy=WRITTEN).keys
    (one,) = [replace(key, authorised={control: authorised})]
    others = [replace(one, id=f"other-{number}") for number in range(expected - 1)]
    return replace(live, expected=(one, *others))


def outcome(estate: Estate, config: GuardrailConfig | None = None, *, declarations: bool = True) -> Outcome:
    report = judge(estate, config, controls=["IAM-KMS-3"], today=TODAY, declarations=declarations)
    (found,) = {one.outcome for one in report.findings if one.location == estate.keys[0].location}
    return found


def test_whom_the_template_authorises_is_authorised_and_named() -> None:
    estate = audited(RESCUE)
    assert outcome(estate) is C
    (told,) = [one.text for one in judge(estate, today=TODAY).remarks]
    assert told == (
        f"What {estate.keys[0].location} is held against declares who is authorised for IAM-KMS-3: {RESCUE}."
    )


@pytest.mark.parametrize(
    ("case", "estate"),
    [
        ("nobody is declared", audited()),
        ("somebody else is declared", audited(USER)),
        ("it is declared for another control", audited(RESCUE, control="IAM-KMS-4")),
        ("there is no template", replace(audited(RESCUE), expected=())),
    ],
)
def test_nobody_else_is(case: str, estate: Estate) -> None:
    assert outcome(estate) is V, case


def test_a_key_whose_declaration_cannot_be_told_authorises_nobody() -> None:
    estate = audited(RESCUE, expected=2)
    assert [key.authorised for key in as_declared(estate).keys] == [{}]
    assert outcome(estate) is V


def test_declarations_of_templates_are_refused_and_limited_like_all_others() -> None:
    assert outcome(audited(RESCUE), declarations=False) is V
    allowed = GuardrailConfig(may_declare={"IAM-KMS-3": (RESCUE,)})
    assert outcome(audited(RESCUE), allowed) is C
    assert outcome(audited(RESCUE), GuardrailConfig(may_declare={"IAM-KMS-3": (USER,)})) is V


def test_keys_that_are_not_live_declare_for_themselves() -> None:
    key: Key = replace(declared().keys[0], authorised={"IAM-KMS-3": (USER,)})
    estate = Estate(keys=(key,), expected=audited(RESCUE).expected)
    assert as_declared(estate).keys == (key,)
