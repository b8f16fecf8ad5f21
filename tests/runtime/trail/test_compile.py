from __future__ import annotations

from datetime import date

import pytest
import sqlglot
from sqlglot import exp

from kms_constructs.errors import ArgumentError
from kms_constructs.runtime.trail.catalogue import CRYPTOGRAPHIC_EVENTS, Query, read, relations, reports
from kms_constructs.runtime.trail.compile import (
    DIALECTS,
    FUNCTIONS,
    Asked,
    QueryError,
    Sources,
    assemble,
    compile_query,
    parse,
    scans,
)
from tests.runtime.trail.plain_count import USES

ASKED = Asked(since=date(2026, 5, 1), until=date(2026, 5, 31))
ARN = "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"


def query(sql: str) -> Query:
    return Query("mine", "Mine", "What is asked.", {}, sql)


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("name", reports())
@pytest.mark.parametrize("key", [None, ARN, "alias/orders"])
def test_every_report_compiles_for_every_engine(name: str, dialect: str, key: str | None) -> None:
    asked = Asked(since=ASKED.since, until=ASKED.until, key=key, most=7)
    sql = compile_query(reports()[name], dialect, asked)  # type: ignore[arg-type]
    tree = sqlglot.parse_one(sql, read=dialect)
    assert not list(tree.find_all(exp.Placeholder))
    assert tree.args["limit"].expression.name == "7"


@pytest.mark.parametrize("name", reports())
@pytest.mark.parametrize("unique", [True, False])
def test_every_reading_of_a_table_is_bounded_by_days(name: str, unique: bool) -> None:
    tree = assemble(reports()[name], ASKED, Sources(unique=unique))
    read_tables = 0
    for table in tree.find_all(exp.Table):
        if table.name in ("events", "event_keys"):
            read_tables += 1
            bounds = [one.this.name for one in table.find_ancestor(exp.Select).find_all(exp.Between)]
            assert "event_date" in bounds, table
    assert read_tables
    assert scans(tree, "events") == (2 if unique else 1)


@pytest.mark.parametrize("name", reports())
def test_rows_come_in_one_order(name: str) -> None:
    """Every column that is not counted is ordered by, so that no two rows tie."""
    tree = parse(reports()[name])
    group = tree.args.get("group")
    if group is None:
        assert name == "totals"
        return
    aliases = {
        one.this.sql(comments=False): one.alias_or_name
        for one in tree.expressions
        if isinstance(one, exp.Alias)
    }
    ordered = {one.this.name for one in tree.args["order"].expressions}
    assert {aliases.get(one.sql(comments=False), one.name) for one in group.expressions} <= ordered


@pytest.mark.parametrize("name", reports())
def test_the_head_of_a_report_names_its_columns(name: str) -> None:
    found = reports()[name]
    assert [one.alias_or_name for one in parse(found).expressions] == list(found.columns)
    assert found.title
    assert found.answers.endswith(".")
    assert all(meaning.endswith(".") for meaning in found.columns.values())


@pytest.mark.parametrize(
    ("sql", "named"),
    [
        ("select isodow(event_time) from events", "dayofweek_iso"),
        ("select extract(isodow from event_time) from events", "isodow of a time"),
        ("select date_part('isodow', event_time) from events", "date_part"),
        ("select date_diff('week', event_date, event_date) from events", "week of a time"),
        ("select median(1) from events", "median"),
        ("select quantile_cont(event_time, 0.5) from events", "percentile_cont"),
        ("select string_agg(event_name, ',') from events", "group_concat"),
        ("select no_such_function(event_name) from events", "no_such_function"),
        ("select 7 / 2 from events", "div"),
        ("select event_name ~ 'x' from events", "regexp_like"),
        ("select event_name from events qualify row_number() over () = 1", "qualify"),
        ("drop table events", "drop"),
    ],
)
def test_what_engines_may_differ_on_is_refused_by_name_and_file(sql: str, named: str) -> None:
    with pytest.raises(QueryError, match=r"^mine\.sql: ") as refused:
        compile_query(query(sql), "duckdb", ASKED)
    assert f"mine.sql: {named} is not known to mean the same on every engine" in str(refused.value)


def test_what_is_no_sql_is_refused() -> None:
    with pytest.raises(QueryError, match=r"^mine\.sql: it cannot be parsed"):
        compile_query(query("select from where"), "duckdb", ASKED)


def test_nothing_is_allowed_that_no_report_uses() -> None:
    used: set[str] = set()
    for one in (*reports().values(), *relations().values()):
        used |= {node.sql_name().lower() for node in parse(one).find_all(exp.Func)}
    assert used >= FUNCTIONS


def test_values_are_literals_however_they_look() -> None:
    hostile = query(
        "select count(*) as calls from events where event_name in ($cryptographic) and event_date > $since"
    )
    sql = compile_query(hostile, "trino", ASKED)
    assert "'Decrypt'" in sql
    assert "CAST('2026-05-01' AS DATE)" in sql


@pytest.mark.parametrize(
    "key",
    ["", "orders", "alias/o'r", "alias/%", "arn:aws:kms:eu-central-1:1:key/x", f"{ARN}' or 1=1", f"{ARN}\n"],
)
def test_what_is_no_key_is_refused(key: str) -> None:
    with pytest.raises(ArgumentError, match="it is no ARN or id of a key, and no name or ARN of an alias"):
        Asked(since=ASKED.since, until=ASKED.until, key=key)


def test_days_the_wrong_way_round_are_refused() -> None:
    with pytest.raises(ArgumentError, match="it is after until, 2026-05-01"):
        Asked(since=date(2026, 5, 2), until=date(2026, 5, 1))


def test_cryptographic_events_are_those_of_the_documentation() -> None:
    assert set(CRYPTOGRAPHIC_EVENTS) == USES


@pytest.mark.parametrize("text", ["select 1", "-- title: One\nselect 1", "-- answers: One.\nselect 1"])
def test_a_file_without_a_head_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="its head says no title"):
        read("mine", text)
