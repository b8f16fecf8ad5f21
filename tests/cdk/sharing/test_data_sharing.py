"""Sharing a bucket with another account: whole policies, read and write kept apart, guardrails passed."""

from __future__ import annotations

from typing import Any

import pytest
from aws_cdk import App, Environment, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from aws_cdk.assertions import Template

from kms_constructs.cdk.sharing.data_sharing import CrossAccountDataSharing
from kms_constructs.errors import ArgumentError
from kms_constructs.testing import assert_guardrails

pytestmark = pytest.mark.cdk

OWNER = "111122223333"
PARTNER = "444455556666"
ADMIN = f"arn:aws:iam::{OWNER}:role/KeyAdmin"
WRITER = f"arn:aws:iam::{OWNER}:role/Orders"
READER = f"arn:aws:iam::{OWNER}:role/Reports"
PARTNER_WRITER = f"arn:aws:iam::{PARTNER}:role/Feed"
PARTNER_READER = f"arn:aws:iam::{PARTNER}:role/Analytics"
ORGANIZATION = "o-abcdefghij"
REQUIRED: dict[str, Any] = {
    "alias": "orders/shared",
    "description": "Orders shared with analytics",
    "environment": "prod",
    "service": "orders",
    "data_classification": "confidential",
    "key_administrators": [ADMIN],
    "policy_reviewed_on": "2026-11-01",
}


def stack() -> Stack:
    return Stack(
        App(analytics_reporting=False), "Sharing", env=Environment(account=OWNER, region="eu-west-1")
    )


@pytest.fixture(scope="module")
def shared() -> CrossAccountDataSharing:
    return CrossAccountDataSharing(
        stack(),
        "Orders",
        **REQUIRED,
        writers=[WRITER],
        readers=[READER],
        external_writers=[PARTNER_WRITER],
        external_readers=[PARTNER_READER],
        organization_id=ORGANIZATION,
        bucket_name="orders-shared-with-analytics",
    )


@pytest.fixture(scope="module")
def template(shared: CrossAccountDataSharing) -> dict[str, Any]:
    return Template.from_stack(Stack.of(shared)).to_json()


def only(template: dict[str, Any], resource_type: str) -> tuple[str, dict[str, Any]]:
    ((logical_id, resource),) = (
        (name, resource)
        for name, resource in template["Resources"].items()
        if resource["Type"] == resource_type
    )
    return logical_id, resource


def test_makes_key_alias_bucket_policy_and_nothing_else(template: dict[str, Any]):
    assert sorted(resource["Type"] for resource in template["Resources"].values()) == [
        "AWS::KMS::Alias",
        "AWS::KMS::Key",
        "AWS::S3::Bucket",
        "AWS::S3::BucketPolicy",
    ]


def test_bucket_is_encrypted_private_versioned_and_kept(template: dict[str, Any]):
    key_id, _ = only(template, "AWS::KMS::Key")
    _, bucket = only(template, "AWS::S3::Bucket")
    properties = dict(bucket["Properties"])
    properties.pop("Tags", None)
    assert properties == {
        "BucketName": "orders-shared-with-analytics",
        "BucketEncryption": {
            "ServerSideEncryptionConfiguration": [
                {
                    "BucketKeyEnabled": True,
                    "ServerSideEncryptionByDefault": {
                        "KMSMasterKeyID": {"Fn::GetAtt": [key_id, "Arn"]},
                        "SSEAlgorithm": "aws:kms",
                    },
                }
            ]
        },
        "OwnershipControls": {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]},
        "PublicAccessBlockConfiguration": {
            "BlockPublicAcls": True,
            "BlockPublicPolicy": True,
            "IgnorePublicAcls": True,
            "RestrictPublicBuckets": True,
        },
        "VersioningConfiguration": {"Status": "Enabled"},
    }
    assert (bucket["DeletionPolicy"], bucket["UpdateReplacePolicy"]) == ("RetainExceptOnCreate", "Retain")


