"""What users of a widely used Terraform module write for their keys, written with this library."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App, Stack
from aws_cdk import aws_iam as iam

from kms_constructs import ArgumentError, DirectGrant, ReplicaConfig, ServiceAccess
from kms_constructs.guardrails.finding import Outcome, Severity
from kms_constructs.testing import access, assert_guardrails
from tests.acceptance.support import (
    ACCOUNT,
    ADMINISTRATION,
    DIRECT,
    FOR_AWS,
    GUARDED,
    REGION,
    ROOT,
    TODAY,
    WITHOUT_ROTATION,
    allowed,
    assert_nothing_open,
    encrypting,
    execution_role,
    key_of,
    new_key,
    new_stack,
    open_findings,
    resources,
    role,
    statements,
)

pytestmark = pytest.mark.cdk

ADMIN, OWNER, USER = role("KeyAdmin"), role("KeyOwner"), role("App")
AUTO_SCALING = (
    f"arn:aws:iam::{ACCOUNT}:role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling"
)
ZONE = "Z0123456789ABCDEFGHIJ"
DENIES = [
    "DenyDestruction",
    "DenyPolicyChange",
    "DenyRotationOff",
    "DenyManagementToUsers",
    "DenyShortDeletionWindow",
    "DenyLockoutBypass",
    "DenyDirectGrants",
]
ENVELOPE = [
    "kms:Decrypt",
    "kms:DescribeKey",
    "kms:Encrypt",
    "kms:GenerateDataKey",
    "kms:GenerateDataKeyWithoutPlaintext",
    "kms:ReEncryptFrom",
    "kms:ReEncryptTo",
]
DATA_KEYS = [
    "kms:GenerateDataKey",
    "kms:GenerateDataKeyPair",
    "kms:GenerateDataKeyPairWithoutPlaintext",
    "kms:GenerateDataKeyWithoutPlaintext",
]
LOGS = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/app/*"


def test_case_1_module_default_with_nothing_given() -> None:
    """A key for which nobody was named is refused; the module would let the whole account have it."""
    with pytest.raises(ArgumentError) as caught:
        new_key(new_stack())

    assert str(caught.value) == (
        "Data/Key: key_administrators=() is refused: a key without administrators cannot be managed, and an "
        "AWS default would let the whole account. Fix: name at least one role: "
        "key_administrators=['arn:aws:iam::111122223333:role/KeyAdmin']"
    )


@pytest.fixture(scope="module")
def complete() -> Stack:
    """One symmetric key with everybody that it can have."""
    stack = new_stack()
    key = new_key(
        stack,
        key_administrators=[ADMIN],
        break_glass_principals=[OWNER],
        key_users=[USER],
        encrypt_only_users=[role("Writer")],
        decrypt_only_users=[role("Reader")],
        services=[
            ServiceAccess.auto_scaling(),
            ServiceAccess.dynamodb([role("TableService")]),
            ServiceAccess.cloudwatch_logs(log_groups=["/app/*"]),
        ],
    )
    encrypting(stack, key)
    return stack


def test_case_2_all_roles_of_a_symmetric_key_and_its_logs(complete: Stack) -> None:
    """Owners, administrators, users, service users, Auto Scaling and Logs: a statement each, whole."""
    found = statements(complete)

    through = {"kms:CallerAccount": ACCOUNT, "kms:ViaService": f"dynamodb.{REGION}.amazonaws.com"}
    expected = [
        allowed("KeyAdministrators", ADMIN, ADMINISTRATION),
        allowed(
            "BreakGlass",
            OWNER,
            sorted(
                [*GUARDED, "kms:CancelKeyDeletion", "kms:DescribeKey", "kms:EnableKey", "kms:GetKeyPolicy"]
            ),
        ),
        allowed("KeyUsers", USER, sorted({*ENVELOPE, *DATA_KEYS})),
        allowed(
            "KeyUsersGrants",
            USER,
            ["kms:CreateGrant", "kms:ListGrants", "kms:RevokeGrant"],
            Condition=FOR_AWS,
        ),
        allowed(
            "EncryptOnly",
            role("Writer"),
            ["kms:DescribeKey", "kms:Encrypt", *DATA_KEYS, "kms:ReEncryptTo"],
        ),
        allowed("DecryptOnly", role("Reader"), ["kms:Decrypt", "kms:DescribeKey", "kms:ReEncryptFrom"]),
        allowed("ServiceAutoScaling", AUTO_SCALING, ENVELOPE),
        allowed("ServiceAutoScalingGrants", AUTO_SCALING, ["kms:CreateGrant"], Condition=FOR_AWS),
        allowed("ServiceDynamodb", role("TableService"), ENVELOPE, Condition={"StringEquals": through}),
        allowed(
            "ServiceDynamodbGrants",
            role("TableService"),
            ["kms:CreateGrant"],
            Condition={"StringEquals": through, **FOR_AWS},
        ),
        allowed(
            "ServiceCloudWatchLogs",
            {"Service": f"logs.{REGION}.amazonaws.com"},
            [action for action in ENVELOPE if action != "kms:DescribeKey"],
            Condition={"ArnLike": {"kms:EncryptionContext:aws:logs:arn": LOGS}},
        ),
    ]
    assert {sid: found[sid] for sid in (str(one["Sid"]) for one in expected)} == {
        one["Sid"]: one for one in expected
    }
    assert list(found) == [
        "RootAccount",
        "KeyAdministrators",
        "BreakGlass",
        "Deployment",
        *(str(one["Sid"]) for one in expected[2:]),
        *DENIES,
    ]


def test_case_2_nobody_on_two_sides_and_nothing_open(complete: Stack) -> None:
    """Who decrypts, who manages, who deletes, as the whole policy decides it."""
    assert_nothing_open(complete)
    key = access(complete)
    deletes = {OWNER, f"the root user of account {ACCOUNT}"}
    uses = {USER, role("Reader"), role("TableService"), AUTO_SCALING}
    assert key.who_can("ScheduleKeyDeletion") == deletes
    assert key.who_can("PutKeyPolicy") == {*deletes, execution_role()}
    assert key.who_can("DisableKeyRotation") == set()
    assert key.who_can("Decrypt") == {*uses, f"service logs.{REGION}.amazonaws.com"}
    assert not any(key.could(ADMIN, action) for action in ("Decrypt", "Encrypt", "CreateGrant"))


OTHER_USAGES: dict[str, tuple[dict[str, str], list[str]]] = {
    "HMAC users": ({"key_spec": "HMAC_256"}, ["kms:DescribeKey", "kms:GenerateMac", "kms:VerifyMac"]),
    "asymmetric public encryption users": (
        {"key_spec": "RSA_4096", "key_usage": "ENCRYPT_DECRYPT"},
        [
            "kms:Decrypt",
            "kms:DescribeKey",
            "kms:Encrypt",
            "kms:GetPublicKey",
            "kms:ReEncryptFrom",
            "kms:ReEncryptTo",
        ],
    ),
    "asymmetric sign and verify users": (
        {"key_spec": "ECC_NIST_P256", "key_usage": "SIGN_VERIFY"},
        ["kms:DescribeKey", "kms:GetPublicKey", "kms:Sign", "kms:Verify"],
    ),
}


@pytest.mark.parametrize(("kind", "actions"), OTHER_USAGES.values(), ids=OTHER_USAGES)
def test_case_2_users_of_other_usages_have_a_key_of_that_usage(
    kind: dict[str, str], actions: list[str]
) -> None:
    """A key has one usage, so its users get what that usage has; the module's lists may contradict it."""
    stack = new_stack()
    new_key(stack, key_administrators=[ADMIN], key_users=[USER], outputs=True, **kind)

    found = statements(stack)

    assert found["KeyUsers"] == allowed("KeyUsers", USER, actions)
    assert list(found) == ["RootAccount", "KeyAdministrators", "Deployment", "KeyUsers", *DENIES]
    assert set(found["KeyAdministrators"]["Action"]) == {*ADMINISTRATION, *GUARDED} - WITHOUT_ROTATION
    assert "EnableKeyRotation" not in key_of(stack)["Properties"]
    assert_nothing_open(stack)


