"""Key policy statements for AWS services, with the conditions that AWS documents for each.

Two kinds of services use a KMS key, and they need different principals:

* A service that calls KMS **as itself** (CloudTrail, CloudWatch Logs, SNS delivering to an encrypted queue)
  is named as service principal. It works for every customer of AWS, so without a condition on the source it
  could be made to use this key for a stranger (the confused deputy). Every such statement here names the
  source account, the source ARN or the encryption context, whichever the service really sends.
* A service that calls KMS **with the caller's identity** (S3, RDS, DynamoDB, Lambda…) is no principal at all:
  the caller is. Those presets ask for the principals, limit them to `kms:ViaService` in the key's Region and to
  `kms:CallerAccount`, and let them create grants for AWS resources only (`kms:GrantIsForAWSResource`).
  They never write ``"AWS": "*"``, as the policies of AWS managed keys do: that would let every principal of
  the account use the key.

A preset is plain data until `statements` is called for a key, so one preset can serve many keys.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from kms_constructs.cdk.policy_target import (
    ACCOUNT,
    PARTITION,
    REGION,
    PolicyStatementJson,
    PolicyTarget,
    allow,
    check_account,
    check_not_empty,
    is_token,
)
from kms_constructs.errors import ArgumentError
from kms_constructs.model.actions import KeyUsage

_DATA_KEYS = ("GenerateDataKey", "GenerateDataKeyWithoutPlaintext")
_RE_ENCRYPT = ("ReEncryptFrom", "ReEncryptTo")
_ALL_SYMMETRIC = ("Encrypt", "Decrypt", *_RE_ENCRYPT, *_DATA_KEYS)


def _source(arns: Sequence[str], account: str) -> dict[str, dict[str, Any]]:
    return {"ArnLike": {"aws:SourceArn": tuple(arns)}, "StringEquals": {"aws:SourceAccount": account}}


@dataclass(frozen=True, slots=True)
class ServiceAccess:
    """What one AWS service needs of a key. Use the presets; `custom` is for every other service.

    Args:
        name: The preset, for messages.
        templates: Statements in which the key's partition, account and Region are still open.
        key_usage: The key usage that the service works with.
        key_specs: The key specs that the service works with.
        regions: The Regions that the service takes keys from; empty for every Region.

    Example:
        >>> from kms_constructs.cdk.policy_target import PolicyTarget
        >>> target = PolicyTarget(partition="aws", account="111122223333", region="eu-west-1")
        >>> [statement["Sid"] for statement in ServiceAccess.cloudwatch_logs().statements(target)]
        ['ServiceCloudWatchLogs']
    """

    name: str
    templates: tuple[PolicyStatementJson, ...]
    key_usage: KeyUsage | None = KeyUsage.ENCRYPT_DECRYPT
    key_specs: tuple[str, ...] = ("SYMMETRIC_DEFAULT",)
    regions: tuple[str, ...] = ()

    def statements(self, target: PolicyTarget) -> list[PolicyStatementJson]:
        """The statements for this key.

        Sids are unique within one preset. `kms_constructs.cdk.policy_target.statements_of` makes them unique
        over several.

        Raises:
            ArgumentError: The service cannot work with a key of this spec, usage or Region.
        """
        if self.key_usage is not None and (
            target.key_usage is not self.key_usage or target.key_spec not in self.key_specs
        ):
            wanted = " or ".join(self.key_specs)
            raise ArgumentError(
                "services",
                self.name,
                f"this service works with a key of spec {wanted} and usage {self.key_usage.value}, and this key "
                f"is {target.key_spec} for {target.key_usage.value}",
                f"give the service a key of its own with key_spec {wanted}",
                where=target.where,
            )
        if self.regions and not is_token(target.region) and target.region not in self.regions:
            raise ArgumentError(
                "services",
                self.name,
                f"this service takes keys in {', '.join(self.regions)} only, and this key is in {target.region}",
                f"put the key into a stack in {self.regions[0]}",
                where=target.where,
            )
        return [target.fill(template) for template in self.templates]

    @classmethod
    def cloudwatch_logs(cls, *, log_groups: Sequence[str] = ("*",), account: str = ACCOUNT) -> ServiceAccess:
        """Lets CloudWatch Logs of this Region encrypt this account's log groups.

        CloudWatch Logs sends no `aws:SourceArn`; what names the log group is the encryption context
        `aws:logs:arn`. DescribeKey carries no encryption context, so listing it under that condition, as
        AWS's example does, would allow nothing: it is left out.

        Args:
            log_groups: Names of log groups, ``*`` for any text; all of the account by default.
            account: Account of the log groups; the key's by default.

        Raises:
            ArgumentError: An empty list or a malformed account.

        See: https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html
        """
        check_not_empty("log_groups", log_groups)
        check_account("account", account)
        arns = [f"arn:{PARTITION}:logs:{REGION}:{account}:log-group:{name}" for name in log_groups]
        return cls(
            "cloudwatch_logs",
            (
                allow(
                    "ServiceCloudWatchLogs",
                    {"Service": f"logs.{REGION}.amazonaws.com"},
                    _ALL_SYMMETRIC,
                    {"ArnLike": {"kms:EncryptionContext:aws:logs:arn": arns}},
                ),
            ),
        )
