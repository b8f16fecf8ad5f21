"""Key policies in the form that AWS's pages give them for its services, each with its resource.

Written anew from the facts of those pages: who is the principal, with which actions and conditions. Beside
each stands a near miss: what it changes is what people get wrong, and who may then no longer call what.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from kms_constructs.guardrails.finding import Outcome
from tests.guardrails.factories import ACCOUNT, OTHER

REGION = "eu-west-1"
DOCS = "https://docs.aws.amazon.com/"
CREATOR = f"arn:aws:iam::{ACCOUNT}:role/Creator"
WORKER = f"arn:aws:iam::{ACCOUNT}:role/Worker"
SCALING = (
    f"arn:aws:iam::{ACCOUNT}:role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling"
)
KEY = {"Fn::GetAtt": ["Key", "Arn"]}
IDENTITY = ["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey"]
"""What AWS's examples give to "users of the key"."""

Resources = dict[str, Any]
Statements = list[dict[str, Any]]


@dataclass(frozen=True)
class Reference:
    """A policy of AWS's documentation, and one that is nearly it.

    Args:
        page: Where AWS documents the policy, below `DOCS`.
        resources: What uses the key.
        right: The statements.
        near: The statements of the near miss.
        refused: Whom the near miss keeps from which actions.
        outcome: What is said of the near miss.
        key: Properties of the key.
        region: The Region of the stack.
        title: What findings call the service.
    """

    page: str
    title: str
    resources: Resources
    right: Statements
    near: Statements
    refused: Mapping[str, set[str]]
    outcome: Outcome = Outcome.VIOLATION
    key: Mapping[str, object] = field(default_factory=dict)
    region: str = REGION


def let(who: str, *actions: str, **conditions: Mapping[str, object]) -> dict[str, Any]:
    """One Allow; a service is named by what stands before ``.amazonaws.com``."""
    principal = {"AWS": who} if who.startswith("arn:") else {"Service": f"{who}.amazonaws.com"}
    made: dict[str, Any] = {"Effect": "Allow", "Principal": principal, "Resource": "*"}
    made["Action"] = [f"kms:{name.removeprefix('kms:')}" for name in actions]
    return made | ({"Condition": dict(conditions)} if conditions else {})


def resource(kind: str, **properties: object) -> dict[str, Any]:
    return {"Type": f"AWS::{kind}", "Properties": properties}


def ref(name: str, attribute: str = "") -> dict[str, Any]:
    return {"Fn::GetAtt": [name, attribute]} if attribute else {"Ref": name}


def arn(rest: str, account: str = ACCOUNT) -> str:
    """An ARN of the account: ``sns:topic``."""
    service, _, named = rest.partition(":")
    return f"arn:aws:{service}:{REGION}:{account}:{named}"


def bucket(**more: object) -> dict[str, Any]:
    rule = {"ServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": KEY}}
    return resource("S3::Bucket", BucketEncryption={"ServerSideEncryptionConfiguration": [rule]}, **more)


def through(service: str, *, grants: bool = False, account: str = ACCOUNT) -> dict[str, Any]:
    """The conditions of AWS's examples for principals who come through a service."""
    found: dict[str, Any] = {
        "StringEquals": {
            "kms:ViaService": f"{service}.{REGION}.amazonaws.com",
            "kms:CallerAccount": account,
        }
    }
    return found | ({"Bool": {"kms:GrantIsForAWSResource": "true"}} if grants else {})


TOPIC = resource("SNS::Topic", TopicName="alerts", KmsMasterKeyId=KEY)
QUEUE = resource("SQS::Queue", QueueName="orders", KmsMasterKeyId=KEY)
TRAIL_ARN = arn("cloudtrail:trail/main")
GRANTS = {"Bool": {"kms:GrantIsForAWSResource": True}}

