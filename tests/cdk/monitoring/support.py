"""A monitoring with everything that is required, and what became of it."""

from __future__ import annotations

from typing import Any

from aws_cdk import Stack

from kms_constructs.cdk.monitoring.monitoring import KmsMonitoring
from kms_constructs.cdk.monitoring.trail import MonitoringTrail
from tests.cdk.keys import ACCOUNT, ADMIN, REGION, new_stack

TRAIL = MonitoringTrail.outside(f"arn:aws:cloudtrail:{REGION}:{ACCOUNT}:trail/main", log_group_name="trail")


def new_monitoring(stack: Stack | None = None, construct_id: str = "Keys", **arguments: Any) -> KmsMonitoring:
    given: dict[str, Any] = {
        "environment": "prod",
        "trail": TRAIL,
        "key_administrators": [ADMIN],
        "policy_reviewed_on": "2026-11-20",
    }
    return KmsMonitoring(stack or new_stack("Security"), construct_id, **{**given, **arguments})
