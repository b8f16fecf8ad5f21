"""Reports as Markdown, for pull requests, job summaries and documentation."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from kms_constructs.analysis.access import Access
from kms_constructs.guardrails.control import Control, Framework
from kms_constructs.guardrails.finding import Finding, Report
from kms_constructs.reports.access_view import (
    LEGEND,
    MARKS,
    access_entries,
    joined,
    key_title,
    matrix_facts,
    matrix_order,
)
from kms_constructs.reports.summary import (
    ResourceFindings,
    Status,
    Summary,
    by_resource,
    natural_order,
    status_of,
    switched_off,
)
from kms_constructs.reports.text import one_line, place, place_of

if TYPE_CHECKING:
    from kms_constructs.analysis.access import AccessMatrix
    from kms_constructs.analysis.diff import AccessChange

_SPECIAL = re.compile(r"([\\`*_\[\]|<>#~!])")
_MENTION = re.compile(r"@(?=\w)")
"""GitHub and GitLab tell whoever is named so, whatever is escaped; an empty comment keeps the sign apart."""
_BACKTICKS = re.compile(r"`+")


def escaped(text: str) -> str:
    """The text on one line, with what Markdown and HTML would read as markup made literal."""
    literal = _SPECIAL.sub(r"\\\1", one_line(text)).replace("&", "&amp;")
    return _MENTION.sub("@<!-- -->", literal)


def code(text: str) -> str:
    """The text as an inline code span, in a table cell or outside one."""
    plain = one_line(text).replace("|", "\\|")
    fence = "`" * (max((len(run) for run in _BACKTICKS.findall(plain)), default=0) + 1)
    pad = " " if plain.startswith("`") or plain.endswith("`") else ""
    return f"{fence}{pad}{plain}{pad}{fence}" if plain else ""


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterable[str]:
    yield f"| {' | '.join(head)} |"
    yield f"|{'|'.join(' --- ' for _ in head)}|"
    for row in rows:
        yield f"| {' | '.join(row)} |"


def report_markdown(report: Report, *, everything: bool = False) -> str:
    """The findings of a report by resource, worst first; the result in its first line.

    Args:
        report: What was found.
        everything: Also compliant and not applicable findings.
    """
    lines = [f"**{escaped(str(Summary.of(report)))}**", ""]
    if report.problems:
        rows = [
            (
                code(": ".join(filter(None, (one.source, one.logical_id)))),
                escaped(one.message),
                escaped(one.fix),
            )
            for one in report.problems
        ]
        lines += ["## Input that could not be read", "", *_table(("Input", "Problem", "Fix"), rows), ""]
    off = set(switched_off(report.findings))
    shown = [
        finding
        for finding in report.findings
        if finding not in off and (everything or not status_of(finding).quiet)
    ]
    for group in by_resource(shown):
        lines += _resource(group)
    if off:
        listed = sorted(off, key=lambda finding: natural_order(finding.control))
        lines += [*(f"- {code(finding.control)}: {escaped(finding.message)}" for finding in listed), ""]
    return "\n".join(lines[:-1]) + "\n"


def _resource(group: ResourceFindings) -> Iterable[str]:
    location = group.location
    title = one_line(location.title)
    where = place(location, named=not location.construct_path, with_line=True)
    yield f"## {escaped(title)}"
    yield ""
    if where != title:
        yield from (code(where), "")
    head = ("Result", "Severity", "Control", "Finding", "Where", "What to do")
    yield from _table(head, (_row(finding) for finding in group.findings))
    yield ""


def _row(finding: Finding) -> Sequence[str]:
    status = status_of(finding)
    strong = "**" if finding.fails else ""
    message = escaped(finding.message)
    if finding.chain:
        message = f"{message.rstrip('.')}. By {' → '.join(map(code, finding.chain))}."
    if status is Status.ACKNOWLEDGED:
        advice = f"Acknowledged: {escaped(finding.acknowledged or '')}"
    else:
        advice = escaped(finding.fix)
    where = code(finding.path)
    if finding.line:
        where = ", ".join(filter(None, (where, code(place_of(finding.location, finding.path)))))
    return (
        f"{strong}{status.value}{strong}",
        finding.severity.value,
        code(finding.id),
        message,
        where,
        advice,
    )


def access_markdown(matrices: Iterable[AccessMatrix]) -> str:
    """Who may do what with each key, and which statements say so."""
    lines: list[str] = []
    ordered = matrix_order(matrices)
    for matrix in ordered:
        lines += [f"## {escaped(key_title(matrix.key))}", ""]
        facts = [one_line(matrix.key.location.source), *matrix_facts(matrix)]
        lines += [", ".join(map(code, facts)), ""]
        if not matrix.rows:
            lines += ["**Nobody has access to this key.**", ""]
            continue
        rows = []
        for row in matrix.rows:
            name = code(row.principal)
            for entry in access_entries(row, matrix.capabilities):
                mark = MARKS[entry.access]
                rows.append(
                    (
                        name,
                        f"{mark.symbol} {mark.word}",
                        escaped(entry.labels),
                        ", ".join(map(code, entry.statements)),
                        ("in part: " if entry.alternatives and entry.access is Access.ALLOWED else "")
                        + joined(entry.alternatives, code),
                    )
                )
                name = ""
            if name:
                rows.append((name, MARKS[Access.DENIED].word, "", "", ""))
        lines += [*_table(("Principal", "Access", "To", "By", "If"), rows), ""]
    if ordered:
        lines += [f"- {mark.symbol} {mark.word}: {mark.meaning}" for mark in LEGEND.values()]
    else:
        lines.append("No KMS key was given.")
    return "\n".join(lines) + "\n"


def diff_markdown(changes: Sequence[AccessChange]) -> str:
    """Who gains and who loses what."""
    if not changes:
        return "No change of access to KMS keys.\n"
    rows = (
        (
            code(f"{change.key} with {change.world}" if change.world else change.key),
            code(change.principal),
            "**gains**" if change.gains else "loses",
            escaped(change.capability.value),
            f"{MARKS[change.before].word} → {MARKS[change.after].word}",
            ", ".join(map(code, change.statements)),
            joined(change.alternatives, code),
        )
        for change in changes
    )
    head = ("Key", "Principal", "", "Capability", "Access", "By", "If")
    return "\n".join(_table(head, rows)) + "\n"


def catalogue_markdown(controls: Iterable[Control]) -> str:
    """The catalogue as a table: id, severity, the compliant state, what it serves."""
    frameworks = list(Framework)
    rows = (
        (
            code(control.id),
            control.severity.value,
            escaped(control.title),
            *(", ".join(control.mappings.get(framework, ())) for framework in frameworks),
        )
        for control in controls
    )
    head = ("Control", "Severity", "What holds when it is met", *(item.value for item in frameworks))
    return "\n".join(_table(head, rows)) + "\n"
