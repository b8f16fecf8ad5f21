"""Reports as one HTML file that needs nothing else: no network, no other file, no script to be read.

Everything that comes from a template is escaped, and a content security policy allows only the style and the
script that this package wrote, by their hashes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from markupsafe import Markup
from msgspec import field
from msgspec.structs import replace

from kms_constructs.analysis.access import Access
from kms_constructs.guardrails.finding import Finding, Report
from kms_constructs.guardrails.verdict import Verdict
from kms_constructs.model.estate import Location, SourceProblem
from kms_constructs.model.frozen import Frozen
from kms_constructs.reports.access_view import (
    LEGEND,
    MARKS,
    joined,
    key_title,
    matrix_facts,
    matrix_order,
    proviso,
)
from kms_constructs.reports.page import data, hash_of, template
from kms_constructs.reports.summary import (
    ResourceFindings,
    Status,
    Summary,
    by_control,
    by_resource,
    status_of,
    switched_off,
)
from kms_constructs.reports.text import counted, one_line, place
from kms_constructs.reports.version import tool_version

if TYPE_CHECKING:
    from kms_constructs.analysis.access import AccessMatrix, MatrixCell

_OPEN_RESOURCES = 12
"""Up to so many resources are shown opened; with more, the index above them is the way in."""

_LOUD = (Status.VIOLATION, Status.UNDETERMINED, Status.WARNING, Status.ACKNOWLEDGED)
_VERDICT_CSS = {
    Verdict.CLEAN: "compliant",
    Verdict.VIOLATIONS: "violation",
    Verdict.UNREADABLE: "violation",
    Verdict.UNDETERMINED: "undetermined",
}
_CSS = {status: status.value.replace(" ", "-") for status in Status}
_CONDITION_MARKS = "abcdefghijklmnopqrstuvwxyz"


class _Count(Frozen, frozen=True):
    number: int
    css: str
    label: str = ""


class _Badge(Frozen, frozen=True):
    text: str
    css: str


class _Note(Frozen, frozen=True):
    mark: str
    text: str


class _ProblemView(Frozen, frozen=True):
    place: str
    message: str
    fix: str


class _ControlView(Frozen, frozen=True):
    id: str
    title: str
    cells: tuple[_Count, ...]


class _FindingView(Frozen, frozen=True):
    id: str
    status: str
    css: str
    note: str
    message: str
    path: str
    chain: tuple[str, ...]
    witness: str
    reason: str
    fix: str


class _CellView(Frozen, frozen=True):
    css: str
    symbol: str
    word: str
    notes: str
    title: str


class _RowView(Frozen, frozen=True):
    principal: str
    cells: tuple[_CellView, ...]


class _MatrixView(Frozen, frozen=True):
    capabilities: tuple[str, ...]
    rows: tuple[_RowView, ...]
    notes: tuple[_Note, ...]


class _Section(Frozen, frozen=True, kw_only=True):
    anchor: str
    title: str
    source: str
    place: str
    facts: str = ""
    open: bool
    badges: tuple[_Badge, ...] = ()
    counts: tuple[_Count, ...] = ()
    findings: tuple[_FindingView, ...] = ()
    quiet: tuple[_FindingView, ...] = ()
    quiet_title: str = ""
    matrix: _MatrixView | None = None


class _Mark(Frozen, frozen=True):
    css: str
    symbol: str
    word: str
    meaning: str


def _legend() -> tuple[_Mark, ...]:
    return tuple(_Mark(access.value, mark.symbol, mark.word, mark.meaning) for access, mark in LEGEND.items())


class PageTable(Frozen, frozen=True, kw_only=True):
    """A table that a page has beside findings and matrices.

    Args:
        title: Its heading.
        note: A sentence over it, or empty.
        columns: Names of its columns.
        rows: Its cells, row by row; shown as text.
    """

    title: str
    note: str = ""
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()


class _Page(Frozen, frozen=True, kw_only=True):
    title: str
    line: str
    tables: tuple[PageTable, ...] = ()
    verdict: str = ""
    verdict_class: str = ""
    tiles: tuple[_Count, ...] = ()
    problems: tuple[_ProblemView, ...] = ()
    statuses: tuple[str, ...] = ()
    controls: tuple[_ControlView, ...] = ()
    off: tuple[_FindingView, ...] = ()
    index: bool = False
    index_statuses: tuple[str, ...] = ()
    sections_title: str
    sections: tuple[_Section, ...]
    has_matrices: bool
    legend: tuple[_Mark, ...] = field(default_factory=_legend)
    sources: tuple[str, ...] = ()
    version: str = field(default_factory=tool_version)


def report_html(
    report: Report,
    matrices: Iterable[AccessMatrix] = (),
    *,
    titles: Mapping[str, str] | None = None,
    title: str = "KMS guardrails",
    tables: Sequence[PageTable] = (),
    score: int | None = None,
) -> str:
    """The findings of a report, and beside each key's findings who may do what with it.

    Args:
        report: What was found.
        matrices: Access matrices of the keys judged.
        titles: Control id to title.
        title: Heading of the page.
        tables: What stands before the resources.
        score: Shown first, of 100; None to leave it out.
    """
    summary = Summary.of(report)
    by_location: dict[Location, AccessMatrix] = {}
    others: list[AccessMatrix] = []  # a key whose deployments differ has a matrix for each
    for matrix in matrices:
        if by_location.setdefault(matrix.key.location, matrix) is not matrix:
            others.append(matrix)
    off = switched_off(report.findings)
    groups = list(by_resource(finding for finding in report.findings if finding not in off))
    known = {group.location for group in groups}
    groups += [ResourceFindings(location, ()) for location in by_location if location not in known]
    statuses = tuple(status for status in _LOUD if summary.counts[status])
    few = len(groups) <= _OPEN_RESOURCES
    shown = [(group, by_location.get(group.location)) for group in groups]
    shown += [(ResourceFindings(matrix.key.location, ()), matrix) for matrix in others]
    sections = tuple(
        _section(number, group, one, statuses, few=few) for number, (group, one) in enumerate(shown, start=1)
    )
    columns = (*statuses, Status.COMPLIANT)
    return _render(
        _Page(
            title=title,
            line=str(summary),
            tables=tuple(map(_in_one_line, tables)),
            verdict=summary.verdict,
            verdict_class=_VERDICT_CSS[summary.verdict],
            tiles=(*([] if score is None else [_Count(score, "", "score of 100")]), *_tiles(summary)),
            problems=tuple(_problems(report.problems)),
            statuses=tuple(status.value.capitalize() for status in columns),
            controls=tuple(
                _ControlView(
                    count.control,
                    one_line((titles or {}).get(count.control, "")),
                    tuple(_Count(count.counts[status], _CSS[status]) for status in columns),
                )
                for count in by_control(report.findings)
            ),
            off=tuple(_finding(finding) for finding in off),
            index=not few,
            index_statuses=tuple(status.value.capitalize() for status in statuses),
            sections_title="Findings by resource",
            sections=sections,
            has_matrices=bool(by_location),
            sources=tuple(one_line(source) for source in report.sources),
        )
    )


def access_html(
    matrices: Iterable[AccessMatrix],
    *,
    problems: Sequence[SourceProblem] = (),
    sources: Iterable[str] = (),
    title: str = "Who may do what with these KMS keys",
) -> str:
    """Who may do what with each key, and which statements say so."""
    ordered = matrix_order(matrices)
    few = len(ordered) <= _OPEN_RESOURCES
    return _render(
        _Page(
            title=title,
            line=counted(len(ordered), "key"),
            problems=tuple(_problems(problems)),
            index=not few,
            sections_title="Access by key",
            sections=tuple(
                _section(number, ResourceFindings(matrix.key.location, ()), matrix, (), few=few)
                for number, matrix in enumerate(ordered, start=1)
            ),
            has_matrices=bool(ordered),
            sources=tuple(one_line(source) for source in sources),
        )
    )


def _in_one_line(table: PageTable) -> PageTable:
    """The table with cells that came from input made harmless: each in a line, without control characters."""
    return replace(table, rows=tuple(tuple(map(one_line, row)) for row in table.rows))


def _render(page: _Page) -> str:
    style, script = data("report.css"), data("report.js")
    return (
        template("report.html.jinja").render(
            page=page,
            # Written by this package, and not a word of it comes from input.
            style=Markup(style),  # noqa: S704
            script=Markup(script),  # noqa: S704
            style_hash=hash_of(style),
            script_hash=hash_of(script),
        )
        + "\n"
    )


def _tiles(summary: Summary) -> tuple[_Count, ...]:
    tiles = [_Count(summary.keys, "", "key" if summary.keys == 1 else "keys")]
    if summary.problems:
        tiles.append(_Count(summary.problems, "violation", "unreadable input"))
    tiles += [
        _Count(summary.counts[Status.VIOLATION], "violation", "violations"),
        _Count(summary.counts[Status.UNDETERMINED], "undetermined", "undetermined"),
        _Count(summary.counts[Status.WARNING], "warning", "warnings"),
        _Count(summary.counts[Status.ACKNOWLEDGED], "acknowledged", "acknowledged"),
        _Count(summary.counts[Status.COMPLIANT], "compliant", "compliant checks"),
    ]
    return tuple(tiles)


def _problems(problems: Iterable[SourceProblem]) -> Iterator[_ProblemView]:
    for problem in problems:
        place = ": ".join(one_line(part) for part in (problem.source, problem.logical_id) if part)
        yield _ProblemView(place, one_line(problem.message), one_line(problem.fix))


def _section(
    number: int,
    group: ResourceFindings,
    matrix: AccessMatrix | None,
    statuses: Sequence[Status],
    *,
    few: bool,
) -> _Section:
    location = group.location
    counts = Counter(status_of(finding) for finding in group.findings)
    loud = [finding for finding in group.findings if not status_of(finding).quiet]
    compliant = [finding for finding in group.findings if status_of(finding) is Status.COMPLIANT]
    badges = tuple(
        _Badge(
            counted(counts[status], status.value, "" if status in _COUNTABLE else status.value),
            _CSS[status],
        )
        for status in _LOUD
        if counts[status]
    )
    if not badges and compliant:
        badges = (_Badge("✓ compliant", "compliant"),)
    name = one_line(location.title)
    return _Section(
        anchor=f"resource-{number}",
        title=key_title(matrix.key) if matrix is not None else name,
        source="" if name == one_line(location.source) else one_line(location.source),
        place="" if name == one_line(location.source) else place(location),
        facts=", ".join(matrix_facts(matrix)) if matrix is not None else "",
        open=few and (bool(loud) or matrix is not None),
        badges=badges,
        counts=tuple(_Count(counts[status], _CSS[status]) for status in statuses),
        findings=tuple(_finding(finding) for finding in loud),
        quiet=tuple(_finding(finding) for finding in compliant),
        quiet_title=counted(len(compliant), "compliant check"),
        matrix=_matrix(matrix) if matrix is not None else None,
    )


_COUNTABLE = (Status.VIOLATION, Status.WARNING)


def _finding(finding: Finding) -> _FindingView:
    status = status_of(finding)
    failing = status in (Status.VIOLATION, Status.UNDETERMINED)
    return _FindingView(
        id=one_line(finding.id),
        status=status.value,
        css=_CSS[status],
        note=f"{finding.severity.value} severity" if failing else "",
        message=one_line(finding.message),
        path=one_line(finding.path),
        chain=tuple(one_line(step) for step in finding.chain),
        witness=one_line(finding.witness.describe()) if finding.witness is not None else "",
        reason=one_line(finding.acknowledged or ""),
        fix=one_line(finding.fix),
    )


def _matrix(matrix: AccessMatrix) -> _MatrixView:
    statements: dict[str, str] = {}
    conditions: dict[str, str] = {}

    def number(statement: str) -> str:
        return statements.setdefault(one_line(statement), str(len(statements) + 1))

    def letter(alternative: Sequence[str]) -> str:
        return conditions.setdefault(joined([alternative]), _letters(len(conditions)))

    def cell(found: MatrixCell | None) -> _CellView:
        access = Access.DENIED if found is None else found.access
        mark = MARKS[access]
        if found is None or access is Access.DENIED:
            return _CellView("none", mark.symbol, mark.word, "", "")
        notes = ",".join([*map(number, found.statements), *map(letter, found.alternatives)])
        title = mark.word
        if found.statements:
            title += f" by {'; '.join(map(one_line, found.statements))}"
        if found.alternatives:
            title += f" {proviso(found.access)} {joined(found.alternatives)}"
        return _CellView(access.value, mark.symbol, mark.word, notes, title)

    rows = tuple(
        _RowView(one_line(row.principal), tuple(cell(row.cells.get(item)) for item in matrix.capabilities))
        for row in matrix.rows
    )
    notes = [_Note(mark, f"by {text}") for text, mark in statements.items()]
    notes += [_Note(mark, f"if {text}") for text, mark in conditions.items()]
    return _MatrixView(tuple(item.value for item in matrix.capabilities), rows, tuple(notes))


def _letters(index: int) -> str:
    """A name for a footnote: a, b, … z, aa, ab and so on."""
    text = ""
    index += 1
    while index:
        index, remainder = divmod(index - 1, len(_CONDITION_MARKS))
        text = _CONDITION_MARKS[remainder] + text
    return text
