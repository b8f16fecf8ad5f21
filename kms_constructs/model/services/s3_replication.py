"""Replication of encrypted objects by S3."""

from __future__ import annotations

from kms_constructs.model.service_requirement import (
    ANY_FORM,
    PARTITION,
    Consumer,
    KeyForm,
    PresetText,
    Row,
    ServiceRequirement,
    Step,
    Who,
    named_by,
    through_service,
)

_PAGE = "https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-config-for-kms-objects.html"
_DEFAULT = "BucketEncryption/ServerSideEncryptionConfiguration/*/ServerSideEncryptionByDefault/KMSMasterKeyID"
_ENCRYPTED = "ReplicationConfiguration/Rules/*/SourceSelectionCriteria/SseKmsEncryptedObjects/Status"
_ROLE = ((Step("AWS::S3::Bucket", ("ReplicationConfiguration/Role",)),),)
_CONTEXT = {"aws:s3:arn": f"arn:{PARTITION}:s3:::*"}

REQUIREMENT = ServiceRequirement(
    name="s3_replication",
    title="S3 replication",
    pages=(_PAGE,),
    via="s3",
    callers=(
        through_service(
            "s3",
            Who.ROLE,
            ("Decrypt",),
            page=_PAGE,
            context=_CONTEXT,
            roles=_ROLE,
            only_if="the key is the one of the source bucket",
            sid="Source",
        ),
        through_service(
            "s3",
            Who.ROLE,
            ("Decrypt", "Encrypt", "GenerateDataKey"),
            page=_PAGE,
            context=_CONTEXT,
            roles=_ROLE,
            called=("Encrypt",),
            only_if="the key is the one of the replicas",
            sid="Destination",
            note="Decrypt is for an S3 Bucket Key, GenerateDataKey for replicas of plain objects.",
        ),
    ),
    consumers=(
        named_by(
            "AWS::S3::Bucket",
            "ReplicationConfiguration/Rules/*/Destination/EncryptionConfiguration/ReplicaKmsKeyID",
            page=_PAGE,
            forms=(KeyForm.ARN,),
        ),
        Consumer(
            (
                Step(
                    "AWS::S3::Bucket",
                    (_DEFAULT,),
                    {_ENCRYPTED: "Enabled"},
                ),
            ),
            ANY_FORM,
            _PAGE,
        ),
    ),
    rows=(
        Row(
            "S3 replication",
            "s3.Bucket(replication_rules=[s3.ReplicationRule(kms_key=key, …)])",
            "the replication role, which it is granted to",
            "nothing for a role of the same stack; services=[ServiceAccess.s3_replication(role, …)]"
            " for others",
        ),
    ),
    preset=PresetText(call="ServiceAccess.s3_replication(role, …)", sid="S3Replication"),
)
