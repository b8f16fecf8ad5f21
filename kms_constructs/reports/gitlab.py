"""Reports as GitLab's Code Quality JSON, for the widget of merge requests.

GitLab compares the fingerprints of two reports and shows what came and what went. It knows no finding that is
accepted: an acknowledged one is an ``info`` that says so. Compliant and not applicable findings are left out.

See: https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format
"""

from __future__ import annotations

import hashlib
import json
from pathlib import PurePosixPath
from typing import Any

from kms_constructs.guardrails.finding import Finding, Report, Severity
from kms_constructs.model.estate import SourceProblem
from kms_constructs.reports.fingerprint import fingerprints
from kms_constructs.reports.summary import Status, status_of
from kms_constructs.reports.text import one_line, to_open

_SEVERITIES = {
    Severity.HIGH: "critical",
    Severity.MEDIUM: "major",
    Severity.LOW: "minor",
    Severity.WARNING: "info",
}


def report_gitlab(report: Report) -> str:
    """The findings of a report, and the inputs that could not be read, as one JSON list."""
    shown = [finding for finding in report.findings if not status_of(finding).quiet]
    issues = [_problem(problem) for problem in report.problems]
    issues += [
        _finding(finding, fingerprint)
        for finding, fingerprint in zip(shown, fingerprints(shown), strict=True)
    ]
    return json.dumps(issues, indent=2, ensure_ascii=False) + "\n"


def _finding(finding: Finding, fingerprint: str) -> dict[str, Any]:
    status = status_of(finding)
    location = finding.location
    name = one_line(location.construct_path or location.logical_id)
    undetermined = "Undetermined: " if status is Status.UNDETERMINED else ""
    parts = [f"{undetermined}{one_line(finding.message).rstrip('.')}."]
    if finding.acknowledged is not None:
        parts.append(f"Acknowledged: {one_line(finding.acknowledged).rstrip('.')}.")
    elif finding.fix:
        parts.append(f"Fix: {one_line(finding.fix).rstrip('.')}.")
    severity = "info" if status is Status.ACKNOWLEDGED else _SEVERITIES[finding.severity]
    text = f"{name}: {' '.join(parts)}" if name else " ".join(parts)
    file, line, _ = to_open(location, finding.path)
    return _issue(text, one_line(finding.id), fingerprint, severity, file, line)


def _problem(problem: SourceProblem) -> dict[str, Any]:
    name = f"{one_line(problem.logical_id)}: " if problem.logical_id else ""
    fix = f" Fix: {one_line(problem.fix).rstrip('.')}." if problem.fix else ""
    told = "\0".join((problem.source, problem.logical_id, problem.message))
    fingerprint = hashlib.sha256(told.encode("utf-8", "backslashreplace")).hexdigest()[:32]
    text = f"{name}It cannot be read: {one_line(problem.message).rstrip('.')}.{fix}"
    return _issue(text, "input", fingerprint, "blocker", problem.source, None)


def _issue(  # noqa: PLR0917 - the members of an issue, in its order
    description: str, check: str, fingerprint: str, severity: str, source: str, line: int | None
) -> dict[str, Any]:
    # GitLab wants a path without "./" before it, and a line always.
    path = PurePosixPath(one_line(source)).as_posix()
    return {
        "description": description,
        "check_name": check,
        "fingerprint": fingerprint,
        "severity": severity,
        "location": {"path": path, "lines": {"begin": line or 1}},
    }
