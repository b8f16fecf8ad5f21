"""Deployed into an emulator: an event is put, the rule matches, and the message arrives and reads well.

An emulator refuses events of ``aws.*`` sources as AWS does, so the sources of the deployed rules are renamed
here. Whether the key lets EventBridge and CloudWatch publish is no question for an emulator: `KMS:USE` is
asked in test_guardrails.py. MiniStack finds nothing under a path with an index; AWS documents them, and
tests/detections/test_messages.py has moto read them.
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App, Stack

from kms_constructs.detections.forwarding import forwarding_template
from tests.cdk.keys import ACCOUNT, DEPLOY, REGION, RESCUE, new_key, new_stack
from tests.cdk.monitoring.support import new_monitoring
from tests.detections.events import ALICE, CASES, call, envelope, resource, session
from tests.ministack import MiniStack

pytestmark = [pytest.mark.cdk, pytest.mark.emulator]

SOURCES = {"aws.kms": "test.kms", "aws.cloudtrail": "test.cloudtrail"}


def renamed(template: dict[str, Any]) -> str:
    text = json.dumps(template)
    for old, new in SOURCES.items():
        text = text.replace(f'"source": ["{old}"]', f'"source": ["{new}"]')
    return text


def template_of(app: App, name: str) -> dict[str, Any]:
    return json.loads((Path(app.synth().directory) / f"{name}.template.json").read_text("utf-8"))


def emulated(resource: dict[str, Any]) -> bool:
    """What MiniStack can make: no policies of buses, no alarms on expressions, no dashboard of them."""
    return resource["Type"] not in ("AWS::Events::EventBusPolicy", "AWS::CloudWatch::Dashboard") and not (
        resource["Type"] == "AWS::CloudWatch::Alarm" and "Metrics" in resource["Properties"]
    )


def uploaded(ministack: MiniStack, name: str, template: str) -> str:
    """The template in a bucket, for it is longer than CloudFormation takes in a request."""
    ministack.client("s3").put_object(Bucket="templates", Key=f"{name}.json", Body=template.encode())
    return f"{ministack.endpoint}/templates/{name}.json"


class Live:
    """A monitoring stack in the emulator, with a queue subscribed to each topic."""

    def __init__(self, ministack: MiniStack, name: str, stack: Stack, app: App) -> None:
        self.clients = ministack
        self.template = template_of(app, stack.stack_name)
        self.template["Resources"] = {
            logical: one for logical, one in self.template["Resources"].items() if emulated(one)
        }
        cloudformation = ministack.client("cloudformation")
        cloudformation.create_stack(
            StackName=name,
            TemplateURL=uploaded(ministack, name, renamed(self.template)),
            Capabilities=["CAPABILITY_IAM"],
        )
        for _ in range(200):
            found = cloudformation.describe_stacks(StackName=name)["Stacks"][0]
            if not found["StackStatus"].endswith("_IN_PROGRESS"):
                break
            time.sleep(0.05)
        happened = cloudformation.describe_stack_events(StackName=name)["StackEvents"]
        failed = [
            f"{one['LogicalResourceId']}: {one.get('ResourceStatusReason')}"
            for one in happened
            if one["ResourceStatus"].endswith("_FAILED")
        ]
        assert (found["StackStatus"], failed) == ("CREATE_COMPLETE", [])
        made = cloudformation.describe_stack_resources(StackName=name)["StackResources"]
        self.ids = {one["LogicalResourceId"]: one["PhysicalResourceId"] for one in made}
        self.events, sqs, sns = (ministack.client(one) for one in ("events", "sqs", "sns"))
        self.sqs = sqs
        self.queues: dict[str, str] = {}
        for logical, one in self.template["Resources"].items():
            if one["Type"] == "AWS::SNS::Topic":
                kind = "critical" if "Critical" in logical else "alert"
                url = sqs.create_queue(QueueName=f"{name}-{kind}")["QueueUrl"]
                arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
                sns.subscribe(
                    TopicArn=self.ids[logical],
                    Protocol="sqs",
                    Endpoint=arn["Attributes"]["QueueArn"],
                    Attributes={"RawMessageDelivery": "true"},
                )
                self.queues[kind] = url

    def key(self) -> tuple[str, str]:
        """Id and ARN of the watched key."""
        (logical,) = [one for one in self.ids if one.startswith("Orders") and "Alias" not in one]
        metadata = self.clients.client("kms").describe_key(KeyId=self.ids[logical])["KeyMetadata"]
        return metadata["KeyId"], metadata["Arn"]

    def put(self, event: dict[str, Any]) -> None:
        answer = self.events.put_events(
            Entries=[
                {
                    "Source": SOURCES[event["source"]],
                    "DetailType": event["detail-type"],
                    "Detail": json.dumps(event["detail"]),
                    "Resources": event["resources"],
                }
            ]
        )
        assert answer["FailedEntryCount"] == 0

    def received(self) -> dict[str, list[str]]:
        """The messages of each queue, which are taken out of it."""
        found: dict[str, list[str]] = {}
        for kind, url in self.queues.items():
            while got := self.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
                for one in got:
                    found.setdefault(kind, []).append(one["Body"])
                    self.sqs.delete_message(QueueUrl=url, ReceiptHandle=one["ReceiptHandle"])
        return found


@pytest.fixture(scope="module")
def live(ministack: MiniStack) -> Live:
    app = App(analytics_reporting=False)
    stack = new_stack("Security", app)
    key = new_key(
        stack, "Orders", alias="prod/orders", break_glass_principals=[RESCUE], deployment_principals=[DEPLOY]
    )
    new_monitoring(stack, keys=[key], deployment_principals=[DEPLOY])
    return Live(ministack, "monitoring", stack, app)


def test_what_is_live_is_what_was_declared(live: Live) -> None:
    wanted = [one for one in live.template["Resources"].values() if one["Type"] == "AWS::Events::Rule"]
    found = {one["Name"]: one for page in [live.events.list_rules(Limit=100)] for one in page["Rules"]}
    ours = [one for one in found.values() if one["Name"] in live.ids.values()]
    assert len(ours) == len(wanted)
    for one in ours:
        (target,) = live.events.list_targets_by_rule(Rule=one["Name"])["Targets"]
        assert target["InputTransformer"]["InputTemplate"]
        assert target["DeadLetterConfig"]["Arn"]
    alarms = live.clients.client("cloudwatch").describe_alarms(MaxRecords=100)["MetricAlarms"]
    assert len(alarms) == len(
        [one for one in live.template["Resources"].values() if one["Type"] == "AWS::CloudWatch::Alarm"]
    )


def test_a_stranger_schedules_the_deletion_and_the_message_reads_well(live: Live) -> None:
    key_id, arn = live.key()
    live.put(call("ScheduleKeyDeletion", parameters={"keyId": key_id}, resources=[resource(arn)]))

    (message,) = live.received()["critical"]
    lines = [line.strip('"') for line in message.splitlines()]
    assert lines[0] == (
        "CRITICAL: ScheduleKeyDeletion was called (schedule deletion), by a principal that is not authorised "
        "to"
    )
    assert lines[1].rstrip() == "What: ScheduleKeyDeletion"
    assert lines[2] == f"Who: {ALICE['arn']}"
    assert lines[3].rstrip() == "Acting as: IAMUser"
    assert lines[5:9] == [
        f"Named in the event as: {key_id}",
        "Alias: alias/prod/orders",
        f"When: 2026-11-26T09:58:30Z, in account {ACCOUNT}, Region {REGION}",
        "From: 192.0.2.1",
    ]
    assert lines[9].startswith("Guardrail: IAM-KMS-3, ")
    assert lines[12].startswith("What to do: Cancel the deletion and enable the key: aws kms")
    assert lines[14] == "Event: 3c4226b0-1e81-48a8-a333-7fa5f3cbd118"
    assert not any("<" in line for line in lines)


def test_break_glass_principals_are_an_alert_and_not_critical(live: Live) -> None:
    _, arn = live.key()
    live.put(call("DisableKey", by=session(RESCUE), parameters={"keyId": arn}, resources=[resource(arn)]))

    found = live.received()
    assert set(found) == {"alert"}
    (message,) = found["alert"]
    assert f"Acting as: AssumedRole {RESCUE}" in message
    assert "DisableKey was called (disable), by an authorised principal" in message


def test_an_event_of_kms_itself_arrives(live: Live) -> None:
    key_id, arn = live.key()
    live.put(envelope({"key-id": key_id}, detail_type="KMS CMK Deletion", arns=(arn,)))

    (message,) = live.received()["critical"]
    assert "CRITICAL: KMS deleted a key" in message
    assert f"Named in the event as: {key_id}" in message


def test_refused_calls_arrive_and_other_keys_stay_silent(live: Live) -> None:
    key_id, arn = live.key()
    live.put(
        call("PutKeyPolicy", error="AccessDenied", parameters={"keyId": key_id}, resources=[resource(arn)])
    )
    live.put(call("DisableKey"))
    live.put(call("Decrypt", parameters={"keyId": arn}, resources=[resource(arn)], readOnly=True))

    found = live.received()
    assert set(found) == {"alert"}
    (message,) = found["alert"]
    assert "What: PutKeyPolicy AccessDenied" in message
    assert f"Named in the event as: {key_id}" in message


def test_over_the_central_bus_to_a_person(ministack: MiniStack) -> None:
    app = App(analytics_reporting=False)
    stack = new_stack("Central", app)
    new_monitoring(stack, name="central", accounts=["444455556666"], deployment_principals=[DEPLOY])
    central = Live(ministack, "central", stack, app)

    # From the default bus, where CloudTrail puts them, by the resources that a member account has as well:
    # MiniStack forwards within an account alone.
    (case,) = [one for one in CASES if one.name == "grant by a user"]
    central.put(case.event)
    central.put(call("DescribeKey", readOnly=True))

    (message,) = central.received()["alert"]
    assert "A grant was created, and not by an AWS service" in message


def test_the_template_for_members_deploys(ministack: MiniStack) -> None:
    cloudformation = ministack.client("cloudformation", account="444455556666")
    template = forwarding_template(f"arn:aws:events:{REGION}:{ACCOUNT}:event-bus/central")
    cloudformation.create_stack(
        StackName="member", TemplateBody=renamed(template), Capabilities=["CAPABILITY_IAM"]
    )
    made = cloudformation.describe_stack_resources(StackName="member")["StackResources"]
    assert {one["ResourceStatus"] for one in made} == {"CREATE_COMPLETE"}
    assert {one["LogicalResourceId"] for one in made} == set(template["Resources"])
    events = ministack.client("events", account="444455556666")
    (rule,) = [one["PhysicalResourceId"] for one in made if one["LogicalResourceId"] == "Rule"]
    (target,) = events.list_targets_by_rule(Rule=rule)["Targets"]
    assert target["Arn"] == template["Parameters"]["CentralBusArn"]["Default"]
    assert ":role/" in target["RoleArn"]
