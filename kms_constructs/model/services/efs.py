"""File systems of EFS."""

from __future__ import annotations

from kms_constructs.model.service_requirement import (
    ACCOUNT,
    PARTITION,
    Caller,
    PresetText,
    Row,
    ServiceRequirement,
    Shape,
    When,
    Who,
    named_by,
    through_service,
)

_PAGE = "https://docs.aws.amazon.com/efs/latest/ug/encryption-at-rest.html"
_ROLE = "https://docs.aws.amazon.com/efs/latest/ug/using-service-linked-roles.html"

REQUIREMENT = ServiceRequirement(
    name="efs",
    title="EFS file system",
    pages=(
        _PAGE,
        _ROLE,
    ),
    via="elasticfilesystem",
    callers=(
        through_service(
            "elasticfilesystem",
            Who.CREATOR,
            ("Decrypt", "DescribeKey", "GenerateDataKeyWithoutPlaintext", "CreateGrant"),
            page=_PAGE,
            when=When.CREATE,
        ),
        Caller(
            who=Who.LINKED_ROLE,
            principal=f"arn:{PARTITION}:iam::{ACCOUNT}:role/aws-service-role/elasticfilesystem.amazonaws.com/AWSServiceRoleForAmazonElasticFileSystem",
            actions=("DescribeKey",),
            page=_ROLE,
            only_if="the file system is backed up or replicated",
            sid="Role",
        ),
    ),
    consumers=(
        named_by(
            "AWS::EFS::FileSystem", "KmsKeyId", "ReplicationConfiguration/Destinations/*/KmsKeyId", page=_PAGE
        ),
    ),
    rows=(
        Row(
            "EFS file system",
            "efs.FileSystem(kms_key=key)",
            "whoever creates the file system",
            "services=[ServiceAccess.efs([…])], or key_users",
        ),
    ),
    preset=PresetText(
        call="ServiceAccess.efs([…])",
        sid="Efs",
        shape=Shape.PRINCIPALS,
        summary=("Lets principals of the key's account create file systems that EFS encrypts with this key."),
        detail="Whoever mounts a file system needs nothing.",
        principals="Roles and users who create file systems.",
    ),
    asks_through=("elasticfilesystem",),
)
