"""The preset for AWS Backup."""

from __future__ import annotations

from collections.abc import Sequence

from kms_constructs.model.services.backup import REQUIREMENT
from kms_constructs.policies.services.parts import Templates, through_caller


def backup(principals: Sequence[object], *, resource_services: Sequence[str] = ()) -> Templates:
    """Lets backup roles make and use a vault that is encrypted with this key.

    Creating a vault also needs `kms:RetireGrant`, which only an IAM policy can give.

    Args:
        principals: The backup role, and whoever creates the vault.
        resource_services: Services whose copies are encrypted with the key by the same roles: ``ec2`` for
            EBS snapshots, ``rds``, ``dynamodb``, ``elasticfilesystem``.

    Raises:
        ArgumentError: No principal, or a principal that is none.

    See: https://docs.aws.amazon.com/aws-backup/latest/devguide/create-a-vault.html
    """
    return through_caller(REQUIREMENT, "", principals, services=resource_services)
