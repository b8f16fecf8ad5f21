"""The relations that Athena makes of CloudTrail's files mean what `flatten` means: on DuckDB, row by row."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from functools import cache
from typing import Any

import duckdb
import pytest
import sqlglot
from hypothesis import given
from sqlglot import exp

from kms_constructs.detections.relations import EVENT_COLUMNS, KEY_COLUMNS
from kms_constructs.errors import ArgumentError
from kms_constructs.runtime.trail.athena_table import COLUMNS, AthenaTable, Layout, folders
from kms_constructs.runtime.trail.catalogue import reports
from kms_constructs.runtime.trail.compile import Asked, assemble, compile_query, scans
from tests.runtime.trail.plain_count import PlainCount
from tests.runtime.trail.records import HOME, KEYS, OTHER, json_text, rows_of, trails
from tests.runtime.trail.test_reports import EVERYTHING, FEWER, record

LAYOUT = Layout(bucket="trail-of-ours", accounts=(HOME, OTHER), regions=("eu-central-1", "us-east-1"))
TABLE = AthenaTable("main", LAYOUT, "records")
_JSON = ("requestparameters", "responseelements", "additionaleventdata", "serviceeventdetails")
_V = "VARCHAR"
_NESTED: dict[str, Any] = {
    "useridentity": {
        **dict.fromkeys(("type", "principalid", "arn", "accountid", "invokedby"), _V),
        "sessioncontext": {"sessionissuer": {"arn": _V}},
    },
    "resources": [{"arn": _V, "accountid": _V, "type": _V}],
}
_SHAPE = json.dumps([{**{name: _NESTED.get(name, _V) for name in COLUMNS}, "day": _V}])


@pytest.fixture(scope="module")
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as one:
        one.execute("set timezone = 'UTC'")
        yield one


def nested(record: Mapping[str, Any]) -> dict[str, Any]:
    """A record as the table has it: names in small letters, inner objects as the columns say."""
    lower = {name.lower(): value for name, value in record.items()}
    row: dict[str, Any] = {name: lower.get(name) for name in COLUMNS}
    for name in _JSON:
        row[name] = json_text(row[name])
    row["readonly"] = json_text(row["readonly"])
    identity = lower.get("useridentity") or {}
    issuer = identity.get("sessionContext", {}).get("sessionIssuer", {})
    row["useridentity"] = {
        **{name.lower(): value for name, value in identity.items() if name != "sessionContext"},
        "sessioncontext": {"sessionissuer": {"arn": issuer.get("arn")}},
    }
    if row["resources"] is not None:
        row["resources"] = [{name.lower(): value for name, value in one.items()} for one in row["resources"]]
    return {**row, "day": record["eventTime"][:10].replace("-", "/")}


def deliver(connection: duckdb.DuckDBPyConnection, records: Sequence[Mapping[str, Any]]) -> None:
    """Makes the table of Athena's, with what CloudTrail would have delivered."""
    rows = json.dumps([nested(one) for one in records])
    connection.execute(
        "create or replace table records as select r.* from (select unnest(from_json(?, ?)) as r)",
        [rows, _SHAPE],
    )


@cache
def of_files() -> Mapping[str, str]:
    """The relations, and the reports over them, in DuckDB's dialect."""
    sources = TABLE.sources(EVERYTHING, "duckdb")
    made = {name: tree.sql("duckdb") for name, tree in sources.made_of.items()}
    return made | {
        name: compile_query(query, "duckdb", EVERYTHING, sources) for name, query in reports().items()
    }


def relation(
    connection: duckdb.DuckDBPyConnection, name: str, columns: Mapping[str, str]
) -> list[tuple[Any, ...]]:
    listed = ", ".join(columns)
    return connection.execute(f"select {listed} from ({of_files()[name]}) order by all").fetchall()  # noqa: S608


def rows(found: Sequence[Any]) -> list[tuple[Any, ...]]:
    return [tuple(str(cell) for cell in row) for row in found]


@FEWER
@given(trail=trails(most=40))
def test_the_relations_are_those_of_flatten(
    connection: duckdb.DuckDBPyConnection, trail: list[dict[str, Any]]
) -> None:
    deliver(connection, trail)
    events, keys = rows_of(trail)
    told = [one._replace(event_time=one.event_time.replace("T", " ").removesuffix("Z")) for one in events]
    named = [one._replace(event_time=one.event_time.replace("T", " ").removesuffix("Z")) for one in keys]
    assert sorted(rows(relation(connection, "events", EVENT_COLUMNS))) == sorted(rows(told))
    assert sorted(rows(relation(connection, "event_keys", KEY_COLUMNS))) == sorted(rows(named))