def test_bucket_policy_enforces_tls_and_this_key_and_keeps_read_and_write_apart(template: dict[str, Any]):
    key_id, _ = only(template, "AWS::KMS::Key")
    bucket_id, _ = only(template, "AWS::S3::Bucket")
    _, policy = only(template, "AWS::S3::BucketPolicy")
    bucket = {"Fn::GetAtt": [bucket_id, "Arn"]}
    objects = {"Fn::Join": ["", [bucket, "/*"]]}
    asked = {"Null": {"s3:x-amz-server-side-encryption": "false"}}
    in_organization = {"StringEquals": {"aws:PrincipalOrgID": ORGANIZATION}}
    write = ["s3:AbortMultipartUpload", "s3:ListMultipartUploadParts", "s3:PutObject"]
    read = ["s3:GetObject", "s3:GetObjectVersion"]
    listing = ["s3:GetBucketLocation", "s3:ListBucket"]

    def deny(sid: str, condition: dict[str, Any]) -> dict[str, Any]:
        return {
            "Sid": sid,
            "Effect": "Deny",
            "Principal": "*",
            "Action": "s3:PutObject",
            "Resource": objects,
            "Condition": condition,
        }

    def allow(
        sid: str, arn: str, actions: list[str], resource: object, condition: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        return {
            "Sid": sid,
            "Effect": "Allow",
            "Principal": {"AWS": arn},
            "Action": actions,
            "Resource": resource,
            **({"Condition": condition} if condition else {}),
        }

    transport = {
        "Effect": "Deny",
        "Principal": {"AWS": "*"},
        "Action": "s3:*",
        "Resource": [bucket, objects],
    }
    assert policy["Properties"]["PolicyDocument"]["Statement"] == [
        {**transport, "Condition": {"Bool": {"aws:SecureTransport": "false"}}},
        {**transport, "Condition": {"NumericLessThan": {"s3:TlsVersion": 1.2}}},
        deny(
            "DenyOtherEncryption",
            {**asked, "StringNotEquals": {"s3:x-amz-server-side-encryption": "aws:kms"}},
        ),
        deny(
            "DenyOtherKeys",
            {
                **asked,
                "StringNotEquals": {
                    "s3:x-amz-server-side-encryption-aws-kms-key-id": {"Fn::GetAtt": [key_id, "Arn"]}
                },
            },
        ),
        deny(
            "DenyCustomerProvidedKeys",
            {"Null": {"s3:x-amz-server-side-encryption-customer-algorithm": "false"}},
        ),
        allow("OwnWriters", WRITER, write, objects),
        allow("OwnReaders", READER, read, objects),
        allow("OwnReadersList", READER, listing, bucket),
        allow("ExternalWriters", PARTNER_WRITER, write, objects, in_organization),
        allow("ExternalReaders", PARTNER_READER, read, objects, in_organization),
        allow("ExternalReadersList", PARTNER_READER, listing, bucket, in_organization),
    ]


def test_key_works_through_s3_for_this_bucket_alone(template: dict[str, Any]):
    _, key = only(template, "AWS::KMS::Key")
    bucket = ["arn:", {"Ref": "AWS::Partition"}, ":s3:::orders-shared-with-analytics"]
    context = {
        "kms:EncryptionContext:aws:s3:arn": [
            {"Fn::Join": ["", bucket]},
            {"Fn::Join": ["", [*bucket[:2], f"{bucket[2]}/*"]]},
        ]
    }
    through_s3 = {"kms:ViaService": "s3.eu-west-1.amazonaws.com"}
    own = {
        "StringEquals": {"kms:CallerAccount": OWNER, **through_s3},
        "StringLike": context,
    }
    partner = {
        "StringEquals": {**through_s3, "aws:PrincipalOrgID": ORGANIZATION},
        "StringLike": context,
    }
    statements = {
        statement["Sid"]: (
            statement["Principal"]["AWS"],
            [action for action in _as_list(statement["Action"]) if "Pair" not in action],
            statement["Condition"],
        )
        for statement in key["Properties"]["KeyPolicy"]["Statement"]
        if statement["Sid"].startswith(("Service", "External"))
    }
    describe = {"StringEquals": {**through_s3, "aws:PrincipalOrgID": ORGANIZATION}}
    assert statements == {
        "ServiceS3": (WRITER, ["kms:Decrypt", "kms:GenerateDataKey"], own),
        "ServiceS3Readers": (READER, ["kms:Decrypt"], own),
        "ExternalWritersUse": (
            PARTNER_WRITER,
            [
                "kms:Decrypt",
                "kms:Encrypt",
                "kms:GenerateDataKey",
                "kms:GenerateDataKeyWithoutPlaintext",
                "kms:ReEncryptFrom",
                "kms:ReEncryptTo",
            ],
            partner,
        ),
        "ExternalWritersDescribe": (PARTNER_WRITER, ["kms:DescribeKey"], describe),
        "ExternalReadersUse": (PARTNER_READER, ["kms:Decrypt", "kms:ReEncryptFrom"], partner),
        "ExternalReadersDescribe": (PARTNER_READER, ["kms:DescribeKey"], describe),
    }


def test_outputs_what_the_other_account_has_to_attach(shared: CrossAccountDataSharing):
    stack = Stack.of(shared)
    bucket = stack.resolve(shared.bucket.bucket_arn)
    objects = {"Fn::Join": ["", [bucket, "/*"]]}
    through_s3 = {
        "Sid": "UseKeyThroughS3",
        "Effect": "Allow",
        "Resource": stack.resolve(shared.key.key_arn),
        "Condition": {"StringEquals": {"kms:ViaService": "s3.eu-west-1.amazonaws.com"}},
    }
    assert stack.resolve(shared.external_writer_policy) == {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "WriteObjects",
                "Effect": "Allow",
                "Action": ["s3:AbortMultipartUpload", "s3:ListMultipartUploadParts", "s3:PutObject"],
                "Resource": objects,
            },
            {**through_s3, "Action": ["kms:Decrypt", "kms:GenerateDataKey"]},
        ],
    }
    assert stack.resolve(shared.external_reader_policy) == {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "ReadObjects",
                "Effect": "Allow",
                "Action": ["s3:GetObject", "s3:GetObjectVersion"],
                "Resource": objects,
            },
            {
                "Sid": "ListBucket",
                "Effect": "Allow",
                "Action": ["s3:GetBucketLocation", "s3:ListBucket"],
                "Resource": bucket,
            },
            {**through_s3, "Action": ["kms:Decrypt"]},
        ],
    }


