"""Trail reports as a table, JSON, CSV and a page: what a caller wrote into a record is text in each."""

from __future__ import annotations

import csv
import json
import re
import xml.etree.ElementTree as ET
from datetime import date, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from kms_constructs.reports.console import Look
from kms_constructs.reports.trail_charts import SHADES, heat_map, talkers, timeline
from kms_constructs.reports.trail_html import trail_html
from kms_constructs.reports.trail_report import (
    TrailReport,
    TrailReports,
    trail_csv,
    trail_json,
    trail_schema,
    trail_table,
)

KEY = "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
OTHER = "arn:aws:kms:eu-central-1:111122223333:key/0987dcba-09fe-87dc-65ba-ab0987654321"
ROLE = "arn:aws:iam::111122223333:role/App"
TEN = datetime.fromisoformat("2026-05-01T10:00:00")
EVIL = "=cmd|' /C calc'!A0<script>alert(1)</script>\x1b[2J\n\u202e\"'"


def report(name: str, columns: str, *rows: tuple[Any, ...], cut: bool = False) -> TrailReport:
    names = columns.split()
    return TrailReport(
        name=name, title=f"Title of {name}", answers="What is asked.",
        columns={one: f"Meaning of {one}." for one in names}, rows=rows, cut=cut,
    )  # fmt: skip


def together(*reports: TrailReport, key: str | None = None) -> TrailReports:
    return TrailReports(
        source="trail", since=date(2026, 5, 1), until=date(2026, 5, 31), key=key, reports=reports
    )


AGENTS = report(
    "by-user-agent", "user_agent calls first_call", ("aws-cli", 1200, TEN), (EVIL, 1, TEN), (None, 1, TEN)
)
TIMELINE = report(
    "timeline", "day key calls cryptographic errors",
    (date(2026, 5, 1), KEY, 5, 5, 0), (date(2026, 5, 1), OTHER, 1, 0, 1), (date(2026, 5, 4), KEY, 10, 5, 5),
)  # fmt: skip
HOURS = report("hours", "key weekday hour calls", (KEY, 0, 0, 1), (KEY, 6, 23, 100), (OTHER, 6, 23, 100))
TALKERS = report(
    "top-talkers", "principal key calls cryptographic errors", (ROLE, KEY, 9, 9, 0), (EVIL, OTHER, 1, 1, 0)
)
EVERYTHING = together(report("totals", "calls errors cryptographic principals", (21, 6, 10, 2)),
                      AGENTS, TIMELINE, HOURS, TALKERS, report("by-alias", "alias calls"))  # fmt: skip


def test_a_table_shows_each_report_with_its_numbers() -> None:
    assert trail_table(
        together(report("by-event", "event_name calls last_call", ("Decrypt", 1200, TEN)))
    ) == (
        "trail, 2026-05-01 to 2026-05-31 (UTC)\n"
        "\n"
        "Title of by-event\n"
        "What is asked.\n"
        "event_name  calls  last_call\n"
        "Decrypt     1,200  2026-05-01 10:00\n"
    )


def test_a_table_says_what_it_leaves_out_and_where_nothing_is() -> None:
    many = report("many", "name calls", *((f"n{number:02}", 1) for number in range(30)))
    shown = trail_table(together(many, report("none", "name calls"), key=KEY))
    assert "… and 10 further rows: the formats json and csv have them all" in shown
    assert "n19" in shown
    assert "n20" not in shown
    assert "Nothing was recorded." in shown
    assert f"{KEY} alone" in shown.replace("\n", " ")
    cut = trail_table(together(report("cut", "name calls", ("a", 1), cut=True)))
    assert "… and more rows" in cut


def test_a_table_is_drawn_for_any_width_and_without_escapes_of_others() -> None:
    for width in (40, 80, 200):
        shown = trail_table(EVERYTHING, Look(width=width, unicode=False))
        assert "\x1b" not in shown
        assert max(map(len, shown.splitlines())) <= width
    assert "\u202e" not in trail_table(EVERYTHING)


def test_json_follows_its_schema_and_has_every_row() -> None:
    Draft202012Validator.check_schema(trail_schema())
    told = json.loads(trail_json(EVERYTHING))
    Draft202012Validator(trail_schema()).validate(told)
    agents = told["reports"][1]
    assert agents["columns"][0] == {"name": "user_agent", "description": "Meaning of user_agent."}
    assert agents["rows"][0] == {"user_agent": "aws-cli", "calls": 1200, "first_call": "2026-05-01T10:00:00Z"}
    assert [row["user_agent"] for row in agents["rows"]][2] is None
    assert told["reports"][2]["rows"][0]["day"] == "2026-05-01"
    assert (told["since"], told["until"], told["key"]) == ("2026-05-01", "2026-05-31", None)


