"""A SecureKmsKey goes wherever an IKey goes: the table of consumers, row by row."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from aws_cdk import App, RemovalPolicy, SecretValue, Size, Stack
from aws_cdk import aws_backup as backup
from aws_cdk import aws_cloudtrail as cloudtrail
from aws_cdk import aws_codebuild as codebuild
from aws_cdk import aws_codepipeline as codepipeline
from aws_cdk import aws_codepipeline_actions as actions
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_efs as efs
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_kinesis as kinesis
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_rds as rds
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_s3_notifications as s3n
from aws_cdk import aws_secretsmanager as secretsmanager
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subs
from aws_cdk import aws_sqs as sqs
from aws_cdk.assertions import Template
from kms_constructs.policies.services.consumers import CONSUMERS

from kms_constructs.policies.services.service_access import ServiceAccess
from tests.cdk.keys import USER, new_key, new_stack, statements

pytestmark = pytest.mark.cdk

Build = Callable[[Stack, kms.IKey], Any]


def _vpc(stack: Stack) -> ec2.Vpc:
    return ec2.Vpc(
        stack,
        "Vpc",
        max_azs=2,
        nat_gateways=0,
        restrict_default_security_group=False,
        subnet_configuration=[
            ec2.SubnetConfiguration(name="isolated", subnet_type=ec2.SubnetType.PRIVATE_ISOLATED)
        ],
    )


def _bucket(stack: Stack, key: kms.IKey, name: str = "Bucket", **more: Any) -> s3.Bucket:
    return s3.Bucket(stack, name, encryption=s3.BucketEncryption.KMS, encryption_key=key, **more)


def _queue(stack: Stack, key: kms.IKey) -> sqs.Queue:
    return sqs.Queue(stack, "Queue", encryption_master_key=key)


def _notification(stack: Stack, key: kms.IKey) -> None:
    bucket = s3.Bucket(stack, "Bucket")
    bucket.add_event_notification(s3.EventType.OBJECT_CREATED, s3n.SqsDestination(_queue(stack, key)))


def _subscription(stack: Stack, key: kms.IKey) -> None:
    sns.Topic(stack, "Topic").add_subscription(subs.SqsSubscription(_queue(stack, key)))


def _rule(stack: Stack, key: kms.IKey) -> None:
    pattern = events.EventPattern(source=["app"])
    events.Rule(stack, "Rule", event_pattern=pattern, targets=[targets.SqsQueue(_queue(stack, key))])


def _database(stack: Stack, key: kms.IKey) -> None:
    rds.DatabaseInstance(
        stack,
        "Database",
        engine=rds.DatabaseInstanceEngine.MYSQL,
        vpc=_vpc(stack),
        vpc_subnets=ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_ISOLATED),
        credentials=rds.Credentials.from_password("admin", SecretValue.ssm_secure("/db/password", "1")),
        storage_encryption_key=key,
        removal_policy=RemovalPolicy.DESTROY,
    )


def _file_system(stack: Stack, key: kms.IKey) -> None:
    subnets = ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_ISOLATED)
    efs.FileSystem(stack, "Files", vpc=_vpc(stack), vpc_subnets=subnets, kms_key=key)


def _function(stack: Stack, key: kms.IKey) -> None:
    lambda_.Function(
        stack,
        "Function",
        runtime=lambda_.Runtime.PYTHON_3_13,
        handler="index.handler",
        code=lambda_.Code.from_inline("def handler(event, context): ..."),
        environment={"A": "b"},
        environment_encryption=key,
    )


def _pipeline(stack: Stack, key: kms.IKey) -> None:
    source = codepipeline.Artifact()
    code = s3.Bucket.from_bucket_name(stack, "Source", "source")
    project = codebuild.PipelineProject(stack, "Project", encryption_key=key)
    codepipeline.Pipeline(
        stack,
        "Pipeline",
        artifact_bucket=_bucket(stack, key),
        stages=[
            codepipeline.StageProps(
                stage_name="Source",
                actions=[
                    actions.S3SourceAction(
                        action_name="Source",
                        bucket=code,
                        bucket_key="app.zip",
                        output=source,
                        trigger=actions.S3Trigger.NONE,
                    )
                ],
            ),
            codepipeline.StageProps(
                stage_name="Build",
                actions=[actions.CodeBuildAction(action_name="Build", project=project, input=source)],
            ),
        ],
    )


BUILDS: dict[str, tuple[Build, dict[str, Any]]] = {
    "S3 bucket": (_bucket, {"key_users": [USER]}),
    "S3 notification to SQS": (_notification, {"services": [ServiceAccess.s3_notifications()]}),
    "SNS topic": (
        lambda stack, key: sns.Topic(stack, "Topic", master_key=key),
        {"services": [ServiceAccess.sns_publishers([USER])]},
    ),
    "SNS subscription of an SQS queue": (_subscription, {"services": [ServiceAccess.sns()]}),
    "SQS queue": (_queue, {"services": [ServiceAccess.sqs(producers=[USER])]}),
    "EventBridge rule to SQS": (_rule, {"services": [ServiceAccess.eventbridge()]}),
    "CloudWatch Logs group": (
        lambda stack, key: logs.LogGroup(stack, "Group", encryption_key=key),
        {"services": [ServiceAccess.cloudwatch_logs()]},
    ),
    "Secrets Manager secret": (
        lambda stack, key: secretsmanager.Secret(stack, "Secret", encryption_key=key),
        {"services": [ServiceAccess.secrets_manager([USER])]},
    ),
    "DynamoDB table": (
        lambda stack, key: dynamodb.Table(
            stack,
            "Table",
            partition_key=dynamodb.Attribute(name="id", type=dynamodb.AttributeType.STRING),
            encryption=dynamodb.TableEncryption.CUSTOMER_MANAGED,
            encryption_key=key,
        ),
        {"services": [ServiceAccess.dynamodb([USER])]},
    ),
    "RDS database": (_database, {"services": [ServiceAccess.rds([USER])]}),
    "EFS file system": (_file_system, {"key_users": [USER], "via_services": ["elasticfilesystem"]}),
    "EBS volume": (
        lambda stack, key: ec2.Volume(
            stack,
            "Volume",
            availability_zone="eu-west-1a",
            size=Size.gibibytes(8),
            encrypted=True,
            encryption_key=key,
        ),
        {"key_users": [USER], "via_services": ["ec2"]},
    ),
    "Lambda environment": (_function, {"services": [ServiceAccess.lambda_([USER])]}),
    "Kinesis stream": (
        lambda stack, key: kinesis.Stream(stack, "Stream", encryption_key=key),
        {"key_users": [USER]},
    ),
    "CloudTrail trail": (
        lambda stack, key: cloudtrail.Trail(stack, "Trail", encryption_key=key),
        {"services": [ServiceAccess.cloudtrail()]},
    ),
    "Backup vault": (
        lambda stack, key: backup.BackupVault(stack, "Vault", encryption_key=key),
        {"services": [ServiceAccess.backup([USER])]},
    ),
    "ECR repository": (
        lambda stack, key: ecr.Repository(
            stack, "Repository", encryption=ecr.RepositoryEncryption.KMS, encryption_key=key
        ),
        {"services": [ServiceAccess.ecr([USER])]},
    ),
    "CodePipeline artifact bucket": (_pipeline, {"key_users": [USER]}),
}


def test_every_row_is_built() -> None:
    assert BUILDS.keys() == CONSUMERS.keys()


@pytest.mark.parametrize("name", CONSUMERS)
def test_with_the_argument_it_synthesizes(name: str) -> None:
    build, arguments = BUILDS[name]
    declared = new_stack()
    new_key(declared, **arguments)
    stack = new_stack()
    build(stack, new_key(stack, **arguments))
    before, after = statements(declared), statements(stack)
    assert {sid: after[sid] for sid in before} == before
    added = after.keys() - before.keys()
    assert all(sid.startswith("Granted") for sid in added), (
        "nothing but grants to roles of the stack is added"
    )
    uses = [
        one for one in Template.from_stack(stack).to_json()["Resources"].values() if "Key961B73FD" in str(one)
    ]
    assert uses, "the construct uses the key"


@pytest.mark.parametrize("name", [name for name, consumer in CONSUMERS.items() if consumer.refused])
def test_without_the_argument_it_is_refused(name: str) -> None:
    """The refusal comes back through Node, so only its text survives."""
    stack = new_stack()
    consumer = CONSUMERS[name]
    wanted = "via_services=['ec2']" if name == "EBS volume" else consumer.argument.split("(")[0]
    with pytest.raises(RuntimeError) as caught:
        BUILDS[name][0](stack, new_key(stack))
    assert "the key policy is sealed" in str(caught.value)
    assert wanted in str(caught.value)


@pytest.mark.parametrize("name", [name for name, consumer in CONSUMERS.items() if not consumer.refused])
def test_without_the_argument_it_synthesizes_all_the_same(name: str) -> None:
    stack = new_stack()
    BUILDS[name][0](stack, new_key(stack))
    assert all(not sid.startswith(("Service", "External")) for sid in statements(stack))


def test_a_key_of_another_stack() -> None:
    app = App(analytics_reporting=False)
    key = new_key(new_stack("Keys", app), key_users=[USER])
    stack = new_stack("Data", app)
    _bucket(stack, key)
    _queue(stack, key)
    app.synth()
