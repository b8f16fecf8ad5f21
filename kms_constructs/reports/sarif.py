"""Reports as SARIF 2.1.0, for code scanning and editors.

A violation and an undetermined finding are both results of kind ``fail``: undetermined fails a run, and the
viewers of today drop the kind ``open`` that SARIF has for it, which would turn it into a silent pass. It says
"undetermined" in the message and in ``properties.outcome``. Acknowledged findings are suppressed, with the
reason. Compliant ones are left out unless asked for, because some viewers show every result as an alert.

See: https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
"""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import PurePath, PurePosixPath, PureWindowsPath
from urllib.parse import quote

from sarif_pydantic.sarif import (
    ArtifactLocation,
    Invocation,
    Level,
    LogicalLocation,
    Message,
    Notification,
    PhysicalLocation,
    Region,
    ReportingConfiguration,
    ReportingDescriptor,
    Result,
    Run,
    Sarif,
    Suppression,
    Tool,
    ToolDriver,
)
from sarif_pydantic.sarif import Location as SarifLocation

from kms_constructs.guardrails.catalogue import CATALOGUE
from kms_constructs.guardrails.control import Control
from kms_constructs.guardrails.finding import Finding, Report, Severity
from kms_constructs.model.estate import STANDARD_INPUT, SourceProblem
from kms_constructs.reports.fingerprint import fingerprints
from kms_constructs.reports.summary import Status, natural_order, status_of
from kms_constructs.reports.text import one_line, printable
from kms_constructs.reports.version import tool_version

SCHEMA_URI = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
"""The schema that the report says it follows."""

FINGERPRINT = "kmsConstructs/v1"
"""Name of the partial fingerprint: what and where, without line numbers and wording."""

_LEVELS = {
    Severity.HIGH: Level.ERROR,
    Severity.MEDIUM: Level.ERROR,
    Severity.LOW: Level.WARNING,
    Severity.WARNING: Level.NOTE,
}
# GitHub's code scanning sorts by this number: 9.0 critical, 7.0 high, 4.0 medium, below that low.
_SECURITY_SEVERITIES = {
    Severity.HIGH: "8.0",
    Severity.MEDIUM: "5.5",
    Severity.LOW: "3.0",
    Severity.WARNING: "1.0",
}
_LINK = re.compile(r"\[(?=[^\[\]]*\]\()")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:")


def report_sarif(report: Report, *, everything: bool = False) -> str:
    """The findings of a report as one SARIF log.

    Args:
        report: What was found.
        everything: Also compliant findings, as results of kind ``pass``.
    """
    shown = [
        finding
        for finding in report.findings
        if not status_of(finding).quiet or (everything and status_of(finding) is Status.COMPLIANT)
    ]
    controls = sorted({finding.control for finding in report.findings} | set(CATALOGUE), key=natural_order)
    indexes = {control: index for index, control in enumerate(controls)}
    invocation = Invocation.model_validate(
        {
            "executionSuccessful": not report.problems,
            "toolExecutionNotifications": [_notification(problem) for problem in report.problems],
        }
    )
    run = Run.model_validate(
        {
            "tool": Tool(
                driver=ToolDriver.model_validate(
                    {
                        "name": "kms-constructs",
                        "version": tool_version(),
                        "rules": [_rule(control) for control in controls],
                    }
                )
            ),
            "invocations": [invocation],
            "results": [
                _result(finding, indexes[finding.control], fingerprint)
                for finding, fingerprint in zip(shown, fingerprints(shown), strict=True)
            ],
            "columnKind": "unicodeCodePoints",
        }
    )
    log = Sarif.model_validate({"$schema": SCHEMA_URI, "runs": [run]})
    text: str = log.model_dump_json(by_alias=True, exclude_none=True, indent=2)
    return f"{text}\n"


def _rule(control_id: str) -> ReportingDescriptor:
    control = CATALOGUE.get(control_id)
    if control is None:
        return ReportingDescriptor(id=control_id)
    return ReportingDescriptor.model_validate(
        {
            "id": control.id,
            "shortDescription": Message(text=control.title),
            "fullDescription": Message(text=control.rationale),
            "help": Message.model_validate(
                {"text": _help(control), "markdown": _help(control, markdown=True)}
            ),
            "helpUri": control.references[0] if control.references else None,
            "defaultConfiguration": ReportingConfiguration(level=_LEVELS[control.severity].value),
            "properties": {
                "security-severity": _SECURITY_SEVERITIES[control.severity],
                "tags": ["security", "kms", *(scope.value for scope in control.scope)],
            },
        }
    )


def _help(control: Control, *, markdown: bool = False) -> str:
    strong = "**" if markdown else ""
    lines = [f"{strong}{control.title}.{strong}", control.rationale, f"Fix: {control.remediation}"]
    if control.mappings:
        lines.append(
            "Serves "
            + "; ".join(
                f"{framework.value}: {', '.join(requirements)}"
                for framework, requirements in control.mappings.items()
            )
            + "."
        )
    lines += [f"<{page}>" if markdown else page for page in control.references]
    return "\n\n".join(lines)


