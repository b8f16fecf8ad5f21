"""The report for terminals: findings by resource, worst first."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from kms_constructs.guardrails.finding import Finding, Remark, RemarkKind, Report
from kms_constructs.guardrails.verdict import Verdict
from kms_constructs.model.estate import Location, SourceProblem
from kms_constructs.reports.causes import Cause, Pattern, by_cause, fitting, patterns, place_name, shared_by
from kms_constructs.reports.console import Drawn, Look, Pen, draw, heading
from kms_constructs.reports.summary import (
    QUIET,
    ControlCount,
    ResourceFindings,
    Status,
    Summary,
    by_control,
    by_resource,
    natural_order,
    status_of,
    switched_off,
)
from kms_constructs.reports.text import counted, one_line, place, place_of

if TYPE_CHECKING:
    from rich.console import RenderableType

_MARKS: dict[Status, tuple[str, str, str]] = {
    Status.VIOLATION: ("✗", "x", "bold red"),
    Status.UNDETERMINED: ("?", "?", "bold magenta"),
    Status.WARNING: ("!", "!", "yellow"),
    Status.ACKNOWLEDGED: ("~", "~", "cyan"),
    Status.COMPLIANT: ("✓", "+", "green"),
    Status.NOT_APPLICABLE: ("-", "-", "dim"),
}
_MOST_RESOURCES = 3
"""Resources that are shown one by one unless everything is asked for."""
_SCREEN = 40
"""Lines of a report, unless everything is asked for."""
_MOST_STALE_LINES = 12
_MOST_DECLARATION_LINES = 3
_MOST_PROBLEMS = 3
_MOST_NAMED = 3
_MOST_ACCEPTED = 5
_GAP = 2
_TITLE_WIDTH = 30
"""Columns that the titles of controls need to be shown beside their numbers."""


_STYLE_OF = {
    Verdict.CLEAN: "bold green",
    Verdict.VIOLATIONS: "bold red",
    Verdict.UNREADABLE: "bold red",
    Verdict.UNDETERMINED: "bold magenta",
}


def report_table(
    report: Report,
    look: Look | None = None,
    *,
    everything: bool = False,
    titles: dict[str, str] | None = None,
    quiet: bool = False,
    verbose: bool = True,
) -> str:
    """The findings of a report for a terminal.

    Args:
        report: What was found.
        look: Width and colours.
        everything: Also compliant and not applicable findings.
        titles: Control id to title, for the summary.
        quiet: Findings alone, without what is said of the whole.
        verbose: Whether each finding has a block of its own; else what one statement breaks is one block, and
            so is what many resources share, so that the report of any number of keys fits on a screen.
    """
    look = look or Look()
    verbose = verbose or everything
    head = [*_problems(report.problems, look, verbose=verbose)]
    off = set(switched_off(report.findings))
    shown = [
        finding
        for finding in report.findings
        if (everything or finding.outcome not in QUIET) and finding not in off
    ]
    pen = Pen(look)
    tail: list[RenderableType] = []
    if not quiet:
        tail += _remarks(report.remarks, pen, verbose=verbose, alone=not shown)
        controls = by_control(report.findings)
        tail += _controls(controls, look, titles or {}, everything=everything)
        for finding in sorted(off, key=lambda finding: natural_order(finding.control)):
            tail.append(Text(f"{finding.control}: {one_line(finding.message)}", style="yellow"))
        if off:
            tail.append(Text())
        summary = Summary.of(report, controls)
        tail.append(Text(str(summary), style=_STYLE_OF[summary.verdict]))
    if verbose:
        body = [part for group in by_resource(shown) for part in _resource(group, look, pen)]
        return draw([*head, *body, *tail], look)
    around = draw([*head, *tail], look).count("\n")
    return draw([*head, *_causes(shown, look, pen, _SCREEN - around), *tail], look)


def _problems(problems: Sequence[SourceProblem], look: Look, *, verbose: bool) -> Iterable[RenderableType]:
    if not problems:
        return
    pen = Pen(look)
    yield pen.line(0, ("Input that could not be read", "bold underline"))
    named = len(problems) if verbose else _MOST_PROBLEMS
    for problem in problems[:named]:
        place = one_line(problem.source)
        if problem.logical_id:
            place += f": {one_line(problem.logical_id)}"
        yield pen.paragraph(f"{look.mark('✗', 'x')} {place}", indent=2, style="bold red")
        yield pen.paragraph(one_line(problem.message), indent=4)
        if problem.fix:
            yield pen.paragraph(one_line(problem.fix), indent=4, label="fix", style="green")
    if (more := len(problems) - named) > 0:
        text = counted(more, "more input that could not be read", "more inputs that could not be read")
        yield pen.paragraph(f"and {text}; --verbose lists them", indent=2)
    yield Drawn()


def _causes(findings: Sequence[Finding], look: Look, pen: Pen, room: int) -> Iterable[RenderableType]:
    """The findings by cause; by resource as long as these are few, else what they share once.

    Args:
        findings: What is to be shown.
        look: Width and colours.
        pen: Draws.
        room: Lines that are left of the screen.
    """
    accepted = [finding for finding in findings if finding.acknowledged is not None]
    listed = [finding for finding in findings if finding.acknowledged is None]
    if len(accepted) <= _MOST_ACCEPTED:
        listed, accepted = list(findings), []
    if accepted:
        room -= 3
    if len({finding.location for finding in listed}) <= _MOST_RESOURCES:
        for group in by_resource(listed):
            yield from _resource_heading(group.location, pen)
            for cause in by_cause(group.findings):
                yield from _finding(cause.worst, look, pen, cause)
            yield Drawn()
    else:
        found = patterns(by_cause(listed))
        blocks = [[*_pattern(pattern, look, pen)] for pattern in found[:_SCREEN]]
        heights = [*map(_height, blocks)]
        # What is left out is told in two lines.
        fits = len(found) <= _SCREEN and sum(heights) <= room
        number = len(found) if fits else fitting(heights, room - 2)
        for block in blocks[:number]:
            yield from block
        if left := found[number:]:
            hidden = counted(sum(pattern.number for pattern in left), "more finding")
            yield pen.paragraph(
                f"and {hidden} of {counted(len(left), 'other cause')}; --verbose lists them", indent=0
            )
            yield Drawn()
    if accepted:
        reasons = dict.fromkeys(one_line(finding.acknowledged or "") for finding in accepted)
        more = f" and {len(reasons) - 3} more reasons" if len(reasons) > 3 else ""
        text = f"{counted(len(accepted), 'finding')} accepted: {'; '.join(list(reasons)[:3])}{more}"
        yield pen.paragraph(f"{look.mark('~', '~')} {text}; --verbose lists them", indent=0, style="cyan")
        yield Drawn()


def _height(block: Iterable[Drawn]) -> int:
    return sum(part.count("\n") + 1 for part in block)


def _pattern(pattern: Pattern, look: Look, pen: Pen) -> Iterable[Drawn]:
    """What several resources share, or one of many resources has."""
    cause = pattern.first
    yield from _finding(cause.worst, look, pen, cause, shared_by(pattern, _MOST_NAMED))
    yield Drawn()


def _remarks(remarks: Sequence[Remark], pen: Pen, *, verbose: bool, alone: bool) -> Iterable[RenderableType]:
    # Somebody relies on what accepts nothing any more; what the input declares, its author knows.
    stale = [remark for remark in remarks if remark.kind is not RemarkKind.DECLARATION]
    declared = [remark for remark in remarks if remark.kind is RemarkKind.DECLARATION]
    number = 0
    for some, room in (
        (stale, _MOST_STALE_LINES),
        (declared, _SCREEN // 2 if alone else _MOST_DECLARATION_LINES),
    ):
        blocks = [[*_remark(remark, pen)] for remark in (some if verbose else some[:room])]
        fits = len(blocks) if verbose else fitting(map(_height, blocks), room)
        for block in blocks[:fits]:
            yield from block
        number += fits
    if (more := len(remarks) - number) > 0:
        text = f"note: and {counted(more, 'more note')}; --verbose lists them"
        yield pen.paragraph(text, indent=0, style="yellow")
    if remarks:
        yield Drawn()


def _remark(remark: Remark, pen: Pen) -> Iterable[Drawn]:
    yield pen.paragraph(f"note: {one_line(remark.text)}", indent=0, style="yellow")
    if remark.fix:
        yield pen.paragraph(one_line(remark.fix), indent=4, label="fix", style="green")


def _resource_heading(location: Location, pen: Pen) -> Iterable[RenderableType]:
    with_line = place(location, named=not location.construct_path, with_line=True)
    yield from heading(one_line(place_name(location)), with_line, pen)


def _resource(group: ResourceFindings, look: Look, pen: Pen) -> Iterable[RenderableType]:
    yield from _resource_heading(group.location, pen)
    for finding in group.findings:
        yield from _finding(finding, look, pen)
    yield Drawn()


def _finding(
    finding: Finding, look: Look, pen: Pen, cause: Cause | None = None, where: str = ""
) -> Iterable[Drawn]:
    """One finding; with what else its statement breaks, and with the resources that it stands for."""
    also = () if cause is None else cause.along
    besides = () if cause is None else cause.besides
    status = status_of(finding)
    symbol, ascii_symbol, style = _MARKS[status]
    pieces = [
        (f"{look.mark(symbol, ascii_symbol)} {status.value}", style),
        (f"  {one_line(finding.id)}", "bold"),
    ]
    if status in (Status.VIOLATION, Status.UNDETERMINED):
        pieces.append((f"  {finding.severity.value}", style))
    if status.quiet:
        yield pen.line(2, *pieces, (f"  {one_line(finding.message)}", ""))
        return
    yield pen.line(2, *pieces)
    yield pen.paragraph(one_line(finding.message), indent=4)
    if also:
        ids = ", ".join(dict.fromkeys(one_line(one.id) for one in also))
        yield pen.paragraph(f"breaks {ids} as well", indent=4)
    for one in besides:
        yield pen.paragraph(f"and {one_line(one.id)}: {one_line(one.message)}", indent=4)
    if where:
        yield pen.paragraph(where, indent=4, label="in")
    if finding.path:
        line = f" ({place_of(finding.location, finding.path)})" if finding.line and not where else ""
        yield pen.paragraph(f"{one_line(finding.path)}{line}", indent=4, label="at")
    if finding.chain and not where:
        arrow = look.mark(" → ", " -> ")
        yield pen.paragraph(arrow.join(map(one_line, finding.chain)), indent=4, label="via")
    if finding.witness is not None:
        yield pen.paragraph(f"e.g. {one_line(finding.witness.describe())}", indent=4)
    if finding.acknowledged is not None:
        yield pen.paragraph(one_line(finding.acknowledged), indent=4, label="why", style=style)
    elif finding.fix:
        yield pen.paragraph(one_line(finding.fix), indent=4, label="fix", style="green")
    if finding.fingerprints and not also and not besides and not where and finding.acknowledged is None:
        yield pen.paragraph(", ".join(map(one_line, finding.exact_ids)), indent=4, label="id", style="dim")


def _controls(
    controls: Sequence[ControlCount], look: Look, titles: dict[str, str], *, everything: bool
) -> Iterable[RenderableType]:
    counts = [count for count in controls if everything or any(not status.quiet for status in count.counts)]
    if not counts:
        return
    columns = [
        status
        for status in Status
        if any(count.counts[status] for count in counts)
        and (everything or status is not Status.NOT_APPLICABLE)
    ]
    room = look.width - max(len("control"), *(len(count.control) for count in counts))
    room -= sum(len(status.value) + _GAP for status in columns)
    if room < 0:
        # No room for the columns: each control says its numbers in words.
        pen = Pen(look)
        for count in counts:
            told = [f"{count.counts[status]} {status.value}" for status in columns if count.counts[status]]
            yield pen.paragraph(f"{count.control}  {', '.join(told)}", indent=0)
        yield Drawn()
        return
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, _GAP, 0, 0))
    table.add_column("control", no_wrap=True)
    with_titles = (
        any(count.control in titles for count in counts) and look.width >= 100 and room >= _GAP + _TITLE_WIDTH
    )
    if with_titles:
        table.add_column("", overflow="fold", min_width=_TITLE_WIDTH)
    for status in columns:
        table.add_column(status.value, justify="right", no_wrap=True, min_width=len(status.value))
    for count in counts:
        cells = [Text(count.control)]
        if with_titles:
            cells.append(Text(one_line(titles.get(count.control, "")), style="dim"))
        for status in columns:
            number = count.counts[status]
            cells.append(Text(str(number), style=_MARKS[status][2]) if number else Text("-", style="dim"))
        table.add_row(*cells)
    yield table
    yield Text()
