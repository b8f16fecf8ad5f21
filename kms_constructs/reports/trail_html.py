"""Trail reports as one HTML file that needs nothing else: charts as SVG, no network, no script.

Everything that a trail says is escaped: user agents and encryption contexts are whatever a caller wrote.
"""

from __future__ import annotations

from markupsafe import Markup

from kms_constructs.model.frozen import Frozen
from kms_constructs.reports.page import data, hash_of, template
from kms_constructs.reports.text import one_line
from kms_constructs.reports.trail_charts import WIDTH, Matrix, Timeline, heat_map, short, talkers, timeline
from kms_constructs.reports.trail_report import Cell, TrailReport, TrailReports, about, more, shown
from kms_constructs.reports.version import tool_version

_MOST_ROWS = 100
_OPEN_ROWS = 12
_CHARTS = ("timeline", "hours", "top-talkers")
"""What is drawn, and so comes first."""
_TILES = (
    ("calls", "calls"),
    ("cryptographic", "cryptographic"),
    ("errors", "failed"),
    ("principals", "principals"),
)


class _Cell(Frozen, frozen=True):
    text: str
    number: bool


class _Section(Frozen, frozen=True, kw_only=True):
    anchor: str
    title: str
    answers: str
    columns: tuple[tuple[str, str, bool], ...]
    rows: tuple[tuple[_Cell, ...], ...]
    count: str
    more: str
    open: bool
    timeline: Timeline | None = None
    heat_map: Matrix | None = None
    talkers: Matrix | None = None


class _Page(Frozen, frozen=True, kw_only=True):
    title: str
    line: str
    tiles: tuple[tuple[int, str], ...]
    sections: tuple[_Section, ...]
    version: str
    width: int = WIDTH


def trail_html(asked: TrailReports, title: str = "What happened to these KMS keys") -> str:
    """The reports as a page.

    Args:
        asked: The reports; charts are drawn of ``timeline``, ``hours`` and ``top-talkers``.
        title: Heading of the page.
    """
    style = data("report.css") + data("trail.css")
    page = _Page(
        title=title,
        line=about(asked),
        tiles=_tiles(asked),
        sections=tuple(map(_section, sorted(asked.reports, key=lambda one: one.name not in _CHARTS))),
        version=tool_version(),
    )
    # Written by this package, and not a word of it comes from input.
    safe = Markup(style)  # noqa: S704
    drawn = template("trail.html.jinja").render(page=page, style=safe, style_hash=hash_of(style), short=short)
    return f"{drawn}\n"


def _tiles(asked: TrailReports) -> tuple[tuple[int, str], ...]:
    for report in asked.reports:
        if report.name == "totals":
            (record,) = report.records()
            return tuple((number, label) for name, label in _TILES if isinstance(number := record[name], int))
    return ()


def _section(report: TrailReport) -> _Section:
    numbers = {
        name
        for number, name in enumerate(report.columns)
        if report.rows and all(isinstance(row[number], int) for row in report.rows)
    }
    rows = tuple(tuple(_cell(cell) for cell in row) for row in report.rows[:_MOST_ROWS])
    return _Section(
        anchor=f"report-{report.name}",
        title=report.title,
        answers=report.answers,
        columns=tuple((name, meaning, name in numbers) for name, meaning in report.columns.items()),
        rows=rows,
        count=f"{len(report.rows):,} {'row' if len(report.rows) == 1 else 'rows'}",
        more=more(report, _MOST_ROWS),
        open=len(report.rows) <= _OPEN_ROWS and report.name not in _CHARTS,
        timeline=timeline(report) if report.name == "timeline" else None,
        heat_map=heat_map(report) if report.name == "hours" else None,
        talkers=talkers(report) if report.name == "top-talkers" else None,
    )


def _cell(cell: Cell) -> _Cell:
    if isinstance(cell, int):
        return _Cell(f"{cell:,}", number=True)
    return _Cell(one_line(shown(cell)), number=False)
