from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kms_constructs.detections.authorised import checked_authorised, is_named
from kms_constructs.detections.event import Event
from kms_constructs.detections.judge import judge
from kms_constructs.errors import ArgumentError
from tests.detections.events import (
    ALIAS,
    CASES,
    INTERNAL,
    KEY,
    KEY_ID,
    OTHER,
    RESCUE,
    call,
    resource,
    session,
)

BY_NAME = {case.name: Event.from_envelope(case.event) for case in CASES}


def test_the_caller_is_the_role_and_not_its_session() -> None:
    event = Event.from_record(call("DisableKey", by=session(RESCUE))["detail"])
    assert (event.caller, event.caller_type, event.service) == (RESCUE, "AssumedRole", None)


def test_a_service_event_has_no_caller() -> None:
    event = Event.from_record(call("RotateKey", by=INTERNAL, eventType="AwsServiceEvent")["detail"])
    assert (event.caller, event.service) == (None, "AWS Internal")
    assert event.detail_type == "AWS Service Event via CloudTrail"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("re-encrypted", {KEY, OTHER}),
        ("alias moved", {KEY, ALIAS, KEY_ID}),
        ("decrypted by alias", {KEY, "alias/prod/orders"}),
        ("random", set()),
        ("rotated", {KEY, KEY_ID}),
        ("DisableKey: refused, with a request alone", {KEY}),
    ],
)
def test_every_name_of_a_key_is_found(name: str, expected: set[str]) -> None:
    assert BY_NAME[name].keys == expected


def test_arns_of_keys_are_no_aliases() -> None:
    assert BY_NAME["alias moved"].key_arns == (KEY,)


def test_a_deleted_key_is_named_by_its_details() -> None:
    record = {"eventName": "DeleteKey", "serviceEventDetails": {"keyId": KEY_ID}, "resources": None}
    assert Event.from_record(record).keys == {KEY_ID}


def test_it_reads_as_a_line() -> None:
    event = Event.from_record(call("DisableKey", resources=[resource(KEY)])["detail"])
    assert str(event) == "2026-11-26T09:58:30Z DisableKey by arn:aws:iam::111122223333:user/Alice"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["userIdentity", "arn", "resources", "ARN", "keyId", "requestParameters", "eventName",
                         "sessionContext", "sessionIssuer", "detail", "detail-type", "errorCode", "source"]),
        inner, max_size=5),
    max_leaves=20,
)  # fmt: skip


@given(st.dictionaries(st.sampled_from(sorted(call("DisableKey")["detail"])), JSON))
def test_any_record_is_read_and_judged(record: dict[str, object]) -> None:
    assert isinstance(judge(Event.from_record(record), keys=["x"], authorised={"IAM-KMS-4": ["*"]}), tuple)


@given(st.dictionaries(st.sampled_from(sorted(call("DisableKey"))), JSON))
def test_any_envelope_is_read_and_judged(envelope: dict[str, object]) -> None:
    assert isinstance(judge(Event.from_envelope(envelope)), tuple)


@pytest.mark.parametrize(
    ("pattern", "caller", "expected"),
    [
        (RESCUE, RESCUE, True),
        (RESCUE, RESCUE.lower(), False),
        ("arn:aws:iam::*:role/security/*", RESCUE, True),
        ("arn:aws:iam::*:role/Rescue", RESCUE, False),
        ("arn.aws:iam::*", RESCUE, False),
        ("*", RESCUE, True),
    ],
)
def test_principals_are_compared_as_eventbridge_does(pattern: str, caller: str, expected: bool) -> None:
    assert is_named(caller, [pattern]) is expected


def test_principals_are_sorted_and_each_stands_once() -> None:
    assert checked_authorised([RESCUE, "arn:aws:iam::111122223333:role/A", RESCUE]) == (
        "arn:aws:iam::111122223333:role/A", RESCUE,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("bad", "fix"),
    [
        ("arn:aws:iam::111122223333:role/A?", "write * for the part that differs"),
        ("arn:aws:iam::111122223333:role/**", "write * for the part that differs"),
        ("arn:aws:sts::111122223333:assumed-role/A/s", "name the role"),
    ],
)
def test_what_eventbridge_cannot_compare_is_refused(bad: str, fix: str) -> None:
    with pytest.raises(ArgumentError, match="authorised=") as caught:
        checked_authorised([bad], "App/Monitoring")
    assert str(caught.value).startswith("App/Monitoring: ")
    assert fix in str(caught.value)
