"""Trails of plans: what they leave out, and where that stands, in Terraform's words."""

from __future__ import annotations

from typing import Any

import pytest

from kms_constructs.model.unknown import is_unknown
from tests.sources.terraform.plans import Json, block, made, module, plan, read, refers

KMS = "kms.amazonaws.com"


def _basic(*excluded: str, **more: Any) -> Json:
    return {
        "event_selector": [
            {
                "include_management_events": True,
                "read_write_type": "All",
                "exclude_management_event_sources": list(excluded),
                "data_resource": [],
                **more,
            }
        ]
    }


def _advanced(*fields: Json) -> Json:
    empty = dict.fromkeys(
        ("equals", "not_equals", "starts_with", "not_starts_with", "ends_with", "not_ends_with")
    )
    selector = {"name": "all", "field_selector": [{**empty, **one} for one in fields]}
    return {"event_selector": [], "advanced_event_selector": [selector]}


MANAGEMENT: Json = {"field": "eventCategory", "equals": ["Management"]}
EXCLUDED = "event_selector/0/exclude_management_event_sources"
TRAILS: dict[str, tuple[Json, Json, tuple[object, object, object, str]]] = {
    "nothing said": ({}, {}, (True, False, True, "")),
    "switched off": ({"enable_logging": False}, {}, (False, False, True, "")),
    "all management events": (_basic(), {}, (True, False, True, "")),
    "KMS excluded": (_basic(KMS), {}, (True, True, True, f"{EXCLUDED}/0")),
    "no management events": (
        _basic(include_management_events=False),
        {},
        (True, False, False, "event_selector"),
    ),
    "reads only": (
        _basic(read_write_type="ReadOnly"),
        {},
        (True, True, True, "event_selector/0/read_write_type"),
    ),
    "advanced": (_advanced(MANAGEMENT), {}, (True, False, True, "")),
    "advanced, KMS excluded": (
        _advanced(MANAGEMENT, {"field": "eventSource", "not_equals": [KMS]}),
        {},
        (True, True, True, "advanced_event_selector/0/field_selector/1/not_equals"),
    ),
    "known after apply": ({}, {"event_selector": True}, (True, None, None, "event_selector")),
}


@pytest.mark.parametrize(("values", "unknown", "expected"), TRAILS.values(), ids=TRAILS.keys())
def test_trails(values: Json, unknown: Json, expected: tuple[object, object, object, str]) -> None:
    blocks = module(block("aws_cloudtrail.t", {one: refers("local.selectors") for one in unknown}))

    estate, problems = read(plan(made("aws_cloudtrail.t", values, unknown=unknown), configuration=blocks))

    (trail,) = estate.trails
    found = (trail.logging, trail.kms_excluded, trail.management_events)
    assert (*(None if is_unknown(one) else one for one in found), trail.path) == expected
    assert (trail.id, trail.location.logical_id, problems) == ("aws_cloudtrail.t", "aws_cloudtrail.t", [])