@pytest.mark.parametrize("side", ["key_users", "encrypt_only_users", "decrypt_only_users"])
def test_case_2_one_role_as_administrator_and_user(side: str) -> None:
    """The module's own example does that; here it is refused, whatever list it comes by."""
    people: dict[str, Any] = {"key_administrators": [ADMIN, role("Both")], side: [role("Both")]}

    with pytest.raises(ArgumentError) as caught:
        new_key(new_stack(), **people)

    assert str(caught.value) == (
        f"Data/Key: {side}='{role('Both')}' is refused: the same principal stands in key_administrators, and "
        f"whoever manages a key may not use it. Fix: take it out of key_administrators or out of {side}"
    )


def test_case_3_several_aliases() -> None:
    """Names without ``alias/``, one with a path: one alias resource each, all on the same key."""
    stack = new_stack()
    key = new_key(stack, key_administrators=[ADMIN], alias="one", additional_aliases=["foo/bar"])

    found = [one["Properties"] for one in resources(stack, "AWS::KMS::Alias")]

    assert sorted(one["AliasName"] for one in found) == ["alias/foo/bar", "alias/one"]
    assert found[0]["TargetKeyId"] == found[1]["TargetKeyId"]
    assert (key.alias_name, key.alias_arn) == ("alias/one", f"arn:aws:kms:{REGION}:{ACCOUNT}:alias/one")


