"""Vaults of AWS Backup."""

from __future__ import annotations

from kms_constructs.model.service_requirement import (
    KeyForm,
    PresetText,
    Row,
    ServiceRequirement,
    When,
    Who,
    named_by,
    through_service,
)

_PAGE = "https://docs.aws.amazon.com/aws-backup/latest/devguide/create-a-vault.html"

REQUIREMENT = ServiceRequirement(
    name="backup",
    title="AWS Backup vault",
    pages=(_PAGE,),
    via="backup",
    callers=(
        through_service(
            "backup",
            Who.CREATOR,
            ("Decrypt", "DescribeKey", "GenerateDataKey", "CreateGrant"),
            page=_PAGE,
            when=When.CREATE,
            note="Creating a vault also needs kms:RetireGrant, which only an IAM policy can give.",
        ),
    ),
    consumers=(named_by("AWS::Backup::BackupVault", "EncryptionKeyArn", page=_PAGE, forms=(KeyForm.ARN,)),),
    rows=(
        Row(
            "Backup vault",
            "backup.BackupVault(encryption_key=key)",
            "whoever creates the vault, and the backup role",
            "services=[ServiceAccess.backup([…])], or key_users",
        ),
    ),
    preset=PresetText(call="ServiceAccess.backup([…])", sid="Backup"),
    asks_through=("backup",),
)
