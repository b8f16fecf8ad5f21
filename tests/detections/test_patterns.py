"""Every pattern against every event, by two matchers that know nothing of each other, and by the judge."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
from moto.events.models import EventPattern

from kms_constructs.detections.catalogue import WATCHES, find_watch
from kms_constructs.detections.event import Event
from kms_constructs.detections.judge import judge
from kms_constructs.detections.patterns import LONGEST_PATTERN, WatchedKey, in_portions, pattern
from kms_constructs.detections.watch import Watch
from tests.detections.events import (
    ACCOUNT,
    ALICE,
    CASES,
    KEY,
    KEY_ID,
    OTHER,
    OTHER_ID,
    RESCUE,
    SERVICE,
    STRANGER,
    Case,
    call,
    session,
)  # fmt: skip
from tests.ministack import MiniStack

Matcher = Callable[[dict[str, Any], dict[str, Any]], bool]

WATCHED = (WatchedKey(arn=KEY, key_id=KEY_ID),)
DEPLOY = f"arn:aws:iam::{ACCOUNT}:role/Deploy"


def by_moto(one: dict[str, Any], event: dict[str, Any]) -> bool:
    """moto's matcher, asked once for each resource: it compares no arrays of objects."""
    matcher = EventPattern.load(json.dumps(one))
    detail = event["detail"]
    listed = detail.get("resources") or [{}]
    each = [{**event, "detail": {**detail, "resources": entry}} for entry in listed]
    return any(matcher.matches_event(single) for single in each)


@pytest.fixture(params=["moto", "ministack"])
def matches(request: pytest.FixtureRequest) -> Matcher:
    if request.param == "moto":
        return by_moto
    events = request.getfixturevalue("ministack").client("events")

    def by_ministack(one: dict[str, Any], event: dict[str, Any]) -> bool:
        answer = events.test_event_pattern(EventPattern=json.dumps(one), Event=json.dumps(event))
        return answer["Result"] is True

    return by_ministack


def fired(matches: Matcher, event: dict[str, Any], patterns: Mapping[str, dict[str, Any]]) -> set[str]:
    return {name for name, one in patterns.items() if matches(one, event)}


ALL = {watch.id: pattern(watch) for watch in WATCHES}
OF_KEY = {watch.id: pattern(watch, keys=WATCHED) for watch in WATCHES}


def test_every_event_sets_off_what_it_should(matches: Matcher) -> None:
    wrong = {case.name: found for case in CASES if (found := fired(matches, case.event, ALL)) != case.fires}
    assert wrong == {}


def test_for_one_key_every_event_of_it_does_and_no_other(matches: Matcher) -> None:
    anywhere = {watch.id for watch in WATCHES if not watch.on_key}
    wrong = {
        case.name: found
        for case in CASES
        if (found := fired(matches, case.event, OF_KEY))
        != (case.fires if case.of_key else case.fires & anywhere)
    }
    assert wrong == {}


@pytest.mark.parametrize("keys", [None, (KEY, KEY_ID)], ids=["all keys", "one key"])
def test_the_judge_says_the_same(keys: tuple[str, ...] | None) -> None:
    anywhere = {watch.id for watch in WATCHES if not watch.on_key}
    wrong = {
        case.name: found
        for case in CASES
        if (found := {watch.id for watch in judge(Event.from_envelope(case.event), keys=keys)})
        != (case.fires if keys is None or case.of_key else case.fires & anywhere)
    }
    assert wrong == {}


def test_every_watch_is_set_off_by_one_event_and_left_alone_by_another() -> None:
    assert {name for case in CASES for name in case.fires} == set(ALL)
    assert all(any(watch.id not in case.fires for case in CASES) for watch in WATCHES)