TRAIL = {
    "StringEquals": {"aws:SourceArn": TRAIL_ARN},
    "StringLike": {"kms:EncryptionContext:aws:cloudtrail:arn": f"arn:aws:cloudtrail:*:{ACCOUNT}:trail/*"},
}
DELIVERY = {
    "StringEquals": {"aws:SourceAccount": [ACCOUNT]},
    "ArnLike": {"aws:SourceArn": [arn("logs:*")]},
}
BUS = arn("events:event-bus/orders")
OF_BUS = {
    "StringEquals": {
        "aws:SourceAccount": ACCOUNT,
        "aws:SourceArn": BUS,
        "kms:EncryptionContext:aws:events:event-bus:arn": BUS,
    }
}
CLUSTER = {
    "StringEquals": {
        "kms:EncryptionContext:aws:ecs:clusterAccount": [ACCOUNT],
        "kms:EncryptionContext:aws:ecs:clusterName": ["web"],
    }
}
DECRYPTING = {"ForAllValues:StringEquals": {"kms:GrantOperations": ["Decrypt"]}}
RULE_SET = {
    "StringEquals": {"aws:SourceAccount": ACCOUNT},
    "ArnLike": {"aws:SourceArn": arn("ses:receipt-rule-set/mail:receipt-rule/keep")},
}
ZONE = {
    "StringEquals": {"aws:SourceAccount": ACCOUNT},
    "ArnEquals": {"aws:SourceArn": "arn:aws:route53:::hostedzone/*"},
}
SIGNING = {"KeySpec": "ECC_NIST_P256", "KeyUsage": "SIGN_VERIFY"}
LOG_GROUP = arn("logs:log-group:app")


def of_group(group: str) -> dict[str, Any]:
    return {"ArnEquals": {"kms:EncryptionContext:aws:logs:arn": group}}


def topic_action(service_resource: dict[str, Any]) -> Resources:
    return {"Topic": TOPIC, "Source": service_resource}


ALARM = resource("CloudWatch::Alarm", AlarmActions=[ref("Topic")])
BUDGET = resource(
    "Budgets::Budget",
    NotificationsWithSubscribers=[{"Subscribers": [{"SubscriptionType": "SNS", "Address": ref("Topic")}]}],
)
RULE_TO_TOPIC = resource("Events::Rule", Targets=[{"Id": "t", "Arn": ref("Topic")}])
RULE_TO_QUEUE = resource("Events::Rule", Name="orders", Targets=[{"Id": "q", "Arn": ref("Queue", "Arn")}])
NOTIFYING_QUEUE = resource(
    "S3::Bucket",
    BucketName="inbox",
    NotificationConfiguration={"QueueConfigurations": [{"Event": "e", "Queue": ref("Queue", "Arn")}]},
)
NOTIFYING_TOPIC = resource(
    "S3::Bucket",
    BucketName="inbox",
    NotificationConfiguration={"TopicConfigurations": [{"Event": "e", "Topic": ref("Topic")}]},
)
SUBSCRIPTION = resource(
    "SNS::Subscription", Protocol="sqs", TopicArn=arn("sns:news"), Endpoint=ref("Queue", "Arn")
)
FLOW_LOG = resource("EC2::FlowLog", LogDestinationType="s3", LogDestination=ref("Bucket", "Arn"))
BALANCER = resource(
    "ElasticLoadBalancingV2::LoadBalancer",
    Type="network",
    LoadBalancerAttributes=[{"Key": "access_logs.s3.bucket", "Value": ref("Bucket")}],
)
FIREWALL_LOGS = resource("WAFv2::LoggingConfiguration", LogDestinationConfigs=[ref("Bucket", "Arn")])
DISTRIBUTION = resource(
    "CloudFront::Distribution",
    DistributionConfig={
        "Origins": [
            {"DomainName": ref("Bucket", "RegionalDomainName"), "OriginAccessControlId": ref("Control", "Id")}
        ]
    },
)
OF_DISTRIBUTION = {"aws:SourceArn": f"arn:aws:cloudfront::{ACCOUNT}:distribution/*"}
"""A distribution of the same template has no id yet."""
DELIVERING = resource(
    "KinesisFirehose::DeliveryStream",
    ExtendedS3DestinationConfiguration={
        "RoleARN": WORKER,
        "BucketARN": "arn:aws:s3:::lake",
        "EncryptionConfiguration": {"KMSEncryptionConfig": {"AWSKMSKeyARN": KEY}},
    },
)
OF_OBJECTS = {
    "StringEquals": {"kms:ViaService": f"s3.{REGION}.amazonaws.com"},
    "StringLike": {"kms:EncryptionContext:aws:s3:arn": "arn:aws:s3:::*"},
}
OF_FUNCTION = {"kms:EncryptionContext:aws:lambda:FunctionArn": arn("lambda:function:*")}
INVENTORY = resource(
    "S3::Bucket",
    BucketName="source",
    InventoryConfigurations=[{"Id": "all", "Destination": {"BucketArn": ref("Bucket", "Arn")}}],
)
MAIL_RULE = resource(
    "SES::ReceiptRule",
    RuleSetName="mail",
    Rule={"Name": "keep", "Actions": [{"S3Action": {"BucketName": "mail", "KmsKeyArn": KEY}}]},
)
TEMPLATE = resource(
    "EC2::LaunchTemplate",
    LaunchTemplateData={"BlockDeviceMappings": [{"Ebs": {"Encrypted": True, "KmsKeyId": KEY}}]},
)
GROUP = resource("AutoScaling::AutoScalingGroup", LaunchTemplate={"LaunchTemplateId": ref("Template")})
ROTATION = {
    "Secret": resource("SecretsManager::Secret", KmsKeyId=KEY),
    "Function": resource("Lambda::Function", Role=WORKER),
    "Rotation": resource(
        "SecretsManager::RotationSchedule",
        SecretId=ref("Secret"),
        RotationLambdaARN=ref("Function", "Arn"),
    ),
}
PRODUCER = let(CREATOR, "Decrypt", "GenerateDataKey", **through("secretsmanager"))
SCOPED_S3 = {
    "StringEquals": {"aws:SourceAccount": ACCOUNT},
    "ArnLike": {"aws:SourceArn": "arn:aws:s3:::inbox"},
}

