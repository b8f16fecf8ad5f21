from __future__ import annotations

import json

import pytest
from moto.events.models import EventPattern

from kms_constructs.detections.forwarding import BUS, forwarding_pattern, forwarding_template
from kms_constructs.detections.patterns import LONGEST_PATTERN
from kms_constructs.errors import ArgumentError
from tests.detections.events import CASES

ARN = "arn:aws:events:eu-west-1:111122223333:event-bus/prod-kms"


def test_whatever_sets_off_a_rule_is_forwarded_and_what_reads_is_not() -> None:
    matcher = EventPattern.load(json.dumps(forwarding_pattern()))
    forwarded = {case.name for case in CASES if matcher.matches_event(case.event)}  # type: ignore[arg-type]
    assert {case.name for case in CASES if case.fires} <= forwarded
    assert forwarded.isdisjoint(
        {"decrypted by alias", "root reads", "trail read", "re-encrypted", "random", "somebody else's event"}
    )
    assert len(json.dumps(forwarding_pattern())) <= LONGEST_PATTERN


def test_the_bus_is_a_parameter_with_a_default_where_it_is_known() -> None:
    assert "Default" not in forwarding_template()["Parameters"][BUS]
    assert forwarding_template(ARN)["Parameters"][BUS]["Default"] == ARN


def test_the_role_may_send_to_the_bus_and_do_nothing_else() -> None:
    (policy,) = forwarding_template()["Resources"]["Role"]["Properties"]["Policies"]
    assert policy["PolicyDocument"]["Statement"] == [
        {"Effect": "Allow", "Action": "events:PutEvents", "Resource": {"Ref": BUS}}
    ]


@pytest.mark.parametrize(
    "arn", ["prod-kms", "arn:aws:events:eu-west-1:1:event-bus/x", f"{ARN}\n", "arn:aws:sqs:"]
)
def test_what_is_no_bus_is_refused(arn: str) -> None:
    with pytest.raises(ArgumentError, match="it is the ARN of an event bus"):
        forwarding_template(arn)
