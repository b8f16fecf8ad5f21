"""What was asked of a trail, as reports of rows: for terminals, for programs, for spreadsheets.

Nothing here asks an engine: a report is its columns and its rows.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from functools import lru_cache
from importlib import resources
from io import StringIO
from typing import Any, Final, TypeAlias

from rich.table import Table
from rich.text import Text

from kms_constructs.model.frozen import Frozen
from kms_constructs.reports.console import Look, draw
from kms_constructs.reports.csv_report import safe_cell
from kms_constructs.reports.text import counted, one_line, printable
from kms_constructs.reports.version import tool_version

Cell: TypeAlias = str | int | date | datetime | None
"""What a row holds. Times are UTC and know no time zone."""

SCHEMA_VERSION: Final = "1.0"
"""Version of the JSON; the first number changes when a reader has to change."""
_MOST_SHOWN: Final = 20


class TrailReport(Frozen, frozen=True, kw_only=True):
    """One report.

    Args:
        name: ``by-event``.
        title: What it is called.
        answers: The question that it answers.
        columns: Name and meaning of its columns, in their order.
        rows: As many cells as there are columns, each.
        cut: Whether there are more rows, which were not asked for.
    """

    name: str
    title: str
    answers: str
    columns: Mapping[str, str]
    rows: Sequence[Sequence[Cell]]
    cut: bool = False

    def records(self) -> Iterator[dict[str, Cell]]:
        """The rows, with the names of their columns."""
        for row in self.rows:
            yield dict(zip(self.columns, row, strict=True))


class TrailReports(Frozen, frozen=True, kw_only=True):
    """Reports of one trail, asked together.

    Args:
        source: Where the trail was read.
        since: First day asked about, UTC.
        until: Last day, included.
        key: The key asked about; None for all.
        reports: In the order in which they are shown.
    """

    source: str
    since: date
    until: date
    key: str | None
    reports: Sequence[TrailReport]


def trail_table(asked: TrailReports, look: Look | None = None) -> str:
    """The reports for a terminal: of each the first rows."""
    look = look or Look()
    parts: list[Any] = [Text(_about(asked), style="dim"), Text()]
    for report in asked.reports:
        parts += [Text(report.title, style="bold underline"), Text(report.answers, style="dim")]
        parts.append(_drawn(report))
        if note := more(report, _MOST_SHOWN):
            parts.append(Text(f"{look.mark('…', '...')} {note}", style="dim"))
        parts.append(Text())
    return draw(parts[:-1], look)


def trail_json(asked: TrailReports) -> str:
    """The reports for programs, by a schema: see `trail_schema`."""
    document = {
        "version": SCHEMA_VERSION,
        "report": "trail-report",
        "tool": {"name": "kms-constructs", "version": tool_version()},
        "source": printable(asked.source),
        "since": asked.since.isoformat(),
        "until": asked.until.isoformat(),
        "key": asked.key,
        "reports": [
            {
                "name": report.name,
                "title": report.title,
                "columns": [
                    {"name": name, "description": meaning} for name, meaning in report.columns.items()
                ],
                "cut": report.cut,
                "rows": [
                    {name: _plain(cell) for name, cell in record.items()} for record in report.records()
                ],
            }
            for report in asked.reports
        ],
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


@lru_cache(maxsize=1)
def _schema_text() -> str:
    return resources.files("kms_constructs.reports").joinpath("data/trail.schema.json").read_text("utf-8")


def trail_schema() -> dict[str, Any]:
    """The JSON schema (draft 2020-12) of what `trail_json` writes."""
    schema: dict[str, Any] = json.loads(_schema_text())
    return schema


def trail_csv(asked: TrailReports) -> str:
    """The reports as CSV (RFC 4180): one as a table; several one after the other, with the name in front.

    With several, each has a line of its own columns before its rows, and an empty line behind them.
    """
    file = StringIO(newline="")
    writer = csv.writer(file)
    alone = len(asked.reports) == 1
    for number, report in enumerate(asked.reports):
        lead = [] if alone else ["report"]
        if number:
            writer.writerow([])
        writer.writerow([*lead, *report.columns])
        for row in report.rows:
            writer.writerow([*([] if alone else [report.name]), *(safe_cell(shown(cell)) for cell in row)])
    return file.getvalue()


def shown(cell: Cell) -> str:
    """A cell as text: times in ISO 8601 with ``Z``, nothing for what is not there.

    Example:
        >>> shown(datetime(2026, 5, 1, 10, 0)), shown(date(2026, 5, 1)), shown(None), shown(12)
        ('2026-05-01T10:00:00Z', '2026-05-01', '', '12')
    """
    return str("" if (plain := _plain(cell)) is None else plain)


def _plain(cell: Cell) -> str | int | None:
    if isinstance(cell, datetime):
        known = cell.astimezone(UTC).replace(tzinfo=None) if cell.tzinfo else cell
        return known.isoformat(timespec="seconds") + "Z"
    if isinstance(cell, date):
        return cell.isoformat()
    return printable(cell) if isinstance(cell, str) else cell


def _about(asked: TrailReports) -> str:
    about = f"{one_line(asked.source)}, {asked.since} to {asked.until} (UTC)"
    return about if asked.key is None else f"{about}, {one_line(asked.key)} alone"


def about(asked: TrailReports) -> str:
    """Where and when the reports are of, on one line."""
    return _about(asked)


def _drawn(report: TrailReport) -> Table | Text:
    if not report.rows:
        return Text("Nothing was recorded.", style="dim")
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for number, name in enumerate(report.columns):
        right = all(isinstance(row[number], int) for row in report.rows)
        table.add_column(
            name,
            justify="right" if right else "left",
            overflow="fold",
            no_wrap=right,
            min_width=min(len(name), 12),
        )
    for row in report.rows[:_MOST_SHOWN]:
        table.add_row(*map(_brief, row))
    return table


def _brief(cell: Cell) -> str:
    """A cell of a table for people: times to the minute."""
    if isinstance(cell, int):
        return f"{cell:,}"
    return shown(cell)[:16].replace("T", " ") if isinstance(cell, datetime) else one_line(shown(cell))


def more(report: TrailReport, most: int) -> str:
    """What to say of the rows that are not shown, or nothing.

    Args:
        report: The report.
        most: How many rows are shown.
    """
    left = len(report.rows) - most
    if report.cut:
        return "and more rows: the formats json and csv have them all"
    return f"and {counted(left, 'further row')}: the formats json and csv have them all" if left > 0 else ""
