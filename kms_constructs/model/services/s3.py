"""Encrypted buckets of S3, and who reads and writes objects."""

from __future__ import annotations

from kms_constructs.model.service_requirement import (
    PARTITION,
    KeyForm,
    PresetText,
    Row,
    ServiceRequirement,
    Who,
    named_by,
    through_service,
)

_PAGE = "https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html"
_MULTIPART = "https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html"
_DEFAULT = "BucketEncryption/ServerSideEncryptionConfiguration/*/ServerSideEncryptionByDefault/KMSMasterKeyID"
_CONTEXT = {"aws:s3:arn": f"arn:{PARTITION}:s3:::*"}

REQUIREMENT = ServiceRequirement(
    name="s3",
    title="S3 bucket",
    pages=(_PAGE, _MULTIPART, "https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-key.html"),
    via="s3",
    callers=(
        through_service(
            "s3",
            Who.WRITER,
            ("Decrypt", "GenerateDataKey"),
            page=_MULTIPART,
            context=_CONTEXT,
            called=("GenerateDataKey",),
            note="Decrypt is for multipart uploads.",
        ),
        through_service("s3", Who.READER, ("Decrypt",), page=_PAGE, context=_CONTEXT, sid="Readers"),
    ),
    consumers=(
        named_by("AWS::S3::Bucket", _DEFAULT, page=_PAGE),
        named_by("AWS::S3Express::DirectoryBucket", _DEFAULT, page=_PAGE, forms=(KeyForm.ARN, KeyForm.ID)),
    ),
    rows=(
        Row(
            "S3 bucket",
            "s3.Bucket(encryption_key=key)",
            "whoever reads and writes objects",
            "key_users, or bucket.grant_read(role) for a role of the same stack",
        ),
    ),
    preset=PresetText(call="ServiceAccess.s3([…])", sid="S3"),
    asks_through=("s3",),
    undocumented=("Any call of whoever creates the bucket.",),
    notes=(
        "With an S3 Bucket Key the encryption context is the bucket's ARN, else the object's.",
        "A bucket for server access logs takes no key: "
        "https://docs.aws.amazon.com/AmazonS3/latest/userguide/enable-server-access-logging.html",
    ),
)
