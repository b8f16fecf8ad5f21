"""Key policy statements for AWS services, with the conditions that AWS documents for each.

Two kinds of services use a KMS key, and they need different principals:

* A service that calls KMS **as itself** (CloudTrail, CloudWatch Logs, SNS delivering to an encrypted queue)
  is named as service principal. It works for every customer of AWS, so without a condition on the source it
  could be made to use this key for a stranger (the confused deputy). Every such statement here names the
  source ARN, the source account or the encryption context, whichever the service really sends.
* A service that calls KMS **with the caller's identity** (S3, RDS, DynamoDB, Lambda…) is no principal at
  all: the caller is. Those presets ask for the principals, limit them to `kms:ViaService` in the key's Region
  and to `kms:CallerAccount`, and let them create grants for AWS resources only
  (`kms:GrantIsForAWSResource`). They never write ``"AWS": "*"``, as the policies of AWS managed keys do, nor
  the account root: both would let anyone in the account use the key who has an IAM policy for it.

Where AWS's examples say ``kms:GenerateDataKey*``, the presets name GenerateDataKey and
GenerateDataKeyWithoutPlaintext: no service makes data key pairs.

A preset is plain data until `ServiceAccess.statements` is called for a key: one preset can serve many keys.
"""

from __future__ import annotations

from kms_constructs.errors import ArgumentError
from kms_constructs.model.actions import KeyUsage, find_action
from kms_constructs.model.frozen import Frozen
from kms_constructs.policies.services.auto_scaling import auto_scaling as _auto_scaling
from kms_constructs.policies.services.backup import backup as _backup
from kms_constructs.policies.services.bedrock import bedrock as _bedrock
from kms_constructs.policies.services.cloudtrail import cloudtrail as _cloudtrail
from kms_constructs.policies.services.cloudtrail_lake import cloudtrail_lake as _cloudtrail_lake
from kms_constructs.policies.services.cloudwatch_logs import cloudwatch_logs as _cloudwatch_logs
from kms_constructs.policies.services.config import config as _config
from kms_constructs.policies.services.custom import custom as _custom
from kms_constructs.policies.services.dms_events import dms_events as _dms_events
from kms_constructs.policies.services.dynamodb_replication import (
    dynamodb_replication as _dynamodb_replication,
)
from kms_constructs.policies.services.eventbridge import eventbridge as _eventbridge
from kms_constructs.policies.services.eventbridge_archive import eventbridge_archive as _eventbridge_archive
from kms_constructs.policies.services.eventbridge_bus import eventbridge_bus as _eventbridge_bus
from kms_constructs.policies.services.eventbridge_topics import eventbridge_topics as _eventbridge_topics
from kms_constructs.policies.services.fargate_ephemeral_storage import (
    fargate_ephemeral_storage as _fargate_ephemeral_storage,
)
from kms_constructs.policies.services.lambda_code import lambda_code as _lambda_code
from kms_constructs.policies.services.parts import Templates
from kms_constructs.policies.services.preset import Named, Preset, PrincipalsPreset, SourcesPreset
from kms_constructs.policies.services.route53_dnssec import route53_dnssec as _route53_dnssec
from kms_constructs.policies.services.s3 import s3 as _s3
from kms_constructs.policies.services.s3_notifications import s3_notifications as _s3_notifications
from kms_constructs.policies.services.s3_replication import s3_replication as _s3_replication
from kms_constructs.policies.services.secrets_manager import secrets_manager as _secrets_manager
from kms_constructs.policies.services.ses import ses as _ses
from kms_constructs.policies.services.sns import sns as _sns
from kms_constructs.policies.services.sns_publishers import sns_publishers as _sns_publishers
from kms_constructs.policies.services.sqs import sqs as _sqs
from kms_constructs.policies.target import PolicyStatementJson, PolicyTarget, arn_parts, is_token


