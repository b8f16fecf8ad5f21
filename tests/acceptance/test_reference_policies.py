"""The policies that everybody starts from fail the separation of duties; those of the library do not.

The first three are what ``kms.Key(admins=…)``, the AWS console and the usual Terraform configuration write:
the account with ``kms:*``, administrators with ``kms:Create*``, users.
"""

from __future__ import annotations

from typing import Any

import pytest
from aws_cdk import App, Environment, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk.assertions import Template

from kms_constructs import RootAccess
from kms_constructs.errors import GuardrailError
from kms_constructs.guardrails.finding import Finding, Outcome, Report, Severity
from kms_constructs.testing import access, assert_guardrails
from tests.acceptance.support import (
    ACCOUNT,
    REGION,
    ROOT,
    allowed,
    assert_nothing_open,
    encrypting,
    judged,
    new_key,
    new_stack,
    open_findings,
    role,
    template,
)

ADMIN, USER, RESCUE = role("KeyAdmin"), role("App"), role("BreakGlass")
USE = ["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*"]
ADMINISTRATORS = ["kms:Create*", "kms:Describe*", "kms:Enable*", "kms:List*", "kms:Put*", "kms:Update*"]
ADMINISTRATORS += ["kms:Revoke*", "kms:Disable*", "kms:Get*", "kms:Delete*", "kms:TagResource"]
ADMINISTRATORS += ["kms:UntagResource", "kms:ScheduleKeyDeletion", "kms:CancelKeyDeletion"]
CONSOLE = (
    allowed("Enable IAM User Permissions", ROOT, "kms:*"),
    allowed("Allow access for Key Administrators", ADMIN, [*ADMINISTRATORS, "kms:RotateKeyOnDemand"]),
    allowed("Allow use of the key", USER, USE),
    allowed(
        "Allow attachment of persistent resources",
        USER,
        ["kms:CreateGrant", "kms:ListGrants", "kms:RevokeGrant"],
        Condition={"Bool": {"kms:GrantIsForAWSResource": "true"}},
    ),
)
TERRAFORM = (
    allowed("Root", ROOT, "kms:*"),
    allowed("Administrators", ADMIN, ADMINISTRATORS),
    allowed("Users", [USER], USE),
)


def separation(report: Report) -> dict[str, Finding]:
    """Findings of IAM-KMS-8 that are not well, by their detail."""
    return {one.detail: one for one in open_findings(report) if one.control == "IAM-KMS-8"}


def plain_key(kind: str) -> dict[str, Any]:
    """A kms.Key with administrators and a user, as synthesized."""
    app = App(analytics_reporting=False, context={"@aws-cdk/core:enablePartitionLiterals": True})
    stack = Stack(app, "Plain", env=Environment(account=ACCOUNT, region=REGION))
    admin: iam.IPrincipal = iam.ArnPrincipal(ADMIN)
    if kind == "role":
        admin = iam.Role.from_role_arn(stack, "Admin", ADMIN)
    kms.Key(stack, "Key", alias="case", enable_key_rotation=True, admins=[admin]).grant_encrypt_decrypt(
        iam.ArnPrincipal(USER)
    )
    found: dict[str, Any] = app.synth().get_stack_by_name("Plain").template
    return found


@pytest.mark.parametrize("policy", [CONSOLE, TERRAFORM], ids=["AWS console", "three Terraform statements"])
def test_case_19_console_and_terraform_let_administrators_grant_themselves_use(
    policy: tuple[object, ...],
) -> None:
    found = separation(judged(template(*policy, recovery=False)))

    assert set(found) == {"CreateGrant", "delegation"}
    administrator = found["CreateGrant"]
    assert administrator.outcome is Outcome.VIOLATION
    assert administrator.path == "Properties/KeyPolicy/Statement/1"
    assert administrator.principals == (ADMIN,)
    assert administrator.message.startswith(f"{ADMIN} can both manage the key (")
    assert administrator.message.endswith(
        "and use it (CreateGrant). CreateGrant lets it give itself Decrypt."
    )
    assert "kms:Create* includes it" in administrator.fix
    account = found["delegation"]
    assert account.outcome is Outcome.VIOLATION
    assert account.path == "Properties/KeyPolicy/Statement/0"
    assert "CreateGrant, Decrypt" in account.message