AUTHORISED = {
    "one role": [RESCUE],
    "two": [RESCUE, ALICE["arn"]],
    "a pattern": ["arn:aws:iam::*:role/security/*"],
    "a pattern and a role": [DEPLOY, "arn:aws:iam::*:role/security/Res*"],
}
CALLERS = {
    "user": ALICE,
    "rescue": session(RESCUE),
    "other role": session(DEPLOY),
    "role of the same name elsewhere": session(f"arn:aws:iam::{ACCOUNT}:role/Rescue"),
    "user of another account": {**ALICE, "arn": "arn:aws:iam::444455556666:user/Alice"},
    "service": SERVICE,
    "account": STRANGER,
    "session of a user": {**ALICE, "sessionContext": {"attributes": {"mfaAuthenticated": "true"}}},
    "empty issuer": {**ALICE, "sessionContext": {"sessionIssuer": {}, "attributes": {}}},
}
NAMED = {
    ("one role", "rescue"), ("two", "rescue"), ("two", "user"), ("two", "session of a user"),
    ("two", "empty issuer"), ("a pattern", "rescue"), ("a pattern and a role", "rescue"),
    ("a pattern and a role", "other role"),
}  # fmt: skip
GUARDED = [watch for watch in WATCHES if watch.guarded]


@pytest.mark.parametrize("scope", [(), WATCHED], ids=["all keys", "one key"])
def test_authorised_callers_are_told_from_all_others(matches: Matcher, scope: tuple[WatchedKey, ...]) -> None:
    wrong = {}
    for watch in GUARDED:
        for listed, authorised in AUTHORISED.items():
            known, others = watch.split(authorised)
            patterns = {part.id: pattern(part, keys=scope, authorised=authorised) for part in (known, others)}
            for who, identity in CALLERS.items():
                event = call(watch.event_names[0], by=identity)
                expected = {watch.id if (listed, who) in NAMED else f"{watch.id}-unauthorised"}
                judged = {
                    part.id
                    for part in judge(
                        Event.from_envelope(event), authorised={watch.control: authorised}, watches=[watch]
                    )
                }
                found = fired(matches, event, patterns)
                if found != expected or judged != expected:
                    wrong[watch.id, listed, who] = (found, judged)
    assert wrong == {}


def test_a_refused_call_sets_off_neither(matches: Matcher) -> None:
    for watch in GUARDED:
        for part in watch.split([RESCUE]):
            event = call(watch.event_names[0], error="AccessDenied")
            assert not matches(pattern(part, authorised=[RESCUE]), event)


def keys(count: int) -> list[WatchedKey]:
    return [
        WatchedKey(arn=KEY.replace(KEY_ID, name), key_id=name, alias=f"alias/prod/{number}")
        for number in range(count)
        for name in [f"{number:08}-12ab-34cd-56ef-1234567890ab"]
    ]


def long_enough() -> Iterator[tuple[Watch, list[str]]]:
    for watch in WATCHES:
        yield watch, []
        if watch.guarded:
            yield from ((part, [RESCUE, DEPLOY]) for part in watch.split([RESCUE, DEPLOY]))


def test_many_keys_are_cut_so_that_every_pattern_fits_and_no_key_is_lost() -> None:
    for watch, authorised in long_enough():
        for count in (0, 1, 7, 40):
            portions = list(in_portions(watch, keys(count), authorised))
            lengths = [len(json.dumps(pattern(watch, keys=part, authorised=authorised))) for part in portions]
            assert max(lengths) <= LONGEST_PATTERN
            if watch.on_key:
                assert [key for part in portions for key in part] == keys(count)


def test_principals_that_leave_no_room_for_a_key_are_refused() -> None:
    many = [f"arn:aws:iam::{ACCOUNT}:role/Rescue{number}" for number in range(100)]
    with pytest.raises(ValueError, match="do not fit"):
        list(in_portions(find_watch("disable-key").split(many)[1], WATCHED, many))


def test_the_two_matchers_are_two(ministack: MiniStack) -> None:
    """moto alone would miss what is in arrays of objects, so it is asked once for each resource."""
    event = call("DisableKey", resources=[{"ARN": OTHER}, {"ARN": KEY}], parameters={"keyId": OTHER_ID})
    one = OF_KEY["disable-key"]
    assert not EventPattern.load(json.dumps(one)).matches_event(event)  # type: ignore[arg-type]
    assert by_moto(one, event)
    assert ministack.client("events").test_event_pattern(
        EventPattern=json.dumps(one), Event=json.dumps(event)
    )["Result"]


def test_a_case_reads_as_what_is_special_about_it() -> None:
    assert str(Case("bypass", {})) == "bypass"