class ServiceAccess(Frozen, frozen=True):
    """What one AWS service needs of a key. Use the presets; `custom` is for every other service.

    Args:
        name: The preset, for messages.
        templates: Statements in which the key's partition, account and Region are still open.
        key_usage: The key usage that the service works with; None when the actions alone decide.
        key_spec: The key spec that the service works with; None when the actions alone decide.
        region: The Region that the service takes keys from; None for every Region.

    Example:
        >>> from kms_constructs.policies.target import PolicyTarget
        >>> target = PolicyTarget(partition="aws", account="111122223333", region="eu-west-1")
        >>> [statement["Sid"] for statement in ServiceAccess.dynamodb(
        ...     ["arn:aws:iam::111122223333:role/App"]).statements(target)]
        ['ServiceDynamodb', 'ServiceDynamodbGrants']
    """

    name: str
    templates: Templates
    key_usage: KeyUsage | None = KeyUsage.ENCRYPT_DECRYPT
    key_spec: str | None = "SYMMETRIC_DEFAULT"
    region: str | None = None

    def statements(self, target: PolicyTarget) -> list[PolicyStatementJson]:
        """The statements for this key.

        Sids are unique within one preset; `kms_constructs.policies.target.statements_of` makes them unique
        over several.

        Raises:
            ArgumentError: The service cannot work with a key of this spec, usage or Region, or a principal or
                source lies in another account than the one that the statement is for.
        """
        self._check_key(target)
        found: list[PolicyStatementJson] = [target.fill(template) for template in self.templates]
        for statement in found:
            self._check_actions(statement, target)
            self._check_accounts(statement, target)
        return found

    def _check_key(self, target: PolicyTarget) -> None:
        if (self.key_usage not in (None, target.key_usage)) or self.key_spec not in (None, target.key_spec):
            wanted = f"{self.key_spec} for {self.key_usage.value if self.key_usage else 'any usage'}"
            raise ArgumentError(
                "services",
                self.name,
                f"this service works with a key of {wanted}, and this key is {target.key_spec} for "
                f"{target.key_usage.value}",
                f"give the service a key of its own with key_spec={self.key_spec!r}",
                where=target.where,
            )
        if self.region is not None and not is_token(target.region) and target.region != self.region:
            raise ArgumentError(
                "services",
                self.name,
                f"this service takes keys of {self.region} alone, and this key is in {target.region}",
                f"make the key in a stack with env region {self.region}",
                where=target.where,
            )

    def _check_actions(self, statement: PolicyStatementJson, target: PolicyTarget) -> None:
        for qualified in statement["Action"]:
            action = find_action(qualified)
            if action is not None and action.usages and target.key_usage not in action.usages:
                raise ArgumentError(
                    "services",
                    self.name,
                    f"{qualified} does not work with a key for {target.key_usage.value}",
                    "name actions that fit the key usage",
                    where=target.where,
                )

    def _check_accounts(self, statement: PolicyStatementJson, target: PolicyTarget) -> None:
        equals = statement.get("Condition", {}).get("StringEquals", {})
        sources = statement.get("Condition", {}).get("ArnLike", {}).get("aws:SourceArn", [])
        for key, arns in (
            ("kms:CallerAccount", statement["Principal"].get("AWS", [])),
            ("aws:SourceAccount", sources),
        ):
            given = equals.get(key)
            accounts = [given] if isinstance(given, str) else list(given or ())
            for arn in [arns] if isinstance(arns, str) else arns:
                parts = arn_parts(arn)
                if not accounts or parts is None or not parts[3]:
                    continue
                if parts[3] not in accounts and not any(map(is_token, (parts[3], *accounts))):
                    raise ArgumentError(
                        "services",
                        arn,
                        f"{self.name} is limited to account {', '.join(accounts)} by {key}, so this would"
                        " allow nothing",
                        "give the account argument, or external_access for principals of other accounts",
                        where=target.where,
                    )

    # With functions of their own.
    auto_scaling = Preset(_auto_scaling)
    backup = Preset(_backup)
    bedrock = Preset(_bedrock)
    cloudtrail = Preset(_cloudtrail)
    cloudtrail_lake = Preset(_cloudtrail_lake)
    cloudwatch_logs = Preset(_cloudwatch_logs)
    config = Preset(_config)
    custom = Preset(_custom)
    dms_events = Preset(_dms_events)
    dynamodb_replication = Preset(_dynamodb_replication)
    eventbridge = Preset(_eventbridge)
    eventbridge_archive = Preset(_eventbridge_archive)
    eventbridge_bus = Preset(_eventbridge_bus)
    eventbridge_topics = Preset(_eventbridge_topics)
    fargate_ephemeral_storage = Preset(_fargate_ephemeral_storage)
    lambda_code = Preset(_lambda_code)
    route53_dnssec = Preset(_route53_dnssec)
    s3 = Preset(_s3)
    s3_notifications = Preset(_s3_notifications)
    s3_replication = Preset(_s3_replication)
    secrets_manager = Preset(_secrets_manager)
    ses = Preset(_ses)
    sns = Preset(_sns)
    sns_publishers = Preset(_sns_publishers)
    sqs = Preset(_sqs)

    # Made from their requirements: services that call KMS with the identity of their callers.
    appflow = PrincipalsPreset()
    athena = PrincipalsPreset()
    codeartifact = PrincipalsPreset()
    dynamodb = PrincipalsPreset()
    ebs = PrincipalsPreset()
    ecr = PrincipalsPreset()
    efs = PrincipalsPreset()
    eks = PrincipalsPreset()
    firehose = PrincipalsPreset()
    fsx = PrincipalsPreset()
    glue_catalog = PrincipalsPreset()
    kendra = PrincipalsPreset()
    kinesis = PrincipalsPreset()
    lambda_ = PrincipalsPreset()
    msk = PrincipalsPreset()
    neptune = PrincipalsPreset()
    opensearch = PrincipalsPreset()
    opensearch_serverless = PrincipalsPreset()
    rds = PrincipalsPreset()
    redshift = PrincipalsPreset()
    sagemaker_endpoint = PrincipalsPreset()
    sagemaker_feature_store = PrincipalsPreset()
    sagemaker_notebook = PrincipalsPreset()
    ssm = PrincipalsPreset()
    step_functions = PrincipalsPreset()
    timestream = PrincipalsPreset()

    # Made from their requirements: services that call KMS as themselves.
    budgets = SourcesPreset()
    cloudfront = SourcesPreset()
    cloudwatch_alarms = SourcesPreset()
    lambda_event_filters = SourcesPreset()
    log_delivery = SourcesPreset()
    macie = SourcesPreset()
    rds_events = SourcesPreset()
    s3_inventory = SourcesPreset()


def presets() -> dict[str, Named]:
    """The presets of `ServiceAccess`, by name."""
    return {name: value for name, value in vars(ServiceAccess).items() if isinstance(value, Named)}
