"""LookupEvents: days, pages, the quota, and answers that do not come."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import boto3
import pytest
from botocore.config import Config
from botocore.stub import Stubber

from kms_constructs.runtime.trail.ingest import ingest
from kms_constructs.runtime.trail.lookup import Lookups
from kms_constructs.runtime.trail.sources import Scope
from kms_constructs.runtime.trail.store import TrailStore
from tests.runtime.trail.samples import ACCOUNT, REGION, record

CONFIG = Config(retries={"max_attempts": 1})
NOW = datetime(2026, 5, 3, 12, tzinfo=UTC)
SERVICES = ("kms.amazonaws.com", "cloudtrail.amazonaws.com")


class Asked:
    """A client of CloudTrail with answers at hand."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            monkeypatch.setenv(name, "testing")
        self.client = boto3.client(
            "cloudtrail", region_name=REGION, config=Config(retries={"max_attempts": 1})
        )
        self.stub = Stubber(self.client)
        self.stub.activate()
        self.waits: list[float] = []

    def answer(self, day: date, service: str, *pages: list[int]) -> None:
        start = datetime(day.year, day.month, day.day, tzinfo=UTC)
        for number, page in enumerate(pages, start=1):
            expected = {
                "LookupAttributes": [{"AttributeKey": "EventSource", "AttributeValue": service}],
                "StartTime": start,
                "EndTime": start + timedelta(hours=23, minutes=59, seconds=59),
                "MaxResults": 50,
            }
            if number > 1:
                expected["NextToken"] = f"token-{number - 1}"
            answer: dict[str, object] = {
                "Events": [
                    {"EventId": f"e-{one}", "CloudTrailEvent": json.dumps(record(one, eventSource=service))}
                    for one in page
                ]
            }
            if number < len(pages):
                answer["NextToken"] = f"token-{number}"
            self.stub.add_response("lookup_events", answer, expected)

    def lookups(self, scope: Scope, now: datetime = NOW) -> Lookups:
        return Lookups([(ACCOUNT, REGION, self.client)], scope, now, self.waits.append)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Asked:
    # One after the other: answers stand in an order.
    monkeypatch.setattr("kms_constructs.runtime.trail.ingest.READ_AHEAD", 2)
    return Asked(monkeypatch)


def test_each_day_is_asked_page_by_page_and_today_is_asked_again(asked: Asked, tmp_path: Path) -> None:
    scope = Scope(since=date(2026, 5, 2))
    asked.answer(date(2026, 5, 2), SERVICES[0], [1, 2], [3])
    asked.answer(date(2026, 5, 2), SERVICES[1], [])
    asked.answer(date(2026, 5, 3), SERVICES[0], [4])
    asked.answer(date(2026, 5, 3), SERVICES[1], [5])
    summary = ingest(tmp_path / "store", [asked.lookups(scope)])
    assert (summary.files, summary.kept, summary.quarantined) == (4, 5, [])
    asked.stub.assert_no_pending_responses()
    assert sum(wait > 0 for wait in asked.waits) == 3  # five requests, of which two a second are let through
    asked.answer(date(2026, 5, 3), SERVICES[0], [4, 6])
    asked.answer(date(2026, 5, 3), SERVICES[1], [5])
    summary = ingest(tmp_path / "store", [asked.lookups(scope, NOW + timedelta(minutes=5))])
    assert (summary.known, summary.files, summary.kept, summary.duplicates) == (2, 2, 1, 2)
    # A day is over when its last events can be asked for.
    for minutes, known in ((59, 0), (60, 0), (61, 2)):
        now = datetime(2026, 5, 4, tzinfo=UTC) + timedelta(minutes=minutes)
        if not known:
            asked.answer(date(2026, 5, 3), SERVICES[0], [4, 6])
            asked.answer(date(2026, 5, 3), SERVICES[1], [5])
        today = Scope(since=date(2026, 5, 3), until=date(2026, 5, 3))
        assert ingest(tmp_path / "store", [asked.lookups(today, now)]).known == known
    asked.stub.assert_no_pending_responses()


def test_an_answer_that_does_not_come_is_asked_for_again(asked: Asked, tmp_path: Path) -> None:
    scope = Scope(since=date(2026, 5, 2), until=date(2026, 5, 2))
    asked.stub.add_client_error("lookup_events", "ThrottlingException", "Rate exceeded", 400)
    asked.answer(date(2026, 5, 2), SERVICES[1], [1])
    summary = ingest(tmp_path / "store", [asked.lookups(scope)])
    assert [(one.name, one.problem) for one in summary.quarantined] == [
        (
            f"lookup-events:{ACCOUNT}:{REGION}:kms.amazonaws.com:2026-05-02",
            "CloudTrail does not answer: ThrottlingException: Rate exceeded",
        )
    ]
    asked.answer(date(2026, 5, 2), SERVICES[0], [2])
    summary = ingest(tmp_path / "store", [asked.lookups(scope)])
    assert (summary.files, summary.known, summary.quarantined) == (1, 1, [])
    assert TrailStore(tmp_path / "store").events == 2


def test_it_goes_back_as_far_as_cloudtrail_keeps_events(asked: Asked) -> None:
    days = [one.day for one in asked.lookups(Scope(since=date(2020, 1, 1))).items()]
    assert (days[0], days[-1], len(days)) == (date(2026, 2, 3), date(2026, 5, 3), 180)
    assert [one.day for one in asked.lookups(Scope(until=date(2026, 2, 3))).items()] == [date(2026, 2, 3)] * 2
    assert list(asked.lookups(Scope(until=date(2026, 2, 2))).items()) == []
