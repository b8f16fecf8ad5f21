"""What AWS managed policies allow on KMS keys, for those that allow more than reading on every key.

Chosen by program from the 1,582 AWS managed policies of October 2026: every policy that can be attached and
allows a cryptographic, grant, managing, destructive or policy action on all KMS keys without a condition,
and ROSAKMSProviderPolicy, whose only condition is a tag. Policies that reach KMS through narrow conditions
such as `kms:ViaService`, or read only, are left out. Only the statements that concern KMS are kept.

The names of all of them stand in ``data/aws-managed-policies.txt``: a policy of another name may allow
anything, be it newer or no policy at all.

See: https://docs.aws.amazon.com/aws-managed-policy/latest/reference/policy-list.html
"""

from __future__ import annotations

from functools import cache
from typing import Final

from kms_constructs.model.policy import Policy, parse_policy
from kms_constructs.model.text import display
from kms_constructs.model.unknown import Unknown

_READING_AND_ALIASES: Final = [
    "kms:CreateAlias",
    "kms:CreateKey",
    "kms:DeleteAlias",
    "kms:Describe*",
    "kms:GenerateRandom",
    "kms:Get*",
    "kms:List*",
]
_ANY: Final = {"Effect": "Allow", "Resource": "*"}
AWS_MANAGED_POLICIES: Final[dict[str, list[dict[str, object]]]] = {
    "AdministratorAccess": [{**_ANY, "Action": "*"}],
    "AIDevOpsAgentActionsPolicy": [
        {
            **_ANY,
            "NotAction": [
                "account:*",
                "cognito-identity:*",
                "iam:*",
                "identitystore:*",
                "organizations:*",
                "ram:*",
                "rolesanywhere:*",
                "sso:*",
                "sts:*",
            ],
        }
    ],
    "AmazonMSKFullAccess": [{**_ANY, "Action": ["kms:DescribeKey", "kms:CreateGrant"]}],
    "AWSBackupFullAccess": [
        {**_ANY, "Action": ["kms:ListKeys", "kms:DescribeKey", "kms:GenerateDataKey", "kms:ListAliases"]},
        {
            **_ANY,
            "Action": "kms:CreateGrant",
            "Condition": {
                "Bool": {"kms:GrantIsForAWSResource": "true"},
                "ForAnyValue:StringEquals": {"kms:EncryptionContextKeys": "aws:backup:backup-vault"},
                "StringLike": {"kms:ViaService": "backup.*.amazonaws.com"},
            },
        },
    ],
    "AWSCloudTrail_FullAccess": [{**_ANY, "Action": ["kms:CreateKey", "kms:CreateAlias"]}],
    "AWSKeyManagementServicePowerUser": [
        {**_ANY, "Action": [*_READING_AND_ALIASES, "kms:TagResource", "kms:UntagResource"]}
    ],
    "ResourceGroupsTaggingAPITagUntagSupportedResources": [
        {**_ANY, "Action": ["kms:TagResource", "kms:UntagResource"]}
    ],
    "job-function/SystemAdministrator": [
        {**_ANY, "Action": [*_READING_AND_ALIASES, "kms:Encrypt", "kms:ReEncrypt*"]}
    ],
    "PowerUserAccess": [{**_ANY, "NotAction": ["iam:*", "organizations:*", "account:*"]}],
    "service-role/ROSAKMSProviderPolicy": [
        {
            **_ANY,
            "Action": ["kms:Encrypt", "kms:Decrypt", "kms:DescribeKey"],
            "Condition": {"StringEquals": {"aws:ResourceTag/red-hat": "true"}},
        }
    ],
}
"""Names, with their paths, of the policies that are known here, and their statements."""


@cache
def aws_managed_policy(name: str) -> Policy | None:
    """What an AWS managed policy allows on KMS keys; None when that is not more than reading.

    Args:
        name: What follows ``:policy/`` in its ARN. What a policy that is not known here allows is unknown.

    Example:
        >>> aws_managed_policy("ReadOnlyAccess") is None
        True
    """
    statements = AWS_MANAGED_POLICIES.get(name)
    if statements:
        return parse_policy({"Version": "2012-10-17", "Statement": statements})
    if name in _names():
        return None
    return Policy(unknown=Unknown(f"no AWS managed policy {display(name)} is known here"))


@cache
def _names() -> frozenset[str]:
    from importlib.resources import files  # takes longer to load than most that asks for no such policy

    text = files("kms_constructs.model").joinpath("data", "aws-managed-policies.txt").read_text("utf-8")
    return frozenset(text.split())
