"""Imported key material: no material in a template, an expiry that is enforced, and who may import."""

from __future__ import annotations

import inspect
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest
from aws_cdk import App, Environment
from aws_cdk import aws_s3 as s3
from aws_cdk.assertions import Template

from kms_constructs.cdk.key.replica_plan import ReplicaConfig
from kms_constructs.cdk.key.secure_key import SecureKmsKey
from kms_constructs.errors import ArgumentError, GuardrailError
from kms_constructs.testing import access, assert_guardrails
from tests.cdk.keys import ACCOUNT, ADMIN, RESCUE, USER, key_resource, new_key, new_stack, statements

pytestmark = pytest.mark.cdk

TODAY = datetime.now(UTC).date()
IN_SIX_MONTHS = TODAY + timedelta(days=182)
IMPORTER = f"arn:aws:iam::{ACCOUNT}:role/KeyCeremony"


def imported(scope: Any, construct_id: str = "Key", **arguments: Any) -> Any:
    given = {"origin": "EXTERNAL", "material_expires": IN_SIX_MONTHS, "policy_reviewed_on": TODAY}
    return new_key(scope, construct_id, **{**given, **arguments})


def test_the_key_waits_for_its_material():
    stack = new_stack()
    imported(
        stack, key_users=[USER], break_glass_principals=[RESCUE], material_expires=IN_SIX_MONTHS.isoformat()
    )
    midnight = datetime.combine(IN_SIX_MONTHS, time(), UTC) + timedelta(days=1)
    key = key_resource(stack)
    assert {
        name: value for name, value in key["Properties"].items() if name not in {"KeyPolicy", "Tags"}
    } == {
        "Description": "Data of the tests",
        "KeySpec": "SYMMETRIC_DEFAULT",
        "KeyUsage": "ENCRYPT_DECRYPT",
        "MultiRegion": False,
        "Origin": "EXTERNAL",
        "PendingWindowInDays": 30,
    }
    assert key["Metadata"]["kms-constructs"]["materialExpires"] == IN_SIX_MONTHS.isoformat()
    # KMS returns no metadata of a template: whoever imports the material reads the day in a tag.
    assert {"Key": "kms:material-expires", "Value": IN_SIX_MONTHS.isoformat()} in key["Properties"]["Tags"]
    found = statements(stack)
    assert found["KeyMaterialImport"] == {
        "Sid": "KeyMaterialImport",
        "Effect": "Allow",
        "Principal": {"AWS": ADMIN},
        "Action": [
            "kms:DescribeKey",
            "kms:GetParametersForImport",
            "kms:ImportKeyMaterial",
            "kms:ListKeyRotations",
            "kms:ListResourceTags",
        ],
        "Resource": "*",
    }
    assert found["DenyLastingMaterial"] == {
        "Sid": "DenyLastingMaterial",
        "Effect": "Deny",
        "Principal": {"AWS": "*"},
        "Action": "kms:ImportKeyMaterial",
        "Resource": "*",
        "Condition": {"StringEquals": {"kms:ExpirationModel": "KEY_MATERIAL_DOES_NOT_EXPIRE"}},
    }
    assert found["DenyMaterialBeyondExpiry"] == {
        "Sid": "DenyMaterialBeyondExpiry",
        "Effect": "Deny",
        "Principal": {"AWS": "*"},
        "Action": "kms:ImportKeyMaterial",
        "Resource": "*",
        # The whole day counts: midnight UTC after it.
        "Condition": {"NumericGreaterThan": {"kms:ValidTo": str(int(midnight.timestamp()))}},
    }
    assert "kms:DeleteImportedKeyMaterial" in found["BreakGlass"]["Action"]
    assert "kms:EnableKeyRotation" not in found["Deployment"]["Action"]


def test_other_keys_have_none_of_it():
    stack = new_stack()
    new_key(stack)
    assert not {sid for sid in statements(stack) if "Material" in sid}
    assert "Origin" not in key_resource(stack)["Properties"]
    assert "materialExpires" not in key_resource(stack)["Metadata"]["kms-constructs"]


def test_importers_of_one_s_own():
    stack = new_stack()
    imported(stack, key_material_importers=[IMPORTER], key_users=[USER])
    key = access(stack, "alias/dev/key")
    assert key.who_can("ImportKeyMaterial") == {IMPORTER}
    assert key.who_can("GetParametersForImport") == {IMPORTER}
    assert key.who_can("DeleteImportedKeyMaterial") == {ADMIN, f"the root user of account {ACCOUNT}"}


