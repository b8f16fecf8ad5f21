"""Whatever single call fails, and however: what it touched is undetermined, and nothing else changes."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from concurrent.futures import Executor, Future
from dataclasses import replace
from functools import cache
from typing import Any
from unittest.mock import patch

import pytest
from botocore.exceptions import BotoCoreError, ClientError, EndpointConnectionError, ReadTimeoutError
from botocore.parsers import ResponseParserError

from kms_constructs.guardrails.engine import judge
from kms_constructs.guardrails.finding import Finding, Outcome, Report
from kms_constructs.guardrails.score import Score
from kms_constructs.guardrails.verdict import Verdict
from kms_constructs.model.estate import Key
from kms_constructs.runtime import inventory
from kms_constructs.runtime.asking import Asker
from kms_constructs.runtime.inventory import Inventory
from kms_constructs.runtime.pace import Pace
from kms_constructs.sources.cloudformation.template import TemplateInput
from kms_constructs.sources.cloudformation.templates import estate_from_templates
from kms_constructs.sources.kms_api import estate, trails
from kms_constructs.sources.kms_api.answers import Answers, Call, Scope
from kms_constructs.sources.kms_api.estate import estate_from_answers
from tests.guardrails.factories import TODAY
from tests.runtime.accounts import OTHER_REGION, member, trailless, whole
from tests.runtime.replay import Replay, client_error
from tests.sources.kms_api.build import ACCOUNT, GOOD_POLICY, REGION

FAULTS: dict[str, ClientError | BotoCoreError | ResponseParserError] = {
    "access denied": client_error("AccessDeniedException"),
    "throttled": client_error("ThrottlingException"),
    "the key has vanished": client_error("NotFoundException"),
    "the endpoint is down": EndpointConnectionError(endpoint_url="https://kms"),
    "no answer in time": ReadTimeoutError(endpoint_url="https://kms"),
    "internal error": client_error("KMSInternalException"),
    "no answer of AWS at all": ResponseParserError("a proxy's page"),
}
WORLDS = {
    "account": whole,
    "member of an organization": member,
    "without a trail": trailless,
    "against a template": whole,
}


def calls_of(world: str) -> list[Call]:
    """Every call site of a world: each operation, of each key, in each Region."""
    calls = (
        call
        for call in WORLDS[world]().given
        if not dict(call.parameters).get("KeyId", "").startswith("aws-managed")
    )
    return sorted(calls, key=lambda call: (call.region, call.name, call.parameters))


SITES = [
    (world, call)
    for world in WORLDS
    for call in calls_of(world)
    # What the other worlds add to the first: all else of them is the same.
    if world in ("account", "against a template") or call.service in ("organizations", "cloudtrail")
]


class AtOnce(Executor):
    """A pool without threads: what it is given is done when it returns."""

    def __init__(self, _threads: int) -> None:
        """Takes what a pool takes."""

    def submit(self, function: Callable[..., Any], /, *given: Any, **named: Any) -> Future[Any]:
        done: Future[Any] = Future()
        done.set_result(function(*given, **named))
        return done


def asked(replay: Replay, scopes: tuple[Scope, ...] | None = None) -> Answers:
    mine = Answers(whole().scopes if scopes is None else scopes)
    Inventory(Asker(mine, replay, pace=Pace(sleep=lambda _seconds: None)), threads=4).run()
    return mine


def asked_at_once(replay: Replay, scopes: tuple[Scope, ...]) -> Answers:
    """The same without threads, which are a third of the time of a test that asks a thousand times."""
    with patch.object(inventory, "ThreadPoolExecutor", AtOnce):
        return asked(replay, scopes)


def report_of(answers: Answers, world: str = "account") -> Report:
    found = estate_from_answers(answers)
    if world != "against a template":
        return judge(found, today=TODAY)
    return judge(replace(found, expected=declared()), controls=["KMS:DRIFT", "KMS:LIVE"], today=TODAY)


@cache
def declared() -> tuple[Key, ...]:
    """What is declared: keys as they are, others, one that is not there, and one of any Region."""

    def template(region: str | None, *names: str) -> TemplateInput:
        resources: dict[str, Any] = {}
        for name in names:
            properties = {
                "KeyPolicy": GOOD_POLICY,
                "EnableKeyRotation": True,
                "Description": name,
                "MultiRegion": name == "many",
                "Tags": [{"Key": "environment", "Value": "prd"}],
            }
            alias = {"AliasName": f"alias/{name}", "TargetKeyId": {"Ref": name}}
            resources[name] = {"Type": "AWS::KMS::Key", "Properties": properties}
            resources[f"{name}Alias"] = {"Type": "AWS::KMS::Alias", "Properties": alias}
        return TemplateInput({"Resources": resources}, "app.json", account=ACCOUNT, region=region)

    return estate_from_templates(
        [template(REGION, "good", "public", "still", "absent"), template(None, "many")]
    ).keys


@cache
def undisturbed(world: str = "account") -> Report:
    answers = WORLDS[world]()
    return report_of(asked(Replay(answers), answers.scopes), world)


Said = tuple[str, str, str, str, str, str]


def said(report: Report, outcome: Outcome | None = None) -> set[Said]:
    return {one_said(one) for one in report.findings if outcome in (None, one.outcome)}


def one_said(one: Finding) -> Said:
    place = one.location
    return place.source, place.logical_id, one.control, one.detail, one.outcome.value, one.message


def touched(call: Call, source: str, logical_id: str) -> bool:
    """Whether a finding about a resource rests on what a call would have brought."""
    if call.region == "global":
        return True  # the account's IAM, which may open every key
    if source == "app.json":
        # That a declared key is not there rests on everything that a key is known by.
        return call.operation in ("ListAliases", "ListKeys", "ListResourceTags")
    here = source == f"{call.account}/{call.region}"
    if call.service == "cloudtrail":
        return (here and logical_id in ("trail/all", "trails")) or source in (
            ACCOUNT,
            f"{ACCOUNT}/organizations",
        )
    if not call.subject:
        return here or logical_id.startswith("mrk-")
    if call.subject.startswith("mrk-"):
        return logical_id == call.subject  # a replica is held against its primary
    return here and logical_id == call.subject


def follows(one: Said, before: set[Said]) -> bool:
    """Whether an answer that is not "undetermined" says nothing that was not known before.

    A control that was violated still is, in other words; and a policy may show that a control holds for any
    kind of key, where it did not even apply to the kind that the key was known to be.
    """
    of_control = {other[4] for other in before if other[:3] == one[:3]}
    if one[4] == Outcome.VIOLATION:
        return Outcome.VIOLATION in of_control
    return one[4] == Outcome.COMPLIANT and of_control == {Outcome.NOT_APPLICABLE}


def test_the_undisturbed_report_has_something_of_everything() -> None:
    outcomes = {one.outcome for one in undisturbed().findings}
    assert outcomes == set(Outcome) - {Outcome.UNDETERMINED}


@pytest.mark.parametrize("world", WORLDS)
def test_everything_is_asked(world: str) -> None:
    answers = WORLDS[world]()
    assert set(asked(Replay(answers), answers.scopes).given) == set(calls_of(world))


def test_every_operation_that_there_is_has_a_site() -> None:
    source = "".join(inspect.getsource(module) for module in (inventory, estate, trails))
    operations = set(re.findall(r'"((?:List|Get|Describe)[A-Z]\w+)"', source))
    assert {call.operation for _, call in SITES} == operations


@pytest.mark.parametrize(
    ("world", "call"),
    SITES,
    ids=[f"{world}-{call.region}-{call.operation}-{call.subject}" for world, call in SITES],
)
def test_one_failing_call_makes_what_it_touched_undetermined_and_changes_nothing_else(
    world: str, call: Call
) -> None:
    answers = WORLDS[world]()
    before = said(undisturbed(world))
    for name, error in FAULTS.items():
        replay = Replay(answers, lambda one, _page, error=error: error if one == call else None)  # type: ignore[misc]
        ask = asked if name == "access denied" else asked_at_once
        report = report_of(ask(replay, answers.scopes), world)
        after = said(report)

        told = [
            one for one in report.findings if one.detail == "unanswered" and call.operation in one.message
        ]
        assert told, name
        assert {one.outcome for one in told} == {Outcome.UNDETERMINED}, name
        assert report.verdict is not Verdict.CLEAN
        # Nothing that was not touched changes.
        assert {one for one in before - after if not touched(call, *one[:2])} == set(), name
        # What is new is that something is not known: no pass, and no violation.
        new = {one for one in after - before if one[4] != Outcome.UNDETERMINED}
        assert {one for one in new if not follows(one, before)} == set(), name
        assert {one for one in after - before if not touched(call, *one[:2])} == set(), name


def test_a_token_that_expires_midway_leaves_the_rest_undetermined_and_asks_no_more() -> None:
    calls = 0

    def expires(_call: Call, _page: int) -> ClientError | None:
        nonlocal calls
        calls += 1
        return client_error("ExpiredTokenException") if calls > 12 else None

    replay = Replay(whole(), expires)
    answers = Answers(whole().scopes)
    Inventory(Asker(answers, replay, pace=Pace(sleep=lambda _seconds: None)), threads=1).run()
    report = report_of(answers)
    assert len(replay.asked) in (13, 14)  # the other lane may have begun one
    gaps = [one for one in report.findings if one.detail == "unanswered"]
    assert gaps
    assert all("ExpiredTokenException" in one.message for one in gaps)
    before = said(undisturbed())
    new = {one for one in said(report) - before if one[4] != Outcome.UNDETERMINED}
    assert {one for one in new if not follows(one, before)} == set()


def test_everything_refused_is_all_undetermined_and_no_pass() -> None:
    report = report_of(asked(Replay(whole(), lambda _call, _page: client_error("AccessDenied"))))
    assert {one.outcome for one in report.findings} == {Outcome.UNDETERMINED}
    assert report.verdict is Verdict.UNDETERMINED
    assert Score.of(report).value == 0


def test_an_answer_that_is_refused_midway_keeps_its_pages_and_is_incomplete() -> None:
    call = Call.of(ACCOUNT, REGION, "kms", "ListKeys")
    replay = Replay(
        whole(),
        lambda one, page: client_error("ThrottlingException") if one == call and page == 2 else None,
        page=2,
    )
    answers = asked(replay)
    estate = estate_from_answers(answers)
    assert [key.location.logical_id for key in estate.keys if key.region == REGION] == [
        "good", "public", "delegating", "still"
    ]  # fmt: skip
    assert [(one.call, one.code) for one in estate.unanswered] == [("kms:ListKeys", "ThrottlingException")]
    assert OTHER_REGION in {key.region for key in estate.keys}
