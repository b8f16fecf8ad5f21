from __future__ import annotations

import json
from typing import Any

import pytest
from aws_cdk import Stack

from kms_constructs.cdk.monitoring.alarms import MonitoringLimits
from kms_constructs.errors import ArgumentError
from tests.cdk.keys import new_key, new_stack, resources
from tests.cdk.monitoring.support import new_monitoring

pytestmark = pytest.mark.cdk

EXIST = {
    ("AWS/Usage", "CallCount"), ("AWS/KMS", "SecondsUntilKeyMaterialExpiration"),
    ("AWS/SQS", "ApproximateNumberOfMessagesVisible"), ("AWS/Events", "FailedInvocations"),
    ("AWS/Events", "TriggeredRules"), ("AWS/SNS", "NumberOfNotificationsDelivered"),
    ("AWS/SNS", "NumberOfNotificationsFailed"), ("KmsConstructs/prod-kms", "Calls"),
    ("KmsConstructs/prod-kms", "DeniedCalls"),
    ("KmsConstructs/prod-kms", "KeysDisabledOrScheduledForDeletion"),
}  # fmt: skip
"""Metrics that AWS documents, and those that the metric filters write."""


def alarms(stack: Stack) -> dict[str, dict[str, Any]]:
    return {name: one["Properties"] for name, one in resources(stack, "AWS::CloudWatch::Alarm").items()}


def find(stack: Stack, name: str) -> dict[str, Any]:
    (found,) = [one for logical, one in alarms(stack).items() if name in logical]
    return found


def metrics(alarm: dict[str, Any]) -> set[tuple[str, str]]:
    direct = {(alarm["Namespace"], alarm["MetricName"])} if "MetricName" in alarm else set()
    stats = [one["MetricStat"]["Metric"] for one in alarm.get("Metrics", []) if "MetricStat" in one]
    return direct | {(one["Namespace"], one["MetricName"]) for one in stats}


@pytest.fixture
def stack() -> Stack:
    stack = new_stack("Security")
    key = new_key(stack, "Imported", origin="EXTERNAL", material_expires="2027-06-30", alias="prod/imported")
    new_monitoring(stack, keys=[key, new_key(stack)])
    return stack


def test_every_alarm_is_on_metrics_that_there_are_tells_somebody_and_says_what_to_do(stack: Stack) -> None:
    found = alarms(stack)
    assert len(found) == 11
    for alarm in found.values():
        assert metrics(alarm) <= EXIST
        assert metrics(alarm)
        assert "Alerts" in alarm["AlarmActions"][0]["Ref"]
        assert len(alarm["AlarmDescription"]) > 40


def test_calls_are_held_against_their_quota(stack: Stack) -> None:
    alarm = find(stack, "SymmetricQuotaAlarm")
    name = "cryptographicOperationsSymmetric"
    assert [one["Expression"] for one in alarm["Metrics"] if "Expression" in one] == [
        f"100 * {name} / SERVICE_QUOTA({name})"
    ]
    (metric,) = [one["MetricStat"] for one in alarm["Metrics"] if "MetricStat" in one]
    assert {one["Name"]: one["Value"] for one in metric["Metric"]["Dimensions"]} == {
        "Class": "None", "Resource": "CryptographicOperationsSymmetric", "Service": "KMS", "Type": "API",
    }  # fmt: skip
    assert (metric["Period"], metric["Stat"], alarm["Threshold"]) == (60, "Sum", 80)


def test_key_material_is_warned_of_before_it_expires_and_only_where_it_can(stack: Stack) -> None:
    alarm = find(stack, "MaterialExpiryAlarm")
    assert (alarm["Threshold"], alarm["ComparisonOperator"]) == (
        30 * 86_400, "LessThanOrEqualToThreshold",
    )  # fmt: skip
    assert alarm["TreatMissingData"] == "ignore"
    assert "alias/prod/imported" in alarm["AlarmDescription"]
    assert "Imported" in alarm["Dimensions"][0]["Value"]["Ref"]


