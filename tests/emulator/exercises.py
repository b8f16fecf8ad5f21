"""How the emulator exercises each preset of `ServiceAccess`, and which it cannot.

An exercise is a stack that a user could write: a key with the preset, and a resource of the service that uses
the key. It is synthesized, deployed into moto, and the live resource is asked for its key; where moto moves
data (an event into a queue, an object into a bucket), data is sent through. That a call succeeds here says
nothing of permission: see `tests.emulator.test_presets`.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from aws_cdk import CfnResource, SecretValue, Stack
from aws_cdk import aws_backup as backup
from aws_cdk import aws_cloudtrail as cloudtrail
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_kinesis as kinesis
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_secretsmanager as secretsmanager
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subs
from aws_cdk import aws_sqs as sqs

from kms_constructs.cdk.key.secure_key import SecureKmsKey
from kms_constructs.policies.services.service_access import ServiceAccess
from tests.cdk.keys import ACCOUNT, REGION, USER
from tests.emulator.cloudformation import Deployed

IMAGE = "ami-12c6146b"
"""One of the images that every account of moto has."""


@dataclass(frozen=True, slots=True)
class Exercise:
    """One use of a key by a service.

    Args:
        shows: What was seen live.
        arguments: Arguments of the key.
        build: What uses the key, in the key's stack.
        check: Asserts over the live resources.
    """

    shows: str
    arguments: dict[str, Any]
    build: Callable[[Stack, SecureKmsKey], object]
    check: Callable[[Deployed], None]


def _with(preset: ServiceAccess) -> dict[str, Any]:
    return {"services": [preset]}


# S3.


def _bucket(stack: Stack, key: SecureKmsKey, name: str = "Bucket") -> s3.Bucket:
    return s3.Bucket(stack, name, encryption=s3.BucketEncryption.KMS, encryption_key=key)


def _encrypted_with(live: Deployed, bucket: str, name: str) -> tuple[str, str]:
    head = live.client("s3").head_object(Bucket=bucket, Key=name)
    return head["ServerSideEncryption"], head["SSEKMSKeyId"]


def _check_bucket(live: Deployed) -> None:
    client, bucket = live.client("s3"), live.only("AWS::S3::Bucket")
    client.put_object(Bucket=bucket, Key="order", Body=b"secret")
    assert _encrypted_with(live, bucket, "order") == ("aws:kms", live.key_arn)
    assert client.get_object(Bucket=bucket, Key="order")["Body"].read() == b"secret"


def _notifying(stack: Stack, key: SecureKmsKey) -> None:
    s3.Bucket(stack, "Bucket")
    _queue(stack, key)


def _check_notifications(live: Deployed) -> None:
    """CDK configures notifications through a Lambda function, which the emulator does not run."""
    client, bucket = live.client("s3"), live.only("AWS::S3::Bucket")
    destination = {"QueueArn": _queue_attributes(live)["QueueArn"], "Events": ["s3:ObjectCreated:*"]}
    client.put_bucket_notification_configuration(
        Bucket=bucket, NotificationConfiguration={"QueueConfigurations": [destination]}
    )
    _messages(live)  # S3 announces the configuration itself first
    client.put_object(Bucket=bucket, Key="order", Body=b"")
    assert _queue_key(live) == live.key_arn
    (event,) = (json.loads(message) for message in _messages(live))
    assert event["Records"][0]["s3"]["object"]["key"] == "order"


# Queues, topics and events.


def _queue(stack: Stack, key: SecureKmsKey) -> sqs.Queue:
    return sqs.Queue(stack, "Queue", encryption_master_key=key)


def _queue_attributes(live: Deployed) -> dict[str, str]:
    url = live.only("AWS::SQS::Queue")
    return live.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]


def _queue_key(live: Deployed) -> str:
    return _queue_attributes(live)["KmsMasterKeyId"]


def _messages(live: Deployed) -> list[str]:
    """Takes every message out of the queue."""
    client, url = live.client("sqs"), live.only("AWS::SQS::Queue")
    found = []
    while batch := client.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        for message in batch:
            client.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
            found.append(message["Body"])
    return found


def _check_queue(live: Deployed) -> None:
    live.client("sqs").send_message(QueueUrl=live.only("AWS::SQS::Queue"), MessageBody="order")
    assert _queue_key(live) == live.key_arn
    assert _messages(live) == ["order"]


def _subscription(stack: Stack, key: SecureKmsKey) -> None:
    sns.Topic(stack, "Topic").add_subscription(subs.SqsSubscription(_queue(stack, key)))


def _check_subscription(live: Deployed) -> None:
    live.client("sns").publish(TopicArn=live.only("AWS::SNS::Topic"), Message="order")
    assert _queue_key(live) == live.key_arn
    (envelope,) = (json.loads(message) for message in _messages(live))
    assert (envelope["TopicArn"], envelope["Message"]) == (live.only("AWS::SNS::Topic"), "order")


def _check_topic(live: Deployed) -> None:
    topic = live.only("AWS::SNS::Topic")
    attributes = live.client("sns").get_topic_attributes(TopicArn=topic)["Attributes"]
    assert attributes["KmsMasterKeyId"] == live.key_arn
    assert live.client("sns").publish(TopicArn=topic, Message="order")["MessageId"]


def _rule(stack: Stack, key: SecureKmsKey) -> None:
    pattern = events.EventPattern(source=["orders"])
    events.Rule(stack, "Rule", event_pattern=pattern, targets=[targets.SqsQueue(_queue(stack, key))])


def _check_rule(live: Deployed) -> None:
    client = live.client("events")
    entry = {"DetailType": "placed", "Detail": '{"order": 7}'}
    sent = client.put_events(Entries=[{"Source": "orders", **entry}, {"Source": "others", **entry}])
    assert sent["FailedEntryCount"] == 0
    assert _queue_key(live) == live.key_arn
    (event,) = (json.loads(message) for message in _messages(live))
    assert (event["source"], event["detail"]) == ("orders", {"order": 7})


def _check_bus(live: Deployed) -> None:
    bus = live.client("events").describe_event_bus(Name=live.only("AWS::Events::EventBus"))
    assert bus["KmsKeyIdentifier"] == live.key_arn


# Stores.


def _check_log_group(live: Deployed) -> None:
    client, name = live.client("logs"), live.only("AWS::Logs::LogGroup")
    (group,) = client.describe_log_groups(logGroupNamePrefix=name)["logGroups"]
    assert group["kmsKeyId"] == live.key_arn
    client.create_log_stream(logGroupName=name, logStreamName="orders")
    client.put_log_events(
        logGroupName=name,
        logStreamName="orders",
        logEvents=[{"timestamp": int(group["creationTime"]), "message": "order"}],
    )
    read = client.get_log_events(logGroupName=name, logStreamName="orders")["events"]
    assert [one["message"] for one in read] == ["order"]


def _check_secret(live: Deployed) -> None:
    client, secret = live.client("secretsmanager"), live.only("AWS::SecretsManager::Secret")
    assert client.describe_secret(SecretId=secret)["KmsKeyId"] == live.key_arn
    assert client.get_secret_value(SecretId=secret)["SecretString"] == "not-a-secret"


def _table(stack: Stack, key: SecureKmsKey) -> None:
    dynamodb.Table(
        stack,
        "Table",
        partition_key=dynamodb.Attribute(name="id", type=dynamodb.AttributeType.STRING),
        encryption=dynamodb.TableEncryption.CUSTOMER_MANAGED,
        encryption_key=key,
    )


def _check_table(live: Deployed) -> None:
    client, table = live.client("dynamodb"), live.only("AWS::DynamoDB::Table")
    encryption = client.describe_table(TableName=table)["Table"]["SSEDescription"]
    assert encryption == {"Status": "ENABLED", "SSEType": "KMS", "KMSMasterKeyArn": live.key_arn}
    item = {"id": {"S": "7"}}
    client.put_item(TableName=table, Item=item)
    assert client.get_item(TableName=table, Key=item)["Item"] == item


def _check_stream(live: Deployed) -> None:
    name = live.only("AWS::Kinesis::Stream")
    stream = live.client("kinesis").describe_stream_summary(StreamName=name)["StreamDescriptionSummary"]
    assert (stream["EncryptionType"], stream["KeyId"]) == ("KMS", live.key_arn)


def _plain(stack: Stack, name: str, kind: str, **properties: Any) -> CfnResource:
    """A resource of which the template's properties are all that matters.

    Without the module of its service: importing those of RDS, Lambda and their like takes seconds.
    """
    return CfnResource(stack, name, type=kind, properties=properties)


def _database(stack: Stack, key: SecureKmsKey) -> None:
    _plain(
        stack,
        "Database",
        "AWS::RDS::DBInstance",
        Engine="mysql",
        DBInstanceClass="db.t4g.micro",
        AllocatedStorage="20",
        MasterUsername="admin",
        MasterUserPassword="not-a-secret",
        StorageEncrypted=True,
        KmsKeyId=key.key_arn,
    )


def _check_database(live: Deployed) -> None:
    (database,) = live.client("rds").describe_db_instances()["DBInstances"]
    assert (database["StorageEncrypted"], database["KmsKeyId"]) == (True, live.key_arn)


def _cluster(stack: Stack, key: SecureKmsKey) -> None:
    _plain(
        stack,
        "Cluster",
        "AWS::Redshift::Cluster",
        ClusterType="single-node",
        DBName="orders",
        NodeType="ra3.large",
        MasterUsername="admin",
        MasterUserPassword="Not-a-secret-1",
        Encrypted=True,
        KmsKeyId=key.key_id,
    )


def _check_cluster(live: Deployed) -> None:
    (cluster,) = live.client("redshift").describe_clusters()["Clusters"]
    assert (cluster["Encrypted"], cluster["KmsKeyId"]) == (True, live.only("AWS::KMS::Key"))


def _check_file_system(live: Deployed) -> None:
    (files,) = live.client("efs").describe_file_systems()["FileSystems"]
    assert (files["Encrypted"], files["KmsKeyId"]) == (True, live.key_arn)


def _volume(stack: Stack, key: SecureKmsKey) -> None:
    _plain(
        stack,
        "Volume",
        "AWS::EC2::Volume",
        AvailabilityZone=f"{REGION}a",
        Size=8,
        Encrypted=True,
        KmsKeyId=key.key_arn,
    )


def _check_volume(live: Deployed) -> None:
    (volume,) = live.client("ec2").describe_volumes(VolumeIds=[live.only("AWS::EC2::Volume")])["Volumes"]
    assert (volume["Encrypted"], volume["KmsKeyId"]) == (True, live.key_arn)


def _vault(stack: Stack, key: SecureKmsKey) -> None:
    backup.BackupVault(stack, "Vault", backup_vault_name="orders", encryption_key=key)


def _check_vault(live: Deployed) -> None:
    vault = live.client("backup").describe_backup_vault(BackupVaultName="orders")
    assert vault["EncryptionKeyArn"] == live.key_arn


def _repository(stack: Stack, key: SecureKmsKey) -> None:
    ecr.Repository(stack, "Repository", encryption=ecr.RepositoryEncryption.KMS, encryption_key=key)


def _check_repository(live: Deployed) -> None:
    (repository,) = live.client("ecr").describe_repositories()["repositories"]
    assert repository["encryptionConfiguration"] == {"encryptionType": "KMS", "kmsKey": live.key_arn}


# Those who record and compute.


def _check_trail(live: Deployed) -> None:
    (trail,) = live.client("cloudtrail").describe_trails()["trailList"]
    assert trail["KmsKeyId"] == live.key_arn


def _recording(stack: Stack, key: SecureKmsKey) -> None:
    bucket = _bucket(stack, key)
    recorder = _plain(
        stack,
        "Recorder",
        "AWS::Config::ConfigurationRecorder",
        RoleARN=_role(stack, "config.amazonaws.com"),
    )
    _plain(
        stack,
        "Channel",
        "AWS::Config::DeliveryChannel",
        S3BucketName=bucket.bucket_name,
        S3KmsKeyArn=key.key_arn,
    ).add_dependency(recorder)


def _check_recording(live: Deployed) -> None:
    (channel,) = live.client("config").describe_delivery_channels()["DeliveryChannels"]
    assert channel["s3KmsKeyArn"] == live.key_arn


def _mail(stack: Stack, key: SecureKmsKey) -> None:
    rules = _plain(stack, "Rules", "AWS::SES::ReceiptRuleSet", RuleSetName="in")
    store = {"BucketName": s3.Bucket(stack, "Mail").bucket_name, "KmsKeyArn": key.key_arn}
    _plain(
        stack,
        "Rule",
        "AWS::SES::ReceiptRule",
        RuleSetName=rules.ref,
        Rule={"Name": "all", "Actions": [{"S3Action": store}]},
    )


def _check_mail(live: Deployed) -> None:
    rule = live.client("ses").describe_receipt_rule(RuleSetName="in", RuleName="all")["Rule"]
    (action,) = rule["Actions"]
    assert action["S3Action"]["KmsKeyArn"] == live.key_arn


def _function(stack: Stack, key: SecureKmsKey) -> None:
    _plain(
        stack,
        "Function",
        "AWS::Lambda::Function",
        Runtime="python3.13",
        Handler="index.handler",
        Role=_role(stack, "lambda.amazonaws.com"),
        Code={"ZipFile": "def handler(event, context): ..."},
        Environment={"Variables": {"A": "b"}},
        KmsKeyArn=key.key_arn,
    )


def _check_function(live: Deployed) -> None:
    (function,) = live.client("lambda").list_functions()["Functions"]
    assert function["KMSKeyArn"] == live.key_arn


def _group(stack: Stack, key: SecureKmsKey) -> None:
    disk = {"Encrypted": True, "KmsKeyId": key.key_arn, "VolumeSize": 8}
    template = _plain(
        stack,
        "Template",
        "AWS::EC2::LaunchTemplate",
        LaunchTemplateData={
            "ImageId": IMAGE,
            "InstanceType": "t3.micro",
            "BlockDeviceMappings": [{"DeviceName": "/dev/xvdb", "Ebs": disk}],
        },
    )
    _plain(
        stack,
        "Group",
        "AWS::AutoScaling::AutoScalingGroup",
        MinSize="1",
        MaxSize="1",
        AvailabilityZones=[f"{REGION}a"],
        LaunchTemplate={
            "LaunchTemplateId": template.ref,
            "Version": template.get_att("LatestVersionNumber").to_string(),
        },
    )


def _check_group(live: Deployed) -> None:
    role = live.client("iam").create_service_linked_role(AWSServiceName="autoscaling.amazonaws.com")
    key = live.only("AWS::KMS::Key")
    policy = live.client("kms").get_key_policy(KeyId=key, PolicyName="default")["Policy"]
    statements = {one["Sid"]: one for one in json.loads(policy)["Statement"]}
    assert statements["ServiceAutoScaling"]["Principal"] == {"AWS": role["Role"]["Arn"]}
    (group,) = live.client("autoscaling").describe_auto_scaling_groups()["AutoScalingGroups"]
    (instance,) = group["Instances"]
    volumes = live.client("ec2").describe_volumes(
        Filters=[{"Name": "attachment.instance-id", "Values": [instance["InstanceId"]]}]
    )["Volumes"]
    (disk,) = (one for one in volumes if one["Attachments"][0]["Device"] == "/dev/xvdb")
    assert (disk["Encrypted"], disk["KmsKeyId"]) == (True, live.key_arn)


def _role(stack: Stack, service: str) -> str:
    statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    trust = {"Version": "2012-10-17", "Statement": [statement]}
    role = _plain(stack, "Role", "AWS::IAM::Role", AssumeRolePolicyDocument=trust)
    return role.get_att("Arn").to_string()


NOTIFICATIONS = ServiceAccess.custom(
    "s3.amazonaws.com", ["Decrypt", "GenerateDataKey"], source_account=ACCOUNT
)

EXERCISED: dict[str, Exercise] = {
    "auto_scaling": Exercise(
        "a group launches an instance whose volume has the key; the role that the policy names is the one"
        " that IAM makes for the service",
        _with(ServiceAccess.auto_scaling()),
        _group,
        _check_group,
    ),
    "backup": Exercise("a vault has the key", _with(ServiceAccess.backup([USER])), _vault, _check_vault),
    "cloudtrail": Exercise(
        "a trail has the key; nothing is recorded",
        _with(ServiceAccess.cloudtrail()),
        lambda stack, key: cloudtrail.Trail(stack, "Trail", encryption_key=key),
        _check_trail,
    ),
    "cloudwatch_logs": Exercise(
        "a log group has the key; an event is written and read",
        _with(ServiceAccess.cloudwatch_logs()),
        lambda stack, key: logs.LogGroup(stack, "Group", encryption_key=key),
        _check_log_group,
    ),
    "config": Exercise(
        "a delivery channel has the key; nothing is delivered",
        _with(ServiceAccess.config()),
        _recording,
        _check_recording,
    ),
    "custom": Exercise(
        "written for S3: a new object is announced in a queue that has the key",
        _with(NOTIFICATIONS),
        _notifying,
        _check_notifications,
    ),
    "dynamodb": Exercise(
        "a table has the key; an item is written and read",
        _with(ServiceAccess.dynamodb([USER])),
        _table,
        _check_table,
    ),
    "ecr": Exercise(
        "a repository has the key", _with(ServiceAccess.ecr([USER])), _repository, _check_repository
    ),
    "eventbridge": Exercise(
        "an event that matches a rule arrives in a queue that has the key, another does not",
        _with(ServiceAccess.eventbridge()),
        _rule,
        _check_rule,
    ),
    "eventbridge_bus": Exercise(
        "a bus has the key",
        _with(ServiceAccess.eventbridge_bus()),
        lambda stack, key: events.EventBus(stack, "Bus", event_bus_name="orders", kms_key=key),
        _check_bus,
    ),
    "lambda_": Exercise(
        "a function's variables have the key; it is not run",
        _with(ServiceAccess.lambda_([USER])),
        _function,
        _check_function,
    ),
    "ebs": Exercise("a volume has the key", _with(ServiceAccess.ebs([USER])), _volume, _check_volume),
    "efs": Exercise(
        "a file system has the key",
        _with(ServiceAccess.efs([USER])),
        lambda stack, key: _plain(
            stack, "Files", "AWS::EFS::FileSystem", Encrypted=True, KmsKeyId=key.key_arn
        ),
        _check_file_system,
    ),
    "kinesis": Exercise(
        "a stream has the key",
        _with(ServiceAccess.kinesis([USER])),
        lambda stack, key: kinesis.Stream(stack, "Stream", encryption_key=key),
        _check_stream,
    ),
    "rds": Exercise("a database has the key", _with(ServiceAccess.rds([USER])), _database, _check_database),
    "redshift": Exercise(
        "a cluster has the key", _with(ServiceAccess.redshift([USER])), _cluster, _check_cluster
    ),
    "s3": Exercise(
        "an object is encrypted with the key of its bucket, and read",
        _with(ServiceAccess.s3([USER])),
        _bucket,
        _check_bucket,
    ),
    "s3_notifications": Exercise(
        "a new object is announced in a queue that has the key",
        _with(ServiceAccess.s3_notifications()),
        _notifying,
        _check_notifications,
    ),
    "secrets_manager": Exercise(
        "a secret has the key, and is read",
        _with(ServiceAccess.secrets_manager([USER])),
        lambda stack, key: secretsmanager.Secret(
            stack,
            "Secret",
            encryption_key=key,
            secret_string_value=SecretValue.unsafe_plain_text("not-a-secret"),
        ),
        _check_secret,
    ),
    "ses": Exercise(
        "a receipt rule has the key; no mail is received",
        _with(ServiceAccess.ses()),
        _mail,
        _check_mail,
    ),
    "sns": Exercise(
        "what a topic publishes arrives in a queue that has the key",
        _with(ServiceAccess.sns()),
        _subscription,
        _check_subscription,
    ),
    "sns_publishers": Exercise(
        "a topic has the key, and takes a message",
        _with(ServiceAccess.sns_publishers([USER])),
        lambda stack, key: sns.Topic(stack, "Topic", master_key=key),
        _check_topic,
    ),
    "sqs": Exercise(
        "a queue has the key; a message is sent and received",
        _with(ServiceAccess.sqs(producers=[USER], consumers=[USER])),
        _queue,
        _check_queue,
    ),
}
"""By preset."""

_STATEMENT_ALONE = "no exercise is written yet: its statements alone are compared with what AWS documents"

NOT_EXERCISED: dict[str, str] = {
    **dict.fromkeys(
        (
            "appflow",
            "athena",
            "budgets",
            "cloudfront",
            "cloudtrail_lake",
            "cloudwatch_alarms",
            "codeartifact",
            "dms_events",
            "dynamodb_replication",
            "eks",
            "eventbridge_archive",
            "eventbridge_topics",
            "fargate_ephemeral_storage",
            "firehose",
            "fsx",
            "glue_catalog",
            "kendra",
            "lambda_code",
            "lambda_event_filters",
            "log_delivery",
            "macie",
            "msk",
            "neptune",
            "opensearch",
            "opensearch_serverless",
            "rds_events",
            "s3_inventory",
            "sagemaker_endpoint",
            "sagemaker_feature_store",
            "sagemaker_notebook",
            "ssm",
            "step_functions",
            "timestream",
        ),
        _STATEMENT_ALONE,
    ),
    "bedrock": "moto makes up the key of a custom model from the model's name",
    "route53_dnssec": "moto has no key-signing keys; the key itself signs in tests.emulator.test_keys",
    "s3_replication": "moto replicates nothing, and forgets the encryption part of a replication rule",
}
"""By preset, why."""