def test_case_4_a_grant_with_an_encryption_context() -> None:
    """CloudFormation has no grants: the policy allows exactly this one, and the guardrails report it."""
    report, setup = role("Report"), role("ReportSetup")
    grant = DirectGrant(
        report,
        ["Decrypt", "Encrypt", "GenerateDataKey"],
        created_by=[setup],
        encryption_context_equals={"Department": "Finance"},
        name="finance",
    )
    stack = new_stack()
    key = new_key(stack, key_administrators=[ADMIN], direct_grants=[grant])
    encrypting(stack, key)

    found = statements(stack)

    assert found["DirectGrant1"] == allowed(
        "DirectGrant1",
        setup,
        "kms:CreateGrant",
        Condition={
            "StringEquals": {
                "kms:GranteePrincipal": report,
                "kms:GrantConstraintType": "EncryptionContextEquals",
                "kms:EncryptionContext:Department": "Finance",
            },
            "Null": {"kms:GrantOperations": "false", "kms:RetiringPrincipal": "true"},
            "ForAllValues:StringEquals": {
                "kms:GrantOperations": ["Decrypt", "Encrypt", "GenerateDataKey"],
                "kms:EncryptionContextKeys": ["Department"],
            },
        },
    )
    denied = {"Effect": "Deny", "Principal": "*", "Action": "kms:CreateGrant", "Resource": "*"}
    assert found["DenyDirectGrants"] == {
        "Sid": "DenyDirectGrants",
        **denied,
        "Condition": {"BoolIfExists": DIRECT, "ArnNotEquals": {"aws:PrincipalArn": setup}},
    }
    assert found["DenyOtherGrantees"] == {
        "Sid": "DenyOtherGrantees",
        **denied,
        "Condition": {"BoolIfExists": DIRECT, "StringNotEquals": {"kms:GranteePrincipal": report}},
    }
    kinds = {one["Type"] for one in stack_template(stack)["Resources"].values()}
    assert kinds == {"AWS::KMS::Key", "AWS::KMS::Alias", "AWS::S3::Bucket", "AWS::S3::BucketPolicy"}
    (reported,) = open_findings(assert_guardrails(stack))
    assert (reported.id, reported.outcome, reported.severity) == (
        "IAM-KMS-6[direct-grant]",
        Outcome.VIOLATION,
        Severity.WARNING,
    )
    assert report in reported.message
    assert access(stack).who_can("CreateGrant") == {setup}


