"""Deploys a synthesized template into moto, and makes what moto's CloudFormation leaves out.

moto 5.2 reports CREATE_COMPLETE whatever became of a resource: types that it does not know are skipped with a
warning (an error in these tests), and of those that it knows it drops properties, often the very one that
names the key. A type in `MADE_BY_API` is made through its service's own API instead, from the properties of
the template with every intrinsic function resolved by moto; botocore checks each request against the
service's model. All other types are moto's.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any
from unittest import mock
from zipfile import ZipFile

import boto3
from aws_cdk import App
from moto.cloudformation import parsing
from moto.kms import models as kms_models

from kms_constructs.model.key_specs import KEY_SPECS

Properties = dict[str, Any]
Client = Callable[[str], Any]
"""Gives the client of a service in the Region of the stack."""


@cache
def client_of(service: str, region: str) -> Any:
    """A client of the emulator's; one each, for making one takes longer than most tests."""
    return boto3.client(service, region_name=region)


@dataclass
class Made:
    """A live resource, as moto's CloudFormation needs to know it: what Ref and Fn::GetAtt give."""

    physical_resource_id: str
    attributes: Mapping[str, str] = field(default_factory=dict)

    def get_cfn_attribute(self, name: str) -> str:
        """What ``Fn::GetAtt`` gives."""
        return self.attributes[name]

    def is_created(self) -> bool:
        """Whether moto need not wait for it."""
        return True


Maker = Callable[[Client, str, Properties], Made]


def _key(client: Client, _name: str, properties: Properties) -> Made:
    """KMS::Key: moto's own fails on tags, keeps the policy as a dict, and drops spec, usage and rotation."""
    kms = client("kms")
    made = kms.create_key(
        Policy=json.dumps(properties["KeyPolicy"]),
        Description=properties["Description"],
        KeySpec=properties.get("KeySpec", "SYMMETRIC_DEFAULT"),
        KeyUsage=properties.get("KeyUsage", "ENCRYPT_DECRYPT"),
        Origin=properties.get("Origin", "AWS_KMS"),
        MultiRegion=properties.get("MultiRegion", False),
        Tags=[{"TagKey": tag["Key"], "TagValue": tag["Value"]} for tag in properties["Tags"]],
    )["KeyMetadata"]
    if properties.get("EnableKeyRotation"):
        kms.enable_key_rotation(KeyId=made["KeyId"], RotationPeriodInDays=properties["RotationPeriodInDays"])
    return Made(made["KeyId"], {"Arn": made["Arn"], "KeyId": made["KeyId"]})


def _log_group(client: Client, name: str, properties: Properties) -> Made:
    client("logs").create_log_group(logGroupName=name, kmsKeyId=properties["KmsKeyId"])
    return Made(name)


def _secret(client: Client, name: str, properties: Properties) -> Made:
    made = client("secretsmanager").create_secret(
        Name=name, KmsKeyId=properties["KmsKeyId"], SecretString=properties["SecretString"]
    )
    return Made(made["ARN"])


def _subscription(client: Client, _name: str, properties: Properties) -> Made:
    made = client("sns").subscribe(
        TopicArn=properties["TopicArn"],
        Protocol=properties["Protocol"],
        Endpoint=properties["Endpoint"],
        ReturnSubscriptionArn=True,
    )
    return Made(made["SubscriptionArn"])


def _queue_policy(client: Client, name: str, properties: Properties) -> Made:
    for url in properties["Queues"]:
        policy = json.dumps(properties["PolicyDocument"])
        client("sqs").set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    return Made(name)


def _bucket_policy(client: Client, name: str, properties: Properties) -> Made:
    policy = json.dumps(properties["PolicyDocument"])
    client("s3").put_bucket_policy(Bucket=properties["Bucket"], Policy=policy)
    return Made(name)


def _event_bus(client: Client, _name: str, properties: Properties) -> Made:
    made = client("events").create_event_bus(
        Name=properties["Name"], KmsKeyIdentifier=properties["KmsKeyIdentifier"]
    )
    return Made(properties["Name"], {"Arn": made["EventBusArn"]})


def _vault(client: Client, _name: str, properties: Properties) -> Made:
    made = client("backup").create_backup_vault(
        BackupVaultName=properties["BackupVaultName"], EncryptionKeyArn=properties["EncryptionKeyArn"]
    )
    return Made(made["BackupVaultName"], {"BackupVaultArn": made["BackupVaultArn"]})


