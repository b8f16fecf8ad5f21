"""A SecureKmsKey goes wherever an IKey goes: the rows of README's table, and every way of the requirements.

What the table says of a construct of the CDK is built with that construct. The ways of the requirements are
built as plain resources, from the same data.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from aws_cdk import App, CfnResource, Duration, Environment, RemovalPolicy, SecretValue, Size, Stack
from aws_cdk import aws_autoscaling as autoscaling
from aws_cdk import aws_backup as backup
from aws_cdk import aws_cloudfront as cloudfront
from aws_cdk import aws_cloudfront_origins as origins
from aws_cdk import aws_cloudtrail as cloudtrail
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as cloudwatch_actions
from aws_cdk import aws_codebuild as codebuild
from aws_cdk import aws_codepipeline as codepipeline
from aws_cdk import aws_codepipeline_actions as actions
from aws_cdk import aws_docdb as docdb
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_efs as efs
from aws_cdk import aws_eks_v2 as eks
from aws_cdk import aws_elasticloadbalancingv2 as elb
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kinesis as kinesis
from aws_cdk import aws_kinesisfirehose as firehose
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_lambda_event_sources as event_sources
from aws_cdk import aws_logs as logs
from aws_cdk import aws_opensearchservice as opensearch
from aws_cdk import aws_rds as rds
from aws_cdk import aws_route53 as route53
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_s3_notifications as s3n
from aws_cdk import aws_secretsmanager as secretsmanager
from aws_cdk import aws_ses as ses
from aws_cdk import aws_ses_actions as ses_actions
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subs
from aws_cdk import aws_sqs as sqs
from aws_cdk.assertions import Template

from kms_constructs.cdk.key.refused import raise_refusals
from kms_constructs.errors import SealedSynthError
from kms_constructs.model.service_requirement import Consumer, ServiceRequirement, Shape, Step
from kms_constructs.model.services import requirements
from kms_constructs.policies.services.service_access import ServiceAccess
from tests.cdk.keys import ACCOUNT, REGION, USER, new_key, new_stack, statements
from tests.ways import properties_of

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


def _known_role(stack: Stack) -> iam.IRole:
    """A role whose ARN is known, so that the key policy can name it."""
    return iam.Role.from_role_arn(stack, "KnownRole", USER)


def _code(stack: Stack, **more: Any) -> lambda_.Function:
    return lambda_.Function(
        stack,
        "Function",
        runtime=lambda_.Runtime.PYTHON_3_13,
        handler="index.handler",
        code=lambda_.Code.from_inline("def handler(event, context): ..."),
        **more,
    )


def _topic(stack: Stack, key: kms.IKey) -> sns.Topic:
    return sns.Topic(stack, "Topic", master_key=key)


def _alarm(stack: Stack, key: kms.IKey) -> None:
    metric = cloudwatch.Metric(namespace="app", metric_name="errors")
    alarm = cloudwatch.Alarm(stack, "Alarm", metric=metric, threshold=1, evaluation_periods=1)
    alarm.add_alarm_action(cloudwatch_actions.SnsAction(_topic(stack, key)))


def _topic_rule(stack: Stack, key: kms.IKey) -> None:
    pattern = events.EventPattern(source=["app"])
    events.Rule(stack, "Rule", event_pattern=pattern, targets=[targets.SnsTopic(_topic(stack, key))])


def _flow_log(stack: Stack, key: kms.IKey) -> None:
    _vpc(stack).add_flow_log("Flow", destination=ec2.FlowLogDestination.to_s3(_bucket(stack, key)))


def _inventory(stack: Stack, key: kms.IKey) -> None:
    source = s3.Bucket(stack, "Source")
    source.add_inventory(destination=s3.InventoryDestination(bucket=_bucket(stack, key)))


def _group(stack: Stack, key: kms.IKey) -> None:
    volume = ec2.BlockDeviceVolume.ebs(8, encrypted=True, kms_key=key)
    template = ec2.LaunchTemplate(
        stack,
        "Template",
        block_devices=[ec2.BlockDevice(device_name="/dev/xvdb", volume=volume)],
        machine_image=ec2.MachineImage.generic_linux({REGION: "ami-1"}),
        instance_type=ec2.InstanceType("t3.micro"),
    )
    subnets = ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_ISOLATED)
    autoscaling.AutoScalingGroup(
        stack, "Group", vpc=_vpc(stack), vpc_subnets=subnets, launch_template=template
    )


def _balancer(stack: Stack, key: kms.IKey) -> None:
    """The CDK refuses such a bucket by itself."""
    subnets = ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_ISOLATED)
    balancer = elb.ApplicationLoadBalancer(stack, "Balancer", vpc=_vpc(stack), vpc_subnets=subnets)
    balancer.log_access_logs(_bucket(stack, key))


def _distribution(stack: Stack, key: kms.IKey) -> None:
    origin = origins.S3BucketOrigin.with_origin_access_control(_bucket(stack, key))
    cloudfront.Distribution(stack, "Distribution", default_behavior=cloudfront.BehaviorOptions(origin=origin))


def _distribution_logs(stack: Stack, key: kms.IKey) -> None:
    ownership = s3.ObjectOwnership.OBJECT_WRITER
    cloudfront.Distribution(
        stack,
        "Distribution",
        default_behavior=cloudfront.BehaviorOptions(origin=origins.HttpOrigin("example.com")),
        log_bucket=_bucket(stack, key, object_ownership=ownership),
    )


def _delivery(stack: Stack, key: kms.IKey) -> None:
    firehose.DeliveryStream(
        stack,
        "Delivery",
        destination=firehose.S3Bucket(s3.Bucket(stack, "Destination")),
        encryption=firehose.StreamEncryption.customer_managed_key(key),
    )


def _deliveries(stack: Stack, key: kms.IKey) -> None:
    destination = firehose.S3Bucket(_bucket(stack, key), encryption_key=key)
    firehose.DeliveryStream(stack, "Delivery", destination=destination)


def _domain(stack: Stack, key: kms.IKey) -> None:
    opensearch.Domain(
        stack,
        "Domain",
        version=opensearch.EngineVersion.OPENSEARCH_2_19,
        encryption_at_rest=opensearch.EncryptionAtRestOptions(enabled=True, kms_key=key),
    )


def _documents(stack: Stack, key: kms.IKey) -> None:
    docdb.DatabaseCluster(
        stack,
        "Documents",
        master_user=docdb.Login(username="owner", password=SecretValue.ssm_secure("/db/password", "1")),
        vpc=_vpc(stack),
        vpc_subnets=ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_ISOLATED),
        instance_type=ec2.InstanceType("r6g.large"),
        kms_key=key,
    )


def _project(stack: Stack, key: kms.IKey) -> None:
    codebuild.PipelineProject(stack, "Project", encryption_key=key)


def _cluster(stack: Stack, key: kms.IKey) -> None:
    eks.Cluster(
        stack,
        "Cluster",
        version=eks.KubernetesVersion.V1_33,
        vpc=_vpc(stack),
        vpc_subnets=[ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_ISOLATED)],
        default_capacity=0,
        default_capacity_type=eks.DefaultCapacityType.NODEGROUP,
        secrets_encryption_key=key,
    )


def _secret(stack: Stack, key: kms.IKey) -> secretsmanager.Secret:
    return secretsmanager.Secret(stack, "Secret", encryption_key=key)


def _rotation(stack: Stack, key: kms.IKey) -> None:
    secretsmanager.RotationSchedule(
        stack,
        "Rotation",
        secret=_secret(stack, key),
        rotation_lambda=_code(stack, role=_known_role(stack)),
        automatically_after=Duration.days(30),
    )


def _task_secret(stack: Stack, key: kms.IKey) -> None:
    task = ecs.FargateTaskDefinition(stack, "Task", execution_role=_known_role(stack))
    task.add_container(
        "App",
        image=ecs.ContainerImage.from_registry("app"),
        secrets={"PASSWORD": ecs.Secret.from_secrets_manager(_secret(stack, key))},
    )


def _queue_reader(stack: Stack, key: kms.IKey) -> None:
    _code(stack).add_event_source(event_sources.SqsEventSource(_queue(stack, key)))


def _filters(stack: Stack, key: kms.IKey) -> None:
    lambda_.EventSourceMapping(
        stack,
        "Mapping",
        target=_code(stack),
        event_source_arn=f"arn:aws:sqs:{REGION}:{ACCOUNT}:orders",
        filters=[lambda_.FilterCriteria.filter({"body": ["order"]})],
        filter_encryption=key,
    )


def _zone(stack: Stack, key: kms.IKey) -> None:
    zone = route53.HostedZone.from_hosted_zone_attributes(
        stack, "Zone", hosted_zone_id="Z0123456789", zone_name="example.com"
    )
    route53.KeySigningKey(stack, "Signing", hosted_zone=zone, kms_key=key)


def _mail(stack: Stack, key: kms.IKey) -> None:
    bucket = s3.Bucket(stack, "Mail")
    rules = ses.ReceiptRuleSet(stack, "Rules")
    rules.add_rule("Rule", recipients=["a@example.com"], actions=[ses_actions.S3(bucket=bucket, kms_key=key)])


def _replication(stack: Stack, key: kms.IKey) -> None:
    there = s3.Bucket(stack, "There", versioned=True, encryption=s3.BucketEncryption.KMS, encryption_key=key)
    rule = s3.ReplicationRule(destination=there, kms_key=key, sse_kms_encrypted_objects=True)
    _bucket(stack, key, versioned=True, replication_rules=[rule])


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
    "EFS file system": (_file_system, {"services": [ServiceAccess.efs([USER])]}),
    "EBS volume": (
        lambda stack, key: ec2.Volume(
            stack,
            "Volume",
            availability_zone="eu-west-1a",
            size=Size.gibibytes(8),
            encrypted=True,
            encryption_key=key,
        ),
        {"services": [ServiceAccess.ebs([USER])]},
    ),
    "Lambda environment": (_function, {"services": [ServiceAccess.lambda_([USER])]}),
    "Kinesis stream": (
        lambda stack, key: kinesis.Stream(stack, "Stream", encryption_key=key),
        {"services": [ServiceAccess.kinesis([USER])]},
    ),
    "CloudTrail trail": (
        lambda stack, key: cloudtrail.Trail(stack, "Trail", encryption_key=key),
        {"services": [ServiceAccess.cloudtrail()]},
    ),
    "Backup vault": (
        lambda stack, key: backup.BackupVault(stack, "Vault", encryption_key=key),
        {"services": [ServiceAccess.backup([USER])]},
    ),
    "EC2 Auto Scaling group": (_group, {"services": [ServiceAccess.auto_scaling()]}),
    "ECR repository": (
        lambda stack, key: ecr.Repository(
            stack, "Repository", encryption=ecr.RepositoryEncryption.KMS, encryption_key=key
        ),
        {"services": [ServiceAccess.ecr([USER])]},
    ),
    "CodePipeline artifact bucket": (_pipeline, {"key_users": [USER]}),
    "CloudFront distribution of a bucket": (_distribution, {"services": [ServiceAccess.cloudfront()]}),
    "CloudFront standard logs": (_distribution_logs, {"services": [ServiceAccess.log_delivery()]}),
    "CloudWatch alarm to SNS": (_alarm, {"services": [ServiceAccess.cloudwatch_alarms()]}),
    "CodeBuild project": (_project, {"key_users": [USER]}),
    "DocumentDB cluster": (_documents, {"key_users": [USER]}),
    "ECS secret": (_task_secret, {"services": [ServiceAccess.secrets_manager([USER])]}),
    "EKS secrets": (_cluster, {"services": [ServiceAccess.eks([USER])]}),
    "EventBridge event bus": (
        lambda stack, key: events.EventBus(stack, "Bus", kms_key=key),
        {"services": [ServiceAccess.eventbridge_bus()]},
    ),
    "EventBridge rule to SNS": (_topic_rule, {"services": [ServiceAccess.eventbridge_topics()]}),
    "Firehose delivery to S3": (_deliveries, {"key_users": [USER]}),
    "Firehose stream": (_delivery, {"services": [ServiceAccess.firehose([USER])]}),
    "Lambda event filter": (_filters, {"services": [ServiceAccess.lambda_event_filters()]}),
    "Lambda event source": (_queue_reader, {"services": [ServiceAccess.sqs(consumers=[USER])]}),
    "OpenSearch domain": (_domain, {"services": [ServiceAccess.opensearch([USER])]}),
    "Rotation of a secret": (_rotation, {"services": [ServiceAccess.secrets_manager([USER])]}),
    "Route 53 key-signing key": (_zone, {"services": [ServiceAccess.route53_dnssec(["Z0123456789"])]}),
    "S3 Inventory": (_inventory, {"services": [ServiceAccess.s3_inventory()]}),
    "S3 replication": (_replication, {"key_users": [USER]}),
    "SES receipt rule": (_mail, {"services": [ServiceAccess.ses()]}),
    "VPC flow log, NLB access log, WAF log and other vended logs": (
        _flow_log,
        {"services": [ServiceAccess.log_delivery()]},
    ),
}
"""By row of the table; rows with constructs of level 1 are built from the requirement."""

UNSUPPORTED: dict[str, tuple[Build, str]] = {
    "Application Load Balancer access logs": (_balancer, "Bucket encryption using KMS keys is unsupported"),
    "S3 server access logs": (
        lambda stack, key: s3.Bucket(stack, "Source", server_access_logs_bucket=_bucket(stack, key, "Logs")),
        "take the key off: S3 delivers server access logs to buckets with SSE-S3 only",
    ),
}
"""What takes no key at all, and what is said of it."""

ROWS = {row.resource: row for one in requirements().values() for row in one.rows}
OF_ROW = {row.resource: one for one in requirements().values() for row in one.rows}
PLAIN = [name for name in ROWS if name not in BUILDS and name not in UNSUPPORTED]


def resource(stack: Stack, name: str, step: Step, value: object) -> CfnResource:
    return CfnResource(stack, name, type=step.resource, properties=properties_of(step, value))


def built(stack: Stack, key: kms.IKey, consumer: Consumer) -> None:
    """Plain resources along a way, from the one that has the key to the one for which the service acts."""
    value: object = key.key_arn
    for number, step in enumerate(reversed(consumer.steps)):
        value = resource(stack, f"Step{number}", step, value).ref


def arguments_of(one: ServiceRequirement) -> dict[str, Any]:
    """The arguments of a key that the requirement asks for."""
    if one.preset is None or one.preset.shape is Shape.OWN:
        return {"key_users": [USER]}
    given = ([USER],) if one.preset.shape is Shape.PRINCIPALS else ()
    return {"services": [getattr(ServiceAccess, one.name)(*given)]}


def environment(name: str) -> Environment:
    return Environment(account=ACCOUNT, region=OF_ROW[name].region or REGION)


def key_for(stack: Stack, name: str, **arguments: Any) -> Any:
    one = OF_ROW[name]
    form = {"key_spec": one.key_spec, "key_usage": one.key_usage} if one.region else {}
    return new_key(stack, **form, **arguments)


def test_every_row_is_built_and_has_a_name_of_its_own() -> None:
    assert (BUILDS.keys() | UNSUPPORTED.keys()) - ROWS.keys() == set()
    assert {name for name, one in OF_ROW.items() if one.unsupported} == UNSUPPORTED.keys()
    rows = [row for one in requirements().values() for row in one.rows]
    assert len(rows) == len(ROWS)
    assert [name for name in PLAIN if not re.match(r"\w+\.Cfn", ROWS[name].construct)] == []
    assert [name for name in PLAIN if ROWS[name].refused] == []


def _listed(condition: Any) -> list[object]:
    """The principals of the Deny for users."""
    found = condition["ArnEquals"]["aws:PrincipalArn"] if condition else []
    return found if isinstance(found, list) else [found]


@pytest.mark.parametrize("name", BUILDS)
def test_with_the_argument_it_synthesizes(name: str) -> None:
    build, arguments = BUILDS[name]
    declared = new_stack(env=environment(name))
    key_for(declared, name, **arguments)
    stack = new_stack(env=environment(name))
    build(stack, key_for(stack, name, **arguments))
    before, after = statements(declared), statements(stack)
    # Roles that get a grant use the key: the Deny for users names them beside those that were declared.
    sid = "DenyManagementToUsers"
    declared_users, users = (
        [str(one) for one in _listed(found.pop(sid, {}).get("Condition"))] for found in (before, after)
    )
    assert users[: len(declared_users)] == declared_users
    granted = {str(one["Principal"]["AWS"]) for name, one in after.items() if name.startswith("Granted")}
    assert set(users[len(declared_users) :]) == granted - {*declared_users}
    assert {sid: after[sid] for sid in before} == before
    added = after.keys() - before.keys()
    assert all(sid.startswith("Granted") for sid in added), (
        "nothing but grants to roles of the stack is added"
    )
    uses = [
        one for one in Template.from_stack(stack).to_json()["Resources"].values() if "Key961B73FD" in str(one)
    ]
    assert uses, "the construct uses the key"


@pytest.mark.parametrize("name", [name for name in BUILDS if ROWS[name].refused])
def test_without_the_argument_it_is_refused(name: str) -> None:
    stack = new_stack(env=environment(name))
    BUILDS[name][0](stack, key_for(stack, name))
    with pytest.raises(SealedSynthError) as caught:
        raise_refusals(stack)
    assert "the key policy is sealed" in str(caught.value)
    assert ROWS[name].argument.split("(")[0] in str(caught.value)


@pytest.mark.parametrize("name", UNSUPPORTED)
def test_what_takes_no_key_is_refused_whatever_is_declared(name: str) -> None:
    build, said = UNSUPPORTED[name]
    stack = new_stack()
    key = new_key(stack, key_users=[USER], services=[ServiceAccess.log_delivery()])

    def made() -> None:
        build(stack, key)
        raise_refusals(stack)

    with pytest.raises((SealedSynthError, RuntimeError), match=said):  # by this package, or by CDK itself
        made()


@pytest.mark.parametrize("name", [name for name in BUILDS if not ROWS[name].refused])
def test_without_the_argument_it_synthesizes_all_the_same(name: str) -> None:
    stack = new_stack(env=environment(name))
    BUILDS[name][0](stack, key_for(stack, name))
    assert all(not sid.startswith(("Service", "External")) for sid in statements(stack))


def test_every_way_synthesizes_with_its_preset_and_leaves_the_policy_as_declared() -> None:
    """All ways in one app, for the sake of speed: a stack each."""
    app = App(analytics_reporting=False)
    declared: dict[str, object] = {}
    for one in requirements().values():
        for number, consumer in enumerate(one.consumers):
            region = one.region or REGION
            name = f"{one.name.replace('_', '-').rstrip('-')}-{number}"
            stack = new_stack(name, app, env=Environment(account=ACCOUNT, region=region))
            form = {"key_spec": one.key_spec, "key_usage": one.key_usage} if one.region else {}
            key = new_key(stack, **form, **arguments_of(one))
            declared[name] = key.declared_policy()
            built(stack, key, consumer)
            assert key.declared_policy() == declared[name]
    templates = {stack.stack_name: stack.template for stack in app.synth().stacks}
    for name, template in templates.items():
        kinds = [one["Type"] for one in template["Resources"].values() if "Key961B73FD" in str(one)]
        assert set(kinds) > {"AWS::KMS::Alias"} or kinds, name
    assert templates.keys() == declared.keys()


def test_a_key_of_another_stack() -> None:
    app = App(analytics_reporting=False)
    key = new_key(new_stack("Keys", app), key_users=[USER])
    stack = new_stack("Data", app)
    _bucket(stack, key)
    _queue(stack, key)
    app.synth()
