"""IAM policies for one key, and the permissions boundary."""

from __future__ import annotations

from typing import Any

import pytest
from aws_cdk import App, Environment, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk.assertions import Template

from kms_constructs.cdk.key.secure_key import SecureKmsKey
from kms_constructs.cdk.sharing.access_policies import GuardrailPermissionsBoundary, KeyAccessPolicies
from kms_constructs.errors import ArgumentError
from kms_constructs.policies.root_access import RootAccess
from kms_constructs.testing import assert_guardrails

pytestmark = pytest.mark.cdk

ARN = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
ENCRYPT = [
    "kms:Encrypt",
    "kms:GenerateDataKey",
    "kms:GenerateDataKeyPair",
    "kms:GenerateDataKeyPairWithoutPlaintext",
    "kms:GenerateDataKeyWithoutPlaintext",
    "kms:ReEncryptTo",
]


def allow(sid: str, actions: list[str], condition: dict[str, Any] | None = None) -> dict[str, Any]:
    statement = {"Sid": sid, "Effect": "Allow", "Action": actions, "Resource": ARN}
    return statement | ({"Condition": condition} if condition else {})


def policies(**arguments: Any) -> KeyAccessPolicies:
    stack = Stack(
        App(analytics_reporting=False),
        "Access",
        env=Environment(account="111122223333", region="eu-west-1"),
    )
    key = kms.Key.from_key_arn(stack, "Key", ARN)
    return KeyAccessPolicies(stack, "Policies", key=key, **arguments)


CONDITION = {
    "StringEquals": {
        "kms:EncryptionContext:Team": ["red"],
        "kms:ViaService": ["s3.eu-west-1.amazonaws.com"],
    },
    "StringLike": {"kms:EncryptionContext:Stage": ["prod-*"]},
}
ADMINISTER = [
    "kms:CancelKeyDeletion",
    "kms:DescribeKey",
    "kms:EnableKey",
    "kms:EnableKeyRotation",
    "kms:GetKeyLastUsage",
    "kms:GetKeyPolicy",
    "kms:GetKeyRotationStatus",
    "kms:GetPublicKey",
    "kms:ListGrants",
    "kms:ListKeyPolicies",
    "kms:ListKeyRotations",
    "kms:ListResourceTags",
    "kms:RevokeGrant",
    "kms:RotateKeyOnDemand",
    "kms:TagResource",
    "kms:UntagResource",
    "kms:UpdateKeyDescription",
]
KEY_LIST = {
    "Sid": "KeyList",
    "Effect": "Allow",
    "Action": ["kms:ListAliases", "kms:ListKeys"],
    "Resource": "*",
}
PUBLIC = ["kms:DescribeKey", "kms:GetPublicKey"]
CASES: dict[str, tuple[dict[str, Any], dict[str, list[dict[str, Any]]]]] = {
    "encrypt and decrypt": (
        {"tasks": ["encrypt", "decrypt"]},
        {
            "encrypt": [allow("KeyEncrypt", ENCRYPT), allow("KeyMetadata", ["kms:DescribeKey"])],
            "decrypt": [
                allow("KeyDecrypt", ["kms:Decrypt", "kms:ReEncryptFrom"]),
                allow("KeyMetadata", ["kms:DescribeKey"]),
            ],
        },
    ),
    "narrowed": (
        {
            "tasks": ["decrypt"],
            "via_services": ["s3"],
            "encryption_context": {"Team": "red", "Stage": "prod-*"},
        },
        {
            "decrypt": [
                allow("KeyDecrypt", ["kms:Decrypt", "kms:ReEncryptFrom"], CONDITION),
                allow("KeyMetadata", ["kms:DescribeKey"]),
            ]
        },
    ),
    "sign and verify": (
        {"tasks": ["sign", "verify"], "key_spec": "ECC_NIST_P256"},
        {
            "sign": [allow("KeySign", ["kms:Sign"]), allow("KeyMetadata", PUBLIC)],
            "verify": [allow("KeyVerify", ["kms:Verify"]), allow("KeyMetadata", PUBLIC)],
        },
    ),
    "RSA for signing": (
        {"tasks": ["sign"], "key_spec": "RSA_3072", "key_usage": "SIGN_VERIFY"},
        {"sign": [allow("KeySign", ["kms:Sign"]), allow("KeyMetadata", PUBLIC)]},
    ),
    "MAC": (
        {"tasks": ["mac"], "key_spec": "HMAC_256"},
        {
            "mac": [
                allow("KeyMac", ["kms:GenerateMac", "kms:VerifyMac"]),
                allow("KeyMetadata", ["kms:DescribeKey"]),
            ]
        },
    ),
    "administer": (
        {"tasks": ["administer"]},
        {"administer": [allow("KeyAdminister", ADMINISTER), KEY_LIST]},
    ),
    "administer with aliases": (
        {"tasks": ["administer"], "aliases": ["alias/orders"]},
        {
            "administer": [
                allow("KeyAdminister", ADMINISTER),
                KEY_LIST,
                {
                    "Sid": "KeyAliases",
                    "Effect": "Allow",
                    "Action": ["kms:CreateAlias", "kms:DeleteAlias", "kms:UpdateAlias"],
                    "Resource": [
                        ARN,
                        {
                            "Fn::Join": [
                                "",
                                [
                                    "arn:",
                                    {"Ref": "AWS::Partition"},
                                    ":kms:eu-west-1:111122223333:alias/orders",
                                ],
                            ]
                        },
                    ],
                },
            ]
        },
    ),
}


