"""Calls as detections over trails read them."""

from __future__ import annotations

from typing import Any

from kms_constructs.detections.relations import flatten
from kms_constructs.detections.trail.calls import Call
from tests.detections.events import ALICE, call

OUTSIDER = "999988887777"
OUTSIDE_ROLE = f"arn:aws:iam::{OUTSIDER}:role/reader"


def recorded(name: str, *, at: str = "2026-05-20T10:00:00Z", **told: Any) -> Call:
    """A call as a store has it; see `tests.detections.events.call` for what may be told."""
    record = call(name, **{"by": ALICE, "eventTime": at, **told})["detail"]
    return Call(*flatten(record))
