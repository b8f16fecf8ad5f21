"""Reports as CSV (RFC 4180), for spreadsheets and databases: one line a finding.

Spreadsheets run what begins like a formula. A template may say what it likes in a name, so such a cell has an
apostrophe before it, which spreadsheets show as text.

See: https://owasp.org/www-community/attacks/CSV_Injection
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from io import StringIO

from kms_constructs.guardrails.finding import Finding, Report
from kms_constructs.model.estate import SourceProblem
from kms_constructs.reports.summary import Status, status_of
from kms_constructs.reports.text import one_line

COLUMNS = (
    "status",
    "fails",
    "control",
    "finding",
    "severity",
    "source",
    "line",
    "stack",
    "logical_id",
    "construct_path",
    "property",
    "message",
    "fix",
    "principals",
    "chain",
    "acknowledged",
    "made_at",
    "alias",
)
"""Names of the columns, in the first line. New ones are added behind."""

UNREADABLE = "unreadable"
"""Status of the line of an input that could not be read."""

_FORMULAS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # noqa: RUF001 - Excel takes the wide ones, too


def report_csv(report: Report, *, everything: bool = False) -> str:
    """The findings of a report and the inputs that could not be read; not applicable ones are left out.

    Args:
        report: What was found.
        everything: Also compliant and not applicable findings.
    """
    file = StringIO(newline="")
    writer = csv.DictWriter(file, COLUMNS, restval="")
    writer.writeheader()
    for line in _lines(report, everything=everything):
        writer.writerow({name: safe_cell(value) for name, value in line.items()})
    return file.getvalue()


def _lines(report: Report, *, everything: bool) -> Iterator[dict[str, str]]:
    for problem in report.problems:
        yield _problem(problem)
    for finding in report.findings:
        if everything or not status_of(finding).quiet:
            yield _finding(finding, status_of(finding))


def _finding(finding: Finding, status: Status) -> dict[str, str]:
    location = finding.location
    return {
        "status": status.value,
        "fails": "true" if finding.fails else "false",
        "control": finding.control,
        "finding": finding.id,
        "severity": finding.severity.value,
        "source": location.source,
        "line": str(finding.line or ""),
        "stack": location.stack,
        "logical_id": location.logical_id,
        "construct_path": location.construct_path or "",
        "property": finding.path,
        "message": finding.message,
        "fix": finding.fix,
        "principals": "; ".join(finding.principals),
        "chain": " → ".join(finding.chain),
        "acknowledged": finding.acknowledged or "",
        "made_at": str(location.made_at or ""),
        "alias": location.alias,
    }


def _problem(problem: SourceProblem) -> dict[str, str]:
    return {
        "status": UNREADABLE,
        "fails": "true",
        "source": problem.source,
        "logical_id": problem.logical_id,
        "message": problem.message,
        "fix": problem.fix,
    }


def safe_cell(text: str) -> str:
    """A cell that is text to a spreadsheet, in one line."""
    line = one_line(text)
    return f"'{line}" if line.startswith(_FORMULAS) else line