def test_the_guardrails_find_nothing():
    stack = new_stack()
    key = imported(stack, key_users=[USER], key_material_importers=[IMPORTER])
    s3.Bucket(stack, "Bucket", encryption_key=key)
    report = assert_guardrails(stack)
    assert [one.outcome.value for one in report.findings if one.control == "KMS:009"] == ["compliant"]
    assert not [one for one in report.findings if one.outcome.value in {"violation", "undetermined"}]


def test_material_that_has_expired_is_the_guardrails_to_report():
    stack = new_stack()
    imported(stack, material_expires=TODAY - timedelta(days=1))
    with pytest.raises(GuardrailError, match=r"KMS:009\[expired\]"):
        assert_guardrails(stack)


@pytest.mark.parametrize(
    ("spec", "usage", "by_hand"),
    [
        ("SYMMETRIC_DEFAULT", None, True),
        ("HMAC_256", None, False),
        ("RSA_3072", "SIGN_VERIFY", False),
        ("ECC_NIST_P256", "SIGN_VERIFY", False),
    ],
)
def test_every_kind_of_key(spec, usage, by_hand):
    stack = new_stack()
    imported(stack, key_spec=spec, key_usage=usage)
    properties = key_resource(stack)["Properties"]
    assert not {"EnableKeyRotation", "RotationPeriodInDays"} & set(properties)
    # KMS rotates imported symmetric keys when it is told to, and others not at all.
    assert ("kms:RotateKeyOnDemand" in statements(stack)["KeyAdministrators"]["Action"]) is by_hand


def test_replicas_get_their_own_import():
    app = App(analytics_reporting=False)
    stack = new_stack(app=app, env=Environment(account=ACCOUNT, region="us-east-1"))
    later = IN_SIX_MONTHS + timedelta(days=30)
    key = imported(
        stack,
        replica_regions=[
            "eu-west-1",
            ReplicaConfig("eu-central-1", material_expires=later, key_material_importers=[IMPORTER]),
        ],
    )
    for region, expiry, importer in (
        ("eu-west-1", IN_SIX_MONTHS, ADMIN),
        ("eu-central-1", later, IMPORTER),
    ):
        template = Template.from_stack(key.replica(region).stack).to_json()
        (replica,) = (one for one in template["Resources"].values() if one["Type"] == "AWS::KMS::ReplicaKey")
        assert "Origin" not in replica["Properties"]
        assert replica["Metadata"]["kms-constructs"]["materialExpires"] == expiry.isoformat()
        by_sid = {one["Sid"]: one for one in replica["Properties"]["KeyPolicy"]["Statement"]}
        assert by_sid["KeyMaterialImport"]["Principal"] == {"AWS": importer}
        assert {"DenyLastingMaterial", "DenyMaterialBeyondExpiry"} <= set(by_sid)


def test_no_argument_takes_material():
    arguments = inspect.signature(SecureKmsKey.__init__).parameters
    assert {name for name in arguments if "material" in name} == {
        "material_expires",
        "key_material_importers",
    }


REFUSED: dict[str, tuple[dict[str, Any], str, str]] = {
    "no expiry": ({"material_expires": None}, "material_expires", "is forgotten"),
    "more than a year": (
        {"material_expires": TODAY + timedelta(days=367)},
        "material_expires",
        "at most 365 days ahead",
    ),
    "no date": ({"material_expires": "next year"}, "material_expires", "a date is wanted"),
    "a user who imports": (
        {"key_material_importers": [USER], "key_users": [USER]},
        "key_users",
        "the same principal stands in key_material_importers",
    ),
    "everybody imports": ({"key_material_importers": ["*"]}, "key_material_importers", "wildcard"),
    "rotation": ({"rotation_period": 365}, "rotation_period", "of its own making"),
    "expiry of KMS's own material": (
        {"origin": "AWS_KMS"},
        "material_expires",
        "KMS makes the material of this key",
    ),
    "importers of KMS's own material": (
        {"origin": "AWS_KMS", "material_expires": None, "key_material_importers": [IMPORTER]},
        "key_material_importers",
        "nobody imports any",
    ),
    "a custom key store": ({"origin": "EXTERNAL_KEY_STORE"}, "origin", "AWS_KMS and EXTERNAL only"),
}


@pytest.mark.parametrize(("arguments", "argument", "reason"), REFUSED.values(), ids=REFUSED)
def test_refused(arguments, argument, reason):
    with pytest.raises(ArgumentError) as caught:
        imported(new_stack(), **arguments)
    assert caught.value.argument == argument
    assert reason in str(caught.value)
    assert caught.value.fix


@pytest.mark.parametrize(
    "value",
    [TODAY, TODAY + timedelta(days=365), datetime.now(UTC), IN_SIX_MONTHS.isoformat()],
    ids=["today", "a year ahead", "a datetime", "text"],
)
def test_accepted(value):
    assert imported(new_stack(), material_expires=value).policy_spec.material_expires is not None