@pytest.mark.parametrize(
    "change", [{"version": "2.0"}, {"report": "check"}, {"reports": [{"name": "x"}]}, {"key": 1}]
)
def test_the_schema_refuses(change: dict[str, Any]) -> None:
    told = {**json.loads(trail_json(EVERYTHING)), **change}
    assert list(Draft202012Validator(trail_schema()).iter_errors(told))


def test_csv_of_one_report_is_a_table_in_which_nothing_is_a_formula() -> None:
    head, *rows = csv.reader(StringIO(trail_csv(together(AGENTS)), newline=""))
    assert head == ["user_agent", "calls", "first_call"]
    assert rows[0] == ["aws-cli", "1200", "2026-05-01T10:00:00Z"]
    assert rows[1][0].startswith("'=cmd")
    assert rows[2][0] == ""


def test_csv_of_several_reports_names_each_row() -> None:
    lines = list(csv.reader(StringIO(trail_csv(together(AGENTS, HOURS)), newline="")))
    assert lines[0] == ["report", "user_agent", "calls", "first_call"]
    assert lines[4] == []
    assert lines[5] == ["report", "key", "weekday", "hour", "calls"]
    assert {line[0] for line in lines[6:]} == {"hours"}


def test_a_page_needs_nothing_and_runs_nothing() -> None:
    page = trail_html(EVERYTHING)
    assert "<script" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "\x1b" not in page
    assert "default-src 'none'; style-src 'sha256-" in page
    assert re.findall(r'(?:src|href|url)\s*[=(]\s*["\']?(?!#)[a-z/]', page) == []
    assert ' style="' not in page


def test_a_page_is_well_formed_and_its_charts_have_words() -> None:
    page = trail_html(EVERYTHING)
    body = page[page.index("<body>") : page.index("</body>") + len("</body>")]
    tree = ET.fromstring(body.replace(" open>", ' open="">'))  # noqa: S314 - made just now
    assert [one.get("id") for one in tree.iter("section")] == [
        f"report-{name}"
        for name in ("timeline", "hours", "top-talkers", "totals", "by-user-agent", "by-alias")
    ]
    assert all(one.get("aria-label") for one in tree.iter("svg"))
    assert len(list(tree.iter("svg"))) == 3
    titles = [one.text for one in tree.iter("title")]
    assert "2026-05-04: 10 calls, 5 failed" in titles
    assert "Nothing was recorded." in page


def test_bars_are_as_high_as_their_numbers_and_the_highest_fills_the_chart() -> None:
    drawn = timeline(TIMELINE)
    assert drawn is not None
    assert (drawn.first, drawn.last, drawn.step, drawn.highest) == ("2026-05-01", "2026-05-04", "day", 10)
    assert [(bar.height, bar.failed) for bar in drawn.whole.bars] == [(96.0, 16.0), (160.0, 80.0)]
    assert drawn.whole.bars[1].x == 540
    assert [(line.name, line.total) for line in drawn.lines] == [(KEY, 15), (OTHER, 1)]


def test_years_are_drawn_in_steps_of_days_that_lose_nothing() -> None:
    first = date(2024, 1, 1)
    rows = [(first + timedelta(days=number), KEY, 1, 1, 0) for number in range(800)]
    drawn = timeline(report("timeline", "day key calls cryptographic errors", *rows))
    assert drawn is not None
    assert (drawn.step, len(drawn.whole.bars), drawn.whole.total, drawn.highest) == ("5 days", 160, 800, 5)
    assert drawn.whole.bars[-1].x + drawn.whole.bars[-1].width <= 720


def test_a_heat_map_has_every_hour_and_tells_seldom_from_never() -> None:
    drawn = heat_map(HOURS)
    assert drawn is not None
    assert [len(cells) for _, cells in drawn.rows] == [24] * 7
    assert (drawn.rows[0][1][0].shade, drawn.rows[0][1][1].shade, drawn.rows[6][1][23].shade) == (
        1,
        0,
        SHADES,
    )
    assert drawn.rows[6][1][23].title == "Sun 23:00 to 23:59 UTC: 200"


def test_principals_and_keys_are_the_busiest_and_the_rest_is_said() -> None:
    rows = [(f"p{number:02}", f"k{number:02}", 100 - number, 0, 0) for number in range(20)]
    drawn = talkers(report("top-talkers", "principal key calls cryptographic errors", *rows))
    assert drawn is not None
    assert (len(drawn.rows), len(drawn.columns)) == (15, 10)
    assert drawn.left_out == "5 more principals and 10 more keys"
    assert [cell.number for cell in drawn.rows[0][1]] == [100, *[0] * 9]


@pytest.mark.parametrize("chart", [timeline, heat_map, talkers])
def test_without_rows_there_is_no_chart(chart: Any) -> None:
    assert chart(report("none", "name")) is None
