"""What watches keys: deployed, and asked about a call that nobody but a few may make."""

from __future__ import annotations

import json
import time
from typing import Any

from e2e.chain import Chain
from reference_app.environments import ACCOUNT, REGION, role

SOURCES = {"aws.kms": "test.kms", "aws.cloudtrail": "test.cloudtrail"}
"""EventBridge takes no event of a source ``aws.*`` from anybody but AWS, and neither does the emulator."""
REFUSED = frozenset({"AWS::Events::EventBusPolicy", "AWS::CloudWatch::Dashboard"})
"""Types that the emulator does not make; nor does it make alarms on expressions."""


def deployed(run: Chain) -> None:
    """Deploys the second application, and subscribes a queue to every topic."""
    assembly = run.directory / "watched"
    run.run("cdk", "synth", "--quiet", "--app", "python -m e2e.watched", "--output", str(assembly))
    file = assembly / "security.template.json"
    template = json.loads(file.read_text("utf-8"))
    left_out = [name for name, one in template["Resources"].items() if not _emulated(one)]
    template["Resources"] = {name: one for name, one in template["Resources"].items() if name not in left_out}
    text = json.dumps(template)
    for real, test in SOURCES.items():
        text = text.replace(f'"source": ["{real}"]', f'"source": ["{test}"]')
    file.write_text(text, "utf-8")
    run.say(
        f"(left out for the emulator: {len(left_out)} dashboards, bus policies and alarms on expressions)"
    )
    run.run("cdk", "deploy", "--app", str(assembly), "--all", "--require-approval", "never")
    sns, sqs = run.client("sns"), run.client("sqs")
    for number, topic in enumerate(sns.list_topics()["Topics"]):
        url = sqs.create_queue(QueueName=f"messages-{number}")["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        sns.subscribe(
            TopicArn=topic["TopicArn"],
            Protocol="sqs",
            Endpoint=arn,
            Attributes={"RawMessageDelivery": "true"},
        )
        run.made[f"queue/{number}"] = url
    kms = run.client("kms")
    for one in kms.list_aliases()["Aliases"]:
        if one.get("TargetKeyId"):
            run.made[one["AliasName"]] = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/{one['TargetKeyId']}"
    run.expect(run.made.get("alias/prod/orders"), "the key, its topics, rules and alarms are deployed")


def told(run: Chain) -> None:
    """An application disables the key, which only a break-glass role may: the message arrives."""
    key = run.made["alias/prod/orders"]
    record = {
        "eventVersion": "1.11",
        "eventID": "0e2e0e2e-0000-4000-8000-000000000001",
        "eventTime": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "eventSource": "kms.amazonaws.com",
        "eventName": "DisableKey",
        "awsRegion": REGION,
        "sourceIPAddress": "203.0.113.7",
        "userIdentity": {
            "type": "AssumedRole",
            "arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/prod-app-role/i-0123456789abcdef0",
            "accountId": ACCOUNT,
            "sessionContext": {"sessionIssuer": {"type": "Role", "arn": role("prod-app-role")}},
        },
        "requestParameters": {"keyId": key},
        "responseElements": {"keyId": key},
        "resources": [{"ARN": key, "accountId": ACCOUNT, "type": "AWS::KMS::Key"}],
        "eventType": "AwsApiCall",
        "readOnly": False,
        "managementEvent": True,
        "recipientAccountId": ACCOUNT,
        "eventCategory": "Management",
    }
    answer = run.client("events").put_events(
        Entries=[
            {
                "Source": SOURCES["aws.kms"],
                "DetailType": "AWS API Call via CloudTrail",
                "Detail": json.dumps(record),
                "Resources": [],
            }
        ]
    )
    run.expect(answer["FailedEntryCount"] == 0, "the event of DisableKey by prod-app-role is put")
    messages = _received(run)
    found = [text for text in messages if "prod-app-role" in text and "DisableKey" in text]
    run.expect(found, f"{len(found)} message delivered; it says:")
    run.say(found[0])


def _received(run: Chain) -> list[str]:
    sqs = run.client("sqs")
    found: list[str] = []
    for _ in range(50):
        for name, url in run.made.items():
            if name.startswith("queue/"):
                got = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", ())
                found += [one["Body"] for one in got]
        if found:
            return found
        time.sleep(0.1)
    return found


def _emulated(resource: dict[str, Any]) -> bool:
    on_expression = resource["Type"] == "AWS::CloudWatch::Alarm" and "Metrics" in resource["Properties"]
    return resource["Type"] not in REFUSED and not on_expression
