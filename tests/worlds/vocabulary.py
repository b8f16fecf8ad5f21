"""The names of the random worlds: accounts, principals, actions and the values that condition keys take."""

from __future__ import annotations

from collections.abc import Mapping

HOME = "111122223333"
OTHER = "444455556666"
"""Named by policies now and then."""
PARTNER = "555566667777"
"""Named as well, and trusted by some configurations."""
ATTACKER = "999988887777"
"""Named by no policy."""
KEY_ID = "1234abcd-12ab-34cd-56ef-1234567890ab"
OTHER_KEY_ID = "9999abcd-12ab-34cd-56ef-1234567890ab"
ORGANIZATION = "o-home123456"

PARTITIONS: Mapping[str, str] = {
    "aws": "us-east-1",
    "aws-cn": "cn-north-1",
    "aws-us-gov": "us-gov-west-1",
    "aws-iso": "us-iso-east-1",
    "aws-iso-b": "us-isob-east-1",
    "aws-iso-e": "eu-isoe-west-1",
    "aws-iso-f": "us-isof-south-1",
    "aws-eusc": "eusc-de-east-1",
}
"""Every partition, with one of its Regions."""

SERVICES = ("logs.amazonaws.com", "s3.amazonaws.com", "sns.amazonaws.com", "cloudtrail.amazonaws.com")

_LINKED = "role/aws-service-role/rds.amazonaws.com/AWSServiceRoleForRDS"
GENERATED_ROLE = "App-Role-1A2B3C4D5E6F"
"""What CloudFormation makes of the generated name in the cases."""
RESOURCES = (
    "root",
    "user/alice",
    "user/team/bob",
    "role/App",
    "role/AppAdmin",
    "role/prod-ops",
    "role/ops/App",
    "role/x:y/App",
    "user/x:role/App",
    _LINKED,
)
"""Principals of the key's account that policies name."""
FOREIGN = ("root", "role/App", "user/alice")
STRANGERS = ("role/Stranger", "user/Stranger")
"""Principals that no policy names."""


def arn(partition: str, account: str, resource: str) -> str:
    """ARN of a principal."""
    service = "sts" if resource.startswith(("federated-user/", "assumed-role/")) else "iam"
    return f"arn:{partition}:{service}::{account}:{resource}"


GUARDED = {
    "IAM-KMS-2": "DeleteImportedKeyMaterial",
    "IAM-KMS-3": "ScheduleKeyDeletion",
    "IAM-KMS-4": "DisableKey",
    "IAM-KMS-5": "PutKeyPolicy",
    "IAM-KMS-7": "DisableKeyRotation",
}
"""Controls that keep one action to authorised principals."""
MANAGING = ("PutKeyPolicy", "EnableKey", "TagResource", "CreateAlias", "CancelKeyDeletion", *GUARDED.values())
USING = ("Decrypt", "Encrypt", "GenerateDataKey")
GRANTING = frozenset({"CreateGrant", "ListGrants", "RevokeGrant"})
"""Actions whose requests carry kms:GrantIsForAWSResource."""

ACTION_PATTERNS = (
    *(f"kms:{action}" for action in GUARDED.values()),
    "kms:PutKeyPolicy",
    "kms:ScheduleKeyDeletion",
    "kms:EnableKey",
    "kms:TagResource",
    "kms:Decrypt",
    "kms:Decrypt",
    "kms:encrypt",
    "kms:GenerateDataKey*",
    "kms:CreateGrant",
    "kms:CreateGrant",
    "kms:DescribeKey",
    "kms:RetireGrant",
)
WIDE_ACTIONS = ("*", "kms:*", "kms:De*", "kms:Create*", "kms:?ncrypt", "kms:*Key*", "kms:Disable*")