@pytest.mark.parametrize(("arguments", "expected"), CASES.values(), ids=CASES.keys())
def test_writes_the_policies_asked_for(arguments: dict[str, Any], expected: dict[str, list[dict[str, Any]]]):
    made = policies(**arguments)
    resolved = Stack.of(made).resolve(made.documents)
    assert {task: document["Statement"] for task, document in resolved.items()} == expected


def test_synthesizes_one_managed_policy_a_task():
    made = policies(tasks=["encrypt", "decrypt", "decrypt"], path="/keys/")
    stack = Stack.of(made)
    role = iam.Role(stack, "Role", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
    role.add_managed_policy(made.policy("decrypt"))
    template = Template.from_stack(stack).to_json()
    found = [
        resource["Properties"]
        for resource in template["Resources"].values()
        if resource["Type"] == "AWS::IAM::ManagedPolicy"
    ]
    assert [properties["Path"] for properties in found] == ["/keys/", "/keys/"]
    assert found[1]["PolicyDocument"] == {
        "Version": "2012-10-17",
        "Statement": [
            allow("KeyDecrypt", ["kms:Decrypt", "kms:ReEncryptFrom"]),
            {**allow("KeyMetadata", []), "Action": "kms:DescribeKey"},
        ],
    }


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "no task": ({"tasks": []}, "tasks=[] is refused"),
    "text for a list": ({"tasks": "encrypt"}, "a list is wanted"),
    "unknown task": ({"tasks": ["use"]}, "a task is one of encrypt, decrypt"),
    "unknown spec": ({"key_spec": "AES"}, "KMS has no such key spec"),
    "task that does not fit": ({"tasks": ["sign"]}, "sign needs SIGN_VERIFY"),
    "context with RSA": (
        {"key_spec": "RSA_2048", "encryption_context": {"Team": "red"}},
        "only symmetric encryption has an encryption context",
    ),
    "context for nothing": ({"encryption_context": {"Team": "*"}}, "a text that narrows"),
    "aliases for users": ({"aliases": ["alias/orders"]}, "aliases matter to administer alone"),
    "malformed alias": ({"tasks": ["administer"], "aliases": ["orders"]}, "write it like alias/orders"),
    "AWS's alias": ({"tasks": ["administer"], "aliases": ["alias/aws/s3"]}, "and not alias/aws/"),
    "malformed service": ({"via_services": ["s3.*.amazonaws.com"]}, "in one Region"),
}


@pytest.mark.parametrize(("change", "message"), REFUSED.values(), ids=REFUSED.keys())
def test_refuses_with_the_reason(change: dict[str, Any], message: str):
    with pytest.raises(ArgumentError) as raised:
        policies(**{"tasks": ["encrypt"], **change})
    assert message in str(raised.value)


def test_refuses_a_task_that_was_not_asked_for():
    with pytest.raises(ArgumentError, match="this construct was made for encrypt"):
        policies(tasks=["encrypt"]).policy("decrypt")


def secure_key(stack: Stack, root_access: RootAccess, **arguments: Any) -> SecureKmsKey:
    return SecureKmsKey(
        stack,
        "Secure",
        description="Orders",
        environment="dev",
        service="orders",
        data_classification="internal",
        key_administrators=["arn:aws:iam::111122223333:role/KeyAdmin"],
        root_access=root_access,
        alias="orders",
        **arguments,
    )


