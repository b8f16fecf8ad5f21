from __future__ import annotations

from typing import Any

import pytest
from aws_cdk import App, Stack
from aws_cdk import aws_cloudtrail as cloudtrail

from kms_constructs.cdk.monitoring.trail import MonitoringTrail, problem
from kms_constructs.errors import ArgumentError
from tests.cdk.keys import new_stack, resources
from tests.cdk.monitoring.support import new_monitoring

pytestmark = pytest.mark.cdk


def l1(stack: Stack, **properties: Any) -> cloudtrail.CfnTrail:
    return cloudtrail.CfnTrail(stack, "Trail", **{"is_logging": True, "s3_bucket_name": "logs", **properties})


WITHOUT_KMS = [{"excludeManagementEventSources": ["kms.amazonaws.com"], "includeManagementEvents": True}]
ADVANCED = [
    {"fieldSelectors": [
        {"field": "eventCategory", "equalTo": ["Management"]},
        {"field": "eventSource", "notEquals": ["kms.amazonaws.com"]},
    ]}
]  # fmt: skip


@pytest.mark.parametrize(
    ("properties", "says"),
    [
        ({}, None),
        ({"event_selectors": [{"readWriteType": "WriteOnly"}]}, None),
        ({"is_logging": False}, "it is switched off (IsLogging)"),
        ({"event_selectors": WITHOUT_KMS},
         "it leaves KMS events out (EventSelectors/0/ExcludeManagementEventSources/0)"),
        ({"event_selectors": [{"readWriteType": "ReadOnly"}]},
         "it leaves KMS events out (EventSelectors/0/ReadWriteType)"),
        ({"event_selectors": [{"includeManagementEvents": False}]}, "it records no management events"),
        ({"advanced_event_selectors": ADVANCED}, "it leaves KMS events out (AdvancedEventSelectors"),
    ],
)  # fmt: skip
def test_a_trail_of_the_app_is_read(properties: dict[str, Any], says: str | None) -> None:
    found = problem(l1(new_stack("Security"), **properties))
    assert found is None if says is None else found is not None and found.startswith(says)


def test_a_trail_that_leaves_kms_events_out_is_refused() -> None:
    stack = new_stack("Security")
    with pytest.raises(ArgumentError, match="of this one it leaves KMS events out") as caught:
        new_monitoring(stack, trail=l1(stack, event_selectors=WITHOUT_KMS))
    assert "without ExcludeManagementEventSources" in str(caught.value)


def test_a_trail_that_does_so_only_later_is_refused_at_synth() -> None:
    app = App(analytics_reporting=False)
    stack = new_stack("Security", app)
    trail = cloudtrail.Trail(stack, "Trail")
    new_monitoring(stack, trail=trail)
    resource = trail.node.default_child
    assert isinstance(resource, cloudtrail.CfnTrail)
    resource.event_selectors = WITHOUT_KMS
    with pytest.raises(RuntimeError, match="of this one it leaves KMS events out"):
        app.synth()


def test_a_trail_of_the_app_is_taken_with_its_log_group() -> None:
    stack = new_stack("Security")
    monitoring = new_monitoring(stack, trail=cloudtrail.Trail(stack, "Trail", send_to_cloud_watch_logs=True))
    assert "VolumeAlarm" in monitoring.alarms
    assert len(resources(stack, "AWS::CloudTrail::Trail")) == 1


@pytest.mark.parametrize(
    "trail", [MonitoringTrail.outside("arn:aws:cloudtrail:eu-west-1:111122223333:trail/x")]
)
def test_without_a_log_group_there_are_no_metric_filters(trail: MonitoringTrail) -> None:
    stack = new_stack("Security")
    monitoring = new_monitoring(stack, trail=trail)
    assert "VolumeAlarm" not in monitoring.alarms
    assert resources(stack, "AWS::Logs::MetricFilter") == {}


def test_one_is_made_that_records_kms_events_and_is_encrypted_validated_and_kept() -> None:
    stack = new_stack("Security")
    new_monitoring(stack, trail=MonitoringTrail.create(retention_days=400))

    (trail,) = resources(stack, "AWS::CloudTrail::Trail").values()
    properties = trail["Properties"]
    assert properties["IsLogging"] is True
    assert properties["EnableLogFileValidation"] is True
    assert properties["IsMultiRegionTrail"] is True
    assert "TrailKey" in properties["KMSKeyId"]["Fn::GetAtt"][0]
    assert "ExcludeManagementEventSources" not in str(properties)
    (bucket,) = resources(stack, "AWS::S3::Bucket").values()
    (lifecycle,) = bucket["Properties"]["LifecycleConfiguration"]["Rules"]
    assert (lifecycle["ExpirationInDays"], bucket["DeletionPolicy"]) == (400, "Retain")
    (group,) = resources(stack, "AWS::Logs::LogGroup").values()
    assert (group["Properties"]["RetentionInDays"], "KmsKeyId" in group["Properties"]) == (365, True)


def test_log_files_are_kept_for_ninety_days_at_least() -> None:
    with pytest.raises(ArgumentError, match="at least 90 days"):
        MonitoringTrail.create(retention_days=7)


@pytest.mark.parametrize(
    "arn", ["main", "arn:aws:s3:::logs", "arn:aws:cloudtrail:eu-west-1:1:eventdatastore/x"]
)
def test_what_is_no_trail_is_refused(arn: str) -> None:
    with pytest.raises(ArgumentError, match="it is the ARN of a trail"):
        MonitoringTrail.outside(arn)
