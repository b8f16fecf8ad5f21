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
    pages=(
        _PAGE,
        "https://docs.aws.amazon.com/aws-backup/latest/devguide/create-cross-account-backup.html",
    ),
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
        Row(
            "Backup copy into another account",
            "backup.CfnBackupPlan(backup_plan=…copy_actions…)",
            "the other account, with the key of the source; the vault there has its own",
            (
                "external_access=[ExternalAccess(…, grants_for_aws_resources=True)] with the services of the"
                " resources"
            ),
        ),
    ),
    preset=PresetText(call="ServiceAccess.backup([…])", sid="Backup"),
    asks_through=("backup",),
    notes=("A copy into another account needs the source's key shared with that account.",),
)