def _trail(client: Client, name: str, properties: Properties) -> Made:
    made = client("cloudtrail").create_trail(
        Name=name, S3BucketName=properties["S3BucketName"], KmsKeyId=properties["KMSKeyId"]
    )
    return Made(name, {"Arn": made["TrailARN"]})


def _repository(client: Client, name: str, properties: Properties) -> Made:
    encryption = properties["EncryptionConfiguration"]
    made = client("ecr").create_repository(
        repositoryName=name.lower(),
        encryptionConfiguration={
            "encryptionType": encryption["EncryptionType"],
            "kmsKey": encryption["KmsKey"],
        },
    )["repository"]
    return Made(made["repositoryName"], {"Arn": made["repositoryArn"]})


def _function(client: Client, name: str, properties: Properties) -> Made:
    code = BytesIO()
    with ZipFile(code, "w") as archive:
        archive.writestr("index.py", properties["Code"]["ZipFile"])
    made = client("lambda").create_function(
        FunctionName=name,
        Runtime=properties["Runtime"],
        Handler=properties["Handler"],
        Role=properties["Role"],
        Code={"ZipFile": code.getvalue()},
        Environment=properties["Environment"],
        KMSKeyArn=properties["KmsKeyArn"],
    )
    return Made(name, {"Arn": made["FunctionArn"]})


def _table(client: Client, name: str, properties: Properties) -> Made:
    encryption = properties["SSESpecification"]
    made = client("dynamodb").create_table(
        TableName=name,
        KeySchema=properties["KeySchema"],
        AttributeDefinitions=properties["AttributeDefinitions"],
        ProvisionedThroughput=properties["ProvisionedThroughput"],
        SSESpecification={
            "Enabled": encryption["SSEEnabled"],
            "SSEType": encryption.get("SSEType", "KMS"),
            "KMSMasterKeyId": encryption["KMSMasterKeyId"],
        },
    )["TableDescription"]
    return Made(name, {"Arn": made["TableArn"]})


def _volume(client: Client, _name: str, properties: Properties) -> Made:
    made = client("ec2").create_volume(
        AvailabilityZone=properties["AvailabilityZone"],
        Size=properties["Size"],
        Encrypted=properties["Encrypted"],
        KmsKeyId=properties["KmsKeyId"],
    )
    return Made(made["VolumeId"])


def _cluster(client: Client, name: str, properties: Properties) -> Made:
    client("redshift").create_cluster(
        ClusterIdentifier=name.lower(),
        ClusterType=properties["ClusterType"],
        DBName=properties["DBName"],
        NodeType=properties["NodeType"],
        MasterUsername=properties["MasterUsername"],
        MasterUserPassword=properties["MasterUserPassword"],
        Encrypted=properties["Encrypted"],
        KmsKeyId=properties["KmsKeyId"],
    )
    return Made(name.lower())


def _stream(client: Client, name: str, properties: Properties) -> Made:
    kinesis = client("kinesis")
    kinesis.create_stream(StreamName=name, ShardCount=properties["ShardCount"])
    encryption = properties["StreamEncryption"]
    kinesis.start_stream_encryption(
        StreamName=name, EncryptionType=encryption["EncryptionType"], KeyId=encryption["KeyId"]
    )
    return Made(name)


def _receipt_rule_set(client: Client, _name: str, properties: Properties) -> Made:
    client("ses").create_receipt_rule_set(RuleSetName=properties["RuleSetName"])
    return Made(properties["RuleSetName"])


def _receipt_rule(client: Client, _name: str, properties: Properties) -> Made:
    rule = properties["Rule"]
    client("ses").create_receipt_rule(RuleSetName=properties["RuleSetName"], Rule=rule)
    return Made(rule["Name"])


def _recorder(client: Client, name: str, properties: Properties) -> Made:
    client("config").put_configuration_recorder(
        ConfigurationRecorder={"name": name, "roleARN": properties["RoleARN"]}
    )
    return Made(name)


def _delivery_channel(client: Client, name: str, properties: Properties) -> Made:
    client("config").put_delivery_channel(
        DeliveryChannel={
            "name": name,
            "s3BucketName": properties["S3BucketName"],
            "s3KmsKeyArn": properties["S3KmsKeyArn"],
        }
    )
    return Made(name)


