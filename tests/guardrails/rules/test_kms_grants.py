from __future__ import annotations

from typing import Any

import pytest

from kms_constructs.guardrails.config import GuardrailConfig
from kms_constructs.guardrails.engine import judge
from kms_constructs.sources.kms_api.estate import estate_from_answers
from tests.guardrails.factories import TODAY, C, N, Said, V, a_key, said
from tests.guardrails.factories import judge as judge_key
from tests.sources.kms_api.build import ACCOUNT, Seed, answers_of

CONFIG = GuardrailConfig(trusted_accounts=("999988887777",))
CONTEXT = {"EncryptionContextEquals": {"tenant": "a"}}
FINE = Said(C, "", "", "No grant of the key is old, and none leads out of the account.")


def grant(account: str = ACCOUNT, **changes: Any) -> dict[str, Any]:
    return {
        "GrantId": "g1",
        "Name": "import",
        "GranteePrincipal": f"arn:aws:iam::{account}:role/Import",
        "Operations": ["Decrypt"],
        "CreationDate": "2026-05-01T00:00:00+00:00",
        **changes,
    }


CASES: dict[str, tuple[list[dict[str, Any]], Said]] = {
    "none": ([], FINE),
    "a recent one": ([grant()], FINE),
    "an old one": (
        [grant(CreationDate="2025-05-01T00:00:00+00:00")],
        Said(
            V,
            "old",
            "ListGrants/Grants",
            f"The grant import to arn:aws:iam::{ACCOUNT}:role/Import was made on 2025-05-01, longer ago than "
            "the 365 days that a review stays good.",
        ),
    ),
    "an old one of a service": (
        [grant(GranteeServicePrincipal="rds.amazonaws.com", CreationDate="2020-01-01")],
        FINE,
    ),
    "to another account, with a constraint": (
        [grant("444455556666", Constraints=CONTEXT)],
        Said(
            V,
            "foreign",
            "ListGrants/Grants",
            "The grant import to arn:aws:iam::444455556666:role/Import leads to another account that is not "
            "trusted, for one encryption context.",
        ),
    ),
    "to another account, without a constraint: KMS:004 has it": ([grant("444455556666")], FINE),
    "to a trusted account": ([grant("999988887777", Constraints=CONTEXT)], FINE),
}


@pytest.mark.parametrize(("grants", "expected"), CASES.values(), ids=CASES)
def test_grants(grants: list[dict[str, Any]], expected: Said) -> None:
    estate = estate_from_answers(answers_of(Seed(grants=grants)))
    assert said(judge(estate, CONFIG, controls=["KMS:GRANTS"], today=TODAY).findings) == [expected]


def test_a_key_of_a_template_is_not_judged() -> None:
    assert said(judge_key("KMS:GRANTS", a_key())) == [Said(N, "", "", "Not applicable: it is no live key.")]


def ids(*grants: dict[str, Any], declarations: bool = True) -> set[str]:
    estate = estate_from_answers(answers_of(Seed(grants=grants)))
    report = judge(estate, CONFIG, today=TODAY, declarations=declarations)
    return {one.id for one in report.findings if one.outcome is V}


def test_what_a_live_grant_breaks_the_other_controls_find() -> None:
    assert "KMS:004[cross-account]" in ids(grant("444455556666"))
    assert "IAM-KMS-6[direct-grant]" in ids(grant())


def test_a_live_grant_is_a_fact_and_no_declaration_that_could_be_refused() -> None:
    given = grant("444455556666")
    assert ids(given, declarations=False) == ids(given)
    report = judge(estate_from_answers(answers_of(Seed(grants=[given]))), today=TODAY)
    assert [one for one in report.remarks if "declares itself" in one.text] == []
