"""What a trail tells, for terminals, programs and spreadsheets."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Sequence
from io import StringIO
from itertools import groupby
from typing import TYPE_CHECKING, Any

from rich.text import Text

from kms_constructs.model.frozen import Frozen
from kms_constructs.reports.console import Drawn, Look, Pen, draw
from kms_constructs.reports.csv_report import safe_cell
from kms_constructs.reports.text import counted, one_line, printable
from kms_constructs.reports.trail_words import version

if TYPE_CHECKING:
    from rich.console import RenderableType

LEVELS = ("critical", "alert", "information")
"""Loudest first."""

_MARKS = {
    "critical": ("✗", "x", "bold red"),
    "alert": ("!", "!", "yellow"),
    "information": ("-", "-", "dim"),
}
_MOST = 10
"""Callers and keys of one detection that are shown unless everything is asked for."""


class FindingRow(Frozen, frozen=True, kw_only=True):
    """What was found: one detection, one caller, one key.

    Args:
        level: One of `LEVELS`.
        id: Of the detection.
        title: What happened.
        control: Id of the control that it serves.
        principal: The caller; empty without one.
        key: ARN of the key; empty without one.
        alias: The alias that named it last, as far as the trail tells; empty otherwise.
        count: Number of events.
        first: Time of the first, UTC, ISO 8601.
        last: Time of the last.
        events: Ids of some of them.
        detail: What is special about it; may be empty.
        reason: Why it matters.
        expected: Who may be expected to do it.
        respond: What to do.
        references: Pages to read.
    """

    level: str
    id: str
    title: str
    control: str
    principal: str
    key: str
    alias: str
    count: int
    first: str
    last: str
    events: tuple[str, ...]
    detail: str
    reason: str
    expected: str
    respond: str
    references: tuple[str, ...]


class TrailFindings(Frozen, frozen=True, kw_only=True):
    """Everything that was found.

    Args:
        rows: What is shown, loudest first.
        notes: What could not be judged.
        calls: Number of calls looked at.
        first: Time of the first of them; empty without one.
        last: Time of the last.
        baseline_end: The day from which on things can be new; empty when nothing was compared.
        everything: Whether a table shows every row.
    """

    rows: tuple[FindingRow, ...]
    notes: tuple[str, ...]
    calls: int
    first: str
    last: str
    baseline_end: str
    everything: bool = False

    def of_level(self, level: str) -> int:
        """Number of findings of a level."""
        return sum(row.level == level for row in self.rows)


COLUMNS = (
    "level",
    "detection",
    "control",
    "title",
    "principal",
    "key",
    "events",
    "first",
    "last",
    "detail",
    "examples",
    "alias",
)
"""Names of the columns of CSV, in the first line. New ones are added behind."""


def findings_table(found: TrailFindings, look: Look | None = None) -> str:
    """What was found by detection, loudest first; then what could not be judged, and the totals."""
    look = look or Look()
    pen = Pen(look)
    parts: list[RenderableType] = [pen.paragraph(_period(found), indent=0), Drawn()]
    for _, group in groupby(found.rows, key=lambda row: row.id):
        parts += [*_detection(tuple(group), look, pen, everything=found.everything), Drawn()]
    parts += [pen.paragraph(one_line(note), indent=0, style="magenta") for note in found.notes]
    parts.append(_totals(found))
    return draw(parts, look)


def _period(found: TrailFindings) -> str:
    if not found.first:
        return "The trail has no call in this period."
    compared = f"; usual is what was before {found.baseline_end}" if found.baseline_end else ""
    return f"{counted(found.calls, 'call')} from {found.first[:10]} to {found.last[:10]}{compared}."


def _detection(
    rows: Sequence[FindingRow], look: Look, pen: Pen, *, everything: bool
) -> Iterator[RenderableType]:
    first = rows[0]
    symbol, ascii_symbol, style = _MARKS[first.level]
    yield pen.paragraph(
        f"{look.mark(symbol, ascii_symbol)} {one_line(first.title)} "
        f"({first.level}, {first.id}, {first.control})",
        indent=0,
        style=style,
    )
    shown = rows if everything else rows[:_MOST]
    for row in shown:
        named = f"{one_line(row.alias)}, " if row.alias else ""
        on = f" on {named}{one_line(row.key)}" if row.key else ""
        yield pen.paragraph(f"{one_line(row.principal) or 'every caller'}{on}", indent=2)
        detail = f": {one_line(row.detail)}" if row.detail else ""
        yield pen.paragraph(f"{counted(row.count, 'event')} {_times(row)}{detail}", indent=4)
        yield pen.paragraph(f"such as {', '.join(map(one_line, row.events))}", indent=4, style="dim")
    if more := len(rows) - len(shown):
        yield pen.paragraph(f"and {counted(more, 'more')}; --all lists them", indent=2, style="dim")
    yield pen.paragraph(one_line(first.respond), indent=2, label=look.mark("→", "->"))


def _times(row: FindingRow) -> str:
    return f"at {row.first}" if row.first == row.last else f"from {row.first} to {row.last}"


def _totals(found: TrailFindings) -> Text:
    told = {level: found.of_level(level) for level in LEVELS}
    loudest = next((level for level in LEVELS if told[level]), None)
    said = ", ".join(f"{told[level]:,} {level}" for level in LEVELS)
    return Text(said, style="bold green" if loudest is None else _MARKS[loudest][2])


def findings_json(found: TrailFindings) -> str:
    """Everything, with what the detections mean beside what they found."""
    detections = {row.id: row for row in found.rows}
    document: dict[str, Any] = {
        **version("trail detect"),
        "period": {"first": found.first or None, "last": found.last or None, "calls": found.calls},
        "baselineEnd": found.baseline_end or None,
        "summary": {level: found.of_level(level) for level in LEVELS},
        "findings": [
            {
                "level": row.level,
                "detection": row.id,
                "control": row.control,
                "principal": printable(row.principal) or None,
                "key": printable(row.key) or None,
                "alias": printable(row.alias) or None,
                "events": row.count,
                "first": row.first,
                "last": row.last,
                "detail": printable(row.detail) or None,
                "examples": [printable(one) for one in row.events],
            }
            for row in found.rows
        ],
        "detections": {
            id_: {
                "title": row.title,
                "control": row.control,
                "reason": row.reason,
                "expected": row.expected,
                "respond": row.respond,
                "references": list(row.references),
            }
            for id_, row in sorted(detections.items())
        },
        "notes": [printable(note) for note in found.notes],
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def findings_csv(found: TrailFindings) -> str:
    """One line for each detection, caller and key."""
    file = StringIO(newline="")
    writer = csv.writer(file)
    writer.writerow(COLUMNS)
    for row in found.rows:
        cells = (
            row.level, row.id, row.control, row.title, row.principal, row.key, str(row.count), row.first,
            row.last, row.detail, " ".join(row.events), row.alias,
        )  # fmt: skip
        writer.writerow([safe_cell(cell) for cell in cells])
    return file.getvalue()
