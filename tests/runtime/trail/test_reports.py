"""Every report is what a count in plain Python says, over whatever a trail holds."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from functools import cache
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kms_constructs.runtime.trail.catalogue import reports
from kms_constructs.runtime.trail.compile import Asked, Sources, compile_query
from kms_constructs.runtime.trail.duckdb_engine import DuckDbEngine
from kms_constructs.runtime.trail.engine import ask
from tests.runtime.trail.plain_count import PlainCount
from tests.runtime.trail.records import (
    ALIAS,
    FOREIGN,
    HOME,
    IDENTITIES,
    IDS,
    KEYS,
    OTHER,
    START,
    flat_tables,
    rows_of,
    trails,
)

DAYS = st.integers(-1, 5).map(lambda number: START.date() + timedelta(days=number))
FEWER = settings(max_examples=max(settings().max_examples // 4, 20))
"""An example asks every report."""
EVERYTHING = Asked(since=date(2026, 1, 1), until=date(2026, 12, 31))


@pytest.fixture(scope="module")
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as one:
        yield one


def asked_of(
    connection: duckdb.DuckDBPyConnection, name: str, asked: Asked = EVERYTHING
) -> list[tuple[Any, ...]]:
    (report,) = ask(DuckDbEngine(connection, "test"), [reports()[name]], asked)
    return list(report.rows)


def given_records(connection: duckdb.DuckDBPyConnection, *records: dict[str, Any]) -> None:
    flat_tables(connection, *rows_of(records))


def record(number: int = 1, **fields: Any) -> dict[str, Any]:
    return {
        "eventID": f"e-{number}",
        "eventTime": "2026-03-02T10:00:00Z",
        "eventSource": "kms.amazonaws.com",
        "eventName": "Decrypt",
        "awsRegion": "eu-central-1",
        "recipientAccountId": HOME,
        "userIdentity": IDENTITIES[0],
        "requestParameters": {"keyId": KEYS[0]},
        **fields,
    }


@FEWER
@given(trail=trails(), days=st.tuples(DAYS, DAYS).map(sorted))
def test_every_report_is_what_a_plain_count_says(
    connection: duckdb.DuckDBPyConnection, trail: list[dict[str, Any]], days: list[date]
) -> None:
    events, keys = rows_of(trail)
    flat_tables(connection, events, keys)
    counted = PlainCount(events, keys, *days)
    for name in reports():
        assert asked_of(connection, name, Asked(since=days[0], until=days[1])) == counted.report(name), name


@FEWER
@given(trail=trails())
def test_one_record_a_call_is_found_in_one_reading_as_in_two(
    connection: duckdb.DuckDBPyConnection, trail: list[dict[str, Any]]
) -> None:
    flat_tables(connection, *rows_of(trail))
    for name, pair in both_readings().items():
        one, two = (connection.execute(sql).fetchall() for sql in pair)
        assert one == two, name


@cache
def both_readings() -> dict[str, tuple[str, str]]:
    """Each report over records that may be there twice, and over unique ones."""
    maybe, unique = Sources(unique=False), Sources(unique=True)
    return {
        name: (
            compile_query(query, "duckdb", EVERYTHING, maybe),
            compile_query(query, "duckdb", EVERYTHING, unique),
        )
        for name, query in reports().items()
    }


@cache
def of_key_alone(name: str, key: str) -> str:
    """A report on one of the few keys: it takes longer to put together than to run."""
    asked = Asked(since=EVERYTHING.since, until=EVERYTHING.until, key=key)
    return compile_query(reports()[name], "duckdb", asked)


@FEWER
@given(trail=trails(), key=st.sampled_from((*KEYS, FOREIGN, *IDS)))
def test_a_key_asked_for_is_a_trail_of_its_calls_alone(
    connection: duckdb.DuckDBPyConnection, trail: list[dict[str, Any]], key: str
) -> None:
    events, keys = rows_of(trail)
    flat_tables(connection, events, keys)
    wanted = [row for row in keys if row.key == key or row.key.endswith(f":key/{key}")]
    of_key = {row.event_id for row in wanted}
    counted = PlainCount(
        [event for event in events if event.event_id in of_key], wanted, EVERYTHING.since, EVERYTHING.until
    )
    for name in reports():
        assert connection.execute(of_key_alone(name, key)).fetchall() == counted.report(name), name


@pytest.mark.parametrize("key", ["alias/orders", ALIAS])
def test_an_alias_asked_for_is_the_keys_behind_it_however_they_are_named(
    connection: duckdb.DuckDBPyConnection, key: str
) -> None:
    given_records(
        connection,
        record(1, requestParameters={"keyId": "alias/orders"}, resources=[{"ARN": KEYS[0]}]),
        record(2, requestParameters={"keyId": KEYS[0]}),
        record(3, requestParameters={"keyId": KEYS[1]}),
    )
    asked = Asked(since=EVERYTHING.since, until=EVERYTHING.until, key=key)
    assert [row[:2] for row in asked_of(connection, "by-key", asked)] == [(KEYS[0], 2)]
    other = Asked(since=EVERYTHING.since, until=EVERYTHING.until, key="alias/order_")
    assert asked_of(connection, "by-key", other) == []


def test_a_call_that_two_accounts_recorded_counts_once_for_the_caller_that_one_of_them_knows(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    given_records(
        connection,
        record(1, sharedEventID="s", recipientAccountId=OTHER, userIdentity=IDENTITIES[5]),
        record(2, sharedEventID="s"),
    )
    assert [row[0] for row in asked_of(connection, "by-principal")] == [
        IDENTITIES[0]["sessionContext"]["sessionIssuer"]["arn"]
    ]
    assert asked_of(connection, "totals")[0][0] == 1
    assert [row[:2] for row in asked_of(connection, "by-key")] == [(KEYS[0], 1)]


def test_a_re_encryption_counts_for_both_keys_each_with_its_context(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    given_records(
        connection,
        record(
            eventName="ReEncrypt",
            requestParameters={
                "sourceKeyId": KEYS[0], "sourceEncryptionContext": {"a": "1"},
                "destinationKeyId": KEYS[1], "destinationEncryptionContext": {"b": "2"},
            },
            resources=[{"ARN": KEYS[0]}, {"ARN": KEYS[1]}],
        ),
    )  # fmt: skip
    assert [row[:3] for row in asked_of(connection, "by-encryption-context")] == [
        (KEYS[0], '{"a":"1"}', 1),
        (KEYS[1], '{"b":"2"}', 1),
    ]
    assert asked_of(connection, "totals")[0][0] == 1


@pytest.mark.parametrize(
    ("fields", "used"),
    [
        ({}, True),
        ({"eventName": "DescribeKey"}, False),
        ({"errorCode": "AccessDenied"}, False),
        ({"eventName": "Decapsulate"}, True),
        ({"eventName": "PutKeyPolicy"}, False),
        ({"eventSource": "s3.amazonaws.com"}, False),
    ],
)
def test_only_cryptography_that_succeeds_is_use(
    connection: duckdb.DuckDBPyConnection, fields: dict[str, Any], used: bool
) -> None:
    given_records(connection, record(**fields))
    assert [row[0] for row in asked_of(connection, "last-use")] == [KEYS[0]] * used


def test_hours_are_of_the_week_from_monday(connection: duckdb.DuckDBPyConnection) -> None:
    given_records(
        connection,
        record(1, eventTime="2026-03-02T00:00:00Z"),  # a Monday
        record(2, eventTime="2026-03-08T23:59:59Z"),
        record(3, eventTime="2026-03-15T23:00:00Z"),
    )
    assert [row[1:] for row in asked_of(connection, "hours")] == [(0, 0, 1), (6, 23, 2)]


def test_more_rows_than_asked_for_are_cut_and_said(connection: duckdb.DuckDBPyConnection) -> None:
    given_records(connection, *(record(number, userAgent=f"agent {number}") for number in range(3)))
    for most, cut in ((2, True), (3, False)):
        asked = Asked(since=EVERYTHING.since, until=EVERYTHING.until, most=most)
        (report,) = ask(DuckDbEngine(connection, "test"), [reports()["by-user-agent"]], asked)
        assert (len(report.rows), report.cut) == (most, cut)
