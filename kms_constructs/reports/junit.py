"""Reports as JUnit XML, for the test views of CI systems.

A test suite is a resource, a test case is a finding. A violation is a failure; undetermined is an error,
for the test could not tell; an acknowledged finding is skipped, with its reason; a warning passes and says so
in its output. What does not apply is left out. An input that could not be read is an error in a suite of its
own.
"""

from __future__ import annotations

from collections import Counter

from junitparser import Attr, Error, Failure, JUnitXml, Skipped, TestCase, TestSuite

from kms_constructs.guardrails.finding import Finding, Report
from kms_constructs.model.estate import Location
from kms_constructs.reports.summary import Status, by_resource, status_of
from kms_constructs.reports.text import one_line, place_of, to_open


class _Case(TestCase):
    """A test case with the place that CI systems link to."""

    file = Attr()
    line = Attr()


def report_junit(report: Report) -> str:
    """The findings of a report as one JUnit XML document."""
    document = JUnitXml("kms-constructs")
    if report.problems:
        suite = TestSuite("input")
        for problem in report.problems:
            name = ": ".join(one_line(part) for part in (problem.source, problem.logical_id) if part)
            case = TestCase(name, "input")
            case.result = [_result(Error, "could not be read", _lines(problem.message, "", "", problem.fix))]
            suite.append(case)  # type: ignore[no-untyped-call]
        document.append(suite)  # type: ignore[no-untyped-call]
    for group in by_resource(report.findings):
        cases = [
            _case(finding) for finding in group.findings if status_of(finding) is not Status.NOT_APPLICABLE
        ]
        if not cases:
            continue
        location = group.location
        suite = TestSuite(one_line(location.construct_path or location.logical_id or location.source))
        suite.add_property("source", one_line(location.source))
        if location.logical_id:
            suite.add_property("logicalId", one_line(location.logical_id))
        _number(cases)
        for case in cases:
            suite.append(case)  # type: ignore[no-untyped-call]
        document.append(suite)  # type: ignore[no-untyped-call]
    # Once for all: adding through the library's own methods counts everything again at each step.
    for suite in document:
        suite.update_statistics()  # type: ignore[no-untyped-call]
    document.update_statistics()  # type: ignore[no-untyped-call]
    written: bytes = document.tostring()  # type: ignore[no-untyped-call]
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{written.decode("utf-8")}\n'


def _case(finding: Finding) -> TestCase:
    location = finding.location
    case = _Case(one_line(finding.id), _class_name(location))
    where = finding.path
    file, line, _ = to_open(location, finding.path)
    if line is not None:
        case.file, case.line = file, str(line)
    if finding.line:
        where = " ".join(part for part in (place_of(location, finding.path), where) if part)
    text = _lines(finding.message, where, " → ".join(one_line(step) for step in finding.chain), finding.fix)
    match status_of(finding):
        case Status.VIOLATION:
            case.result = [_result(Failure, one_line(finding.message), text, finding.severity.value)]
        case Status.UNDETERMINED:
            case.result = [_result(Error, one_line(finding.message), text, "undetermined")]
        case Status.ACKNOWLEDGED:
            case.result = [_result(Skipped, f"acknowledged: {one_line(finding.acknowledged or '')}", text)]
        case Status.WARNING:
            case.system_out = f"warning: {text}"
        case _:
            case.system_out = one_line(finding.message)
    return case


def _class_name(location: Location) -> str:
    if location.construct_path:
        return one_line(location.construct_path)
    parts = (one_line(part) for part in (location.stack, location.logical_id) if part)
    return "/".join(parts) or one_line(location.source)


def _number(cases: list[TestCase]) -> None:
    """Tells test cases of one name apart, for CI systems keep the history of a test by its name."""
    seen: Counter[str] = Counter()
    for case in cases:
        name = str(case.name)
        seen[name] += 1
        if seen[name] > 1:
            case.name = f"{name} #{seen[name]}"


def _result(
    kind: type[Error | Failure | Skipped], message: str, text: str, type_: str | None = None
) -> Error | Failure | Skipped:
    result = kind(message, type_)
    result.text = text
    return result


def _lines(message: str, path: str, chain: str, fix: str) -> str:
    lines = [one_line(message)]
    for label, value in (("at", path), ("via", chain), ("fix", fix)):
        if value:
            lines.append(f"{label}: {one_line(value)}")
    return "\n".join(lines)