def test_case_5_imported_material_that_expires_in_six_months() -> None:
    """The key waits for its material; neither the material nor a way to put it there is in the template."""
    expires = TODAY + timedelta(days=182)
    stack = new_stack()
    key = new_key(
        stack,
        key_administrators=[ADMIN],
        key_users=[USER],
        origin="EXTERNAL",
        material_expires=expires,
        key_material_importers=[role("KeyCeremony")],
    )
    encrypting(stack, key)

    found, properties = statements(stack), key_of(stack)["Properties"]

    assert {name: properties[name] for name in properties if name not in ("KeyPolicy", "Tags")} == {
        "Description": "Data of the case",
        "KeySpec": "SYMMETRIC_DEFAULT",
        "KeyUsage": "ENCRYPT_DECRYPT",
        "MultiRegion": False,
        "Origin": "EXTERNAL",
        "PendingWindowInDays": 30,
    }
    assert found["KeyMaterialImport"] == allowed(
        "KeyMaterialImport",
        role("KeyCeremony"),
        [
            "kms:DescribeKey",
            "kms:GetParametersForImport",
            "kms:ImportKeyMaterial",
            "kms:ListKeyRotations",
            "kms:ListResourceTags",
        ],
    )
    assert found["DenyLastingMaterial"]["Condition"] == {
        "StringEquals": {"kms:ExpirationModel": "KEY_MATERIAL_DOES_NOT_EXPIRE"}
    }
    assert list(found["DenyMaterialBeyondExpiry"]["Condition"]) == ["NumericGreaterThan"]
    assert "kms:DeleteImportedKeyMaterial" in found["DenyDestruction"]["Action"]
    assert key_of(stack)["Metadata"]["kms-constructs"]["materialExpires"] == expires.isoformat()
    template = stack_template(stack)
    assert "Parameters" not in template or set(template["Parameters"]) == {"BootstrapVersion"}
    assert {one["Type"] for one in template["Resources"].values()} == {
        "AWS::KMS::Key",
        "AWS::KMS::Alias",
        "AWS::S3::Bucket",
        "AWS::S3::BucketPolicy",
    }
    assert_nothing_open(stack)
    assert access(stack).who_can("ImportKeyMaterial") == {role("KeyCeremony")}


def test_case_5_the_material_itself_is_no_argument() -> None:
    for name in ("key_material", "key_material_base64"):
        with pytest.raises(TypeError, match=f"unexpected keyword argument '{name}'"):
            new_key(new_stack(), key_administrators=[ADMIN], origin="EXTERNAL", **{name: "bWF0ZXJpYWw="})


def test_case_6_dnssec_signing_of_one_hosted_zone() -> None:
    """The module's service statement has no condition; any customer's zone could sign with the key."""
    stack = new_stack(region="us-east-1")
    new_key(
        stack,
        key_administrators=[ADMIN],
        key_spec="ECC_NIST_P256",
        key_usage="SIGN_VERIFY",
        services=[ServiceAccess.route53_dnssec([ZONE])],
        outputs=True,
    )

    found, properties = statements(stack), key_of(stack)["Properties"]

    source = {
        "StringEquals": {"aws:SourceAccount": ACCOUNT},
        "ArnLike": {"aws:SourceArn": f"arn:aws:route53:::hostedzone/{ZONE}"},
    }
    service = {"Service": "dnssec-route53.amazonaws.com"}
    assert [found[sid] for sid in found if "Route53" in sid] == [
        allowed(
            "ServiceRoute53Dnssec",
            service,
            ["kms:DescribeKey", "kms:GetPublicKey", "kms:Sign"],
            Condition=source,
        ),
        allowed("ServiceRoute53DnssecGrants", service, ["kms:CreateGrant"], Condition={**source, **FOR_AWS}),
    ]
    assert {name: properties[name] for name in properties if name not in ("KeyPolicy", "Tags")} == {
        "Description": "Data of the case",
        "KeySpec": "ECC_NIST_P256",
        "KeyUsage": "SIGN_VERIFY",
        "MultiRegion": False,
        "PendingWindowInDays": 30,
    }
    assert_nothing_open(stack)


