"""What a change would have done to recorded calls, for terminals, programs and spreadsheets."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Sequence
from io import StringIO
from typing import TYPE_CHECKING, Any

from rich.text import Text

from kms_constructs.analysis.recorded.impact import Impact, ImpactRow
from kms_constructs.analysis.recorded.replay import Verdict
from kms_constructs.reports.console import Drawn, Look, Pen, draw
from kms_constructs.reports.csv_report import safe_cell
from kms_constructs.reports.text import counted, one_line, printable
from kms_constructs.reports.trail_words import keys_json, matching_lines, period, version

if TYPE_CHECKING:
    from rich.console import RenderableType

_MARKS = {
    Verdict.DENIED: ("✗", "x", "bold red"),
    Verdict.UNDETERMINED: ("?", "?", "bold magenta"),
    Verdict.ALLOWED: ("✓", "+", "green"),
}
_SAID = {
    Verdict.DENIED: "would have been denied",
    Verdict.UNDETERMINED: "cannot be told",
    Verdict.ALLOWED: "would have been allowed",
}
_MOST_REASONS = 3

COLUMNS = (
    "verdict",
    "before",
    "key",
    "arn",
    "principal",
    "action",
    "services",
    "calls",
    "first",
    "last",
    "reasons",
)
"""Names of the columns of CSV, in the first line. New ones are added behind."""


def impact_table(impact: Impact, look: Look | None = None, *, everything: bool = False) -> str:
    """What would have been denied and what cannot be told, worst first; then the totals.

    Args:
        impact: What a change would have done.
        look: Width and colours.
        everything: Also what would have been allowed, and what does not change.
    """
    look = look or Look()
    pen = Pen(look)
    shown = [row for row in impact.rows if everything or row.may_break]
    parts: list[RenderableType] = [pen.paragraph(period(impact.first, impact.last), indent=0), Drawn()]
    for key, rows in _by_key(shown):
        parts.append(pen.paragraph(one_line(key), indent=0, style="bold underline"))
        for row in rows:
            parts += [*_row(row, look, pen, everything=everything)]
        parts.append(Drawn())
    parts += [pen.paragraph(line, indent=0) for line in matching_lines(impact.matching, impact.named)]
    if impact.unmatched:
        parts.append(pen.paragraph(f"{counted(impact.unmatched, 'call')} on keys in no input", indent=0))
    parts += [*_totals(impact)]
    return draw(parts, look)


def _by_key(rows: Sequence[ImpactRow]) -> list[tuple[str, list[ImpactRow]]]:
    """The rows by key, the key of the worst first."""
    found: dict[tuple[str, str], list[ImpactRow]] = {}
    for row in rows:
        found.setdefault((row.key, row.arn), []).append(row)
    titles = [key for key, _ in found]
    return [
        (key if titles.count(key) == 1 or key == arn else f"{key} ({arn})", members)
        for (key, arn), members in found.items()
    ]


def _row(row: ImpactRow, look: Look, pen: Pen, *, everything: bool) -> Iterator[Drawn]:
    symbol, ascii_symbol, style = _MARKS[row.verdict]
    through = f" through {', '.join(map(one_line, row.services))}" if row.services else ""
    yield pen.paragraph(
        f"{look.mark(symbol, ascii_symbol)} {counted(row.calls, 'call')} of {one_line(row.principal)} "
        f"({one_line(row.action)}){through} {_SAID[row.verdict]}",
        indent=2,
        style=style,
    )
    was = f", {row.before.value} before" if row.before is not None else ""
    yield pen.paragraph(f"{_days(row.first, row.last)}{was}", indent=4, style="dim")
    reasons = row.reasons if everything else row.reasons[:_MOST_REASONS]
    for reason in reasons:
        yield pen.paragraph(one_line(reason), indent=4)
    if more := len(row.reasons) - len(reasons):
        yield pen.paragraph(f"and {counted(more, 'more reason')}; --all lists them", indent=4, style="dim")


def _days(first: str, last: str) -> str:
    one, other = first[:10], last[:10]
    return f"on {one}" if one == other else f"{one} to {other}"


def _totals(impact: Impact) -> Iterator[Text]:
    told = {verdict: impact.calls(verdict) for verdict in Verdict}
    unchanged = sum(row.calls for row in impact.rows if not row.changes)
    pieces = [
        f"{counted(told[Verdict.DENIED], 'call')} would have been denied",
        f"{told[Verdict.UNDETERMINED]:,} cannot be told",
        f"{told[Verdict.ALLOWED]:,} would have been allowed",
    ]
    if impact.compared:
        pieces.append(f"{unchanged:,} as before")
    worst = next((verdict for verdict in Verdict if told[verdict]), Verdict.ALLOWED)
    yield Text(", ".join(pieces), style=_MARKS[worst][2])


def impact_json(impact: Impact) -> str:
    """Everything, what is allowed included."""
    document: dict[str, Any] = {
        **version("trail impact"),
        "period": {"first": impact.first or None, "last": impact.last or None},
        "summary": {
            **{verdict.value: impact.calls(verdict) for verdict in Verdict},
            **(
                {"asBefore": sum(row.calls for row in impact.rows if not row.changes)}
                if impact.compared
                else {}
            ),
            "unmatched": impact.unmatched,
        },
        "rows": [_json_row(row) for row in impact.rows],
        "keys": keys_json(impact.matching),
        "names": {printable(one.logical_id): printable(one.name) for one in impact.named},
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _json_row(row: ImpactRow) -> dict[str, Any]:
    return {
        "verdict": row.verdict.value,
        **({"before": row.before.value} if row.before is not None else {}),
        "key": printable(row.key),
        "arn": printable(row.arn),
        "principal": printable(row.principal),
        "action": printable(row.action),
        "services": [printable(one) for one in row.services],
        "calls": row.calls,
        "first": row.first,
        "last": row.last,
        "reasons": [printable(reason) for reason in row.reasons],
    }


def impact_csv(impact: Impact) -> str:
    """One line for calls of one principal that have one verdict for the same reasons."""
    file = StringIO(newline="")
    writer = csv.writer(file)
    writer.writerow(COLUMNS)
    for row in impact.rows:
        cells = (
            row.verdict.value,
            row.before.value if row.before is not None else "",
            row.key,
            row.arn,
            row.principal,
            row.action,
            "; ".join(row.services),
            str(row.calls),
            row.first,
            row.last,
            "; ".join(row.reasons),
        )
        writer.writerow([safe_cell(cell) for cell in cells])
    return file.getvalue()