REFERENCES: dict[str, Reference] = {
    "CloudTrail trail": Reference(
        "awscloudtrail/latest/userguide/create-kms-key-policy-for-cloudtrail.html",
        "CloudTrail trail",
        {"Trail": resource("CloudTrail::Trail", TrailName="main", KMSKeyId=KEY)},
        [let("cloudtrail", "GenerateDataKey*", **TRAIL), let("cloudtrail", "DescribeKey")],
        # The name of the trail is part of its ARN: that of the trail before it was renamed.
        [
            let(
                "cloudtrail", "GenerateDataKey*", StringEquals={"aws:SourceArn": arn("cloudtrail:trail/old")}
            ),
            let("cloudtrail", "DescribeKey"),
        ],
        {"cloudtrail.amazonaws.com": {"GenerateDataKey"}},
    ),
    "CloudTrail Lake event data store": Reference(
        "awscloudtrail/latest/userguide/create-kms-key-policy-for-cloudtrail.html",
        "CloudTrail Lake event data store",
        {"Store": resource("CloudTrail::EventDataStore", KmsKeyId=KEY)},
        [
            let("cloudtrail", "GenerateDataKey", "Decrypt", "DescribeKey"),
            let(CREATOR, "GenerateDataKey", "Decrypt", **through("cloudtrail")),
        ],
        [
            let(
                "cloudtrail",
                "GenerateDataKey",
                "Decrypt",
                "DescribeKey",
                StringEquals={"aws:SourceAccount": ACCOUNT},
            ),
            let(CREATOR, "GenerateDataKey", "Decrypt", **through("cloudtrail")),
        ],
        {"cloudtrail.amazonaws.com": {"Decrypt", "DescribeKey", "GenerateDataKey"}},
    ),
    "CloudWatch Logs group": Reference(
        "AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html",
        "CloudWatch Logs group",
        {"Group": resource("Logs::LogGroup", LogGroupName="app", KmsKeyId=KEY)},
        [
            let(
                f"logs.{REGION}",
                "Encrypt*",
                "Decrypt*",
                "ReEncrypt*",
                "GenerateDataKey*",
                "Describe*",
                **of_group(LOG_GROUP),
            )
        ],
        [
            let(
                f"logs.{REGION}",
                "Encrypt*",
                "Decrypt*",
                "ReEncrypt*",
                "GenerateDataKey*",
                "Describe*",
                **of_group(arn("logs:log-group:web")),
            )
        ],
        {
            f"logs.{REGION}.amazonaws.com": {
                "Decrypt",
                "Encrypt",
                "GenerateDataKey",
                "GenerateDataKeyWithoutPlaintext",
                "ReEncryptFrom",
                "ReEncryptTo",
            }
        },
    ),
    "CloudWatch alarm to topic": Reference(
        "sns/latest/dg/sns-key-management.html",
        "CloudWatch alarm",
        topic_action(ALARM),
        [let("cloudwatch", "Decrypt", "GenerateDataKey*")],
        [let("cloudwatch", "GenerateDataKey*")],
        {"cloudwatch.amazonaws.com": {"Decrypt"}},
    ),
    "EventBridge rule to topic": Reference(
        "sns/latest/dg/sns-key-management.html",
        "EventBridge rule with a topic as target",
        topic_action(RULE_TO_TOPIC),
        [let("events", "GenerateDataKey*", "Decrypt")],
        [let("events", "GenerateDataKey*", "Decrypt", ArnLike={"aws:SourceArn": arn("events:rule/*")})],
        {"events.amazonaws.com": {"Decrypt", "GenerateDataKey"}},
    ),
    "EventBridge rule to queue": Reference(
        "AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-key-management.html",
        "EventBridge rule with a queue as target",
        {"Queue": QUEUE, "Rule": RULE_TO_QUEUE},
        [
            let(
                "events",
                "GenerateDataKey",
                "Decrypt",
                ArnEquals={"aws:SourceArn": arn("events:rule/orders")},
            )
        ],
        [
            let(
                "events",
                "GenerateDataKey",
                "Decrypt",
                ArnEquals={"aws:SourceArn": arn("events:rule/returns")},
            )
        ],
        {"events.amazonaws.com": {"Decrypt", "GenerateDataKey"}},
    ),
    "EventBridge event bus": Reference(
        "eventbridge/latest/userguide/eb-encryption-event-bus-cmkey.html",
        "EventBridge event bus",
        {"Bus": resource("Events::EventBus", Name="orders", KmsKeyIdentifier=KEY)},
        [
            let("events", "DescribeKey", StringEquals={"aws:SourceAccount": ACCOUNT}),
            let("events", "GenerateDataKey", "Decrypt", **OF_BUS),
            let(CREATOR, *IDENTITY, **through("events")),
        ],
        # DescribeKey has no encryption context, so one statement for all three lets it out.
        [
            let("events", "DescribeKey", "GenerateDataKey", "Decrypt", **OF_BUS),
            let(CREATOR, *IDENTITY, **through("events")),
        ],
        {"events.amazonaws.com": {"DescribeKey"}},
    ),
    "S3 notification to queue": Reference(
        "AmazonS3/latest/userguide/grant-destinations-permissions-to-s3.html",
        "S3 event notification",
        {"Queue": QUEUE, "Inbox": NOTIFYING_QUEUE},
        [let("s3", "GenerateDataKey", "Decrypt", **SCOPED_S3)],
        [let("s3", "GenerateDataKey", "Decrypt", ArnLike={"aws:SourceArn": "arn:aws:s3:::outbox"})],
        {"s3.amazonaws.com": {"Decrypt", "GenerateDataKey"}},
    ),
    "S3 notification to topic": Reference(
        "AmazonS3/latest/userguide/grant-destinations-permissions-to-s3.html",
        "S3 event notification",
        {"Topic": TOPIC, "Inbox": NOTIFYING_TOPIC},
        [let("s3", "GenerateDataKey*", "Decrypt")],
        [let("s3", "GenerateDataKey*", "Decrypt", StringEquals={"aws:SourceAccount": OTHER})],
        {"s3.amazonaws.com": {"Decrypt", "GenerateDataKey"}},
    ),
    "SNS subscription of a queue": Reference(
        "sns/latest/dg/sns-enable-encryption-for-topic-sqs-queue-subscriptions.html",
        "SNS topic that delivers to a queue",
        {"Queue": QUEUE, "Subscription": SUBSCRIPTION},
        [let("sns", "GenerateDataKey*", "Decrypt", ArnEquals={"aws:SourceArn": arn("sns:news")})],
        [let("sns", "GenerateDataKey*", "Decrypt", ArnEquals={"aws:SourceArn": arn("sqs:orders")})],
        {"sns.amazonaws.com": {"Decrypt", "GenerateDataKey"}},
    ),
    "Budget to topic": Reference(
        "sns/latest/dg/sns-key-management.html",
        "AWS Budgets",
        topic_action(BUDGET),
        [let("budgets", "GenerateDataKey*", "Decrypt", StringEquals={"aws:SourceAccount": ACCOUNT})],
        [let("costalerts", "GenerateDataKey*", "Decrypt", StringEquals={"aws:SourceAccount": ACCOUNT})],
        {"budgets.amazonaws.com": {"Decrypt", "GenerateDataKey"}},
    ),
    "RDS events to topic": Reference(
        "AmazonRDS/latest/UserGuide/USER_Events.GrantingPermissions.html",
        "RDS event subscription",
        topic_action(resource("RDS::EventSubscription", SnsTopicArn=ref("Topic"))),
        [let("events.rds", "GenerateDataKey*", "Decrypt")],
        [let("rds", "GenerateDataKey*", "Decrypt")],
        {"events.rds.amazonaws.com": {"Decrypt", "GenerateDataKey"}},
    ),
    "DMS events to topic": Reference(
        "sns/latest/dg/sns-key-management.html",
        "DMS event subscription",
        topic_action(resource("DMS::EventSubscription", SnsTopicArn=ref("Topic"))),
        [let("dms", "GenerateDataKey*", "Decrypt", StringEquals={"aws:SourceAccount": ACCOUNT})],
        [let("dms", "GenerateDataKey*", StringEquals={"aws:SourceAccount": ACCOUNT})],
        {"dms.amazonaws.com": {"Decrypt"}},
    ),
    "VPC flow log to bucket": Reference(
        "vpc/latest/userguide/flow-logs-s3.html",
        "Log delivery to S3",
        {"Bucket": bucket(), "Flow": FLOW_LOG},
        [let("delivery.logs", *IDENTITY, **DELIVERY)],
        # The principal of other AWS logs.
        [let("logs", *IDENTITY, **DELIVERY)],
        {"delivery.logs.amazonaws.com": {"GenerateDataKey"}},
    ),
    "NLB access log": Reference(
        "elasticloadbalancing/latest/network/enable-access-logs.html",
        "Log delivery to S3",
        {"Bucket": bucket(), "Balancer": BALANCER},
        [let("delivery.logs", *IDENTITY)],
        [let("delivery.logs", "Encrypt", "Decrypt", "ReEncrypt*", "DescribeKey")],
        {"delivery.logs.amazonaws.com": {"GenerateDataKey"}},
    ),
    "WAF log": Reference(
        "waf/latest/developerguide/logging-s3.html",
        "Log delivery to S3",
        {"Bucket": bucket(), "Firewall": FIREWALL_LOGS},
        [let("delivery.logs", "GenerateDataKey*")],
        [let("delivery.logs", "GenerateDataKey*", ArnLike={"aws:SourceArn": arn("wafv2:*")})],
        {"delivery.logs.amazonaws.com": {"GenerateDataKey"}},
    ),
    "S3 Inventory": Reference(
        "AmazonS3/latest/userguide/configure-inventory.html",
        "S3 Inventory",
        {"Bucket": bucket(), "Source": INVENTORY},
        [
            let(
                "s3",
                "GenerateDataKey",
                StringEquals={"aws:SourceAccount": ACCOUNT},
                ArnLike={"aws:SourceArn": "arn:aws:s3:::source"},
            )
        ],
        # The ARN of the bucket that the list goes into.
        [let("s3", "GenerateDataKey", ArnLike={"aws:SourceArn": "arn:aws:s3:::inventories"})],
        {"s3.amazonaws.com": {"GenerateDataKey"}},
    ),
    "CloudFront origin access control": Reference(
        "AmazonCloudFront/latest/DeveloperGuide/private-content-restricting-access-to-s3.html",
        "CloudFront origin access control",
        {"Bucket": bucket(), "Distribution": DISTRIBUTION},
        [let("cloudfront", "Decrypt", "Encrypt", "GenerateDataKey*", ArnLike=OF_DISTRIBUTION)],
        # As for an origin access identity, which cannot read such buckets.
        [let("cloudfront", "Encrypt", "GenerateDataKey*", ArnLike=OF_DISTRIBUTION)],
        {"cloudfront.amazonaws.com": {"Decrypt"}},
    ),
    "Lambda deployment package": Reference(
        "lambda/latest/dg/encrypt-zip-package.html",
        "Lambda deployment package",
        {"Function": resource("Lambda::Function", FunctionName="orders", Code={"SourceKMSKeyArn": KEY})},
        [let("lambda", "GenerateDataKey", "Decrypt", StringLike=OF_FUNCTION)],
        [let("lambda", "GenerateDataKey", "Decrypt", StringEquals=OF_FUNCTION)],  # a wildcard that is none
        {"lambda.amazonaws.com": {"Decrypt", "GenerateDataKey"}},
    ),
    "Firehose delivery to S3": Reference(
        "firehose/latest/dev/controlling-access.html",
        "Firehose delivery to S3",
        {"Stream": DELIVERING},
        [let(WORKER, "Decrypt", "GenerateDataKey", **OF_OBJECTS)],
        [let(WORKER, "Decrypt", "GenerateDataKey", **through("firehose"))],
        {WORKER: {"Decrypt", "GenerateDataKey"}},
    ),
    "AWS Config": Reference(
        "config/latest/developerguide/s3-kms-key-policy.html",
        "AWS Config delivery channel",
        {"Channel": resource("Config::DeliveryChannel", S3BucketName="config", S3KmsKeyArn=KEY)},
        [let("config", "Decrypt", "GenerateDataKey", StringEquals={"aws:SourceAccount": ACCOUNT})],
        [let("config", "Decrypt", "GenerateDataKey", StringEquals={"aws:SourceAccount": OTHER})],
        {"config.amazonaws.com": {"Decrypt", "GenerateDataKey"}},
        Outcome.UNDETERMINED,  # a role of the recorder's own may call instead
    ),
    "SES receipt rule": Reference(
        "ses/latest/dg/receiving-email-permissions.html",
        "SES receipt rule",
        {"Rule": MAIL_RULE},
        [let("ses", "GenerateDataKey*", "Encrypt", "Decrypt", **RULE_SET)],
        [let("ses", "Encrypt", "Decrypt", **RULE_SET)],
        {"ses.amazonaws.com": {"GenerateDataKey"}},
    ),
    "EC2 Auto Scaling": Reference(
        "autoscaling/ec2/userguide/key-policy-requirements-EBS-encryption.html",
        "EC2 Auto Scaling group with encrypted volumes",
        {"Template": TEMPLATE, "Group": GROUP},
        [let(SCALING, *IDENTITY), let(SCALING, "CreateGrant", **GRANTS)],
        [let(SCALING, *IDENTITY)],
        {SCALING: {"CreateGrant"}},
    ),
    "Route 53 DNSSEC": Reference(
        "Route53/latest/DeveloperGuide/access-control-managing-permissions.html",
        "Route 53 DNSSEC",
        {
            "Signing": resource(
                "Route53::KeySigningKey", HostedZoneId="Z0123456789", KeyManagementServiceArn=KEY
            )
        },
        [
            let("dnssec-route53", "DescribeKey", "GetPublicKey", "Sign", **ZONE),
            let("dnssec-route53", "CreateGrant", **(ZONE | GRANTS)),
        ],
        [let("dnssec-route53", "DescribeKey", "GetPublicKey", "Sign", **ZONE)],
        {"dnssec-route53.amazonaws.com": {"CreateGrant"}},
        key=SIGNING,
        region="us-east-1",
    ),
    "Fargate ephemeral storage": Reference(
        "AmazonECS/latest/developerguide/fargate-create-storage-key.html",
        "Fargate ephemeral storage",
        {
            "Cluster": resource(
                "ECS::Cluster",
                ClusterName="web",
                Configuration={
                    "ManagedStorageConfiguration": {"FargateEphemeralStorageKmsKeyId": ref("Key")}
                },
            )
        },
        [
            let("fargate", "GenerateDataKeyWithoutPlaintext", **CLUSTER),
            let("fargate", "CreateGrant", **CLUSTER, **DECRYPTING),
            let(CREATOR, "DescribeKey"),
        ],
        # By the account of a source, as other services want it, and not by the cluster.
        [
            let("fargate", "GenerateDataKeyWithoutPlaintext", **CLUSTER),
            let("fargate", "CreateGrant", StringEquals={"aws:SourceAccount": ACCOUNT}, **DECRYPTING),
            let(CREATOR, "DescribeKey"),
        ],
        {"fargate.amazonaws.com": {"CreateGrant"}},
        Outcome.UNDETERMINED,  # AWS mentions no source, and does not say that there is none
    ),
    "Backup vault": Reference(
        "aws-backup/latest/devguide/create-a-vault.html",
        "AWS Backup vault",
        {"Vault": resource("Backup::BackupVault", BackupVaultName="v", EncryptionKeyArn=KEY)},
        [
            let(CREATOR, "DescribeKey", "GenerateDataKey", "Decrypt", **through("backup")),
            let(CREATOR, "CreateGrant", **through("backup", grants=True)),
        ],
        [let(CREATOR, "DescribeKey", "GenerateDataKey", "Decrypt", **through("backup"))],
        {CREATOR: {"CreateGrant"}},
    ),
    "DynamoDB table": Reference(
        "amazondynamodb/latest/developerguide/encryption.usagenotes.html",
        "DynamoDB table",
        {"Table": resource("DynamoDB::Table", SSESpecification={"SSEEnabled": True, "KMSMasterKeyId": KEY})},
        [let(CREATOR, *IDENTITY, "CreateGrant", **through("dynamodb"))],
        [let(CREATOR, *IDENTITY, "CreateGrant", **through("dynamodb", account=OTHER))],
        {
            CREATOR: {
                "CreateGrant",
                "Decrypt",
                "DescribeKey",
                "Encrypt",
                "GenerateDataKey",
                "GenerateDataKeyWithoutPlaintext",
                "ReEncryptFrom",
                "ReEncryptTo",
            }
        },
    ),
    "EBS volume": Reference(
        "ebs/latest/userguide/ebs-encryption-requirements.html",
        "EBS volume",
        {"Volume": resource("EC2::Volume", Encrypted=True, KmsKeyId=KEY)},
        [let(CREATOR, *IDENTITY, "CreateGrant", **through("ec2"))],
        [let(CREATOR, *IDENTITY, "CreateGrant", **through("ebs"))],
        {
            CREATOR: {
                "CreateGrant",
                "DescribeKey",
                "GenerateDataKeyWithoutPlaintext",
            }
        },
    ),
    "EKS cluster": Reference(
        "eks/latest/userguide/enable-kms.html",
        "EKS cluster",
        {
            "Cluster": resource(
                "EKS::Cluster",
                EncryptionConfig=[{"Resources": ["secrets"], "Provider": {"KeyArn": KEY}}],
            )
        },
        [let(CREATOR, "DescribeKey", "CreateGrant")],
        [let(CREATOR, "DescribeKey"), let(CREATOR, "CreateGrant", **GRANTS)],
        {CREATOR: {"CreateGrant"}},
    ),
    "Rotation of a secret": Reference(
        "secretsmanager/latest/userguide/rotating-secrets-required-permissions-function.html",
        "Rotation of a secret",
        ROTATION,
        [PRODUCER, let(WORKER, "Decrypt", "GenerateDataKey", **through("secretsmanager"))],
        [PRODUCER, let(WORKER, "Decrypt", **through("secretsmanager"))],
        {WORKER: {"GenerateDataKey"}},
    ),
}
