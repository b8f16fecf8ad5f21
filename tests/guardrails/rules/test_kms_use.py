"""KMS:USE: whole findings of small templates, and policies of the shape that AWS's pages show."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from kms_constructs.guardrails.config import GuardrailConfig
from kms_constructs.guardrails.engine import judge
from kms_constructs.guardrails.finding import Finding, Severity
from kms_constructs.model.estate import Estate, Organization
from kms_constructs.model.policy import parse_policy
from kms_constructs.sources.cloudformation.template import TemplateInput
from kms_constructs.sources.cloudformation.templates import estate_from_templates
from tests.guardrails.factories import (
    ACCOUNT,
    OTHER,
    ROOT,
    ROOT_STATEMENT,
    TODAY,
    C,
    N,
    Said,
    U,
    V,
    a_key,
    allow,
    deny,
    role,
    said,
    service,
)

REGION = "eu-west-1"
KEY = {"Fn::GetAtt": ["Key", "Arn"]}
CREATOR = role("Creator")
DELEGATION = allow(ROOT, "kms:*", sid="Account")
WORKS = Said(C, "", "", "What is seen to use the key may use it.")

Resources = dict[str, dict[str, Any]]


def one(kind: str, **properties: object) -> dict[str, Any]:
    return {"Type": f"AWS::{kind}", "Properties": properties}


def a_bucket(key: object = KEY, **more: object) -> dict[str, Any]:
    default = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}
    rules = [{"ServerSideEncryptionByDefault": default}]
    return one("S3::Bucket", BucketEncryption={"ServerSideEncryptionConfiguration": rules}, **more)


def a_topic(key: object = KEY) -> dict[str, Any]:
    return one("SNS::Topic", TopicName="alerts", KmsMasterKeyId=key)


def a_queue(key: object = KEY) -> dict[str, Any]:
    return one("SQS::Queue", QueueName="jobs", KmsMasterKeyId=key)


def arn(logical_id: str) -> dict[str, Any]:
    return {"Fn::GetAtt": [logical_id, "Arn"]}


ALARM: Resources = {
    "Topic": a_topic(),
    "Alarm": one("CloudWatch::Alarm", AlarmName="down", AlarmActions=[{"Ref": "Topic"}]),
}
TOPIC_RULE: Resources = {
    "Topic": a_topic(),
    "Rule": one("Events::Rule", Name="daily", Targets=[{"Id": "T", "Arn": {"Ref": "Topic"}}]),
}
QUEUE_RULE: Resources = {
    "Queue": a_queue(),
    "Rule": one("Events::Rule", Name="daily", Targets=[{"Id": "T", "Arn": arn("Queue")}]),
}
FLOW_LOG: Resources = {
    "Bucket": a_bucket(),
    "Log": one("EC2::FlowLog", LogDestinationType="s3", LogDestination=arn("Bucket")),
}
TABLE: Resources = {"Table": one("DynamoDB::Table", SSESpecification={"KMSMasterKeyId": KEY})}
CLUSTER: Resources = {
    "Cluster": one("EKS::Cluster", EncryptionConfig=[{"Provider": {"KeyArn": KEY}, "Resources": ["secrets"]}])
}
LOG_GROUP: Resources = {"Group": one("Logs::LogGroup", LogGroupName="/app", KmsKeyId=KEY)}
ROTATION: Resources = {
    "Secret": one("SecretsManager::Secret", KmsKeyId=KEY),
    "Function": one("Lambda::Function", Role=role("Rotation")),
    "Schedule": one(
        "SecretsManager::RotationSchedule", SecretId={"Ref": "Secret"}, RotationLambdaARN=arn("Function")
    ),
}


def findings(
    resources: Mapping[str, Any],
    *statements: object,
    creator: str | None = None,
    account: str | None = ACCOUNT,
    organization: Organization = Organization(),  # noqa: B008 - it cannot be changed
    config: GuardrailConfig | None = None,
) -> tuple[Finding, ...]:
    policy = {"Version": "2012-10-17", "Statement": [*statements]}
    key = {"Type": "AWS::KMS::Key", "Properties": {"KeyPolicy": policy}}
    template = TemplateInput(
        {"Resources": {"Key": key, **resources}}, "app.json", account=account, region=REGION, creator=creator
    )
    estate = estate_from_templates([template])
    estate = Estate.merge(estate, Estate(organization=organization))
    return judge(estate, config, controls=["KMS:USE"], today=TODAY).findings


def refused(detail: str, message: str) -> Said:
    return Said(V, detail, "Properties/KeyPolicy", message)


def only(key: str, value: str, operator: str = "StringEquals") -> dict[str, Any]:
    return {"Condition": {operator: {key: value}}}


ALARMS = f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:"
CLOUDWATCH = service("cloudwatch.amazonaws.com")
EVENTS = service("events.amazonaws.com")
USE = ("kms:Decrypt", "kms:GenerateDataKey*")
ALARM_REFUSED = refused(
    "service",
    "CloudWatch alarm: cloudwatch.amazonaws.com may not call kms:Decrypt and kms:GenerateDataKey on the key, "
    "which Alarm → Topic needs.",
)
CASES: dict[str, tuple[Resources, list[object], list[Said]]] = {
    "an alarm and no statement": (ALARM, [], [ALARM_REFUSED]),
    "IAM gives a service nothing": (ALARM, [DELEGATION], [ALARM_REFUSED]),
    "an alarm that is let in": (ALARM, [allow(CLOUDWATCH, *USE)], [WORKS]),
    "an alarm of this account": (
        ALARM,
        [allow(CLOUDWATCH, *USE, Condition={"StringEquals": {"aws:SourceAccount": ACCOUNT}})],
        [WORKS],
    ),
    "alarms of another account": (
        ALARM,
        [allow(CLOUDWATCH, *USE, Condition={"StringEquals": {"aws:SourceAccount": OTHER}})],
        [ALARM_REFUSED],
    ),
    "this alarm": (
        ALARM,
        [
            allow(
                CLOUDWATCH,
                *USE,
                Condition={
                    "ArnEquals": {"aws:SourceArn": f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:down"}
                },
            )
        ],
        [WORKS],
    ),
    "another alarm": (
        ALARM,
        [
            allow(
                CLOUDWATCH,
                *USE,
                **only("aws:SourceArn", f"{ALARMS}up", "ArnEquals"),
            )
        ],
        [ALARM_REFUSED],
    ),
    "half of what it needs": (
        ALARM,
        [allow(CLOUDWATCH, "kms:Decrypt")],
        [
            refused(
                "service",
                "CloudWatch alarm: cloudwatch.amazonaws.com may not call kms:GenerateDataKey on the key, "
                "which Alarm → Topic needs.",
            )
        ],
    ),
    "a Deny": (
        ALARM,
        [allow(CLOUDWATCH, *USE), deny("*", "kms:Decrypt", sid="No")],
        [
            refused(
                "service",
                "CloudWatch alarm: cloudwatch.amazonaws.com may not call kms:Decrypt on the key, which "
                "Alarm → Topic needs. The statement 'No' denies it.",
            )
        ],
    ),
    "a rule sends topics no source": (
        TOPIC_RULE,
        [
            allow(
                EVENTS,
                *USE,
                sid="Rules",
                Condition={"ArnLike": {"aws:SourceArn": f"arn:aws:events:{REGION}:{ACCOUNT}:rule/*"}},
            )
        ],
        [
            refused(
                "service",
                "EventBridge rule with a topic as target: events.amazonaws.com may not call kms:Decrypt and "
                "kms:GenerateDataKey on the key, which Rule → Topic needs. Statement 'Rules' asks for "
                "aws:SourceArn, which these calls do not carry.",
            )
        ],
    ),
    "a rule sends queues its source": (
        QUEUE_RULE,
        [
            allow(
                EVENTS,
                *USE,
                Condition={"ArnLike": {"aws:SourceArn": f"arn:aws:events:{REGION}:{ACCOUNT}:rule/daily"}},
            )
        ],
        [WORKS],
    ),
    "the encryption context of the topic": (
        TOPIC_RULE,
        [
            allow(
                EVENTS,
                *USE,
                Condition={
                    "StringEquals": {
                        "kms:EncryptionContext:aws:sns:topicArn": f"arn:aws:sns:{REGION}:{ACCOUNT}:alerts"
                    }
                },
            )
        ],
        [WORKS],
    ),
    "the encryption context of another topic": (
        TOPIC_RULE,
        [
            allow(
                EVENTS,
                *USE,
                Condition={
                    "StringEquals": {
                        "kms:EncryptionContext:aws:sns:topicArn": f"arn:aws:sns:{REGION}:{ACCOUNT}:other"
                    }
                },
            )
        ],
        [
            refused(
                "service",
                "EventBridge rule with a topic as target: events.amazonaws.com may not call kms:Decrypt and "
                "kms:GenerateDataKey on the key, which Rule → Topic needs.",
            )
        ],
    ),
    "a role of a rotation": (ROTATION, [allow([role("Rotation"), CREATOR], *USE)], [WORKS]),
    "a role that is left out": (
        ROTATION,
        [allow(CREATOR, *USE)],
        [
            refused(
                "role",
                f"Rotation of a secret: {role('Rotation')} may not call kms:Decrypt and "
                "kms:GenerateDataKey on the key, which Schedule → Secret needs.",
            )
        ],
    ),
    "a role that is made out of sight": (
        {
            "Secret": ROTATION["Secret"],
            "Schedule": one(
                "SecretsManager::RotationSchedule",
                SecretId={"Ref": "Secret"},
                HostedRotationLambda={"RotationType": "PostgreSQLSingleUser"},
            ),
        },
        [allow(CREATOR, *USE)],
        [
            refused(
                "role",
                "Rotation of a secret: the role that is made for Schedule may not call kms:Decrypt and "
                "kms:GenerateDataKey on the key, which Schedule → Secret needs.",
            )
        ],
    ),
    "a role of an application": (
        {
            "Secret": ROTATION["Secret"],
            "Application": one("Serverless::Application", Location="arn:aws:serverlessrepo:::x"),
            "Schedule": one(
                "SecretsManager::RotationSchedule",
                SecretId={"Ref": "Secret"},
                RotationLambdaARN={"Fn::GetAtt": ["Application", "Outputs.RotationLambdaARN"]},
            ),
        },
        [allow(CREATOR, *USE)],
        [
            refused(
                "role",
                "Rotation of a secret: the role that is made for Schedule may not call kms:Decrypt and "
                "kms:GenerateDataKey on the key, which Schedule → Secret needs.",
            )
        ],
    ),
    "whoever reads and writes nobody can tell": ({"Queue": a_queue(), "Bucket": a_bucket()}, [], [WORKS]),
    "whoever creates may not": (
        CLUSTER,
        [
            allow(
                CREATOR,
                "kms:DescribeKey",
                "kms:CreateGrant",
                Condition={"Bool": {"kms:GrantIsForAWSResource": "true"}},
            )
        ],
        [
            refused(
                "creator",
                f"EKS cluster: {CREATOR} may not call kms:DescribeKey and kms:CreateGrant on the key, which "
                "Cluster needs. Statement 0 asks for kms:GrantIsForAWSResource, which these "
                "calls do not carry.",
            )
        ],
    ),
    "whoever creates may": (CLUSTER, [allow(CREATOR, "kms:DescribeKey", "kms:CreateGrant")], [WORKS]),
    "IAM decides of whoever creates": (
        CLUSTER,
        [DELEGATION],
        [
            Said(
                U,
                "open",
                "Properties/KeyPolicy",
                f"EKS cluster: whether {CREATOR} may call kms:DescribeKey and kms:CreateGrant on the key for "
                "Cluster cannot be told here.",
            )
        ],
    ),
    "balancers take no key": (
        {
            "Bucket": a_bucket(),
            "Balancer": one(
                "ElasticLoadBalancingV2::LoadBalancer",
                LoadBalancerAttributes=[
                    {"Key": "idle_timeout.timeout_seconds", "Value": "60"},
                    {"Key": "access_logs.s3.bucket", "Value": {"Ref": "Bucket"}},
                ],
            ),
        },
        [allow("*", "kms:*")],
        [
            Said(
                V,
                "unsupported",
                "",
                "Application Load Balancer access logs: Application Load Balancers write logs to buckets "
                "with SSE-S3 only. Balancer → Bucket needs this key, and so will never work.",
            )
        ],
    ),
    "a key that AWS manages": (
        {"Topic": a_topic("alias/aws/sns"), "Alarm": ALARM["Alarm"]},
        [],
        [
            Said(N, "", "", "Not applicable: nothing that the requirements of services know uses the key."),
            Said(
                V,
                "aws-managed",
                "Properties/KmsMasterKeyId",
                "CloudWatch alarm: cloudwatch.amazonaws.com can never use alias/aws/sns, which AWS manages "
                "and which lets in principals of the account alone; Alarm → Topic needs it.",
            ),
        ],
    ),
    "a key of another template": (
        {"Topic": a_topic("arn:aws:kms:eu-west-1:111122223333:key/1"), "Alarm": ALARM["Alarm"]},
        [],
        [Said(N, "", "", "Not applicable: nothing that the requirements of services know uses the key.")],
    ),
}


@pytest.mark.parametrize(("resources", "statements", "expected"), CASES.values(), ids=CASES)
def test_use(resources: Resources, statements: list[object], expected: list[Said]) -> None:
    assert said(findings(resources, ROOT_STATEMENT, *statements, creator=CREATOR)) == [
        _numbered(each, 1) for each in expected
    ]


def _numbered(expected: Said, by: int) -> Said:
    """The root statement comes first."""
    return expected._replace(message=expected.message.replace("Statement 0", f"Statement {by}"))


def test_what_mends_it_is_printed() -> None:
    (found,) = findings(ALARM, ROOT_STATEMENT)
    assert found.fix == (
        "On a SecureKmsKey: services=[ServiceAccess.cloudwatch_alarms()]. In any other key policy: "
        '{"Sid": "CloudwatchAlarms", "Effect": "Allow", "Principal": {"Service": "cloudwatch.amazonaws.com"}'
        ', "Action": ["kms:Decrypt", "kms:GenerateDataKey"], "Resource": "*", "Condition": {"StringEquals": '
        '{"aws:SourceAccount": "111122223333"}, "ArnLike": {"aws:SourceArn": '
        '"arn:aws:cloudwatch:eu-west-1:111122223333:alarm:down"}}}'
    )
    assert found.chain == (
        "Alarm (AWS::CloudWatch::Alarm) Properties/AlarmActions/0",
        "Topic (AWS::SNS::Topic) Properties/KmsMasterKeyId",
    )
    assert found.principals == ("cloudwatch.amazonaws.com",)
    assert (found.severity, found.fails) == (Severity.MEDIUM, True)


def test_what_a_role_lacks_at_deployment_is_a_warning() -> None:
    (found,) = findings(CLUSTER, ROOT_STATEMENT, creator=CREATOR)
    assert (found.outcome, found.severity, found.fails) == (V, Severity.WARNING, False)


def test_a_role_that_manages_the_key_is_not_advised_to_use_it() -> None:
    manages = allow(CREATOR, "kms:PutKeyPolicy", "kms:DescribeKey")
    (found,) = findings(TABLE, ROOT_STATEMENT, manages, creator=CREATOR)
    assert found.fix.startswith(
        "That role may rewrite the key policy, and IAM-KMS-8 keeps use from those who may"
    )
    assert "services=[ServiceAccess.dynamodb([role])]" in found.fix
    assert CREATOR not in found.fix


def test_what_iam_decides_is_a_warning_that_says_who_must_hold_what() -> None:
    (found,) = findings(TABLE, ROOT_STATEMENT, DELEGATION)
    assert (found.outcome, found.severity, found.fails) == (U, Severity.WARNING, False)
    assert found.message.startswith("DynamoDB table: whether whoever creates Table may call ")
    assert found.fix.startswith("Whoever creates Table must be allowed kms:")


def test_what_a_condition_decides_is_a_warning() -> None:
    resources = {**ALARM, "Alarm": {**ALARM["Alarm"], "Condition": "Prod"}}
    key = {"Type": "AWS::KMS::Key", "Properties": {"KeyPolicy": {"Statement": [ROOT_STATEMENT]}}}
    template = {
        "Conditions": {"Prod": {"Fn::Equals": [{"Fn::ImportValue": "stage"}, "prod"]}},
        "Resources": {"Key": key, **resources},
    }
    estate = estate_from_templates([TemplateInput(template, "app.json", account=ACCOUNT, region=REGION)])
    (found,) = judge(estate, controls=["KMS:USE"], today=TODAY).findings
    assert (found.outcome, found.severity, found.detail) == (U, Severity.WARNING, "open")
    assert "a condition that cannot be resolved decides whether the resource exists" in found.message


@pytest.mark.parametrize("default", ["dev", "prod"])
def test_a_use_in_some_deployments_only_is_judged_whatever_the_default(default: str) -> None:
    resources = {**ALARM, "Alarm": {**ALARM["Alarm"], "Condition": "Prod"}}
    key = {"Type": "AWS::KMS::Key", "Properties": {"KeyPolicy": {"Statement": [ROOT_STATEMENT]}}}
    template = {
        "Parameters": {"Stage": {"Type": "String", "AllowedValues": ["dev", "prod"], "Default": default}},
        "Conditions": {"Prod": {"Fn::Equals": [{"Ref": "Stage"}, "prod"]}},
        "Resources": {"Key": key, **resources},
    }
    estate = estate_from_templates([TemplateInput(template, "app.json", account=ACCOUNT, region=REGION)])
    (found,) = judge(estate, controls=["KMS:USE"], today=TODAY).findings
    assert (found.outcome, found.detail, found.world) == (V, "service", "Stage=prod")


def test_a_role_of_the_template_needs_its_policies_where_the_account_decides() -> None:
    worker = one("IAM::Role", RoleName="Rotation", AssumeRolePolicyDocument={})
    policy = one(
        "IAM::Policy",
        PolicyName="P",
        Roles=[{"Ref": "Worker"}],
        PolicyDocument={"Statement": [{"Effect": "Allow", "Action": list(USE), "Resource": KEY}]},
    )
    resources = {**ROTATION, "Function": one("Lambda::Function", Role=arn("Worker")), "Worker": worker}
    creator = allow(CREATOR, *USE)
    (found,) = findings(resources, DELEGATION, creator, creator=CREATOR)
    assert (found.outcome, found.detail, found.principals) == (U, "open", (role("Rotation"),))
    assert said(findings({**resources, "Policy": policy}, DELEGATION, creator, creator=CREATOR)) == [WORKS]


def test_a_resource_control_policy_counts() -> None:
    rcp = parse_policy(
        {"Statement": {"Effect": "Deny", "Principal": "*", "Action": "kms:Decrypt", "Resource": "*"}}
    )
    (found,) = findings(ALARM, allow(CLOUDWATCH, *USE), organization=Organization(rcps=(rcp,)))
    assert (found.outcome, found.detail) == (V, "service")
    assert "kms:GenerateDataKey" not in found.message


def test_without_an_account_the_same_account_is_the_same() -> None:
    account = {"Ref": "AWS::AccountId"}
    statement = allow(CLOUDWATCH, *USE, Condition={"StringEquals": {"aws:SourceAccount": account}})
    assert said(findings(ALARM, statement, account=None)) == [WORKS]


def test_a_key_policy_alone_is_not_judged() -> None:
    (found,) = judge(Estate(keys=(a_key(),)), controls=["KMS:USE"], today=TODAY).findings
    assert (found.outcome, found.control) == (N, "KMS:USE")


LINKED = role("aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling")
EVERY = ("kms:Encrypt*", "kms:Decrypt*", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:Describe*")
THROUGH = ("kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey")
NOTIFIED = {"QueueConfigurations": [{"Event": "s3:ObjectCreated:*", "Queue": arn("Queue")}]}
DISKS = {"BlockDeviceMappings": [{"Ebs": {"KmsKeyId": KEY}}]}
TRAIL = f"arn:aws:cloudtrail:{REGION}:{ACCOUNT}:trail/management"
CLOUDTRAIL = service("cloudtrail.amazonaws.com")


def through(name: str) -> dict[str, Any]:
    via = f"{name}.{REGION}.amazonaws.com"
    return {"Condition": {"StringEquals": {"kms:CallerAccount": ACCOUNT, "kms:ViaService": via}}}


REFERENCE: dict[str, tuple[Resources, list[object]]] = {
    "CloudTrail": (
        {"Trail": one("CloudTrail::Trail", TrailName="management", KMSKeyId=KEY)},
        [
            allow(
                CLOUDTRAIL,
                "kms:GenerateDataKey*",
                Condition={
                    "StringEquals": {"aws:SourceArn": TRAIL},
                    "StringLike": {
                        "kms:EncryptionContext:aws:cloudtrail:arn": f"arn:aws:cloudtrail:*:{ACCOUNT}:trail/*"
                    },
                },
            ),
            allow(CLOUDTRAIL, "kms:DescribeKey"),
        ],
    ),
    "CloudWatch Logs, of the account": (
        LOG_GROUP,
        [
            allow(
                service(f"logs.{REGION}.amazonaws.com"),
                *EVERY,
                **only("kms:EncryptionContext:aws:logs:arn", f"arn:aws:logs:{REGION}:{ACCOUNT}:*", "ArnLike"),
            )
        ],
    ),
    "CloudWatch Logs, one group": (
        LOG_GROUP,
        [
            allow(
                service(f"logs.{REGION}.amazonaws.com"),
                *EVERY,
                **only(
                    "kms:EncryptionContext:aws:logs:arn",
                    f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/app",
                    "ArnEquals",
                ),
            )
        ],
    ),
    "CloudWatch alarms": (ALARM, [allow(CLOUDWATCH, *USE)]),
    "Config": (
        {"Channel": one("Config::DeliveryChannel", S3KmsKeyArn=KEY)},
        [allow(service("config.amazonaws.com"), *USE, **only("AWS:SourceAccount", ACCOUNT))],
    ),
    "S3 events": (
        {
            "Queue": a_queue(),
            "Uploads": one("S3::Bucket", BucketName="uploads", NotificationConfiguration=NOTIFIED),
        },
        [
            allow(
                service("s3.amazonaws.com"),
                *USE,
                Condition={
                    "StringEquals": {"aws:SourceAccount": ACCOUNT},
                    "ArnLike": {"aws:SourceArn": "arn:aws:s3:::uploads"},
                },
            )
        ],
    ),
    "S3 Inventory": (
        {
            "Reports": a_bucket(),
            "Source": one(
                "S3::Bucket",
                BucketName="source",
                InventoryConfigurations=[{"Destination": {"BucketArn": arn("Reports")}}],
            ),
        },
        [
            allow(
                service("s3.amazonaws.com"),
                "kms:GenerateDataKey",
                Condition={
                    "StringEquals": {"aws:SourceAccount": ACCOUNT},
                    "ArnLike": {"aws:SourceARN": "arn:aws:s3:::source"},
                },
            )
        ],
    ),
    "log delivery": (
        FLOW_LOG,
        [
            allow(
                service("delivery.logs.amazonaws.com"),
                "kms:Encrypt",
                "kms:Decrypt",
                "kms:ReEncrypt*",
                "kms:GenerateDataKey*",
                "kms:DescribeKey",
                Condition={
                    "StringEquals": {"aws:SourceAccount": ACCOUNT},
                    "ArnLike": {"aws:SourceArn": f"arn:aws:logs:{REGION}:{ACCOUNT}:*"},
                },
            )
        ],
    ),
    "SNS to SQS": (
        {"Queue": a_queue(), "Subscription": one("SNS::Subscription", Protocol="sqs", Endpoint=arn("Queue"))},
        [allow(service("sns.amazonaws.com"), *USE)],
    ),
    "SES": (
        {"Rule": one("SES::ReceiptRule", Rule={"Actions": [{"S3Action": {"KmsKeyArn": KEY}}]})},
        [allow(service("ses.amazonaws.com"), "kms:GenerateDataKey*", **only("aws:SourceAccount", ACCOUNT))],
    ),
    "EventBridge to SQS": (QUEUE_RULE, [allow(EVENTS, "kms:Decrypt", "kms:GenerateDataKey")]),
    "EventBridge to SNS": (TOPIC_RULE, [allow(EVENTS, "kms:Decrypt", "kms:GenerateDataKey")]),
    "Budgets": (
        {
            "Topic": a_topic(),
            "Budget": one(
                "Budgets::Budget",
                NotificationsWithSubscribers=[
                    {"Subscribers": [{"SubscriptionType": "SNS", "Address": {"Ref": "Topic"}}]}
                ],
            ),
        },
        [allow(service("budgets.amazonaws.com"), *USE, **only("aws:SourceAccount", ACCOUNT))],
    ),
    "RDS events": (
        {"Topic": a_topic(), "Events": one("RDS::EventSubscription", SnsTopicArn={"Ref": "Topic"})},
        [allow(service("events.rds.amazonaws.com"), *USE)],
    ),
    "DMS events": (
        {"Topic": a_topic(), "Events": one("DMS::EventSubscription", SnsTopicArn={"Ref": "Topic"})},
        [allow(service("dms.amazonaws.com"), *USE)],
    ),
    "EC2 Auto Scaling": (
        {
            "Template": one("EC2::LaunchTemplate", LaunchTemplateData=DISKS),
            "Group": one(
                "AutoScaling::AutoScalingGroup", LaunchTemplate={"LaunchTemplateId": {"Ref": "Template"}}
            ),
        },
        [
            allow(LINKED, *THROUGH),
            allow(LINKED, "kms:CreateGrant", Condition={"Bool": {"kms:GrantIsForAWSResource": True}}),
            allow("*", "kms:*", **through("ec2")),
        ],
    ),
    "Route 53 DNSSEC, in another Region": (
        {"Zone": one("Route53::KeySigningKey", KeyManagementServiceArn=KEY)},
        [
            allow(service("dnssec-route53.amazonaws.com"), "kms:DescribeKey", "kms:GetPublicKey", "kms:Sign"),
            allow(
                service("dnssec-route53.amazonaws.com"),
                "kms:CreateGrant",
                Condition={"Bool": {"kms:GrantIsForAWSResource": "true"}},
            ),
        ],
    ),
    "CloudTrail Lake": (
        {"Store": one("CloudTrail::EventDataStore", KmsKeyId=KEY)},
        [
            allow(CLOUDTRAIL, "kms:GenerateDataKey", "kms:Decrypt", "kms:DescribeKey"),
            allow(CREATOR, "kms:GenerateDataKey", "kms:Decrypt"),
        ],
    ),
    "EBS for the account": (
        {"Volume": one("EC2::Volume", KmsKeyId=KEY)},
        [
            allow(
                "*",
                *THROUGH,
                "kms:CreateGrant",
                **through("ec2"),
            )
        ],
    ),
    "RDS for the account": (
        {"Database": one("RDS::DBInstance", KmsKeyId=KEY)},
        [
            allow(
                "*",
                *THROUGH,
                "kms:CreateGrant",
                **through("rds"),
            )
        ],
    ),
    "DynamoDB for one role": (
        TABLE,
        [
            allow(
                CREATOR,
                *THROUGH,
                "kms:CreateGrant",
                Condition={"StringLike": {"kms:ViaService": "dynamodb.*.amazonaws.com"}},
            )
        ],
    ),
    "EventBridge Pipes": (
        {"Pipe": one("Pipes::Pipe", RoleArn=role("service-role/Pipe"), KmsKeyIdentifier=KEY)},
        [allow(role("service-role/Pipe"), "kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey")],
    ),
    "EventBridge bus": (
        {"Bus": one("Events::EventBus", Name="orders", KmsKeyIdentifier=KEY)},
        [
            allow(EVENTS, "kms:DescribeKey", **only("aws:SourceAccount", ACCOUNT)),
            allow(
                EVENTS,
                "kms:GenerateDataKey",
                "kms:Decrypt",
                Condition={
                    "StringEquals": {
                        "kms:EncryptionContext:aws:events:event-bus:arn": (
                            f"arn:aws:events:{REGION}:{ACCOUNT}:event-bus/orders"
                        ),
                        "aws:SourceArn": f"arn:aws:events:{REGION}:{ACCOUNT}:event-bus/orders",
                    }
                },
            ),
            allow(CREATOR, *THROUGH),
        ],
    ),
}
"""Policies as AWS's pages show them, each with a resource that they are for."""


@pytest.mark.parametrize(("resources", "statements"), REFERENCE.values(), ids=REFERENCE)
def test_what_aws_shows_works(resources: Resources, statements: list[object]) -> None:
    assert said(findings(resources, ROOT_STATEMENT, *statements, creator=CREATOR)) == [WORKS]


@pytest.mark.parametrize(("resources", "statements"), REFERENCE.values(), ids=REFERENCE)
def test_without_it_nothing_works(resources: Resources, statements: list[object]) -> None:
    found = findings(resources, ROOT_STATEMENT, creator=CREATOR)
    assert {each.outcome for each in found} <= {V, U}
    assert len(REFERENCE) >= 20