@pytest.mark.cdk
def test_a_plain_key_lets_its_administrator_grant_itself_use() -> None:
    """An administrator by ARN stands in the key policy, with ``kms:Create*``."""
    found = separation(judged(plain_key("arn")))

    assert set(found) == {"CreateGrant", "delegation"}
    assert found["CreateGrant"].outcome is Outcome.VIOLATION
    assert found["CreateGrant"].path == "Properties/KeyPolicy/Statement/1"
    assert found["CreateGrant"].principals == (ADMIN,)
    assert found["CreateGrant"].message.endswith(
        "and use it (CreateGrant). CreateGrant lets it give itself Decrypt."
    )
    assert found["delegation"].outcome is Outcome.VIOLATION


@pytest.mark.cdk
def test_a_plain_key_leaves_the_administrators_to_iam() -> None:
    """A role of the app gets ``kms:Create*`` by an IAM policy, which the key policy lets count."""
    template = plain_key("role")

    found = separation(judged(template))

    assert set(found) == {"delegation"}
    assert found["delegation"].outcome is Outcome.VIOLATION
    assert "use it (CreateGrant, Decrypt, " in found["delegation"].message
    assert access(template, account=ACCOUNT).may(ADMIN, "CreateGrant")
    with pytest.raises(GuardrailError, match=r"IAM-KMS-8\[delegation\][^$]*CreateGrant"):
        assert_guardrails(template, account=ACCOUNT, region=REGION, controls=["IAM-KMS-8"])


@pytest.mark.parametrize("policy", [CONSOLE, TERRAFORM], ids=["AWS console", "three Terraform statements"])
def test_who_may_destroy_a_key_under_these_policies_is_up_to_iam(policy: tuple[object, ...]) -> None:
    found = {one.control for one in open_findings(judged(template(*policy, recovery=False)))}

    # There is no imported material to delete, so IAM-KMS-2 has nothing to say.
    assert found == {"IAM-KMS-3", "IAM-KMS-4", "IAM-KMS-5", "IAM-KMS-6", "IAM-KMS-7", "IAM-KMS-8"}


PEOPLE: dict[str, dict[str, Any]] = {
    "administrators alone": {},
    "administrators and users": {"key_users": [USER]},
    "break-glass principals": {"key_users": [USER], "break_glass_principals": [RESCUE]},
}


def with_root_access(mode: RootAccess, people: dict[str, Any]) -> Stack:
    stack = new_stack()
    encrypting(stack, new_key(stack, key_administrators=[ADMIN], root_access=mode, **people))
    return stack


@pytest.mark.cdk
@pytest.mark.parametrize("people", PEOPLE.values(), ids=PEOPLE)
@pytest.mark.parametrize("mode", [RootAccess.ADMINISTRATION, RootAccess.ROOT_USER_ONLY])
def test_the_library_passes_every_guardrail(mode: RootAccess, people: dict[str, Any]) -> None:
    stack = with_root_access(mode, people)

    assert_nothing_open(stack)
    key = access(stack)
    for action in ("Decrypt", "Encrypt", "CreateGrant", "ReEncryptFrom", "GenerateDataKey"):
        assert not key.could(ADMIN, action)
        assert not key.could(role("Anybody"), action)
    for action in ("ScheduleKeyDeletion", "DisableKey", "DisableKeyRotation", "PutKeyPolicy"):
        assert not key.could(role("Anybody"), action)


@pytest.mark.cdk
@pytest.mark.parametrize("people", PEOPLE.values(), ids=PEOPLE)
def test_full_delegation_is_what_its_owner_decided_and_says_what_it_gives_up(people: dict[str, Any]) -> None:
    stack = with_root_access(RootAccess.FULL_DELEGATION, people)

    assert_guardrails(stack)

    (found,) = separation(judged(Template.from_stack(stack).to_json())).values()
    assert (found.detail, found.severity, found.path) == (
        "delegation",
        Severity.WARNING,
        "Properties/KeyPolicy/Statement/0",
    )
    assert "any of them may hand it out, to the key's managers as well" in found.message
    assert "statement 'RootAccount' → delegates use to IAM policies" in found.chain
    assert not access(stack).could(role("Anybody"), "ScheduleKeyDeletion")
    assert not access(stack).could(role("Anybody"), "DisableKeyRotation")
