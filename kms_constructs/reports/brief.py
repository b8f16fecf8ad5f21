"""The report in a few lines, for where it is only to be noticed: the standard error of a synth."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence

from kms_constructs.guardrails.finding import Finding
from kms_constructs.model.estate import SourceProblem
from kms_constructs.reports.causes import Cause, Pattern, by_cause, fitting, patterns, shared_by
from kms_constructs.reports.summary import Status, status_of
from kms_constructs.reports.text import counted, one_line

_MOST_LINES = 28
"""Lines of the blocks of all causes."""
_MOST_RESOURCES = 3
_MOST_PROBLEMS = 3
_WIDTH = 110


def brief_report(findings: Iterable[Finding], problems: Sequence[SourceProblem] = ()) -> str:
    """What fails: one block a cause, however many keys share it, the worst first, and a total line.

    Bounded: what does not fit is counted, never left out silently. Nothing is cut within a block.

    Args:
        findings: The findings that fail; the others are for the full report.
        problems: What could not be read.
    """
    listed = [finding for finding in findings if finding.fails]
    lines: list[str] = []
    for problem in problems[:_MOST_PROBLEMS]:
        name = f": {problem.logical_id}" if problem.logical_id else ""
        lines += [f"x could not be read  {one_line(problem.source)}{one_line(name)}"]
        lines += _block(problem.message) + _block(f"fix {problem.fix}")
    if len(problems) > _MOST_PROBLEMS:
        lines.append(f"  and {counted(len(problems) - _MOST_PROBLEMS, 'more input')} that could not be read")
    found = patterns(by_cause(listed))
    blocks = [[*_pattern(pattern)] for pattern in found[:_MOST_LINES]]  # none has less than a line
    shown = fitting(map(len, blocks), _MOST_LINES - len(lines))
    lines += [line for block in blocks[:shown] for line in block]
    if left := found[shown:]:
        number = sum(pattern.number for pattern in left)
        lines.append(f"  and {counted(number, 'more finding')} of {counted(len(left), 'other cause')}")
    return "\n".join([*lines, total(listed, problems)])


def total(findings: Sequence[Finding], problems: Sequence[SourceProblem] = ()) -> str:
    """One line: ``58 violations by 12 statements and properties of 5 resources``."""
    violations = sum(status_of(finding) is Status.VIOLATION for finding in findings)
    parts = [counted(len(problems), "input that could not be read", "inputs that could not be read")]
    parts = parts if problems else []
    if violations:
        parts.append(counted(violations, "violation"))
    if undetermined := len(findings) - violations:
        parts.append(counted(undetermined, "undetermined", "undetermined"))
    if not findings:
        return ", ".join(parts)
    places = {finding.location for finding in findings}
    causes = counted(len(by_cause(findings)), "cause")
    return f"{', '.join(parts)}: {causes} in {counted(len(places), 'resource')}"


def controls_of(cause: Cause) -> str:
    """The ids of what a cause breaks, worst first."""
    return ", ".join(dict.fromkeys(one_line(finding.id) for finding in cause.findings))


def _pattern(pattern: Pattern) -> Iterable[str]:
    cause = pattern.first
    mark = "x" if cause.status is Status.VIOLATION else "?"
    yield from textwrap.wrap(
        f"{mark} {cause.status.value}  {controls_of(cause)}  {cause.worst.severity.value}",
        _WIDTH,
        subsequent_indent="    ",
        break_long_words=False,
        break_on_hyphens=False,
    )
    yield from _block(cause.worst.message)
    for one in cause.besides:
        yield from _block(f"and {one.id}: {one.message}")
    where = shared_by(pattern, _MOST_RESOURCES)
    yield from _block(f"in {where}" + (f", at {one_line(cause.place)}" if cause.place else ""))
    if cause.worst.fix:
        yield from _block(f"fix {cause.worst.fix}")


def _block(text: str) -> list[str]:
    return textwrap.wrap(
        one_line(text),
        _WIDTH,
        initial_indent="    ",
        subsequent_indent="        " if text.startswith(("fix ", "in ")) else "    ",
        break_long_words=False,
        break_on_hyphens=False,
    )
