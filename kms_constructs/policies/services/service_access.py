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

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kms_constructs.errors import ArgumentError
from kms_constructs.model.actions import KeyUsage, find_action
from kms_constructs.policies.principals import named_principal
from kms_constructs.policies.services.parts import (
    FOR_AWS_RESOURCE,
    checked_sources,
    names_source,
    object_contexts,
    role_arns,
    sid_word,
    through,
    written_out,
)
from kms_constructs.policies.target import (
    ACCOUNT,
    PARTITION,
    REGION,
    SUFFIX,
    PolicyStatementJson,
    PolicyTarget,
    allow,
    arn_parts,
    check_account,
    check_list,
    is_token,
)

_DATA_KEYS = ("GenerateDataKey", "GenerateDataKeyWithoutPlaintext")
_ALL_SYMMETRIC = ("Decrypt", "Encrypt", *_DATA_KEYS, "ReEncryptFrom", "ReEncryptTo")


@dataclass(frozen=True, slots=True)
class ServiceAccess:
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
    templates: tuple[PolicyStatementJson, ...]
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
            account = equals.get(key)
            for arn in [arns] if isinstance(arns, str) else arns:
                parts = arn_parts(arn)
                if account is None or parts is None or not parts[3]:
                    continue
                if parts[3] != account and not is_token(parts[3]) and not is_token(account):
                    raise ArgumentError(
                        "services",
                        arn,
                        f"{self.name} is limited to account {account} by {key}, so this would allow nothing",
                        "give the account argument, or external_access for principals of other accounts",
                        where=target.where,
                    )

    # Services that call KMS as themselves.

    @classmethod
    def cloudtrail(
        cls,
        *,
        trail_arns: Sequence[str] = (),
        account: str = ACCOUNT,
        bucket_key: bool = False,
        readers: Sequence[object] = (),
    ) -> ServiceAccess:
        """Lets CloudTrail encrypt the log files of these trails.

        For event data stores of CloudTrail Lake, CloudTrail sends neither `aws:SourceArn` nor
        `aws:SourceAccount`, so such a key cannot be scoped, and there is no preset for it.

        Args:
            trail_arns: The trails; every trail of the account homed in the key's Region by default.
            account: Account of the trails; the management account for an organization trail. The key's own by
                default.
            bucket_key: Whether the trail's bucket uses an S3 Bucket Key: CloudTrail then has to decrypt, too.
            readers: Principals who may decrypt log files, and nothing else: the encryption context has to
                name a trail.

        Raises:
            ArgumentError: An ARN that is no trail's, or of another account.

        See: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/create-kms-key-policy-for-cloudtrail.html
        """
        check_account("account", account)
        arns = checked_sources("trail_arns", trail_arns, "cloudtrail", account) or [
            f"arn:{PARTITION}:cloudtrail:{REGION}:{account}:trail/*"
        ]
        service = {"Service": "cloudtrail.amazonaws.com"}
        source = {"ArnLike": {"aws:SourceArn": arns}}
        context = "kms:EncryptionContext:aws:cloudtrail:arn"
        trails = f"arn:{PARTITION}:cloudtrail:*:{account}:trail/*"
        templates = [
            allow(
                "ServiceCloudTrailEncrypt", service, _DATA_KEYS, {**source, "StringLike": {context: trails}}
            ),
            allow("ServiceCloudTrailDescribe", service, ("DescribeKey",), source),
        ]
        if bucket_key:
            templates.append(allow("ServiceCloudTrailBucketKey", service, ("Decrypt",), source))
        if readers:
            templates.append(
                allow(
                    "ServiceCloudTrailReaders",
                    {"AWS": role_arns("readers", readers)},
                    ("Decrypt",),
                    {"Null": {context: "false"}},
                )
            )
        return cls("cloudtrail", tuple(templates))

    @classmethod
    def cloudwatch_logs(cls, *, log_groups: Sequence[str] = ("*",), account: str = ACCOUNT) -> ServiceAccess:
        """Lets CloudWatch Logs of the key's Region encrypt log groups of one account.

        What names the log group is the encryption context `aws:logs:arn`. DescribeKey carries no encryption
        context, so naming it under that condition, as AWS's example does, would allow nothing: it is left
        out.

        Args:
            log_groups: Names of log groups, ``*`` for any text; all of the account by default.
            account: Account of the log groups; the key's own by default.

        Raises:
            ArgumentError: An empty list, or a malformed account or name.

        See: https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html
        """
        check_list("log_groups", log_groups)
        check_account("account", account)
        for name in log_groups:
            if not is_token(name) and not re.fullmatch(r"[A-Za-z0-9_/.#*?-]{1,512}", name):
                raise ArgumentError(
                    "log_groups",
                    name,
                    "a log group name holds letters, digits and _ - / . #",
                    "give the name, not the ARN: /aws/lambda/orders",
                )
        arns = [f"arn:{PARTITION}:logs:{REGION}:{account}:log-group:{name}" for name in log_groups]
        return cls(
            "cloudwatch_logs",
            (
                allow(
                    "ServiceCloudWatchLogs",
                    {"Service": f"logs.{REGION}.{SUFFIX}"},
                    _ALL_SYMMETRIC,
                    {"ArnLike": {"kms:EncryptionContext:aws:logs:arn": arns}},
                ),
            ),
        )

    @classmethod
    def sns(cls, *, topic_arns: Sequence[str] = (), account: str = ACCOUNT) -> ServiceAccess:
        """Lets SNS topics deliver to queues that are encrypted with this key.

        Whoever publishes to a topic that is itself encrypted with the key needs access of its own: a service
        by its preset, a role through `sns_publishers`.

        Args:
            topic_arns: The topics; every topic of the account in the key's Region by default.
            account: Account of the topics; the key's own by default.

        Raises:
            ArgumentError: An ARN that is no topic's, or of another account.

        See: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-key-management.html
        """
        check_account("account", account)
        arns = checked_sources("topic_arns", topic_arns, "sns", account)
        return cls._event_source("sns", "sns", arns or [f"arn:{PARTITION}:sns:{REGION}:{account}:*"])

    @classmethod
    def eventbridge(
        cls,
        *,
        rule_arns: Sequence[str] = (),
        account: str = ACCOUNT,
    ) -> ServiceAccess:
        """Lets EventBridge rules send to queues that are encrypted with this key.

        For an encrypted topic let the rule use a role (the target's ``role_arn``) and name it in
        `sns_publishers`: AWS documents no source condition that EventBridge honours towards SNS.

        Args:
            rule_arns: The rules; every rule of the account in the key's Region by default.
            account: Account of the rules; the key's own by default.

        Raises:
            ArgumentError: An ARN that is no rule's, or of another account.

        See: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-key-management.html
        """
        check_account("account", account)
        arns = checked_sources("rule_arns", rule_arns, "events", account)
        return cls._event_source(
            "eventbridge", "events", arns or [f"arn:{PARTITION}:events:{REGION}:{account}:rule/*"]
        )

    @classmethod
    def eventbridge_bus(cls, *, bus_arns: Sequence[str] = (), account: str = ACCOUNT) -> ServiceAccess:
        """Lets EventBridge encrypt the events on a bus.

        AWS's example leaves DescribeKey without a condition; here it is limited to the source account.

        Args:
            bus_arns: The event buses; every bus of the account in the key's Region by default.
            account: Account of the buses; the key's own by default.

        Raises:
            ArgumentError: An ARN that is no event bus's, or of another account.

        See: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-encryption-event-bus-cmkey.html
        """
        check_account("account", account)
        arns = checked_sources("bus_arns", bus_arns, "events", account) or [
            f"arn:{PARTITION}:events:{REGION}:{account}:event-bus/*"
        ]
        service = {"Service": "events.amazonaws.com"}
        return cls(
            "eventbridge_bus",
            (
                allow(
                    "ServiceEventbridgeBus",
                    service,
                    ("Decrypt", "GenerateDataKey"),
                    {
                        "ArnLike": {
                            "aws:SourceArn": arns,
                            "kms:EncryptionContext:aws:events:event-bus:arn": arns,
                        }
                    },
                ),
                allow(
                    "ServiceEventbridgeBusDescribe",
                    service,
                    ("DescribeKey",),
                    {"StringEquals": {"aws:SourceAccount": account}},
                ),
            ),
        )

    @classmethod
    def s3_notifications(cls, *, bucket_arns: Sequence[str] = (), account: str = ACCOUNT) -> ServiceAccess:
        """Lets S3 send event notifications to queues and topics that are encrypted with this key.

        A bucket's ARN names no account, and another account may one day own a bucket of that name: the source
        account is always required as well.

        Args:
            bucket_arns: The buckets; every bucket of the account by default.
            account: Account of the buckets; the key's own by default.

        Raises:
            ArgumentError: An ARN that is no bucket's.

        See: https://docs.aws.amazon.com/AmazonS3/latest/userguide/grant-destinations-permissions-to-s3.html
        """
        check_account("account", account)
        arns = checked_sources("bucket_arns", bucket_arns, "s3", account) or [f"arn:{PARTITION}:s3:::*"]
        return cls(
            "s3_notifications",
            (
                allow(
                    "ServiceS3Notifications",
                    {"Service": "s3.amazonaws.com"},
                    ("Decrypt", "GenerateDataKey"),
                    {"StringEquals": {"aws:SourceAccount": account}, "ArnLike": {"aws:SourceArn": arns}},
                ),
            ),
        )

    @classmethod
    def config(cls, *, account: str = ACCOUNT) -> ServiceAccess:
        """Lets AWS Config deliver to a bucket that is encrypted with this key.

        Config delivers as service principal when it runs under its service-linked role. Its source ARN is
        always ``arn:aws:config:REGION:ACCOUNT:*``.

        Args:
            account: Account that Config records; the key's own by default.

        Raises:
            ArgumentError: A malformed account.

        See: https://docs.aws.amazon.com/config/latest/developerguide/s3-kms-key-policy.html
        """
        check_account("account", account)
        return cls(
            "config",
            (
                allow(
                    "ServiceConfig",
                    {"Service": "config.amazonaws.com"},
                    ("Decrypt", "GenerateDataKey"),
                    {
                        "StringEquals": {"aws:SourceAccount": account},
                        "ArnLike": {"aws:SourceArn": f"arn:{PARTITION}:config:*:{account}:*"},
                    },
                ),
            ),
        )

    @classmethod
    def ses(cls, *, receipt_rule_arns: Sequence[str] = (), account: str = ACCOUNT) -> ServiceAccess:
        """Lets SES encrypt the mail it receives before it stores it in S3.

        Args:
            receipt_rule_arns: The receipt rules; every one of the account in the key's Region by default.
            account: Account of the receipt rules; the key's own by default.

        Raises:
            ArgumentError: An ARN that is no receipt rule's, or of another account.

        See: https://docs.aws.amazon.com/ses/latest/dg/receiving-email-permissions.html
        """
        check_account("account", account)
        arns = checked_sources("receipt_rule_arns", receipt_rule_arns, "ses", account) or [
            f"arn:{PARTITION}:ses:{REGION}:{account}:receipt-rule-set/*"
        ]
        return cls(
            "ses",
            (
                allow(
                    "ServiceSes",
                    {"Service": "ses.amazonaws.com"},
                    _DATA_KEYS,
                    {"StringEquals": {"aws:SourceAccount": account}, "ArnLike": {"aws:SourceArn": arns}},
                ),
            ),
        )

    @classmethod
    def route53_dnssec(cls, hosted_zones: Sequence[str] | Mapping[str, Sequence[str]]) -> ServiceAccess:
        """Lets Route 53 sign hosted zones with this key (ECC_NIST_P256, SIGN_VERIFY, us-east-1).

        Zones of several accounts get one pair of statements an account, so that an account's id and its zones
        stay together. The grant is scoped like the use: Route 53 signs through the grant, so an open
        CreateGrant would let any customer's hosted zone sign with this key.

        Args:
            hosted_zones: Ids of hosted zones in the key's account, or ids by account.

        Raises:
            ArgumentError: No zone, or a malformed id; in `statements` for a key that Route 53 cannot use.

        See: https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/access-control-managing-permissions.html
        """
        by_account = hosted_zones if isinstance(hosted_zones, Mapping) else {ACCOUNT: hosted_zones}
        check_list("hosted_zones", list(by_account))
        templates: list[PolicyStatementJson] = []
        service = {"Service": "dnssec-route53.amazonaws.com"}
        for number, (account, zones) in enumerate(by_account.items()):
            check_account("hosted_zones", account)
            check_list("hosted_zones", zones)
            for zone in zones:
                if not is_token(zone) and not re.fullmatch(r"[A-Z0-9]{1,32}", zone):
                    raise ArgumentError(
                        "hosted_zones",
                        zone,
                        "a hosted zone id is at most 32 capital letters and digits",
                        "give the id alone: Z0123456789ABCDEFGHIJ",
                    )
            source: dict[str, dict[str, Any]] = {
                "StringEquals": {"aws:SourceAccount": account},
                "ArnLike": {
                    "aws:SourceArn": [f"arn:{PARTITION}:route53:::hostedzone/{zone}" for zone in zones]
                },
            }
            suffix = str(number + 1) if number else ""
            templates += [
                allow(
                    f"ServiceRoute53Dnssec{suffix}",
                    service,
                    ("DescribeKey", "GetPublicKey", "Sign"),
                    source,
                ),
                allow(
                    f"ServiceRoute53DnssecGrants{suffix}",
                    service,
                    ("CreateGrant",),
                    {**source, **FOR_AWS_RESOURCE},
                ),
            ]
        return cls("route53_dnssec", tuple(templates), KeyUsage.SIGN_VERIFY, "ECC_NIST_P256", "us-east-1")

    # A service-linked role.

    @classmethod
    def auto_scaling(cls, *, custom_suffix: str = "") -> ServiceAccess:
        """Lets EC2 Auto Scaling of the key's account launch instances with encrypted volumes.

        The principal is the account's service-linked role, which has to exist before the key is deployed: KMS
        refuses a policy that names a role which does not.

        Args:
            custom_suffix: Suffix of a service-linked role made with one: ``AWSServiceRoleForAutoScaling_x``.

        Raises:
            ArgumentError: A malformed suffix.

        See: https://docs.aws.amazon.com/autoscaling/ec2/userguide/key-policy-requirements-EBS-encryption.html
        """
        if custom_suffix and not re.fullmatch(r"[\w+=,.@-]{1,36}", custom_suffix):
            raise ArgumentError(
                "custom_suffix",
                custom_suffix,
                "a suffix of a service-linked role is 1 to 36 letters, digits and + = , . @ - _",
                "give what stands after AWSServiceRoleForAutoScaling_",
            )
        role = "AWSServiceRoleForAutoScaling" + (f"_{custom_suffix}" if custom_suffix else "")
        principal = {
            "AWS": f"arn:{PARTITION}:iam::{ACCOUNT}:role/aws-service-role/autoscaling.amazonaws.com/{role}"
        }
        return cls(
            "auto_scaling",
            (
                allow("ServiceAutoScaling", principal, (*_ALL_SYMMETRIC, "DescribeKey"), {}),
                allow("ServiceAutoScalingGrants", principal, ("CreateGrant",), FOR_AWS_RESOURCE),
            ),
        )

    # Services that call KMS with the caller's identity.

    @classmethod
    def s3(
        cls,
        principals: Sequence[object] = (),
        *,
        readers: Sequence[object] = (),
        bucket_arns: Sequence[str] = (),
    ) -> ServiceAccess:
        """Lets principals of the key's account read and write objects that S3 encrypts with this key.

        Writing includes Decrypt: S3 needs it to put a multipart upload together. Whether a writer may read is
        for the bucket policy to say.

        Args:
            principals: Roles and users who write, and read where the bucket lets them.
            readers: Roles and users who only read.
            bucket_arns: When given, only objects of these buckets, by the encryption context `aws:s3:arn`
                (the bucket with an S3 Bucket Key, else the object).

        Raises:
            ArgumentError: Nobody named, a principal that is none, an ARN that is no bucket's.

        See: https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html
        """
        context = (
            {"kms:EncryptionContext:aws:s3:arn": object_contexts("bucket_arns", bucket_arns)}
            if bucket_arns
            else {}
        )
        templates: tuple[PolicyStatementJson, ...] = ()
        if principals or not readers:
            templates += through("S3", "s3", principals, ("Decrypt", "GenerateDataKey"), context)
        if readers:
            templates += through("S3Readers", "s3", readers, ("Decrypt",), context, argument="readers")
        return cls("s3", templates)

    @classmethod
    def s3_replication(
        cls, role: object, *, source_buckets: Sequence[str] = (), destination_buckets: Sequence[str] = ()
    ) -> ServiceAccess:
        """Lets a replication role read source objects, or write replicas, that are encrypted with this key.

        The role may live in another account, as it does when replicas go to the owner of this key. Decrypt
        on the destination verifies an S3 Bucket Key; GenerateDataKey encrypts replicas of plain objects.

        Args:
            role: The replication role.
            source_buckets: ARNs of buckets whose objects this key encrypts and the role reads.
            destination_buckets: ARNs of buckets whose replicas this key encrypts.

        Raises:
            ArgumentError: Neither a source nor a destination, or an ARN that is no bucket's.

        See: https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-config-for-kms-objects.html
        """
        principal = {"AWS": named_principal("role", role, where="").arn}
        templates: list[PolicyStatementJson] = []
        for sid, argument, buckets, actions in (
            ("Source", "source_buckets", source_buckets, ("Decrypt",)),
            (
                "Destination",
                "destination_buckets",
                destination_buckets,
                ("Decrypt", "Encrypt", "GenerateDataKey"),
            ),
        ):
            if not buckets:
                continue
            templates.append(
                allow(
                    f"ServiceS3Replication{sid}",
                    principal,
                    actions,
                    {
                        "StringEquals": {"kms:ViaService": f"s3.{REGION}.amazonaws.com"},
                        "StringLike": {
                            "kms:EncryptionContext:aws:s3:arn": object_contexts(argument, buckets)
                        },
                    },
                )
            )
        if not templates:
            raise ArgumentError(
                "source_buckets",
                source_buckets,
                "replication has a source or a destination under this key",
                "give source_buckets, destination_buckets, or both",
            )
        return cls("s3_replication", tuple(templates))

    @classmethod
    def sqs(cls, *, producers: Sequence[object] = (), consumers: Sequence[object] = ()) -> ServiceAccess:
        """Lets principals of the key's account send to and receive from queues encrypted with this key.

        SQS calls KMS with the identity of whoever sends or receives. A service that sends (SNS, S3,
        EventBridge) has its own preset.

        Args:
            producers: Roles and users who send messages.
            consumers: Roles and users who receive them.

        Raises:
            ArgumentError: Nobody named, or a principal that is none.

        See: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-key-management.html
        """
        templates: tuple[PolicyStatementJson, ...] = ()
        if producers:
            templates += through(
                "SqsProducers", "sqs", producers, ("Decrypt", "GenerateDataKey"), argument="producers"
            )
        if consumers:
            templates += through("SqsConsumers", "sqs", consumers, ("Decrypt",), argument="consumers")
        if not templates:
            check_list("producers", producers)
        return cls("sqs", templates)

    @classmethod
    def sns_publishers(cls, publishers: Sequence[object]) -> ServiceAccess:
        """Lets principals of the key's account publish to topics that are encrypted with this key.

        Args:
            publishers: Roles and users.

        Raises:
            ArgumentError: No principal, or a principal that is none.

        See: https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html
        """
        return cls(
            "sns_publishers",
            through(
                "SnsPublishers", "sns", publishers, ("Decrypt", "GenerateDataKey"), argument="publishers"
            ),
        )

    @classmethod
    def backup(cls, principals: Sequence[object], *, resource_services: Sequence[str] = ()) -> ServiceAccess:
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
        return cls(
            "backup",
            through(
                "Backup",
                ("backup", *resource_services),
                principals,
                ("Decrypt", "DescribeKey", "GenerateDataKey"),
                grants=True,
            ),
        )

    @classmethod
    def secrets_manager(
        cls, principals: Sequence[object], *, secret_arns: Sequence[str] = ()
    ) -> ServiceAccess:
        """Lets principals of the key's account read and write secrets that are encrypted with this key.

        Args:
            principals: Roles and users.
            secret_arns: When given, only these secrets, by the encryption context `SecretARN`. Secrets
                Manager appends six random characters to a name, so end the ARN of a new secret in ``-*``.

        Raises:
            ArgumentError: No principal, a principal that is none, an ARN that is no secret's.

        See: https://docs.aws.amazon.com/secretsmanager/latest/userguide/security-encryption.html
        """
        arns = checked_sources("secret_arns", secret_arns, "secretsmanager", ACCOUNT)
        return cls(
            "secrets_manager",
            through(
                "SecretsManager",
                "secretsmanager",
                principals,
                ("Decrypt", "GenerateDataKey"),
                {"kms:EncryptionContext:SecretARN": arns} if arns else {},
            ),
        )

    @classmethod
    def rds(cls, principals: Sequence[object]) -> ServiceAccess:
        """Lets principals of the key's account create databases that RDS encrypts with this key.

        RDS works through a grant that it creates for the caller, so nothing else is needed.

        Args:
            principals: Roles and users who create and change databases.

        Raises:
            ArgumentError: No principal, or a principal that is none.

        See: https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/Overview.Encryption.Keys.html
        """
        return cls("rds", through("Rds", "rds", principals, ("DescribeKey",), grants=True))

    @classmethod
    def redshift(cls, principals: Sequence[object]) -> ServiceAccess:
        """Lets principals of the key's account create clusters that Redshift encrypts with this key.

        Args:
            principals: Roles and users who create and change clusters.

        Raises:
            ArgumentError: No principal, or a principal that is none.

        See: https://docs.aws.amazon.com/redshift/latest/mgmt/redshift-iam-access-control-identity-based.html
        """
        return cls(
            "redshift",
            through(
                "Redshift",
                "redshift",
                principals,
                ("Decrypt", "DescribeKey", "Encrypt", *_DATA_KEYS),
                grants=True,
            ),
        )

    @classmethod
    def dynamodb(cls, principals: Sequence[object]) -> ServiceAccess:
        """Lets principals of the key's account use tables that DynamoDB encrypts with this key.

        Args:
            principals: Roles and users who create and use tables.

        Raises:
            ArgumentError: No principal, or a principal that is none.

        See: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/encryption.usagenotes.html
        """
        return cls(
            "dynamodb",
            through("Dynamodb", "dynamodb", principals, (*_ALL_SYMMETRIC, "DescribeKey"), grants=True),
        )

    @classmethod
    def lambda_(cls, principals: Sequence[object]) -> ServiceAccess:
        """Lets principals of the key's account configure functions whose variables this key encrypts.

        The function's own role needs nothing: Lambda decrypts through the grant.

        Args:
            principals: Roles and users who create and change functions.

        Raises:
            ArgumentError: No principal, or a principal that is none.

        See: https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars-encryption.html
        """
        return cls("lambda_", through("Lambda", "lambda", principals, ("Decrypt", "Encrypt"), grants=True))

    @classmethod
    def ecr(cls, principals: Sequence[object]) -> ServiceAccess:
        """Lets principals of the key's account create repositories that ECR encrypts with this key.

        They also need `kms:RetireGrant`, which only an IAM policy can give.

        Args:
            principals: Roles and users who create repositories.

        Raises:
            ArgumentError: No principal, or a principal that is none.

        See: https://docs.aws.amazon.com/AmazonECR/latest/userguide/encryption-at-rest.html
        """
        return cls("ecr", through("Ecr", "ecr", principals, ("DescribeKey",), grants=True))

    @classmethod
    def bedrock(cls, principals: Sequence[object], *, invokers: Sequence[object] = ()) -> ServiceAccess:
        """Lets principals of the key's account customise and invoke Bedrock models under this key.

        Args:
            principals: Roles that create model customisation jobs, custom models and guardrails.
            invokers: Roles that only invoke them.

        Raises:
            ArgumentError: No principal, or a principal that is none.

        See: https://docs.aws.amazon.com/bedrock/latest/userguide/encryption-custom-job.html
        """
        templates = through(
            "Bedrock", "bedrock", principals, ("Decrypt", "DescribeKey", "GenerateDataKey"), grants=True
        )
        if invokers:
            templates += through(
                "BedrockInvokers",
                "bedrock",
                invokers,
                ("Decrypt", "GenerateDataKey"),
                argument="invokers",
            )
        return cls("bedrock", templates)

    # Everything else.

    @classmethod
    def custom(
        cls,
        principal: str,
        actions: Sequence[str],
        *,
        source_arns: Sequence[str] = (),
        source_account: str | None = None,
        conditions: Mapping[str, Mapping[str, str | Sequence[str]]] | None = None,
        name: str | None = None,
    ) -> ServiceAccess:
        """Lets another AWS service use the key, under a condition on the source.

        CreateGrant gets a statement of its own, with `kms:GrantIsForAWSResource`.

        Args:
            principal: Service principal: ``delivery.logs.amazonaws.com``.
            actions: Names of KMS actions with or without ``kms:``, written out.
            source_arns: Values of `aws:SourceArn`; ``*`` for any text in the resource part.
            source_account: Value of `aws:SourceAccount`.
            conditions: Further conditions by operator and key, as in a policy. When neither `source_arns` nor
                `source_account` is given, one of them has to narrow the source: `aws:SourceArn`,
                `aws:SourceAccount`, `aws:SourceOrgID`, `aws:SourceOrgPaths` or an encryption context.
            name: Letters and digits for the Sid; made from the principal by default.

        Raises:
            ArgumentError: No narrowing condition; a wildcard, unknown, administrative or account-wide action.

        See: https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html
        """
        names = written_out(actions)
        if not re.fullmatch(r"[a-z0-9-]+(\.[a-z0-9-]+)*\.amazonaws\.com(\.cn)?", principal) and not is_token(
            principal
        ):
            raise ArgumentError(
                "principal",
                principal,
                "a service principal ends in .amazonaws.com",
                "write it like delivery.logs.amazonaws.com; roles and users go into key_users",
            )
        given: dict[str, dict[str, Any]] = {
            operator: dict(keys) for operator, keys in (conditions or {}).items()
        }
        if source_arns:
            given.setdefault("ArnLike", {})["aws:SourceArn"] = checked_sources(
                "source_arns", source_arns, None, ACCOUNT
            )
        if source_account is not None:
            check_account("source_account", source_account)
            given.setdefault("StringEquals", {})["aws:SourceAccount"] = source_account
        if not any(names_source(operator, keys) for operator, keys in given.items()):
            raise ArgumentError(
                "conditions",
                conditions,
                "a service works for every customer of AWS: a condition has to name the source",
                "give source_arns or source_account, or the encryption context that the service sends",
            )
        word = name if name is not None else sid_word(principal)
        if not re.fullmatch(r"[A-Za-z0-9]{1,40}", word):
            raise ArgumentError(
                "name", name, "a Sid holds letters and digits", "write one word of at most 40 characters"
            )
        templates: list[PolicyStatementJson] = []
        if use := [item for item in names if item != "CreateGrant"]:
            templates.append(allow(f"Service{word}", {"Service": principal}, use, given))
        if "CreateGrant" in names:
            for_resource = {**given.get("Bool", {}), **FOR_AWS_RESOURCE["Bool"]}
            templates.append(
                allow(
                    f"Service{word}Grants",
                    {"Service": principal},
                    ("CreateGrant",),
                    {**given, "Bool": for_resource},
                )
            )
        return cls("custom", tuple(templates), None, None)

    @classmethod
    def _event_source(cls, name: str, service: str, sources: Sequence[str]) -> ServiceAccess:
        return cls(
            name,
            (
                allow(
                    f"Service{name.capitalize()}",
                    {"Service": f"{service}.amazonaws.com"},
                    ("Decrypt", "GenerateDataKey"),
                    {"ArnLike": {"aws:SourceArn": sources}},
                ),
            ),
        )
