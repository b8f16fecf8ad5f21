"""AWS Control Tower's CT.KMS.PR.3: key policies limit the creation of grants to AWS services.

The templates have the structure of those that the control's documentation marks as passing and failing.
"""

from __future__ import annotations

from typing import Any

import pytest

from kms_constructs import DirectGrant, RootAccess
from tests.acceptance.support import (
    DIRECT,
    ROOT,
    allowed,
    flagged,
    new_key,
    new_stack,
    role,
    statements,
    template,
)

GRANTS = "IAM-KMS-6[CreateGrant]"
SUB_ROOT = {"AWS": {"Fn::Sub": "arn:${AWS::Partition}:iam::${AWS::AccountId}:root"}}
ACCOUNT_ADMINISTERS = allowed("Enable IAM", SUB_ROOT, "kms:*")


def guard(**more: object) -> dict[str, object]:
    """The Deny that the control looks for."""
    return {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "kms:CreateGrant",
        "Resource": "*",
        "Condition": {"BoolIfExists": DIRECT},
        **more,
    }


CASES: dict[str, tuple[list[object], bool]] = {
    "pass: direct grants are denied": ([ACCOUNT_ADMINISTERS, guard()], True),
    "fail: no statement about grants": ([ACCOUNT_ADMINISTERS], False),
    "fail: an Allow in place of the Deny": ([ACCOUNT_ADMINISTERS, guard(Effect="Allow")], False),
    "fail: only some are denied": (
        [ACCOUNT_ADMINISTERS, guard(Principal={"AWS": role("App")})],
        False,
    ),
    "fail: another action is denied": ([ACCOUNT_ADMINISTERS, guard(Action="kms:RetireGrant")], False),
    "fail: the Deny is for services' grants": (
        [
            ACCOUNT_ADMINISTERS,
            guard(Condition={"Bool": {"kms:GrantIsForAWSResource": "true"}}),
        ],
        False,
    ),
}


@pytest.mark.parametrize(("policy", "passes"), CASES.values(), ids=CASES)
def test_case_18_agrees_with_the_control(policy: list[object], passes: bool) -> None:
    """The control asks about grants alone; that the account may do the rest is for other controls to say."""
    found = flagged(template(*policy, recovery=False))

    grants = [(outcome, path) for name, outcome, path in found if name == GRANTS]
    assert (grants == []) is passes
    if not passes:
        assert ("violation", "Statement/0") in grants
    of_the_account = {"IAM-KMS-3", "IAM-KMS-4", "IAM-KMS-5", "IAM-KMS-7", "IAM-KMS-8"}
    open_to_everyone = {"KMS:004"} if policy[-1] == guard(Effect="Allow") else set()
    others = {name.partition("[")[0] for name, _, _ in found} - {"IAM-KMS-6"}
    assert others == of_the_account | open_to_everyone


@pytest.mark.cdk
@pytest.mark.parametrize("mode", RootAccess)
def test_case_18_every_key_of_the_library_passes_the_control(mode: RootAccess) -> None:
    stack = new_stack()
    new_key(stack, key_administrators=[role("KeyAdmin")], key_users=[role("App")], root_access=mode)

    found: dict[str, Any] = statements(stack)

    assert found["DenyDirectGrants"] == {"Sid": "DenyDirectGrants", **guard()}
    assert found["RootAccount"]["Principal"] == {"AWS": ROOT}


@pytest.mark.cdk
def test_case_18_a_declared_grant_is_an_exception_from_the_control() -> None:
    """Not hidden: the Deny has one more condition, which the control's own rule does not accept."""
    stack = new_stack()
    grant = DirectGrant(role("Report"), ["Decrypt"], created_by=[role("ReportSetup")])
    new_key(stack, key_administrators=[role("KeyAdmin")], direct_grants=[grant])

    found = statements(stack)["DenyDirectGrants"]

    assert found["Condition"] == {
        "BoolIfExists": DIRECT,
        "ArnNotEquals": {"aws:PrincipalArn": role("ReportSetup")},
    }