def in_account(account: str, app: App | None = None) -> Stack:
    return Stack(
        app or App(analytics_reporting=False),
        f"Account{account}",
        env=Environment(account=account, region="eu-west-1"),
    )


@pytest.mark.parametrize(
    ("root_access", "task", "works"),
    [
        (RootAccess.ADMINISTRATION, "administer", True),
        (RootAccess.ADMINISTRATION, "decrypt", False),
        (RootAccess.FULL_DELEGATION, "administer", True),
        (RootAccess.FULL_DELEGATION, "decrypt", True),
        (RootAccess.ROOT_USER_ONLY, "administer", False),
        (RootAccess.ROOT_USER_ONLY, "decrypt", False),
    ],
)
def test_refuses_a_policy_that_would_give_nothing(root_access: RootAccess, task: str, works: bool):
    stack = in_account("111122223333")
    key = secure_key(stack, root_access)
    if works:
        assert list(KeyAccessPolicies(stack, "Policies", key=key, tasks=[task]).documents) == [task]
    else:
        with pytest.raises(ArgumentError, match="so the policy would give nothing"):
            KeyAccessPolicies(stack, "Policies", key=key, tasks=[task])


def test_another_account_may_have_policies_for_the_key():
    app = App(analytics_reporting=False)
    key = secure_key(in_account("111122223333", app), RootAccess.ADMINISTRATION)
    partner = in_account("444455556666", app)
    imported = kms.Key.from_key_arn(partner, "Key", ARN)
    for which in (imported, key):
        made = KeyAccessPolicies(partner, f"For{which.node.id}", key=which, tasks=["decrypt"])
        assert list(made.documents) == ["decrypt"]


def test_takes_spec_and_usage_from_a_secure_key():
    stack = in_account("111122223333")
    key = secure_key(stack, RootAccess.FULL_DELEGATION, key_spec="ECC_NIST_P256", key_usage="KEY_AGREEMENT")
    with pytest.raises(ArgumentError, match="this key is for KEY_AGREEMENT, and sign needs SIGN_VERIFY"):
        KeyAccessPolicies(stack, "Policies", key=key, tasks=["sign"])


def test_policies_and_boundary_pass_the_guardrails():
    stack = in_account("111122223333")
    key = secure_key(stack, RootAccess.ADMINISTRATION, outputs=True, policy_reviewed_on="2026-11-01")
    made = KeyAccessPolicies(stack, "Policies", key=key, tasks=["administer"], aliases=["alias/orders"])
    role = iam.Role(stack, "Keeper", assumed_by=iam.AccountRootPrincipal())
    role.add_managed_policy(made.policy("administer"))
    boundary = GuardrailPermissionsBoundary(stack, "Boundary")
    boundary.apply(role)
    assert_guardrails(stack)


def test_boundary_forbids_the_guarded_actions_and_nothing_else():
    stack = Stack(App(analytics_reporting=False), "Boundary")
    boundary = GuardrailPermissionsBoundary(stack, "Boundary")
    user = iam.User(stack, "Developer")
    boundary.apply(user)
    template = Template.from_stack(stack)
    (policy_id,) = template.find_resources("AWS::IAM::ManagedPolicy")
    assert template.find_resources("AWS::IAM::ManagedPolicy")[policy_id]["Properties"]["PolicyDocument"] == {
        "Version": "2012-10-17",
        "Statement": [
            {"Sid": "NoLimitOtherwise", "Effect": "Allow", "Action": "*", "Resource": "*"},
            {
                "Sid": "DenyGuardedActions",
                "Effect": "Deny",
                "Action": [
                    "kms:DeleteImportedKeyMaterial",
                    "kms:DisableKey",
                    "kms:DisableKeyRotation",
                    "kms:PutKeyPolicy",
                    "kms:ScheduleKeyDeletion",
                ],
                "Resource": "*",
            },
            {
                "Sid": "DenyDirectGrants",
                "Effect": "Deny",
                "Action": "kms:CreateGrant",
                "Resource": "*",
                "Condition": {"BoolIfExists": {"kms:GrantIsForAWSResource": "false"}},
            },
        ],
    }
    template.has_resource_properties("AWS::IAM::User", {"PermissionsBoundary": {"Ref": policy_id}})
