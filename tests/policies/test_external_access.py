"""Access from other accounts: the guide's scenarios as whole statements, and everything that is refused."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from aws_cdk import App, Aws, Stack
from aws_cdk import aws_iam as iam

from kms_constructs.errors import ArgumentError
from kms_constructs.model.actions import ActionClass, KeyUsage, find_action
from kms_constructs.policies.external_access import ExternalAccess
from kms_constructs.policies.target import PolicyTarget, statements_of

pytestmark = pytest.mark.cdk

ACCOUNT = "123456789012"
PRODUCTION = "111122223333"
STAGING = "444455556666"
ORGANIZATION = "o-abc1234567"
TARGET = PolicyTarget(partition="aws", account=ACCOUNT, region="us-east-1", where="Stack/Key")
SIGNING = PolicyTarget(
    partition="aws",
    account=ACCOUNT,
    region="us-east-1",
    key_spec="ECC_NIST_P256",
    key_usage=KeyUsage.SIGN_VERIFY,
)
RSA = PolicyTarget(
    partition="aws",
    account=ACCOUNT,
    region="us-east-1",
    key_spec="RSA_4096",
    key_usage=KeyUsage.ENCRYPT_DECRYPT,
)
ENCRYPT = [
    "kms:Encrypt",
    "kms:GenerateDataKey",
    "kms:GenerateDataKeyPair",
    "kms:GenerateDataKeyPairWithoutPlaintext",
    "kms:GenerateDataKeyWithoutPlaintext",
    "kms:ReEncryptTo",
]
BOTH = sorted([*ENCRYPT, "kms:Decrypt", "kms:ReEncryptFrom"])
ROLE = f"arn:aws:iam::{PRODUCTION}:role/ProductionApplicationRole"
ROOT = f"arn:aws:iam::{PRODUCTION}:root"
STAGING_ROLE = f"arn:aws:iam::{STAGING}:role/StagingApplicationRole"


def allow(sid: str, principal: Any, actions: list[str], condition: dict[str, Any]) -> dict[str, Any]:
    return {
        "Sid": sid,
        "Effect": "Allow",
        "Principal": {"AWS": principal},
        "Action": actions,
        "Resource": "*",
        "Condition": condition,
    }


VIA = {"kms:ViaService": ["s3.us-east-1.amazonaws.com", "rds.us-east-1.amazonaws.com"]}
IN_ORGANIZATION = {"aws:PrincipalOrgID": ORGANIZATION}

CASES: dict[str, tuple[ExternalAccess, PolicyTarget, list[dict[str, Any]]]] = {
    "shared services: production through S3 and RDS": (
        ExternalAccess(
            principals=[ROOT, ROLE], permissions=["both"], via_services=["s3", "rds"], name="Production"
        ),
        TARGET,
        [
            allow("ExternalProductionUse", [ROOT, ROLE], BOTH, {"StringEquals": VIA}),
            allow("ExternalProductionDescribe", [ROOT, ROLE], ["kms:DescribeKey"], {"StringEquals": VIA}),
        ],
    ),
    "shared services: staging by encryption context": (
        ExternalAccess(
            principals=[STAGING_ROLE],
            permissions=["encrypt", "decrypt"],
            encryption_context={"Environment": "staging"},
        ),
        TARGET,
        [
            allow(
                "ExternalUse",
                STAGING_ROLE,
                BOTH,
                {"StringEquals": {"kms:EncryptionContext:Environment": "staging"}},
            ),
            allow(
                "ExternalDescribe",
                STAGING_ROLE,
                ["kms:DescribeKey"],
                {"StringEquals": {"kms:CallerAccount": STAGING}},
            ),
        ],
    ),
    "data sharing: write side": (
        ExternalAccess(principals=[ROLE], permissions=["encrypt"], organization_id=ORGANIZATION),
        TARGET,
        [
            allow("ExternalUse", ROLE, ENCRYPT, {"StringEquals": IN_ORGANIZATION}),
            allow("ExternalDescribe", ROLE, ["kms:DescribeKey"], {"StringEquals": IN_ORGANIZATION}),
        ],
    ),
    "everything at once": (
        ExternalAccess(
            principals=[ROOT],
            permissions=["decrypt"],
            via_services=["ec2.us-east-1.amazonaws.com"],
            encryption_context={"Team": ["red", "blue"], "Stage": "prod-*"},
            organization_id=ORGANIZATION,
            organization_paths=[f"{ORGANIZATION}/r-ab12/ou-ab12-11111111/*"],
            grants_for_aws_resources=True,
        ),
        TARGET,
        [
            allow(
                "ExternalUse",
                ROOT,
                ["kms:Decrypt", "kms:ReEncryptFrom"],
                narrow := {
                    "StringEquals": {
                        "kms:ViaService": "ec2.us-east-1.amazonaws.com",
                        "aws:PrincipalOrgID": ORGANIZATION,
                        "kms:EncryptionContext:Team": ["red", "blue"],
                    },
                    "StringLike": {"kms:EncryptionContext:Stage": "prod-*"},
                    "ForAnyValue:StringLike": {
                        "aws:PrincipalOrgPaths": f"{ORGANIZATION}/r-ab12/ou-ab12-11111111/*"
                    },
                },
            ),
            allow(
                "ExternalGrants",
                ROOT,
                ["kms:CreateGrant"],
                {**narrow, "Bool": {"kms:GrantIsForAWSResource": "true"}},
            ),
            allow(
                "ExternalDescribe",
                ROOT,
                ["kms:DescribeKey"],
                {
                    "StringEquals": {
                        "kms:ViaService": "ec2.us-east-1.amazonaws.com",
                        "aws:PrincipalOrgID": ORGANIZATION,
                    },
                    "ForAnyValue:StringLike": {
                        "aws:PrincipalOrgPaths": f"{ORGANIZATION}/r-ab12/ou-ab12-11111111/*"
                    },
                },
            ),
        ],
    ),
    "sign": (
        ExternalAccess(principals=[ROLE], permissions=["sign"], organization_id=ORGANIZATION),
        SIGNING,
        [
            allow("ExternalUse", ROLE, ["kms:Sign"], {"StringEquals": IN_ORGANIZATION}),
            allow(
                "ExternalDescribe",
                ROLE,
                ["kms:DescribeKey", "kms:GetPublicKey"],
                {"StringEquals": IN_ORGANIZATION},
            ),
        ],
    ),
    "verify": (
        ExternalAccess(principals=[ROLE], permissions=["verify"], organization_id=ORGANIZATION),
        SIGNING,
        [
            allow("ExternalUse", ROLE, ["kms:Verify"], {"StringEquals": IN_ORGANIZATION}),
            allow(
                "ExternalDescribe",
                ROLE,
                ["kms:DescribeKey", "kms:GetPublicKey"],
                {"StringEquals": IN_ORGANIZATION},
            ),
        ],
    ),
    "describe alone": (
        ExternalAccess(principals=[ROLE], permissions=["describe"], organization_id=ORGANIZATION),
        TARGET,
        [allow("ExternalDescribe", ROLE, ["kms:DescribeKey"], {"StringEquals": IN_ORGANIZATION})],
    ),
    "encrypt with RSA": (
        ExternalAccess(principals=[ROLE], permissions=["encrypt"], organization_id=ORGANIZATION),
        RSA,
        [
            allow("ExternalUse", ROLE, ["kms:Encrypt", "kms:ReEncryptTo"], {"StringEquals": IN_ORGANIZATION}),
            allow(
                "ExternalDescribe",
                ROLE,
                ["kms:DescribeKey", "kms:GetPublicKey"],
                {"StringEquals": IN_ORGANIZATION},
            ),
        ],
    ),
}


@pytest.mark.parametrize(("access", "target", "expected"), CASES.values(), ids=CASES.keys())
def test_writes_the_statements(access: ExternalAccess, target: PolicyTarget, expected: list[dict[str, Any]]):
    assert access.statements(target) == expected


@pytest.mark.parametrize(("access", "target", "expected"), CASES.values(), ids=CASES.keys())
def test_never_administers(access: ExternalAccess, target: PolicyTarget, expected: list[dict[str, Any]]):
    for statement in access.statements(target):
        assert statement["Condition"]
        for name in statement["Action"]:
            action = find_action(name)
            assert action is not None
            assert action.classification in (ActionClass.CRYPTOGRAPHIC, ActionClass.READ) or (
                action.name == "CreateGrant"
                and statement["Condition"]["Bool"] == {"kms:GrantIsForAWSResource": "true"}
            )


def test_takes_principals_as_people_have_them():
    stack = Stack(App(analytics_reporting=False), "Principals")
    access = ExternalAccess(
        principals=[
            iam.AccountPrincipal(PRODUCTION),
            iam.ArnPrincipal(ROLE),
            iam.Role.from_role_arn(stack, "Staging", STAGING_ROLE),
            ROLE,
        ],
        permissions=["describe"],
        organization_id=ORGANIZATION,
    )
    unknown = replace(TARGET, partition=Aws.PARTITION)
    assert access.arns(unknown) == (f"arn:{Aws.PARTITION}:iam::{PRODUCTION}:root", ROLE, STAGING_ROLE)
    assert access.arns(TARGET) == (f"arn:aws:iam::{PRODUCTION}:root", ROLE, STAGING_ROLE)
    (statement,) = access.statements(unknown)
    assert statement["Principal"] == {"AWS": list(access.arns(unknown))}


def test_what_was_checked_is_what_is_written():
    context: dict[str, Any] = {"Environment": ["staging"]}
    access = ExternalAccess(principals=[ROLE], permissions=["decrypt"], encryption_context=context)
    before = access.statements(TARGET)
    context["Environment"].append("*")
    context.clear()
    assert access.statements(TARGET) == before


def test_two_entries_keep_their_sids_apart():
    entry = ExternalAccess(principals=[ROLE], permissions=["describe"], organization_id=ORGANIZATION)
    assert [statement["Sid"] for statement in statements_of([entry, entry], TARGET)] == [
        "ExternalDescribe",
        "ExternalDescribe2",
    ]


GOOD: dict[str, Any] = {"principals": [ROLE], "permissions": ["decrypt"], "organization_id": ORGANIZATION}
REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "nobody": ({"principals": []}, "principals=[] is refused"),
    "everybody": ({"principals": ["*"]}, "principals='*' is refused"),
    "ten-digit account": ({"principals": ["arn:aws:iam::1111111111:user/root"]}, "twelve digits"),
    "account id alone": ({"principals": [PRODUCTION]}, "the account root principal stands for"),
    "session": (
        {"principals": [f"arn:aws:sts::{PRODUCTION}:assumed-role/App/me"]},
        "this is a session",
    ),
    "group": ({"principals": [f"arn:aws:iam::{PRODUCTION}:group/Team"]}, "an IAM group is no principal"),
    "no permission": ({"permissions": []}, "permissions=[] is refused"),
    "administrative permission": ({"permissions": ["administer"]}, "administration is never shared"),
    "action for a permission": ({"permissions": ["kms:Decrypt"]}, "a permission is one of encrypt"),
    "named role without condition": ({"organization_id": None}, "narrowed by a condition, always"),
    "account root without condition": (
        {"principals": [ROOT], "organization_id": None},
        "narrowed by a condition, always",
    ),
    "malformed organization": ({"organization_id": "o-short"}, "organization_id='o-short'"),
    "upper-case organization": ({"organization_id": "o-ABC1234567"}, "lower-case"),
    "paths without organization": (
        {"organization_id": None, "via_services": ["s3"], "organization_paths": ["o-abc1234567/r-ab12/*"]},
        "give organization_id as well",
    ),
    "path of another organization": (
        {"organization_paths": ["o-zzz1234567/r-ab12/*"]},
        "a path is ORGANIZATION/ROOT/OU",
    ),
    "context for nothing": ({"encryption_context": {"Environment": "*"}}, "a text that narrows"),
    "context without value": ({"encryption_context": {"Environment": []}}, "a text that narrows"),
    "context for signing": (
        {"permissions": ["sign"], "encryption_context": {"Environment": "prod"}},
        "permission sign has no encryption context",
    ),
    "grants through nothing": ({"grants_for_aws_resources": True}, "give via_services"),
    "Sid with blanks": ({"name": "my production"}, "a Sid holds letters and digits"),
}


@pytest.mark.parametrize(("change", "message"), REFUSED.values(), ids=REFUSED.keys())
def test_refuses_with_the_reason(change: dict[str, Any], message: str):
    with pytest.raises(ArgumentError) as raised:
        ExternalAccess(**{**GOOD, **change})
    assert message in str(raised.value)


REFUSED_FOR_KEY: dict[str, tuple[dict[str, Any], PolicyTarget, str]] = {
    "principal of the key's own account": (
        {"principals": [f"arn:aws:iam::{ACCOUNT}:role/App"]},
        TARGET,
        "name it in key_users",
    ),
    "principal of another partition": (
        {"principals": [f"arn:aws-cn:iam::{PRODUCTION}:role/App"]},
        TARGET,
        "cannot reach a key of partition aws",
    ),
    "decrypt with a signing key": ({}, SIGNING, "decrypt needs ENCRYPT_DECRYPT"),
    "sign with an encryption key": ({"permissions": ["sign"]}, TARGET, "sign needs SIGN_VERIFY"),
    "context with RSA": (
        {"encryption_context": {"Environment": "prod"}},
        RSA,
        "only symmetric encryption has it",
    ),
    "grants with RSA": (
        {"via_services": ["ec2"], "grants_for_aws_resources": True},
        RSA,
        "only symmetric encryption has it",
    ),
    "service that is none": ({"via_services": ["https://s3"]}, TARGET, "via_services='https://s3'"),
    "service in every Region": ({"via_services": ["s3.*.amazonaws.com"]}, TARGET, "in one Region"),
    "unreadable account": (
        {
            "principals": ["${Token[TOKEN.1]}"],
            "organization_id": None,
            "encryption_context": {"Environment": "prod"},
        },
        TARGET,
        "has to be readable",
    ),
}


@pytest.mark.parametrize(
    ("change", "target", "message"), REFUSED_FOR_KEY.values(), ids=REFUSED_FOR_KEY.keys()
)
def test_refuses_a_key_that_does_not_fit(change: dict[str, Any], target: PolicyTarget, message: str):
    access = ExternalAccess(**{**GOOD, **change})
    with pytest.raises(ArgumentError) as raised:
        access.statements(target)
    assert message in str(raised.value)
