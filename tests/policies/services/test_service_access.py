"""Every preset against the statements that AWS documents for its service, word for word."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import pytest
from aws_cdk import App, Aws, Environment, Stack
from aws_cdk import aws_sns as sns

from kms_constructs.cdk.key.secure_key import SecureKmsKey
from kms_constructs.errors import ArgumentError, GuardrailError
from kms_constructs.guardrails.config import Acknowledgement, GuardrailConfig
from kms_constructs.model.actions import KeyUsage, find_action
from kms_constructs.policies.services.service_access import ServiceAccess
from kms_constructs.policies.services.service_access import presets as _presets
from kms_constructs.policies.target import PolicyTarget, statements_of
from kms_constructs.testing import assert_guardrails

pytestmark = pytest.mark.cdk

ACCOUNT = "111122223333"
OTHER = "444455556666"
TARGET = PolicyTarget(partition="aws", account=ACCOUNT, region="eu-west-1", where="Stack/Key")
DNSSEC = PolicyTarget(
    partition="aws",
    account=ACCOUNT,
    region="us-east-1",
    key_spec="ECC_NIST_P256",
    key_usage=KeyUsage.SIGN_VERIFY,
    where="Stack/Dnssec",
)
ROLE = f"arn:aws:iam::{ACCOUNT}:role/App"
OTHER_ROLE = f"arn:aws:iam::{OTHER}:role/App"
DATA_KEYS = ["kms:GenerateDataKey", "kms:GenerateDataKeyWithoutPlaintext"]
SYMMETRIC = ["kms:Decrypt", "kms:Encrypt", *DATA_KEYS, "kms:ReEncryptFrom", "kms:ReEncryptTo"]
FOR_AWS = {"kms:GrantIsForAWSResource": "true"}


def service(sid: str, name: str, actions: list[str], condition: dict[str, Any]) -> dict[str, Any]:
    return {
        "Sid": sid,
        "Effect": "Allow",
        "Principal": {"Service": name},
        "Action": actions,
        "Resource": "*",
        "Condition": condition,
    }


def role(sid: str, actions: list[str], condition: dict[str, Any] | None, arn: Any = ROLE) -> dict[str, Any]:
    statement = {
        "Sid": sid,
        "Effect": "Allow",
        "Principal": {"AWS": arn},
        "Action": actions,
        "Resource": "*",
    }
    return statement | ({"Condition": condition} if condition else {})


def via(*names: str) -> dict[str, Any]:
    values = [f"{name}.eu-west-1.amazonaws.com" for name in names]
    return {"kms:CallerAccount": ACCOUNT, "kms:ViaService": values[0] if len(values) == 1 else values}


def through(sid: str, name: str, actions: list[str]) -> list[dict[str, Any]]:
    return [
        role(f"Service{sid}", actions, {"StringEquals": via(name)}),
        role(f"Service{sid}Grants", ["kms:CreateGrant"], {"StringEquals": via(name), "Bool": FOR_AWS}),
    ]


TRAIL = f"arn:aws:cloudtrail:us-west-2:{ACCOUNT}:trail/finance"
TRAIL_CONTEXT = {"kms:EncryptionContext:aws:cloudtrail:arn": f"arn:aws:cloudtrail:*:{ACCOUNT}:trail/*"}
SLR = f"arn:aws:iam::{ACCOUNT}:role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling"

DOCUMENTED: dict[str, tuple[ServiceAccess, PolicyTarget, list[dict[str, Any]]]] = {
    "cloudtrail": (
        ServiceAccess.cloudtrail(trail_arns=[TRAIL], bucket_key=True, readers=[ROLE]),
        TARGET,
        [
            service(
                "ServiceCloudTrailEncrypt",
                "cloudtrail.amazonaws.com",
                DATA_KEYS,
                {"ArnLike": {"aws:SourceArn": TRAIL}, "StringLike": TRAIL_CONTEXT},
            ),
            service(
                "ServiceCloudTrailDescribe",
                "cloudtrail.amazonaws.com",
                ["kms:DescribeKey"],
                {"ArnLike": {"aws:SourceArn": TRAIL}},
            ),
            service(
                "ServiceCloudTrailBucketKey",
                "cloudtrail.amazonaws.com",
                ["kms:Decrypt"],
                {"ArnLike": {"aws:SourceArn": TRAIL}},
            ),
            role(
                "ServiceCloudTrailReaders",
                ["kms:Decrypt"],
                {"Null": {"kms:EncryptionContext:aws:cloudtrail:arn": "false"}},
            ),
        ],
    ),
    "cloudtrail by default": (
        ServiceAccess.cloudtrail(),
        TARGET,
        [
            service(
                "ServiceCloudTrailEncrypt",
                "cloudtrail.amazonaws.com",
                DATA_KEYS,
                {
                    "ArnLike": {"aws:SourceArn": f"arn:aws:cloudtrail:eu-west-1:{ACCOUNT}:trail/*"},
                    "StringLike": TRAIL_CONTEXT,
                },
            ),
            service(
                "ServiceCloudTrailDescribe",
                "cloudtrail.amazonaws.com",
                ["kms:DescribeKey"],
                {"ArnLike": {"aws:SourceArn": f"arn:aws:cloudtrail:eu-west-1:{ACCOUNT}:trail/*"}},
            ),
        ],
    ),
    "cloudwatch_logs": (
        ServiceAccess.cloudwatch_logs(log_groups=["/aws/lambda/orders", "audit-*"]),
        TARGET,
        [
            service(
                "ServiceCloudWatchLogs",
                "logs.eu-west-1.amazonaws.com",
                SYMMETRIC,
                {
                    "ArnLike": {
                        "kms:EncryptionContext:aws:logs:arn": [
                            f"arn:aws:logs:eu-west-1:{ACCOUNT}:log-group:/aws/lambda/orders",
                            f"arn:aws:logs:eu-west-1:{ACCOUNT}:log-group:audit-*",
                        ]
                    }
                },
            )
        ],
    ),
    "cloudwatch_logs in China": (
        ServiceAccess.cloudwatch_logs(),
        PolicyTarget(partition="aws-cn", account=ACCOUNT, region="cn-north-1"),
        [
            service(
                "ServiceCloudWatchLogs",
                "logs.cn-north-1.amazonaws.com.cn",
                SYMMETRIC,
                {
                    "ArnLike": {
                        "kms:EncryptionContext:aws:logs:arn": (
                            f"arn:aws-cn:logs:cn-north-1:{ACCOUNT}:log-group:*"
                        )
                    }
                },
            )
        ],
    ),
    "sns": (
        ServiceAccess.sns(),
        TARGET,
        [
            service(
                "ServiceSns",
                "sns.amazonaws.com",
                ["kms:Decrypt", "kms:GenerateDataKey"],
                {"ArnLike": {"aws:SourceArn": f"arn:aws:sns:eu-west-1:{ACCOUNT}:*"}},
            )
        ],
    ),
    "sns_publishers": (
        ServiceAccess.sns_publishers([ROLE]),
        TARGET,
        [
            role(
                "ServiceSnsPublishers",
                ["kms:Decrypt", "kms:GenerateDataKey"],
                {"StringEquals": via("sns")},
            )
        ],
    ),
    "sqs": (
        ServiceAccess.sqs(producers=[ROLE], consumers=[f"arn:aws:iam::{ACCOUNT}:user/reader"]),
        TARGET,
        [
            role(
                "ServiceSqsProducers",
                ["kms:Decrypt", "kms:GenerateDataKey"],
                {"StringEquals": via("sqs")},
            ),
            role(
                "ServiceSqsConsumers",
                ["kms:Decrypt"],
                {"StringEquals": via("sqs")},
                f"arn:aws:iam::{ACCOUNT}:user/reader",
            ),
        ],
    ),
    "eventbridge": (
        ServiceAccess.eventbridge(rule_arns=[f"arn:aws:events:eu-west-1:{ACCOUNT}:rule/nightly"]),
        TARGET,
        [
            service(
                "ServiceEventbridge",
                "events.amazonaws.com",
                ["kms:Decrypt", "kms:GenerateDataKey"],
                {"ArnLike": {"aws:SourceArn": f"arn:aws:events:eu-west-1:{ACCOUNT}:rule/nightly"}},
            )
        ],
    ),
    "eventbridge_bus": (
        ServiceAccess.eventbridge_bus(),
        TARGET,
        [
            service(
                "ServiceEventbridgeBus",
                "events.amazonaws.com",
                ["kms:Decrypt", "kms:GenerateDataKey"],
                {
                    "ArnLike": {
                        "aws:SourceArn": f"arn:aws:events:eu-west-1:{ACCOUNT}:event-bus/*",
                        "kms:EncryptionContext:aws:events:event-bus:arn": (
                            f"arn:aws:events:eu-west-1:{ACCOUNT}:event-bus/*"
                        ),
                    }
                },
            ),
            service(
                "ServiceEventbridgeBusDescribe",
                "events.amazonaws.com",
                ["kms:DescribeKey"],
                {"StringEquals": {"aws:SourceAccount": ACCOUNT}},
            ),
        ],
    ),
    "s3_notifications": (
        ServiceAccess.s3_notifications(bucket_arns=["arn:aws:s3:::amzn-example-bucket"]),
        TARGET,
        [
            service(
                "ServiceS3Notifications",
                "s3.amazonaws.com",
                ["kms:Decrypt", "kms:GenerateDataKey"],
                {
                    "StringEquals": {"aws:SourceAccount": ACCOUNT},
                    "ArnLike": {"aws:SourceArn": "arn:aws:s3:::amzn-example-bucket"},
                },
            )
        ],
    ),
    "s3": (
        ServiceAccess.s3([ROLE], bucket_arns=["arn:aws:s3:::data"]),
        TARGET,
        [
            role(
                "ServiceS3",
                ["kms:Decrypt", "kms:GenerateDataKey"],
                {
                    "StringEquals": via("s3"),
                    "StringLike": {
                        "kms:EncryptionContext:aws:s3:arn": ["arn:aws:s3:::data", "arn:aws:s3:::data/*"]
                    },
                },
            )
        ],
    ),
    "s3_replication": (
        ServiceAccess.s3_replication(
            OTHER_ROLE,
            source_buckets=["arn:aws:s3:::source"],
            destination_buckets=["arn:aws:s3:::replica"],
        ),
        TARGET,
        [
            role(
                "ServiceS3ReplicationSource",
                ["kms:Decrypt"],
                {
                    "StringEquals": {"kms:ViaService": "s3.eu-west-1.amazonaws.com"},
                    "StringLike": {
                        "kms:EncryptionContext:aws:s3:arn": ["arn:aws:s3:::source", "arn:aws:s3:::source/*"]
                    },
                },
                OTHER_ROLE,
            ),
            role(
                "ServiceS3ReplicationDestination",
                ["kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey"],
                {
                    "StringEquals": {"kms:ViaService": "s3.eu-west-1.amazonaws.com"},
                    "StringLike": {
                        "kms:EncryptionContext:aws:s3:arn": ["arn:aws:s3:::replica", "arn:aws:s3:::replica/*"]
                    },
                },
                OTHER_ROLE,
            ),
        ],
    ),
    "config": (
        ServiceAccess.config(account=OTHER),
        TARGET,
        [
            service(
                "ServiceConfig",
                "config.amazonaws.com",
                ["kms:Decrypt", "kms:GenerateDataKey"],
                {
                    "StringEquals": {"aws:SourceAccount": OTHER},
                    "ArnLike": {"aws:SourceArn": f"arn:aws:config:*:{OTHER}:*"},
                },
            )
        ],
    ),
    "backup": (
        ServiceAccess.backup([ROLE], resource_services=["ec2", "rds"]),
        TARGET,
        [
            role(
                "ServiceBackup",
                ["kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey"],
                {"StringEquals": via("backup", "ec2", "rds")},
            ),
            role(
                "ServiceBackupGrants",
                ["kms:CreateGrant"],
                {"StringEquals": via("backup", "ec2", "rds"), "Bool": FOR_AWS},
            ),
        ],
    ),
    "ses": (
        ServiceAccess.ses(
            receipt_rule_arns=[f"arn:aws:ses:eu-west-1:{ACCOUNT}:receipt-rule-set/in:receipt-rule/all"]
        ),
        TARGET,
        [
            service(
                "ServiceSes",
                "ses.amazonaws.com",
                DATA_KEYS,
                {
                    "StringEquals": {"aws:SourceAccount": ACCOUNT},
                    "ArnLike": {
                        "aws:SourceArn": (
                            f"arn:aws:ses:eu-west-1:{ACCOUNT}:receipt-rule-set/in:receipt-rule/all"
                        )
                    },
                },
            )
        ],
    ),
    "auto_scaling": (
        ServiceAccess.auto_scaling(),
        TARGET,
        [
            role("ServiceAutoScaling", sorted([*SYMMETRIC, "kms:DescribeKey"]), None, SLR),
            role("ServiceAutoScalingGrants", ["kms:CreateGrant"], {"Bool": FOR_AWS}, SLR),
        ],
    ),
    "auto_scaling with a suffix": (
        ServiceAccess.auto_scaling(custom_suffix="batch"),
        TARGET,
        [
            role("ServiceAutoScaling", sorted([*SYMMETRIC, "kms:DescribeKey"]), None, f"{SLR}_batch"),
            role("ServiceAutoScalingGrants", ["kms:CreateGrant"], {"Bool": FOR_AWS}, f"{SLR}_batch"),
        ],
    ),
    "route53_dnssec": (
        ServiceAccess.route53_dnssec({ACCOUNT: ["Z0001", "Z0002"], OTHER: ["Z0003"]}),
        DNSSEC,
        [
            statement
            for suffix, account, zones in (
                ("", ACCOUNT, ["arn:aws:route53:::hostedzone/Z0001", "arn:aws:route53:::hostedzone/Z0002"]),
                ("2", OTHER, "arn:aws:route53:::hostedzone/Z0003"),
            )
            for source in (
                {"StringEquals": {"aws:SourceAccount": account}, "ArnLike": {"aws:SourceArn": zones}},
            )
            for statement in (
                service(
                    f"ServiceRoute53Dnssec{suffix}",
                    "dnssec-route53.amazonaws.com",
                    ["kms:DescribeKey", "kms:GetPublicKey", "kms:Sign"],
                    source,
                ),
                service(
                    f"ServiceRoute53DnssecGrants{suffix}",
                    "dnssec-route53.amazonaws.com",
                    ["kms:CreateGrant"],
                    {**source, "Bool": FOR_AWS},
                ),
            )
        ],
    ),
    "secrets_manager": (
        ServiceAccess.secrets_manager(
            [ROLE], secret_arns=[f"arn:aws:secretsmanager:eu-west-1:{ACCOUNT}:secret:db-*"]
        ),
        TARGET,
        [
            role(
                "ServiceSecretsManager",
                ["kms:Decrypt", "kms:GenerateDataKey"],
                {
                    "StringEquals": via("secretsmanager"),
                    "StringLike": {
                        "kms:EncryptionContext:SecretARN": (
                            f"arn:aws:secretsmanager:eu-west-1:{ACCOUNT}:secret:db-*"
                        )
                    },
                },
            )
        ],
    ),
    "rds": (ServiceAccess.rds([ROLE]), TARGET, through("Rds", "rds", ["kms:DescribeKey"])),
    "redshift": (
        ServiceAccess.redshift([ROLE]),
        TARGET,
        through("Redshift", "redshift", ["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", *DATA_KEYS]),
    ),
    "dynamodb": (
        ServiceAccess.dynamodb([ROLE]),
        TARGET,
        through("Dynamodb", "dynamodb", sorted([*SYMMETRIC, "kms:DescribeKey"])),
    ),
    "lambda_": (
        ServiceAccess.lambda_([ROLE]),
        TARGET,
        through("Lambda", "lambda", ["kms:Decrypt", "kms:Encrypt"]),
    ),
    "ecr": (ServiceAccess.ecr([ROLE]), TARGET, through("Ecr", "ecr", ["kms:DescribeKey"])),
    "bedrock": (
        ServiceAccess.bedrock([ROLE], invokers=[f"arn:aws:iam::{ACCOUNT}:role/Invoker"]),
        TARGET,
        [
            *through("Bedrock", "bedrock", ["kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey"]),
            role(
                "ServiceBedrockInvokers",
                ["kms:Decrypt", "kms:GenerateDataKey"],
                {"StringEquals": via("bedrock")},
                f"arn:aws:iam::{ACCOUNT}:role/Invoker",
            ),
        ],
    ),
    "custom": (
        ServiceAccess.custom(
            "delivery.logs.amazonaws.com",
            ["kms:GenerateDataKey", "Decrypt", "CreateGrant"],
            source_account=ACCOUNT,
            source_arns=[f"arn:aws:logs:eu-west-1:{ACCOUNT}:delivery-source:*"],
            conditions={"StringLike": {"kms:EncryptionContext:Stage": "prod-*"}},
        ),
        TARGET,
        [
            service(
                sid,
                "delivery.logs.amazonaws.com",
                actions,
                {
                    "StringLike": {"kms:EncryptionContext:Stage": "prod-*"},
                    "ArnLike": {"aws:SourceArn": f"arn:aws:logs:eu-west-1:{ACCOUNT}:delivery-source:*"},
                    "StringEquals": {"aws:SourceAccount": ACCOUNT},
                    **extra,
                },
            )
            for sid, actions, extra in (
                ("ServiceDeliveryLogs", ["kms:Decrypt", "kms:GenerateDataKey"], {}),
                ("ServiceDeliveryLogsGrants", ["kms:CreateGrant"], {"Bool": FOR_AWS}),
            )
        ],
    ),
}


# Presets that a requirement alone makes. What AWS documents is written out here once more, on purpose.

THROUGH: dict[str, tuple[str, str | list[str], list[str], bool]] = {
    "appflow": ("Appflow", "appflow", ["DescribeKey"], True),
    "athena": ("Athena", ["s3", "athena"], ["Decrypt", "GenerateDataKey"], False),
    "codeartifact": ("Codeartifact", "codeartifact", ["DescribeKey"], True),
    "ebs": (
        "Ebs",
        "ec2",
        ["Decrypt", "DescribeKey", "GenerateDataKeyWithoutPlaintext", "ReEncryptFrom", "ReEncryptTo"],
        True,
    ),
    "efs": (
        "Efs",
        "elasticfilesystem",
        ["Decrypt", "DescribeKey", "GenerateDataKeyWithoutPlaintext"],
        True,
    ),
    "firehose": ("Firehose", "firehose", ["Decrypt", "GenerateDataKey"], True),
    "fsx": ("Fsx", "fsx", ["Decrypt", "DescribeKey", "GenerateDataKeyWithoutPlaintext"], True),
    "glue_catalog": ("GlueCatalog", "glue", ["Decrypt", "Encrypt", "GenerateDataKey"], False),
    "kendra": ("Kendra", "kendra", ["DescribeKey"], True),
    "kinesis": ("Kinesis", "kinesis", ["Decrypt", "DescribeKey", "GenerateDataKey"], False),
    "msk": ("Msk", "kafka", ["DescribeKey"], True),
    "neptune": (
        "Neptune",
        "rds",
        [
            "Decrypt",
            "DescribeKey",
            "Encrypt",
            "GenerateDataKey",
            "GenerateDataKeyWithoutPlaintext",
            "ReEncryptFrom",
            "ReEncryptTo",
        ],
        True,
    ),
    "opensearch": ("Opensearch", "es", ["DescribeKey"], True),
    "opensearch_serverless": ("OpensearchServerless", "aoss", ["DescribeKey"], True),
    "sagemaker_endpoint": ("SagemakerEndpoint", "sagemaker", [], True),
    "sagemaker_notebook": ("SagemakerNotebook", "sagemaker", ["DescribeKey"], True),
    "sagemaker_feature_store": (
        "SagemakerFeatureStore",
        "sagemaker",
        ["Decrypt", "DescribeKey", "Encrypt", "GenerateDataKey", "ReEncryptFrom", "ReEncryptTo"],
        True,
    ),
    "ssm": ("Ssm", "ssm", ["Decrypt", "Encrypt", "GenerateDataKey"], False),
    "step_functions": ("StepFunctions", "states", ["Decrypt", "DescribeKey", "GenerateDataKey"], False),
    "timestream": ("Timestream", "timestream", ["DescribeKey"], True),
}
"""By preset: Sid, service, actions, and whether the principals make grants for AWS resources."""

OF_SOURCES: dict[str, tuple[str, str, list[str], str, str]] = {
    "budgets": (
        "Budgets",
        "budgets.amazonaws.com",
        ["Decrypt", "GenerateDataKey"],
        f"arn:aws:budgets::{ACCOUNT}:*",
        f"arn:aws:budgets::{ACCOUNT}:budget/monthly",
    ),
    "cloudwatch_alarms": (
        "CloudWatchAlarms",
        "cloudwatch.amazonaws.com",
        ["Decrypt", "GenerateDataKey"],
        f"arn:aws:cloudwatch:eu-west-1:{ACCOUNT}:alarm:*",
        f"arn:aws:cloudwatch:eu-west-1:{ACCOUNT}:alarm:errors",
    ),
    "log_delivery": (
        "LogDelivery",
        "delivery.logs.amazonaws.com",
        [
            "Decrypt",
            "DescribeKey",
            "Encrypt",
            "GenerateDataKey",
            "GenerateDataKeyWithoutPlaintext",
            "ReEncryptFrom",
            "ReEncryptTo",
        ],
        f"arn:aws:logs:eu-west-1:{ACCOUNT}:*",
        f"arn:aws:logs:eu-west-1:{ACCOUNT}:delivery-source:*",
    ),
    "rds_events": (
        "RdsEvents",
        "events.rds.amazonaws.com",
        ["Decrypt", "GenerateDataKey"],
        f"arn:aws:rds:eu-west-1:{ACCOUNT}:*",
        f"arn:aws:rds:eu-west-1:{ACCOUNT}:db:orders",
    ),
    "s3_inventory": (
        "S3Inventory",
        "s3.amazonaws.com",
        ["GenerateDataKey"],
        "arn:aws:s3:::*",
        "arn:aws:s3:::orders",
    ),
}
"""By preset: Sid, principal, actions, the source ARN by default, and one that a user may give."""


def _through(sid: str, services: str | list[str], actions: list[str], grants: bool) -> list[dict[str, Any]]:
    names = [services] if isinstance(services, str) else services
    called = [f"kms:{action}" for action in actions]
    use = [role(f"Service{sid}", called, {"StringEquals": via(*names)})] if called else []
    grant = {"StringEquals": via(*names), "Bool": FOR_AWS}
    return use + ([role(f"Service{sid}Grants", ["kms:CreateGrant"], grant)] if grants else [])


def _from_source(sid: str, name: str, actions: list[str], source: str) -> dict[str, Any]:
    return service(
        f"Service{sid}",
        name,
        [f"kms:{action}" for action in actions],
        {"StringEquals": {"aws:SourceAccount": ACCOUNT}, "ArnLike": {"aws:SourceArn": source}},
    )


MACIE = f"arn:aws:macie2:eu-west-1:{ACCOUNT}"
FILTER = f"arn:aws:lambda:eu-west-1:{ACCOUNT}"
TABLES = [f"arn:aws:dynamodb:eu-west-1:{account}:table/orders" for account in (ACCOUNT, OTHER)]

DOCUMENTED |= {
    name: (getattr(ServiceAccess, name)([ROLE]), TARGET, _through(*expected))
    for name, expected in THROUGH.items()
}
DOCUMENTED |= {
    f"{name}{how}": (access, TARGET, [_from_source(sid, principal, actions, source)])
    for name, (sid, principal, actions, everything, one) in OF_SOURCES.items()
    for how, access, source in (
        ("", getattr(ServiceAccess, name)(source_arns=[one]), one),
        (" by default", getattr(ServiceAccess, name)(), everything),
    )
}
DOCUMENTED |= {
    "cloudfront": (
        ServiceAccess.cloudfront(source_arns=[f"arn:aws:cloudfront::{ACCOUNT}:distribution/E1"]),
        TARGET,
        [
            service(
                "ServiceCloudFront",
                "cloudfront.amazonaws.com",
                ["kms:Decrypt", "kms:Encrypt", *DATA_KEYS],
                {"ArnLike": {"aws:SourceArn": f"arn:aws:cloudfront::{ACCOUNT}:distribution/E1"}},
            )
        ],
    ),
    "eks": (
        ServiceAccess.eks([ROLE]),
        TARGET,
        [
            role("ServiceEks", ["kms:DescribeKey"], {"StringEquals": via("eks")}),
            role("ServiceEksGrants", ["kms:CreateGrant"], {"StringEquals": via("eks")}),
        ],
    ),
    "cloudtrail_lake": (
        ServiceAccess.cloudtrail_lake([ROLE]),
        TARGET,
        [
            {
                "Sid": "ServiceCloudTrailLake",
                "Effect": "Allow",
                "Principal": {"Service": "cloudtrail.amazonaws.com"},
                "Action": ["kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey"],
                "Resource": "*",
            },
            role(
                "ServiceCloudTrailLakePrincipals",
                ["kms:Decrypt", "kms:GenerateDataKey"],
                {"StringEquals": via("cloudtrail")},
            ),
        ],
    ),
    "dms_events": (
        ServiceAccess.dms_events(),
        TARGET,
        [
            service(
                "ServiceDmsEvents",
                "dms.amazonaws.com",
                ["kms:Decrypt", "kms:GenerateDataKey"],
                {"StringEquals": {"aws:SourceAccount": ACCOUNT}},
            )
        ],
    ),
    "dynamodb_replication": (
        ServiceAccess.dynamodb_replication(TABLES),
        TARGET,
        [
            service(
                "ServiceDynamodbReplication",
                "replication.dynamodb.amazonaws.com",
                ["kms:Decrypt", "kms:DescribeKey", *DATA_KEYS, "kms:ReEncryptFrom", "kms:ReEncryptTo"],
                {
                    "StringEquals": {"aws:SourceAccount": [ACCOUNT, OTHER]},
                    "ArnLike": {"aws:SourceArn": TABLES},
                },
            )
        ],
    ),
    "eventbridge_archive": (
        ServiceAccess.eventbridge_archive(),
        TARGET,
        [
            service(
                "ServiceEventbridgeArchive",
                "events.amazonaws.com",
                ["kms:Decrypt", "kms:GenerateDataKey", "kms:ReEncryptFrom", "kms:ReEncryptTo"],
                {
                    "ArnLike": {
                        "kms:EncryptionContext:aws:events:event-bus:arn": (
                            f"arn:aws:events:eu-west-1:{ACCOUNT}:event-bus/*"
                        )
                    }
                },
            ),
            {
                "Sid": "ServiceEventbridgeArchiveDescribe",
                "Effect": "Allow",
                "Principal": {"Service": "events.amazonaws.com"},
                "Action": ["kms:DescribeKey"],
                "Resource": "*",
            },
        ],
    ),
    "eventbridge_topics": (
        ServiceAccess.eventbridge_topics(topic_arns=[f"arn:aws:sns:eu-west-1:{ACCOUNT}:alerts"]),
        TARGET,
        [
            service(
                "ServiceEventbridgeTopics",
                "events.amazonaws.com",
                ["kms:Decrypt", "kms:GenerateDataKey"],
                {
                    "ArnLike": {
                        "kms:EncryptionContext:aws:sns:topicArn": f"arn:aws:sns:eu-west-1:{ACCOUNT}:alerts"
                    }
                },
            )
        ],
    ),
    "fargate_ephemeral_storage": (
        ServiceAccess.fargate_ephemeral_storage(cluster_names=["prod"]),
        TARGET,
        [
            service(
                "ServiceFargateEphemeralStorage",
                "fargate.amazonaws.com",
                ["kms:GenerateDataKeyWithoutPlaintext"],
                {
                    "StringEquals": {"kms:EncryptionContext:aws:ecs:clusterAccount": ACCOUNT},
                    "StringLike": {"kms:EncryptionContext:aws:ecs:clusterName": "prod"},
                },
            ),
            service(
                "ServiceFargateEphemeralStorageTaskGrants",
                "fargate.amazonaws.com",
                ["kms:CreateGrant"],
                {
                    "StringEquals": {"kms:EncryptionContext:aws:ecs:clusterAccount": ACCOUNT},
                    "StringLike": {"kms:EncryptionContext:aws:ecs:clusterName": "prod"},
                    "ForAllValues:StringEquals": {"kms:GrantOperations": "Decrypt"},
                },
            ),
        ],
    ),
    "lambda_code": (
        ServiceAccess.lambda_code(),
        TARGET,
        [
            service(
                "ServiceLambdaCode",
                "lambda.amazonaws.com",
                ["kms:Decrypt", "kms:GenerateDataKey"],
                {"ArnLike": {"kms:EncryptionContext:aws:lambda:FunctionArn": f"{FILTER}:function:*"}},
            )
        ],
    ),
    "lambda_code of one function": (
        ServiceAccess.lambda_code(function_arns=[f"{FILTER}:function:orders"]),
        TARGET,
        [
            service(
                "ServiceLambdaCode",
                "lambda.amazonaws.com",
                ["kms:Decrypt", "kms:GenerateDataKey"],
                {"ArnLike": {"kms:EncryptionContext:aws:lambda:FunctionArn": f"{FILTER}:function:orders"}},
            )
        ],
    ),
    "lambda_event_filters": (
        ServiceAccess.lambda_event_filters(),
        TARGET,
        [
            service(
                "ServiceLambdaEventFilters",
                "lambda.eu-west-1.amazonaws.com",
                ["kms:Decrypt"],
                {
                    "ArnLike": {
                        "aws:SourceArn": f"{FILTER}:event-source-mapping:*",
                        "kms:EncryptionContext:aws:lambda:FunctionArn": f"{FILTER}:function:*",
                    }
                },
            )
        ],
    ),
    "macie": (
        ServiceAccess.macie(),
        TARGET,
        [
            service(
                "ServiceMacie",
                "macie.amazonaws.com",
                ["kms:Encrypt", "kms:GenerateDataKey"],
                {
                    "StringEquals": {"aws:SourceAccount": ACCOUNT},
                    "ArnLike": {
                        "aws:SourceArn": [
                            f"{MACIE}:export-configuration:*",
                            f"{MACIE}:classification-job/*",
                        ]
                    },
                },
            )
        ],
    ),
}


@pytest.mark.parametrize("case", DOCUMENTED.values(), ids=DOCUMENTED.keys())
def test_writes_the_documented_statements(case: tuple[ServiceAccess, PolicyTarget, list[dict[str, Any]]]):
    access, target, expected = case
    assert access.statements(target) == expected


UNCONDITIONED = {"ServiceAutoScaling", "ServiceCloudTrailLake", "ServiceEventbridgeArchiveDescribe"}
"""A role is its own limit. EventBridge's DescribeKey tells metadata alone, and AWS documents no condition.