def test_outputs_the_policies_as_json(template: dict[str, Any]):
    outputs = {name: output["Value"] for name, output in template["Outputs"].items()}
    assert len(outputs) == 4
    for name, value in outputs.items():
        if "Policy" in name:
            text = "".join(part for part in value["Fn::Join"][1] if isinstance(part, str))
            assert text.startswith('{"Version":"2012-10-17","Statement":[{"Sid":')


def test_s3_writes_the_access_log_where_it_is_told():
    home = stack()
    logs = s3.Bucket(home, "Logs")
    sharing = CrossAccountDataSharing(
        home, "Orders", **REQUIRED, external_readers=[PARTNER_READER], access_log_bucket=logs
    )
    (bucket,) = (
        one["Properties"]
        for name, one in Template.from_stack(home).to_json()["Resources"].items()
        if one["Type"] == "AWS::S3::Bucket" and name != home.get_logical_id(logs.node.default_child)
    )
    assert bucket["LoggingConfiguration"] == {"DestinationBucketName": home.resolve(logs.bucket_name)}
    assert home.resolve(sharing.bucket.bucket_name) != home.resolve(logs.bucket_name)


def test_an_account_of_the_cdk_is_written_with_the_partition_of_the_key():
    home = stack()
    CrossAccountDataSharing(home, "Orders", **REQUIRED, external_readers=[iam.AccountPrincipal(PARTNER)])
    root = {"Fn::Join": ["", ["arn:", {"Ref": "AWS::Partition"}, f":iam::{PARTNER}:root"]]}
    resources = Template.from_stack(home).to_json()["Resources"].values()
    key = next(one["Properties"]["KeyPolicy"] for one in resources if one["Type"] == "AWS::KMS::Key")
    bucket = next(
        one["Properties"]["PolicyDocument"] for one in resources if one["Type"] == "AWS::S3::BucketPolicy"
    )

    found = {
        one["Sid"]: one["Principal"]["AWS"]
        for policy in (key, bucket)
        for one in policy["Statement"]
        if "External" in one.get("Sid", "")
    }
    assert found == dict.fromkeys(
        ("ExternalReadersUse", "ExternalReadersDescribe", "ExternalReaders", "ExternalReadersList"), root
    )


def test_passes_the_guardrails(shared: CrossAccountDataSharing):
    report = assert_guardrails(Stack.of(shared))
    assert report.keys == 1
    assert [finding.id for finding in report.failures] == []


def test_no_bucket_name_no_context():
    shared = CrossAccountDataSharing(stack(), "Orders", **REQUIRED, external_readers=[PARTNER_READER])
    template = Template.from_stack(Stack.of(shared)).to_json()
    _, key = only(template, "AWS::KMS::Key")
    conditions = {
        statement["Sid"]: statement["Condition"]
        for statement in key["Properties"]["KeyPolicy"]["Statement"]
        if statement["Sid"].startswith(("Service", "External"))
    }
    through_s3 = {"StringEquals": {"kms:ViaService": "s3.eu-west-1.amazonaws.com"}}
    assert conditions == {"ExternalReadersUse": through_s3, "ExternalReadersDescribe": through_s3}
    assert shared.external_writer_policy is None


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "nobody to share with": ({}, "there is nobody in another account to share with"),
    "partner of the own account": ({"external_readers": [READER]}, "lives in the key's own account"),
    "writer of another account": (
        {"external_readers": [PARTNER_READER], "writers": [PARTNER_WRITER]},
        f"limited to account {OWNER} by kms:CallerAccount",
    ),
    "everybody": ({"external_readers": ["*"]}, "a wildcard is not allowed"),
    "malformed organization": (
        {"external_readers": [PARTNER_READER], "organization_id": "abc"},
        "an organization id is o-",
    ),
}


@pytest.mark.parametrize(("arguments", "message"), REFUSED.values(), ids=REFUSED.keys())
def test_refuses_with_the_reason(arguments: dict[str, Any], message: str):
    with pytest.raises(ArgumentError) as raised:
        CrossAccountDataSharing(stack(), "Orders", **REQUIRED, **arguments)
    assert message in str(raised.value)


def _as_list(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value
