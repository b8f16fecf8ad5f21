"""The uses of keys that templates hold: ways, roles, sources, and what is left out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from kms_constructs.model.service_requirement import KeyForm
from kms_constructs.model.text import HoleKind, display, hole
from kms_constructs.model.unknown import is_unknown
from kms_constructs.model.use import Use
from kms_constructs.sources.cloudformation.template import TemplateInput
from kms_constructs.sources.cloudformation.templates import estate_from_templates

ACCOUNT, REGION = "111122223333", "eu-west-1"
KEY: dict[str, Any] = {"Type": "AWS::KMS::Key", "Properties": {}}
ARN = {"Fn::GetAtt": ["Key", "Arn"]}


def one(kind: str, **properties: object) -> dict[str, Any]:
    return {"Type": f"AWS::{kind}", "Properties": properties}


def template(name: str, resources: Mapping[str, object], **more: Any) -> TemplateInput:
    data = {"Resources": dict(resources), **more.pop("sections", {})}
    return TemplateInput(data, f"{name}.json", stack=name, account=ACCOUNT, region=REGION, **more)


def uses(resources: Mapping[str, object], requirement: str, **more: Any) -> list[Use]:
    estate = estate_from_templates([template("S", {"Key": KEY, **resources}, **more)])
    return [use for use in estate.uses if use.requirement == requirement]


def ways(found: list[Use]) -> list[str]:
    return [use.way for use in found]


ALARM = one(
    "CloudWatch::Alarm", AlarmName="down", AlarmActions=[{"Ref": "Topic"}], OKActions=[{"Ref": "Topic"}]
)


def test_a_use_knows_its_way_and_where_it_stands() -> None:
    resources = {"Topic": one("SNS::Topic", KmsMasterKeyId={"Ref": "Key"}), "Alarm": ALARM}
    (use,) = uses(resources, "cloudwatch_alarms", creator="arn:aws:iam::111122223333:role/Cfn")
    assert (use.key, use.managed, use.form, use.doubt) == ("S.Key", "", KeyForm.ID, "")
    assert [(link.name, link.resource_type, link.path) for link in use.chain] == [
        ("Alarm", "AWS::CloudWatch::Alarm", "Properties/AlarmActions/0"),
        ("Topic", "AWS::SNS::Topic", "Properties/KmsMasterKeyId"),
    ]
    assert use.user.arn == "arn:aws:cloudwatch:eu-west-1:111122223333:alarm:down"
    assert display(use.holder.arn) == "arn:aws:sns:eu-west-1:111122223333:${S.Topic.Name}"
    assert (use.account, use.region, use.partition) == (ACCOUNT, REGION, "aws")
    assert use.creator == "arn:aws:iam::111122223333:role/Cfn"


@pytest.mark.parametrize(
    ("key", "form", "managed"),
    [
        pytest.param({"Ref": "Key"}, KeyForm.ID, "", id="id"),
        pytest.param(ARN, KeyForm.ARN, "", id="ARN"),
        pytest.param("alias/app", KeyForm.ALIAS, "", id="alias"),
        pytest.param(
            {"Fn::Sub": "arn:aws:kms:eu-west-1:111122223333:alias/app"}, KeyForm.ALIAS, "", id="alias ARN"
        ),
        pytest.param("alias/aws/sqs", KeyForm.ALIAS, "alias/aws/sqs", id="managed by AWS"),
        pytest.param("arn:aws:kms:eu-west-1:111122223333:key/1", None, "", id="a key of others"),
        pytest.param({"Ref": "AWS::NoValue"}, None, "", id="none"),
    ],
)
def test_how_the_key_is_named(key: object, form: KeyForm | None, managed: str) -> None:
    alias = one("KMS::Alias", AliasName="alias/app", TargetKeyId={"Ref": "Key"})
    found = uses({"Alias": alias, "Queue": one("SQS::Queue", KmsMasterKeyId=key)}, "sqs")
    assert [(use.form, use.managed) for use in found] == ([] if form is None else [(form, managed)])
    assert all(use.key == ("" if managed else "S.Key") for use in found)


BUCKET = one(
    "S3::Bucket",
    BucketName="logs",
    BucketEncryption={
        "ServerSideEncryptionConfiguration": [{"ServerSideEncryptionByDefault": {"KMSMasterKeyID": ARN}}]
    },
)


@pytest.mark.parametrize(
    "destination",
    [
        pytest.param({"Fn::GetAtt": ["Bucket", "Arn"]}, id="attribute"),
        pytest.param("arn:aws:s3:::logs", id="written out"),
        pytest.param({"Fn::Sub": "${Bucket.Arn}/flows"}, id="with a prefix"),
        pytest.param({"Fn::Join": ["", [{"Fn::GetAtt": ["Bucket", "Arn"]}, "/flows/"]]}, id="joined"),
    ],
)
@pytest.mark.parametrize("named", [True, False])
def test_how_a_resource_on_the_way_is_named(destination: object, named: bool) -> None:
    if not named and destination == "arn:aws:s3:::logs":
        return
    properties = dict(BUCKET["Properties"])
    if not named:
        del properties["BucketName"]
    flow_log = one("EC2::FlowLog", LogDestinationType="s3", LogDestination=destination)
    found = uses({"Bucket": {**BUCKET, "Properties": properties}, "Log": flow_log}, "log_delivery")
    assert ways(found) == ["Log → Bucket"]


def test_what_goes_elsewhere_is_left_out() -> None:
    flow_log = one("EC2::FlowLog", LogDestinationType="s3", LogDestination="arn:aws:s3:::others")
    assert uses({"Bucket": BUCKET, "Log": flow_log}, "log_delivery") == []


def test_a_way_leads_through_stacks() -> None:
    topic = one("SNS::Topic", TopicName="alerts", KmsMasterKeyId=ARN)
    alarm = one("CloudWatch::Alarm", AlarmActions=[{"Fn::ImportValue": "Topic"}])
    outputs = {"Outputs": {"Topic": {"Value": {"Ref": "Topic"}, "Export": {"Name": "Topic"}}}}
    estate = estate_from_templates(
        [
            template("Keys", {"Key": KEY, "Topic": topic}, sections=outputs),
            template("Alarms", {"Alarm": alarm}),
        ]
    )
    (use,) = [use for use in estate.uses if use.requirement == "cloudwatch_alarms"]
    assert (use.key, use.way, use.user.location.stack) == ("Keys.Key", "Alarm → Topic", "Alarms")


SECRET = one("SecretsManager::Secret", KmsKeyId=ARN)
FUNCTION = one("Lambda::Function", Role={"Fn::GetAtt": ["Role", "Arn"]})


@pytest.mark.parametrize(
    ("schedule", "role", "unseen"),
    [
        pytest.param(
            {"RotationLambdaARN": {"Fn::GetAtt": ["Function", "Arn"]}},
            "arn:aws:iam::111122223333:role/${S.Role.Name}",
            False,
            id="a function of the template",
        ),
        pytest.param(
            {"HostedRotationLambda": {"RotationType": "x"}},
            "arn:aws:iam::111122223333:role/${S.Schedule.Role}",
            True,
            id="hosted rotation",
        ),
        pytest.param(
            {"RotationLambdaARN": {"Fn::GetAtt": ["Application", "Outputs.Arn"]}},
            "arn:aws:iam::111122223333:role/${S.Application.Role}",
            True,
            id="an application",
        ),
        pytest.param(
            {"RotationLambdaARN": "arn:aws:lambda:eu-west-1:111122223333:function:x"},
            None,
            False,
            id="elsewhere",
        ),
    ],
)
def test_the_role_behind_a_rotation(schedule: dict[str, object], role: str | None, unseen: bool) -> None:
    resources = {
        "Secret": SECRET,
        "Function": FUNCTION,
        "Role": one("IAM::Role", AssumeRolePolicyDocument={}),
        "Application": one("Serverless::Application"),
        "Schedule": one("SecretsManager::RotationSchedule", SecretId={"Ref": "Secret"}, **schedule),
    }
    (use,) = uses(resources, "secret_rotation")
    (found,) = use.roles
    assert (None if is_unknown(found.arn) else display(found.arn), found.unseen) == (role, unseen)


def test_a_condition_that_is_not_resolved_is_a_doubt() -> None:
    sections = {
        "Conditions": {"Prod": {"Fn::Equals": [{"Fn::ImportValue": "stage"}, "prod"]}},
    }
    queue = {**one("SQS::Queue", KmsMasterKeyId=ARN), "Condition": "Prod"}
    (use,) = uses({"Queue": queue}, "sqs", sections=sections)
    assert use.doubt == "a condition that cannot be resolved decides whether the resource exists"


def test_without_keys_nothing_is_looked_at() -> None:
    estate = estate_from_templates([template("S", {"Queue": one("SQS::Queue", KmsMasterKeyId="alias/mine")})])
    assert estate.uses == ()


def test_a_subscription_mentions_its_topic() -> None:
    resources = {
        "Topic": one("SNS::Topic", TopicName="alerts"),
        "Queue": one("SQS::Queue", KmsMasterKeyId=ARN),
        "Subscription": one(
            "SNS::Subscription",
            Protocol="sqs",
            TopicArn={"Ref": "Topic"},
            Endpoint={"Fn::GetAtt": ["Queue", "Arn"]},
        ),
    }
    (use,) = uses(resources, "sns")
    assert "arn:aws:sns:eu-west-1:111122223333:alerts" in use.mentioned
    name = hole(HoleKind.GENERATED, "S.Queue.Name")
    assert use.holder.arn == f"arn:aws:sqs:eu-west-1:111122223333:{name}"
