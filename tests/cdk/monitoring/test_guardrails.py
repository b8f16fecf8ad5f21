"""The monitoring stack is held to what it watches over: this project's packs, and AwsSolutions."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App, Stack, Validations
from cdk_nag import AwsSolutionsChecks

from kms_constructs.cdk.enforcement.enforce import enforce_guardrails
from kms_constructs.cdk.monitoring.central import KmsEventForwarder
from kms_constructs.cdk.monitoring.trail import MonitoringTrail
from kms_constructs.errors import GuardrailError
from kms_constructs.guardrails.finding import Outcome
from kms_constructs.testing import assert_guardrails
from tests.cdk.keys import ACCOUNT, REGION, new_key, new_stack
from tests.cdk.monitoring.support import new_monitoring

pytestmark = pytest.mark.cdk


def full(app: App) -> Stack:
    """Everything that there is, in one stack."""
    stack = new_stack("Security", app)
    new_monitoring(
        stack,
        trail=MonitoringTrail.create(),
        keys=[new_key(stack, policy_reviewed_on="2026-11-20")],
        emails=["security@example.com"],
        organization_id="o-a1b2c3d4e5",
    )
    return stack


def test_the_stack_passes_the_packs_and_awssolutions_and_says_where_it_does_not(tmp_path: Path) -> None:
    app = App(analytics_reporting=False, outdir=str(tmp_path))
    full(app)
    member = new_stack("Member", app)
    KmsEventForwarder(member, "Kms", bus_arn="arn:aws:events:eu-west-1:111122223333:event-bus/prod-kms")
    enforce_guardrails(app, {})
    Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    app.synth()

    report = json.loads((tmp_path / "validation-report.json").read_text("utf-8"))
    assert {one["pluginName"]: one["violations"] for one in report["pluginReports"]} == {"AwsSolutions": []}
    own = json.loads((tmp_path / "kms-constructs-report.json").read_text("utf-8"))
    assert {one["outcome"] for one in own["findings"]} <= {"compliant", "not applicable"}
    argued = {
        (suppressed["ruleName"], where["constructPath"])
        for one in report["pluginReports"]
        for suppressed in one.get("suppressedViolations", [])
        for where in suppressed["violatingConstructs"]
    }
    assert argued == {
        ("AwsSolutions-S1", "Security/Keys/TrailBucket/Resource"),
        ("AwsSolutions-SQS3", "Security/Keys/DeadLetters/Resource"),
    }


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    directory = tmp_path_factory.mktemp("out")
    app = App(analytics_reporting=False, outdir=str(directory))
    full(app)
    app.synth()
    return json.loads((directory / "Security.template.json").read_text("utf-8"))


def use_of(template: dict[str, Any]) -> str:
    """What KMS:USE objects to, and what it warns of."""
    try:
        report = assert_guardrails(template, controls=["KMS:USE"], account=ACCOUNT, region=REGION)
    except GuardrailError as error:
        return str(error)
    return "\n".join(
        f"{one.control} {one.message}"
        for one in report.findings
        if one.outcome in (Outcome.VIOLATION, Outcome.UNDETERMINED)
    )


def without(template: dict[str, Any], sid: str) -> dict[str, Any]:
    copy: dict[str, Any] = json.loads(json.dumps(template))
    taken = 0
    for one in copy["Resources"].values():
        if one["Type"] == "AWS::KMS::Key":
            policy = one["Properties"]["KeyPolicy"]
            kept = [statement for statement in policy["Statement"] if statement["Sid"] != sid]
            taken += len(policy["Statement"]) - len(kept)
            policy["Statement"] = kept
    assert taken == 1
    return copy


def test_whatever_is_given_a_key_can_use_it(template: dict[str, Any]) -> None:
    assert use_of(template) == ""


@pytest.mark.parametrize(
    ("sid", "service"),
    [
        ("ServiceEventbridgeTopics", "events.amazonaws.com"),
        ("ServiceCloudWatchAlarms", "cloudwatch.amazonaws.com"),
        ("ServiceEventbridge", "events.amazonaws.com"),
        ("ServiceSns", "sns.amazonaws.com"),
        ("ServiceCloudTrailEncrypt", "cloudtrail.amazonaws.com"),
        ("ServiceCloudWatchLogs", "logs."),
    ],
)
def test_a_statement_that_is_taken_out_is_missed(template: dict[str, Any], sid: str, service: str) -> None:
    found = use_of(without(template, sid))
    assert "KMS:USE" in found
    assert service in found


def test_a_condition_on_the_source_drops_every_event_and_is_found(
    template: dict[str, Any],
) -> None:
    """EventBridge sends no source towards SNS, so the statement would allow nothing."""
    copy = json.loads(json.dumps(template))
    for one in copy["Resources"].values():
        if one["Type"] == "AWS::KMS::Key":
            for statement in one["Properties"]["KeyPolicy"]["Statement"]:
                if statement["Sid"] == "ServiceEventbridgeTopics":
                    statement["Condition"] = {"StringEquals": {"aws:SourceAccount": "111122223333"}}
    found = use_of(copy)
    assert "KMS:USE" in found
    assert "events.amazonaws.com" in found