@FEWER
@given(trail=trails())
def test_reports_of_files_delivered_twice_are_what_a_plain_count_says(
    connection: duckdb.DuckDBPyConnection, trail: list[dict[str, Any]]
) -> None:
    deliver(connection, [*trail, *trail[: len(trail) // 2]])
    counted = PlainCount(*rows_of(trail), EVERYTHING.since, EVERYTHING.until)
    for name in reports():
        assert connection.execute(of_files()[name]).fetchall() == counted.report(name), name


def test_what_was_delivered_after_midnight_is_of_its_day(connection: duckdb.DuckDBPyConnection) -> None:
    late = {**nested(record(eventTime="2026-03-01T23:59:00Z")), "day": "2026/03/02"}
    deliver(connection, [record(eventTime="2026-03-01T23:59:00Z")])
    connection.execute("update records set day = ?", [late["day"]])
    asked = Asked(since=date(2026, 3, 1), until=date(2026, 3, 1))
    sql = compile_query(reports()["by-key"], "duckdb", asked, TABLE.sources(asked, "duckdb"))
    assert [row[:2] for row in connection.execute(sql).fetchall()] == [(KEYS[0], 1)]


@pytest.mark.parametrize("name", reports())
@pytest.mark.parametrize("key", [None, KEYS[0]])
def test_every_reading_of_the_files_says_its_folders(name: str, key: str | None) -> None:
    asked = Asked(since=date(2026, 5, 1), until=date(2026, 5, 31), key=key)
    sql = compile_query(reports()[name], "trino", asked, TABLE.sources(asked))
    tree = sqlglot.parse_one(sql, read="trino")
    readings = [one for one in tree.find_all(exp.Table) if one.name == "records"]
    assert readings
    for one in readings:
        where = one.find_ancestor(exp.Select).args["where"].sql("trino")
        assert "day BETWEEN '2026/05/01' AND '2026/06/01'" in where
    assert "json_part" not in sql.lower()
    assert "partition_of" not in sql.lower()


def test_readings_are_counted_through_whatever_names_them() -> None:
    asked = Asked(since=date(2026, 5, 1), until=date(2026, 5, 31))
    counted = {
        name: scans(assemble(query, asked, TABLE.sources(asked)), "records")
        for name, query in reports().items()
    }
    assert {counted[name] for name in ("totals", "by-event", "by-principal", "by-error")} == {1}
    assert {counted[name] for name in ("by-key", "timeline", "hours", "last-use", "top-talkers")} == {2}


@pytest.mark.parametrize(
    ("layout", "location", "template"),
    [
        (
            LAYOUT,
            "s3://trail-of-ours/AWSLogs/",
            "s3://trail-of-ours/AWSLogs/${account}/CloudTrail/${region}/${day}",
        ),
        (
            Layout(
                bucket="trail-of-ours", prefix="logs/", organization="o-exampleorgid",
                accounts=(HOME,), regions=("eu-central-1",),
            ),
            "s3://trail-of-ours/logs/AWSLogs/o-exampleorgid/",
            "s3://trail-of-ours/logs/AWSLogs/o-exampleorgid/${account}/CloudTrail/${region}/${day}",
        ),
    ],
)  # fmt: skip
def test_the_table_is_over_the_layout_of_the_trail(layout: Layout, location: str, template: str) -> None:
    made = AthenaTable("logs", layout, "trail").create_statement()
    assert f"LOCATION '{location}'" in made
    assert f"'storage.location.template' = '{template}'" in made
    assert f"'projection.account.values' = '{','.join(layout.accounts)}'" in made
    assert "ROW FORMAT SERDE 'org.apache.hive.hcatalog.data.JsonSerDe'" in made
    assert "INPUTFORMAT 'com.amazon.emr.cloudtrail.CloudTrailInputFormat'" in made


def test_tables_over_other_layouts_have_other_names() -> None:
    names = {AthenaTable("logs", layout).table for layout in (LAYOUT, Layout(bucket="another-trail"))}
    assert len(names) == 2


@pytest.mark.parametrize(
    ("argument", "fields"),
    [
        ("bucket", {"bucket": "b'; drop table x"}),
        ("prefix", {"prefix": "a'b"}),
        ("organization", {"organization": "o-1"}),
        ("region", {"regions": ("eu-central-1'",)}),
        ("account", {"accounts": ("1",)}),
    ],
)
def test_what_is_no_layout_is_refused(argument: str, fields: dict[str, Any]) -> None:
    with pytest.raises(ArgumentError, match=f"^{argument}="):
        Layout(**{"bucket": "trail-of-ours", **fields})


@pytest.mark.parametrize(("database", "name"), [("a`b", "c"), ("a", "C"), ("", "c")])
def test_what_is_no_name_of_a_table_is_refused(database: str, name: str) -> None:
    with pytest.raises(ArgumentError, match="use small letters, digits and underscores"):
        AthenaTable(database, LAYOUT, name)


def test_the_folders_of_the_last_day_are_those_of_the_next_too() -> None:
    assert folders(Asked(since=date(2026, 12, 31), until=date(2026, 12, 31))) == {
        "first_folder": "2026/12/31",
        "last_folder": "2027/01/01",
    }