MADE_BY_API: dict[str, Maker] = {
    "AWS::Backup::BackupVault": _vault,
    "AWS::CloudTrail::Trail": _trail,
    "AWS::Config::ConfigurationRecorder": _recorder,
    "AWS::Config::DeliveryChannel": _delivery_channel,
    "AWS::DynamoDB::Table": _table,
    "AWS::EC2::Volume": _volume,
    "AWS::ECR::Repository": _repository,
    "AWS::Events::EventBus": _event_bus,
    "AWS::KMS::Key": _key,
    "AWS::Kinesis::Stream": _stream,
    "AWS::Lambda::Function": _function,
    "AWS::Logs::LogGroup": _log_group,
    "AWS::Redshift::Cluster": _cluster,
    "AWS::S3::BucketPolicy": _bucket_policy,
    "AWS::SES::ReceiptRule": _receipt_rule,
    "AWS::SES::ReceiptRuleSet": _receipt_rule_set,
    "AWS::SNS::Subscription": _subscription,
    "AWS::SQS::QueuePolicy": _queue_policy,
    "AWS::SecretsManager::Secret": _secret,
}


@dataclass(frozen=True)
class _ByApi:
    """Stands where moto expects the class of a resource."""

    make: Maker

    def create_from_cloudformation_json(
        self,
        resource_name: str,
        cloudformation_json: dict[str, Any],
        _account_id: str,
        region_name: str,
        **_more: object,
    ) -> Made:
        """What moto calls for every resource of a template."""
        return self.make(
            lambda service: client_of(service, region_name),
            resource_name,
            cloudformation_json["Properties"],
        )

    def has_cfn_attr(self, _name: str) -> bool:
        """Whether outputs may ask for an attribute; `Made` raises for one that it has not."""
        return True


_known_to_moto = parsing.resource_class_from_type


def _class_of(resource_type: str) -> Any:
    make = MADE_BY_API.get(resource_type)
    return _known_to_moto(resource_type) if make is None else _ByApi(make)


_make_key_pair = kms_models.generate_private_key


def _key_pair(key_spec: str) -> Any:
    return _make_key_pair(key_spec) if KEY_SPECS[key_spec].has_public_key else None


@contextmanager
def completed_cloudformation() -> Iterator[None]:
    """While it lasts, moto's CloudFormation makes the types of `MADE_BY_API` through their APIs.

    And moto makes no RSA key pair, which takes long, for a key that has no use for one.
    """
    with (
        mock.patch.object(parsing, "resource_class_from_type", _class_of),
        mock.patch.object(kms_models, "generate_private_key", _key_pair),
    ):
        yield


@dataclass(frozen=True)
class Deployed:
    """A stack in the emulator.

    Args:
        name: Name of the stack.
        region: Its Region.
        by_type: Physical ids of its resources, by resource type.
        by_logical_id: The same by logical id.
    """

    name: str
    region: str
    by_type: Mapping[str, list[str]]
    by_logical_id: Mapping[str, str]

    def client(self, service: str) -> Any:
        """A client of the service in the stack's Region."""
        return client_of(service, self.region)

    def only(self, resource_type: str) -> str:
        """Physical id of the stack's one resource of a type."""
        (found,) = self.by_type[resource_type]
        return found

    @property
    def key_arn(self) -> str:
        """ARN of the stack's one KMS key, as KMS gives it."""
        key = self.client("kms").describe_key(KeyId=self.only("AWS::KMS::Key"))
        return key["KeyMetadata"]["Arn"]


def synthesized(app: App) -> dict[str, dict[str, Any]]:
    """The templates of an app, by stack."""
    directory = Path(app.synth().directory)
    return {
        path.name.removesuffix(".template.json"): json.loads(path.read_text("utf-8"))
        for path in directory.glob("*.template.json")
    }


def deploy(name: str, region: str, template: Mapping[str, Any]) -> Deployed:
    """Makes a stack; inside of moto's mock and of `completed_cloudformation` only.

    The parameter BootstrapVersion, which CDK writes for the CloudFormation service, is left to its default.
    """
    client = client_of("cloudformation", region)
    client.create_stack(StackName=name, TemplateBody=json.dumps(template), Capabilities=["CAPABILITY_IAM"])
    made = client.describe_stack_resources(StackName=name)["StackResources"]
    ids = {one["LogicalResourceId"]: one.get("PhysicalResourceId") for one in made}
    missing = [name for name in template["Resources"] if not ids.get(name)]
    assert missing == []
    by_type: dict[str, list[str]] = {}
    for one in made:
        by_type.setdefault(one["ResourceType"], []).append(one["PhysicalResourceId"])
    return Deployed(name, region, by_type, ids)
