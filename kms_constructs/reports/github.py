"""Reports as workflow commands of GitHub Actions: annotations at the lines of a pull request.

A finding that fails is an error, an undetermined one included; a warning is a warning; an acknowledged one is
a notice with its reason. GitHub shows a limited number of annotations for each step, the first ones, so the
worst come first; the whole report belongs into a file beside (``-o report.sarif``).

See: https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from kms_constructs.guardrails.finding import Finding, Report
from kms_constructs.model.estate import STANDARD_INPUT, SourceProblem
from kms_constructs.reports.summary import Status, by_resource, status_of
from kms_constructs.reports.text import one_line, place_of, to_open

_COMMANDS = {
    Status.VIOLATION: "error",
    Status.UNDETERMINED: "error",
    Status.WARNING: "warning",
    Status.ACKNOWLEDGED: "notice",
}


def report_github(report: Report) -> str:
    """The findings of a report, one workflow command a line, the worst first.

    Compliant and not applicable findings make no annotation.
    """
    return "".join(f"{line}\n" for line in _lines(report))


def _lines(report: Report) -> Iterator[str]:
    for problem in report.problems:
        yield _problem(problem)
    shown = [finding for finding in report.findings if status_of(finding) in _COMMANDS]
    order = list(Status)
    listed = [finding for group in by_resource(shown) for finding in group.findings]
    # The order within a resource and among resources stays as it is.
    for finding in sorted(listed, key=lambda finding: order.index(status_of(finding))):
        yield _finding(finding)


def _finding(finding: Finding) -> str:
    status = status_of(finding)
    location = finding.location
    file, line, column = to_open(location, finding.path)
    parts = [one_line(location.construct_path or location.logical_id)]
    undetermined = "Undetermined: " if status is Status.UNDETERMINED else ""
    parts.append(f"{undetermined}{one_line(finding.message)}")
    if finding.acknowledged is not None:
        parts.append(f"Acknowledged: {one_line(finding.acknowledged)}")
    elif finding.fix:
        parts.append(f"Fix: {one_line(finding.fix)}")
    if location.made_at is not None:
        parts.append(f"In {place_of(location, finding.path)}")
    return _command(
        _COMMANDS[status],
        {
            "file": file,
            "line": str(line or ""),
            "col": str(column or ""),
            "title": f"{finding.id} {finding.severity.value}",
        },
        filter(None, parts),
    )


def _problem(problem: SourceProblem) -> str:
    parts = [one_line(problem.logical_id), one_line(problem.message)]
    if problem.fix:
        parts.append(f"Fix: {one_line(problem.fix)}")
    return _command("error", {"file": problem.source, "title": "input cannot be read"}, filter(None, parts))


def _command(name: str, properties: dict[str, str], message: Iterable[str]) -> str:
    if properties["file"] == STANDARD_INPUT:
        # An annotation without a file stands at the run as a whole.
        properties = {"title": properties["title"]}
    written = ",".join(f"{key}={_property(one_line(value))}" for key, value in properties.items() if value)
    return f"::{name} {written}::{_data(chr(10).join(message))}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