def test_the_log_group_counts_what_no_rule_sees(stack: Stack) -> None:
    found = {
        one["Properties"]["MetricTransformations"][0]["MetricName"]: one["Properties"]["FilterPattern"]
        for one in resources(stack, "AWS::Logs::MetricFilter").values()
    }
    assert found == {
        "Calls": '{ $.eventSource = "kms.amazonaws.com" }',
        "DeniedCalls": '{ ($.eventSource = "kms.amazonaws.com") && ($.errorCode = "AccessDenied*") }',
        "KeysDisabledOrScheduledForDeletion": '{ ($.eventSource = "kms.amazonaws.com") && (($.eventName = '
        '"DisableKey") || ($.eventName = "ScheduleKeyDeletion")) }',
    }
    volume = find(stack, "VolumeAlarm")
    assert volume["ThresholdMetricId"]
    assert "ANOMALY_DETECTION_BAND" in json.dumps(volume["Metrics"])


def test_failed_invocations_of_every_rule_are_counted(stack: Stack) -> None:
    counted = [
        dimension["Value"]["Ref"]
        for name, alarm in alarms(stack).items()
        if "FailedInvocations" in name
        for metric in alarm["Metrics"]
        if "MetricStat" in metric
        for dimension in metric["MetricStat"]["Metric"]["Dimensions"]
    ]
    assert sorted(counted) == sorted(resources(stack, "AWS::Events::Rule"))
    assert all(
        len([one for one in alarm["Metrics"] if "MetricStat" in one]) <= 10
        for name, alarm in alarms(stack).items()
        if "FailedInvocations" in name
    )


def test_on_a_central_bus_metrics_know_bus_and_rule() -> None:
    stack = new_stack("Security")
    new_monitoring(stack, accounts=["444455556666"])
    alarm = find(stack, "FailedInvocationsAlarm1")
    first = alarm["Metrics"][1]["MetricStat"]["Metric"]
    assert [one["Name"] for one in first["Dimensions"]] == ["EventBusName", "RuleName"]
    assert first["Dimensions"][1]["Value"]["Fn::Select"][0] == 1


def test_limits_are_what_was_given() -> None:
    stack = new_stack("Security")
    new_monitoring(stack, limits=MonitoringLimits(quota_percent=50, denied_calls=20))
    assert find(stack, "RsaQuotaAlarm")["Threshold"] == 50
    assert find(stack, "Denied")["Threshold"] == 20


@pytest.mark.parametrize(
    "limits", [{"quota_percent": 0}, {"expiry_days": 365}, {"denied_calls": 0}, {"standard_deviations": 11}]
)
def test_limits_beyond_their_bounds_are_refused(limits: dict[str, int]) -> None:
    (name,) = limits
    with pytest.raises(ArgumentError, match=f"{name}=.* is refused: it is 1 to"):
        MonitoringLimits(**limits)


def body(stack: Stack) -> dict[str, Any]:
    (found,) = resources(stack, "AWS::CloudWatch::Dashboard").values()
    text = found["Properties"]["DashboardBody"]
    parts = text if isinstance(text, str) else text["Fn::Join"][1]
    return json.loads("".join(one if isinstance(one, str) else "token" for one in parts))


def test_the_dashboard_shows_metrics_that_there_are_within_its_grid(stack: Stack) -> None:
    widgets = body(stack)["widgets"]
    assert [one["type"] for one in widgets[:2]] == ["text", "alarm"]
    shown = {
        tuple(line[:2]) for one in widgets for line in one["properties"].get("metrics", []) if len(line) > 1
    }
    assert shown == EXIST - {
        ("AWS/Events", "FailedInvocations"), ("KmsConstructs/prod-kms", "KeysDisabledOrScheduledForDeletion"),
    }  # fmt: skip
    assert all(one["x"] + one["width"] <= 24 for one in widgets)
    cells = [
        (x, y)
        for one in widgets
        for x in range(one["x"], one["x"] + one["width"])
        for y in range(one["y"], one["y"] + one["height"])
    ]
    assert len(cells) == len(set(cells))