Nor does it for event data stores, whose statement IAM-KMS-6 reports.
"""


def presets() -> list[str]:
    return list(_presets())


def test_every_preset_is_tested():
    assert set(presets()) == {access.name for access, _, _ in DOCUMENTED.values()}


@pytest.mark.parametrize("name", presets())
def test_every_preset_says_where_it_is_documented(name: str):
    assert "See: https://docs.aws.amazon.com/" in (inspect.getdoc(getattr(ServiceAccess, name)) or "")


@pytest.mark.parametrize("case", DOCUMENTED.values(), ids=DOCUMENTED.keys())
def test_no_statement_is_open(case: tuple[ServiceAccess, PolicyTarget, list[dict[str, Any]]]):
    access, target, _ = case
    for statement in access.statements(target):
        actions = [find_action(name) for name in statement["Action"]]
        assert all(action is not None and action.on_key for action in actions)
        assert statement["Principal"] not in ("*", {"AWS": "*"})
        assert "Condition" in statement or statement["Sid"] in UNCONDITIONED
        if "kms:CreateGrant" in statement["Action"]:
            assert statement["Action"] == ["kms:CreateGrant"]
            if statement["Principal"] == {"Service": "fargate.amazonaws.com"}:
                # AWS documents no flag for these grants; their operations are limited instead.
                assert statement["Condition"]["ForAllValues:StringEquals"] == {
                    "kms:GrantOperations": "Decrypt"
                }
            elif statement["Sid"] == "ServiceEksGrants":
                # AWS says that these grants do not carry the flag; who makes them comes through EKS.
                assert statement["Condition"] == {"StringEquals": via("eks")}
            else:
                assert statement["Condition"]["Bool"] == FOR_AWS


def on_keys(cases: list[tuple[ServiceAccess, PolicyTarget, list[dict[str, Any]]]]) -> App:
    app = App(analytics_reporting=False)
    stacks = {
        region: Stack(app, region, env=Environment(account=ACCOUNT, region=region))
        for region in ("eu-west-1", "us-east-1")
    }
    for number, (access, target, _) in enumerate(cases):
        SecureKmsKey(
            stacks[target.region],
            f"Key{number}",
            alias=f"presets/{number}",
            description="One preset",
            environment="prod",
            service="orders",
            data_classification="internal",
            key_administrators=[f"arn:aws:iam::{ACCOUNT}:role/KeyAdmin"],
            key_spec=target.key_spec,
            key_usage=target.key_usage,
            services=[access],
            outputs=True,
            policy_reviewed_on="2026-11-01",
        )
    return app


def test_every_preset_passes_the_guardrails_on_a_key():
    cases = [case for name, case in DOCUMENTED.items() if "China" not in name and name != "cloudtrail_lake"]
    report = assert_guardrails(on_keys(cases), config=GuardrailConfig(trusted_accounts=(OTHER,)))
    assert report.keys == len(cases)


def test_what_aws_documents_no_condition_for_is_reported_and_accepted_as_the_report_says():
    with pytest.raises(GuardrailError) as refused:
        assert_guardrails(on_keys([DOCUMENTED["cloudtrail_lake"]]))
    assert "1 guardrail finding fails" in str(refused.value)
    assert "IAM-KMS-6[source]" in str(refused.value)
    assert "CloudTrail Lake event data store: it sends neither aws:SourceArn" in str(refused.value)
    assert "acknowledging IAM-KMS-6[source:*] with the reason" in str(refused.value)
    given = (Acknowledgement("IAM-KMS-6[source:*]", "event data stores send no source"),)
    accepted = assert_guardrails(
        on_keys([DOCUMENTED["cloudtrail_lake"]]), config=GuardrailConfig(acknowledgements=given)
    )
    assert [one.control for one in accepted.findings if one.acknowledged] == ["IAM-KMS-6"]


def test_takes_sources_that_are_known_at_deployment_only():
    stack = Stack(App(analytics_reporting=False), "Sources")
    topic = sns.Topic(stack, "Topic")
    arns = [topic.topic_arn, f"arn:{Aws.PARTITION}:sns:{Aws.REGION}:{Aws.ACCOUNT_ID}:alerts"]
    here = PolicyTarget(partition=Aws.PARTITION, account=Aws.ACCOUNT_ID, region=Aws.REGION)
    (statement,) = ServiceAccess.sns(topic_arns=arns, account=Aws.ACCOUNT_ID).statements(here)
    assert stack.resolve(statement["Condition"]) == {
        "ArnLike": {
            "aws:SourceArn": [
                {"Ref": stack.get_logical_id(topic.node.default_child)},
                {
                    "Fn::Join": [
                        "",
                        [
                            "arn:",
                            {"Ref": "AWS::Partition"},
                            ":sns:",
                            {"Ref": "AWS::Region"},
                            ":",
                            {"Ref": "AWS::AccountId"},
                            ":alerts",
                        ],
                    ]
                },
            ]
        }
    }


def test_the_same_preset_twice_keeps_its_sids_apart():
    sources = [
        ServiceAccess.sns(),
        ServiceAccess.sns(account=OTHER),
        ServiceAccess.cloudwatch_logs(),
        ServiceAccess.sns(topic_arns=[f"arn:aws:sns:us-east-1:{ACCOUNT}:alerts"]),
    ]
    assert [statement["Sid"] for statement in statements_of(sources, TARGET)] == [
        "ServiceSns",
        "ServiceSns2",
        "ServiceCloudWatchLogs",
        "ServiceSns3",
    ]


REFUSED_AT_ONCE: dict[str, tuple[Callable[[], object], str]] = {
    "no principal": (lambda: ServiceAccess.rds([]), "principals=[] is refused"),
    "text for a list": (lambda: ServiceAccess.rds(ROLE), "a list is wanted"),
    "account root": (
        lambda: ServiceAccess.dynamodb([f"arn:aws:iam::{ACCOUNT}:root"]),
        "name roles or users",
    ),
    "everybody": (lambda: ServiceAccess.s3(["*"]), "principals='*' is refused"),
    "wildcard role": (
        lambda: ServiceAccess.s3([f"arn:aws:iam::{ACCOUNT}:role/*"]),
        "a wildcard is not allowed",
    ),
    "session": (
        lambda: ServiceAccess.s3([f"arn:aws:sts::{ACCOUNT}:assumed-role/App/me"]),
        "this is a session",
    ),
    "ten-digit account": (
        lambda: ServiceAccess.s3(["arn:aws:iam::1111111111:user/root"]),
        "twelve digits",
    ),
    "source of another service": (
        lambda: ServiceAccess.sns(topic_arns=[f"arn:aws:sqs:eu-west-1:{ACCOUNT}:queue"]),
        "has to be of sns, not of sqs",
    ),
    "source in any account": (
        lambda: ServiceAccess.sns(topic_arns=["arn:aws:sns:eu-west-1:*:topic"]),
        "narrows nothing",
    ),
    "source without a name": (
        lambda: ServiceAccess.s3_notifications(bucket_arns=["arn:aws:s3:::*"]),
        "narrows nothing",
    ),
    "source of another account": (
        lambda: ServiceAccess.ses(
            receipt_rule_arns=[f"arn:aws:ses:eu-west-1:{ACCOUNT}:receipt-rule-set/a:receipt-rule/b"],
            account=OTHER,
        ),
        f"belongs to account {ACCOUNT}, not to {OTHER}",
    ),
    "log group by ARN": (
        lambda: ServiceAccess.cloudwatch_logs(log_groups=[f"arn:aws:logs:eu-west-1:{ACCOUNT}:log-group:a"]),
        "give the name, not the ARN",
    ),
    "tables without an account": (
        lambda: ServiceAccess.dynamodb_replication(["arn:aws:dynamodb:eu-west-1::table/orders"]),
        "the accounts of the replicas are taken from the ARNs",
    ),
    "no log group": (lambda: ServiceAccess.cloudwatch_logs(log_groups=[]), "the list is empty"),
    "no zone": (lambda: ServiceAccess.route53_dnssec([]), "hosted_zones=[] is refused"),
    "zone by ARN": (
        lambda: ServiceAccess.route53_dnssec(["arn:aws:route53:::hostedzone/Z1"]),
        "give the id alone",
    ),
    "replication of nothing": (lambda: ServiceAccess.s3_replication(ROLE), "source_buckets=() is refused"),
    "queue of nobody": (ServiceAccess.sqs, "producers=() is refused"),
    "service with Region": (
        lambda: ServiceAccess.backup([ROLE], resource_services=["ec2.eu-west-1.amazonaws.com"]),
        "without Region",
    ),
    "bad suffix": (lambda: ServiceAccess.auto_scaling(custom_suffix="a b"), "custom_suffix='a b'"),
    "custom without condition": (
        lambda: ServiceAccess.custom("x.amazonaws.com", ["Decrypt"]),
        "a condition has to name the source",
    ),
    "custom with a condition that says nothing": (
        lambda: ServiceAccess.custom(
            "x.amazonaws.com", ["Decrypt"], conditions={"StringLike": {"aws:SourceAccount": "*"}}
        ),
        "a condition has to name the source",
    ),
    "custom with a negated condition": (
        lambda: ServiceAccess.custom(
            "x.amazonaws.com", ["Decrypt"], conditions={"StringNotEquals": {"aws:SourceAccount": OTHER}}
        ),
        "a condition has to name the source",
    ),
    "custom with a condition that may be absent": (
        lambda: ServiceAccess.custom(
            "x.amazonaws.com",
            ["Decrypt"],
            conditions={"StringEqualsIfExists": {"aws:SourceAccount": ACCOUNT}},
        ),
        "a condition has to name the source",
    ),
    "custom wildcard action": (
        lambda: ServiceAccess.custom("x.amazonaws.com", ["kms:*"], source_account=ACCOUNT),
        "wildcards also cover what AWS adds later",
    ),
    "custom unknown action": (
        lambda: ServiceAccess.custom("x.amazonaws.com", ["kms:Describe"], source_account=ACCOUNT),
        "KMS has no such action",
    ),
    "custom administrative action": (
        lambda: ServiceAccess.custom("x.amazonaws.com", ["kms:PutKeyPolicy"], source_account=ACCOUNT),
        "kms:PutKeyPolicy administers the key",
    ),
    "custom grant revocation": (
        lambda: ServiceAccess.custom("x.amazonaws.com", ["RevokeGrant"], source_account=ACCOUNT),
        "kms:RevokeGrant administers the key",
    ),
    "custom account-wide action": (
        lambda: ServiceAccess.custom("x.amazonaws.com", ["ListKeys"], source_account=ACCOUNT),
        "a key policy cannot allow it",
    ),
    "custom for a role": (
        lambda: ServiceAccess.custom(ROLE, ["Decrypt"], source_account=ACCOUNT),
        "a service principal ends in .amazonaws.com",
    ),
    "custom without actions": (
        lambda: ServiceAccess.custom("x.amazonaws.com", [], source_account=ACCOUNT),
        "actions=[] is refused",
    ),
}


@pytest.mark.parametrize(("make", "message"), REFUSED_AT_ONCE.values(), ids=REFUSED_AT_ONCE.keys())
def test_refuses_with_the_reason(make: Callable[[], object], message: str):
    with pytest.raises(ArgumentError) as raised:
        make()
    assert message in str(raised.value)


SIGNING = PolicyTarget(
    partition="aws",
    account=ACCOUNT,
    region="eu-west-1",
    key_spec="ECC_NIST_P256",
    key_usage=KeyUsage.SIGN_VERIFY,
)
RSA = PolicyTarget(
    partition="aws",
    account=ACCOUNT,
    region="eu-west-1",
    key_spec="RSA_4096",
    key_usage=KeyUsage.ENCRYPT_DECRYPT,
)
REFUSED_FOR_KEY: dict[str, tuple[ServiceAccess, PolicyTarget, str]] = {
    "symmetric service on a signing key": (
        ServiceAccess.sns(),
        SIGNING,
        "works with a key of SYMMETRIC_DEFAULT for ENCRYPT_DECRYPT, and this key is ECC_NIST_P256 for "
        "SIGN_VERIFY",
    ),
    "symmetric service on RSA": (ServiceAccess.s3([ROLE]), RSA, "this key is RSA_4096 for ENCRYPT_DECRYPT"),
    "DNSSEC on a symmetric key": (
        ServiceAccess.route53_dnssec(["Z1"]),
        TARGET,
        "works with a key of ECC_NIST_P256 for SIGN_VERIFY",
    ),
    "DNSSEC outside us-east-1": (ServiceAccess.route53_dnssec(["Z1"]), SIGNING, "takes keys of us-east-1"),
    "alarm of another account": (
        ServiceAccess.cloudwatch_alarms(source_arns=[f"arn:aws:cloudwatch:eu-west-1:{OTHER}:alarm:x"]),
        TARGET,
        f"limited to account {ACCOUNT} by aws:SourceAccount",
    ),
    "database of another account": (
        ServiceAccess.rds_events(source_arns=[f"arn:aws:rds:eu-west-1:{OTHER}:db:x"]),
        TARGET,
        f"limited to account {ACCOUNT} by aws:SourceAccount",
    ),
    "custom action that does not fit": (
        ServiceAccess.custom("x.amazonaws.com", ["Decrypt"], source_account=ACCOUNT),
        SIGNING,
        "kms:Decrypt does not work with a key for SIGN_VERIFY",
    ),
    "principal of another account": (
        ServiceAccess.rds([OTHER_ROLE]),
        TARGET,
        "external_access for principals of other accounts",
    ),
    "source of another account": (
        ServiceAccess.ses(
            receipt_rule_arns=[f"arn:aws:ses:eu-west-1:{OTHER}:receipt-rule-set/a:receipt-rule/b"]
        ),
        TARGET,
        f"limited to account {ACCOUNT} by aws:SourceAccount",
    ),
}


@pytest.mark.parametrize(
    ("access", "target", "message"), REFUSED_FOR_KEY.values(), ids=REFUSED_FOR_KEY.keys()
)
def test_refuses_a_key_that_does_not_fit(access: ServiceAccess, target: PolicyTarget, message: str):
    with pytest.raises(ArgumentError) as raised:
        access.statements(target)
    assert message in str(raised.value)


def test_custom_signing_fits_a_signing_key():
    access = ServiceAccess.custom("x.amazonaws.com", ["Sign", "GetPublicKey"], source_account=ACCOUNT)
    assert access.statements(SIGNING) == [
        service(
            "ServiceX",
            "x.amazonaws.com",
            ["kms:GetPublicKey", "kms:Sign"],
            {"StringEquals": {"aws:SourceAccount": ACCOUNT}},
        )
    ]