def _result(finding: Finding, index: int, fingerprint: str) -> Result:
    status = status_of(finding)
    passes = status is Status.COMPLIANT
    properties: dict[str, object] = {
        "findingId": one_line(finding.id),
        "outcome": finding.outcome.value,
        "severity": finding.severity.value,
    }
    if finding.path:
        properties["propertyPath"] = one_line(finding.path)
    if finding.chain:
        properties["chain"] = [one_line(step) for step in finding.chain]
    if finding.principals:
        properties["principals"] = [one_line(principal) for principal in finding.principals]
    result: dict[str, object] = {
        "ruleId": finding.control,
        "ruleIndex": index,
        "kind": "pass" if passes else "fail",
        "level": Level.NONE if passes else _level(finding),
        "message": Message(text=_message(finding)),
        "locations": [_location(finding)],
        "relatedLocations": _related(finding),
        "partialFingerprints": {FINGERPRINT: fingerprint},
        "properties": properties,
    }
    if finding.acknowledged is not None:
        result["suppressions"] = [
            Suppression(kind="external", status="accepted", justification=one_line(finding.acknowledged))
        ]
    return Result.model_validate(result)


def _level(finding: Finding) -> Level:
    if status_of(finding) is Status.UNDETERMINED:
        return Level.WARNING
    return _LEVELS[finding.severity]


def _message(finding: Finding) -> str:
    undetermined = "Undetermined: " if status_of(finding) is Status.UNDETERMINED else ""
    parts = [f"{undetermined}{one_line(finding.message).rstrip('.')}."]
    if finding.chain:
        parts.append(f"Access comes about so: {' → '.join(one_line(step) for step in finding.chain)}.")
    if finding.fix:
        parts.append(f"Fix: {one_line(finding.fix).rstrip('.')}.")
    return _escaped(" ".join(parts))


def _escaped(text: str) -> str:
    """The text with what SARIF reads as placeholders and links made literal (SARIF 3.11.5 and 3.11.6)."""
    return _LINK.sub(r"\\[", text).replace("{", "{{").replace("}", "}}")


def _location(finding: Finding) -> SarifLocation:
    location = finding.location
    name = one_line(location.construct_path or location.logical_id)
    logical = []
    if location.logical_id or name:
        stack = f"{one_line(location.stack)}/" if location.stack and not location.construct_path else ""
        logical.append(
            LogicalLocation.model_validate(
                {
                    "name": one_line(location.logical_id) or name,
                    "fullyQualifiedName": f"{stack}{name}",
                    "kind": "resource",
                }
            )
        )
    if finding.path:
        path = one_line(finding.path)
        qualified = f"{one_line(location.logical_id)}/{path}" if location.logical_id else path
        logical.append(
            LogicalLocation.model_validate(
                {"name": path.rpartition("/")[2], "fullyQualifiedName": qualified, "kind": "property"}
            )
        )
    made = location.made_at
    physical = _in_template(finding) if made is None else _physical(made.file, {"startLine": made.line})
    return SarifLocation.model_validate({"physicalLocation": physical, "logicalLocations": logical or None})


def _related(finding: Finding) -> list[SarifLocation] | None:
    """The place in the template, where the result stands at the line of the program."""
    physical = None if finding.location.made_at is None else _in_template(finding)
    if physical is None:
        return None
    message = Message(text="In the template")
    return [SarifLocation.model_validate({"physicalLocation": physical, "message": message})]


def _in_template(finding: Finding) -> PhysicalLocation | None:
    position = finding.position
    region = {"startLine": position.line, "startColumn": position.column} if position else None
    return _physical(finding.location.source, region)


def _physical(file: str, region: dict[str, int] | None) -> PhysicalLocation | None:
    uri = _uri(file)
    if not uri:
        return None
    place = Region.model_validate(region) if region else None
    return PhysicalLocation.model_validate({"artifactLocation": ArtifactLocation(uri=uri), "region": place})


@lru_cache(maxsize=1024)
def _uri(given: str) -> str:
    source = printable(given)
    path: PurePath = (
        PureWindowsPath(source) if "\\" in source or source[1:3] == ":/" else PurePosixPath(source)
    )
    if path.is_absolute():
        return path.as_uri()
    if not source or source in ("-", STANDARD_INPUT) or _SCHEME.match(source) or source.startswith("<"):
        return ""
    return quote(path.as_posix())


def _notification(problem: SourceProblem) -> Notification:
    fix = f" Fix: {one_line(problem.fix)}" if problem.fix else ""
    place = ": ".join(one_line(part) for part in (problem.source, problem.logical_id) if part)
    location = _uri(problem.source)
    return Notification.model_validate(
        {
            "level": Level.ERROR,
            "message": Message(text=_escaped(f"{place}: {one_line(problem.message).rstrip('.')}.{fix}")),
            "locations": [
                SarifLocation.model_validate(
                    {
                        "physicalLocation": PhysicalLocation.model_validate(
                            {"artifactLocation": ArtifactLocation(uri=location)}
                        )
                    }
                )
            ]
            if location
            else None,
        }
    )