def test_case_7_a_primary_key_and_a_replica_with_its_own_people() -> None:
    """One call makes both; the replica's policy owes nothing to the primary's."""
    app = App(analytics_reporting=False, context={"@aws-cdk/core:enablePartitionLiterals": True})
    stack = new_stack(region="us-east-1", app=app)
    key = new_key(
        stack,
        alias="prod/primary",
        key_administrators=[ADMIN],
        key_users=[USER],
        replica_regions=[
            ReplicaConfig(
                "eu-west-1",
                key_administrators=[role("EuropeAdmin")],
                key_users=[role("EuropeApp")],
                aliases=["prod/replica"],
                description="Replica of the case",
            )
        ],
    )
    encrypting(stack, key)
    europe = new_stack("Europe", app=app)
    encrypting(europe, key.replica("eu-west-1"))

    replica = key.replica("eu-west-1").stack
    here, there = statements(stack), statements(replica, "AWS::KMS::ReplicaKey")

    assert here["ReplicationToEuWest1"] == allowed(
        "ReplicationToEuWest1",
        execution_role("eu-west-1"),
        "kms:ReplicateKey",
        Condition={"StringEquals": {"kms:ReplicaRegion": "eu-west-1"}},
    )
    assert there["KeyAdministrators"]["Principal"] == {"AWS": role("EuropeAdmin")}
    assert there["KeyUsers"] == allowed("KeyUsers", role("EuropeApp"), sorted({*ENVELOPE, *DATA_KEYS}))
    assert there["Deployment"]["Principal"] == {"AWS": execution_role("eu-west-1")}
    assert ADMIN not in json.dumps(there)
    assert USER not in json.dumps(there)
    properties = key_of(replica, "AWS::KMS::ReplicaKey")["Properties"]
    assert set(properties) == {"Description", "KeyPolicy", "PendingWindowInDays", "PrimaryKeyArn", "Tags"}
    assert list(properties["PrimaryKeyArn"]) == ["Fn::GetStackOutput"]
    assert [one["Properties"]["AliasName"] for one in resources(replica, "AWS::KMS::Alias")] == [
        "alias/prod/replica"
    ]
    assert [one["Properties"]["AliasName"] for one in resources(stack, "AWS::KMS::Alias")] == [
        "alias/prod/primary"
    ]
    kinds = {one["Type"] for one in stack_template(replica)["Resources"].values()}
    assert kinds == {"AWS::KMS::ReplicaKey", "AWS::KMS::Alias"}
    for one in (stack, replica):
        assert_nothing_open(one)
    decrypts = access(replica).who_can("Decrypt")
    assert decrypts == {role("EuropeApp")}
    assert access(stack).who_can("Decrypt") == {USER}


def test_case_9_an_administrator_and_auto_scaling() -> None:
    """The service-linked role uses the key, and makes grants for AWS resources alone."""
    stack = new_stack()
    key = new_key(stack, key_administrators=[ADMIN], services=[ServiceAccess.auto_scaling()])
    encrypting(stack, key)

    found = statements(stack)

    assert list(found) == [
        "RootAccount",
        "KeyAdministrators",
        "Deployment",
        "ServiceAutoScaling",
        "ServiceAutoScalingGrants",
        *DENIES,
    ]
    assert found["KeyAdministrators"] == allowed(
        "KeyAdministrators", ADMIN, sorted([*ADMINISTRATION, *GUARDED])
    )
    assert found["ServiceAutoScaling"] == allowed("ServiceAutoScaling", AUTO_SCALING, ENVELOPE)
    assert found["ServiceAutoScalingGrants"] == allowed(
        "ServiceAutoScalingGrants", AUTO_SCALING, ["kms:CreateGrant"], Condition=FOR_AWS
    )
    assert found["RootAccount"]["Principal"] == {"AWS": ROOT}
    assert_nothing_open(stack)


def test_case_9_an_administrator_who_is_the_auto_scaling_role() -> None:
    """The service-linked role uses the key, so it cannot manage it."""
    linked = iam.Role.from_role_arn(new_stack("Roles"), "Linked", AUTO_SCALING)

    with pytest.raises(ArgumentError, match="AWSServiceRoleForAutoScaling") as caught:
        new_key(new_stack(), key_administrators=[linked], services=[ServiceAccess.auto_scaling()])

    assert "whoever manages a key may not use it" in str(caught.value)


def stack_template(stack: Stack) -> dict[str, Any]:
    """The whole template of a stack, as written."""
    app = stack.node.root
    assert isinstance(app, App)
    artifact = app.synth().get_stack_artifact(stack.artifact_id)
    found: dict[str, Any] = json.loads(Path(artifact.template_full_path).read_text(encoding="utf-8"))
    return found
