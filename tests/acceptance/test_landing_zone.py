"""Key policies as landing zones deploy them to many accounts."""

from __future__ import annotations

import pytest

from kms_constructs import ServiceAccess
from kms_constructs.testing import access
from tests.acceptance.support import (
    ACCOUNT,
    DEPLOYER,
    REGION,
    ROOT,
    allowed,
    assert_nothing_open,
    encrypting,
    flagged,
    judged,
    new_key,
    new_stack,
    open_findings,
    role,
    template,
)

VOLUMES = [
    "kms:CreateGrant",
    "kms:Decrypt",
    "kms:DescribeKey",
    "kms:Encrypt",
    "kms:GenerateDataKey*",
    "kms:ReEncrypt*",
]
THROUGH = {"kms:CallerAccount": ACCOUNT, "kms:ViaService": f"ec2.{REGION}.amazonaws.com"}
IN_ORGANIZATION = {
    "StringNotEqualsIfExists": {"aws:PrincipalOrgID": "o-abcdefghij"},
    "BoolIfExists": {"aws:PrincipalIsAWSService": "false"},
}


def test_case_14_the_key_for_volumes_lets_everybody_make_grants() -> None:
    """Everybody of the account through EC2, CreateGrant among the actions, for whatever purpose."""
    given = template(allowed("Volumes", "*", VOLUMES, Condition={"StringEquals": THROUGH}))

    found, deployer = open_findings(judged(given))

    # Everybody is the role that deploys the key, too.
    assert (deployer.id, deployer.principals) == ("IAM-KMS-8[key-policy]", (DEPLOYER,))

    assert (found.id, found.outcome.value, found.path) == (
        "IAM-KMS-6[CreateGrant]",
        "violation",
        "Properties/KeyPolicy/Statement/1",
    )
    assert found.message.startswith(
        "Statement 'Volumes' allows kms:CreateGrant for other purposes than AWS services' own"
    )


def test_case_14_grants_in_a_statement_of_their_own_with_the_condition() -> None:
    """The same access with the grants for AWS resources only is not flagged, so the flag means the grant."""
    use = allowed("Volumes", "*", VOLUMES[1:], Condition={"StringEquals": THROUGH})
    grants = allowed(
        "VolumeGrants",
        "*",
        "kms:CreateGrant",
        Condition={"StringEquals": THROUGH, "Bool": {"kms:GrantIsForAWSResource": "true"}},
    )

    assert flagged(template(use, grants)) == [
        ("IAM-KMS-8[deployment-via-service]", "violation", "Statement/1")
    ]


@pytest.mark.parametrize("missing", ["kms:CallerAccount", "kms:ViaService"])
def test_case_14_everybody_needs_both_conditions(missing: str) -> None:
    left = {name: value for name, value in THROUGH.items() if name != missing}
    given = template(allowed("Volumes", "*", VOLUMES[1:], Condition={"StringEquals": left}))

    assert "IAM-KMS-6" in {one.control for one in open_findings(judged(given))}


@pytest.mark.cdk
def test_case_14_what_the_preset_writes_instead() -> None:
    stack = new_stack()
    key = new_key(
        stack,
        key_administrators=[role("KeyAdmin")],
        key_users=[role("Instances")],
        via_services=["ec2"],
        services=[ServiceAccess.auto_scaling()],
    )
    encrypting(stack, key)

    assert_nothing_open(stack)
    assert not access(stack).could(role("Anybody"), "CreateGrant")


def deny(**more: object) -> dict[str, object]:
    return {**allowed("Perimeter", "*", "kms:*"), "Effect": "Deny", **more}


def test_case_15_a_deny_outside_the_organization_is_no_exposure() -> None:
    """A Deny for everyone takes access away; checkers that look for ``*`` alone call it public."""
    users = allowed("Users", role("App"), ["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt"])

    report = judged(template(users, deny(Condition=IN_ORGANIZATION)))

    # Whether the account's root user is in that organization is not in the template.
    assert [(one.id, one.outcome.value, one.path) for one in open_findings(report)] == [
        ("IAM-KMS-1[denied]", "undetermined", "Properties/KeyPolicy/Statement/2")
    ]
    assert {one.control for one in report.findings if one.outcome.value == "compliant"} >= {
        "IAM-KMS-6",
        "IAM-KMS-8",
        "KMS:004",
    }
    kept = {**IN_ORGANIZATION, "ArnNotEquals": {"aws:PrincipalArn": ROOT}}
    assert flagged(template(users, deny(Condition=kept))) == []


def test_case_15_the_deny_adds_no_access() -> None:
    """Who may decrypt is the same with and without it."""
    users = allowed("Users", role("App"), ["kms:Decrypt", "kms:DescribeKey"])

    for given in (template(users), template(users, deny(Condition=IN_ORGANIZATION))):
        assert access(given, account=ACCOUNT).who_can("Decrypt") == {role("App")}


def test_case_15_the_same_as_an_allow_is_exposure() -> None:
    given = template(allowed("Open", "*", "kms:Decrypt"))

    assert {one.id for one in open_findings(judged(given))} >= {"KMS:004[public]"}
