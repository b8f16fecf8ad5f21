"""Reports as JSON, for programs: a documented schema with a version of its own.

The schema stands in ``kms_constructs/reports/data/output.schema.json`` and is returned by `output_schema`.
Within one major version fields are added and never renamed or removed.
"""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterable, Sequence
from importlib import resources
from typing import TYPE_CHECKING, Any

from kms_constructs.analysis.access import Access
from kms_constructs.analysis.witness import Witness
from kms_constructs.guardrails.control import Control
from kms_constructs.guardrails.finding import Finding, Report
from kms_constructs.model.estate import Location, SourceProblem
from kms_constructs.model.unknown import is_unknown
from kms_constructs.reports.access_view import key_name, matrix_order
from kms_constructs.reports.summary import Status, Summary, status_of
from kms_constructs.reports.text import printable
from kms_constructs.reports.version import tool_version

if TYPE_CHECKING:
    from kms_constructs.analysis.access import AccessMatrix, Capability, MatrixRow
    from kms_constructs.analysis.diff import AccessChange
    from kms_constructs.model.estate import Key

SCHEMA_VERSION = "1.0"
"""Version of the JSON formats; the first number changes when a reader has to change."""


def output_schema() -> dict[str, Any]:
    """The JSON schema (draft 2020-12) of everything this module writes."""
    text = resources.files("kms_constructs.reports").joinpath("data/output.schema.json").read_text("utf-8")
    schema: dict[str, Any] = json.loads(text)
    return schema


def report_json(report: Report) -> str:
    """Every finding of a report, compliant ones included."""
    summary = Summary.of(report)
    return _dump(
        "check",
        {
            "summary": {
                "verdict": summary.verdict,
                "exitCode": summary.verdict.exit_code,
                "keys": summary.keys,
                "problems": summary.problems,
                **{_camel(status.value): summary.counts[status] for status in Status},
                **({"notShown": summary.unshown} if summary.unshown else {}),
            },
            "sources": [printable(source) for source in report.sources],
            "problems": [_problem(problem) for problem in report.problems],
            **({"notes": [printable(note) for note in report.notes]} if report.notes else {}),
            "findings": [_finding(finding) for finding in report.findings],
            "remarks": [
                {"kind": remark.kind.value, "text": printable(remark.text), "fix": printable(remark.fix)}
                for remark in report.remarks
            ],
        },
    )


def access_json(matrices: Iterable[AccessMatrix], problems: Iterable[SourceProblem] = ()) -> str:
    """Who may do what with each key, and why."""
    ordered = matrix_order(matrices)
    rows: dict[tuple[int, tuple[Capability, ...]], str] = {}

    def row_text(row: MatrixRow, matrix: AccessMatrix) -> str:
        # The keys of an estate share most of their rows: each is written once. The matrices keep them alive.
        place = id(row), matrix.capabilities
        if place not in rows:
            rows[place] = _text(_row(row, matrix), indent=8)
        return rows[place]

    keys = [
        _with_members(
            _text(
                {
                    "key": _key(matrix.key),
                    **_world(matrix.world),
                    "capabilities": [capability.value for capability in matrix.capabilities],
                    "principals": [],
                },
                indent=4,
            ),
            [row_text(row, matrix) for row in matrix.rows],
        )
        for matrix in ordered
    ]
    return _with_members(
        _dump("access", {"problems": [_problem(problem) for problem in problems], "keys": []}), keys
    )


def _text(document: dict[str, Any], *, indent: int) -> str:
    return textwrap.indent(json.dumps(document, indent=2, ensure_ascii=False), " " * indent)


def _with_members(text: str, members: Sequence[str]) -> str:
    """The text of an object whose last value is an empty list, with that list filled."""
    head, _, tail = text.rpartition("[]")
    if not members:
        return text
    margin = tail.strip("\n")[:-1]
    listed = ",\n".join(members)
    return f"{head}[\n{listed}\n{margin}  ]{tail}"


def diff_json(changes: Iterable[AccessChange], problems: Iterable[SourceProblem] = ()) -> str:
    """Who gains and who loses what."""
    listed = [
        {
            "key": printable(change.key),
            "principal": printable(change.principal),
            "capability": change.capability.value,
            "before": _access(change.before),
            "after": _access(change.after),
            "gain": change.gains,
            "statements": [printable(statement) for statement in change.statements],
            "conditions": [printable(condition) for condition in change.conditions],
            **_world(change.world),
        }
        for change in changes
    ]
    gained = sum(change["gain"] is True for change in listed)
    return _dump(
        "diff",
        {
            "summary": {"gained": gained, "lost": len(listed) - gained},
            "problems": [_problem(problem) for problem in problems],
            "changes": listed,
        },
    )


def catalogue_json(controls: Iterable[Control]) -> str:
    """The catalogue of guardrails."""
    return _dump(
        "guardrails",
        {
            "controls": [
                {
                    "id": control.id,
                    "title": control.title,
                    "severity": control.severity.value,
                    "scope": [scope.value for scope in control.scope],
                    "actions": list(control.actions),
                    "rationale": control.rationale,
                    "remediation": control.remediation,
                    "references": list(control.references),
                    "mappings": {
                        framework.value: list(requirements)
                        for framework, requirements in control.mappings.items()
                    },
                    "preventable": control.preventable,
                }
                for control in controls
            ]
        },
    )


def _dump(report: str, body: dict[str, Any]) -> str:
    document = {
        "version": SCHEMA_VERSION,
        "report": report,
        "tool": {"name": "kms-constructs", "version": tool_version()},
        **body,
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _camel(words: str) -> str:
    first, *rest = words.split()
    return first + "".join(word.capitalize() for word in rest)


def _location(location: Location) -> dict[str, Any]:
    return {
        "source": printable(location.source),
        "stack": printable(location.stack),
        "logicalId": printable(location.logical_id),
        "constructPath": None if location.construct_path is None else printable(location.construct_path),
        **(
            {}
            if location.made_at is None
            else {"madeAt": {"file": printable(location.made_at.file), "line": location.made_at.line}}
        ),
    }


def _finding(finding: Finding) -> dict[str, Any]:
    position = finding.position
    return {
        "id": printable(finding.id),
        "control": finding.control,
        "detail": printable(finding.detail),
        "status": status_of(finding).value,
        "outcome": finding.outcome.value,
        "severity": finding.severity.value,
        "fails": finding.fails,
        "location": _location(finding.location),
        "path": printable(finding.path),
        "line": None if position is None else position.line,
        "column": None if position is None else position.column,
        "message": printable(finding.message),
        "fix": printable(finding.fix),
        "chain": [printable(step) for step in finding.chain],
        "principals": [printable(principal) for principal in finding.principals],
        "acknowledged": None if finding.acknowledged is None else printable(finding.acknowledged),
        "witness": None if finding.witness is None else _witness(finding.witness),
        **_world(finding.world),
        "fingerprints": list(finding.fingerprints),
    }


def _witness(witness: Witness) -> dict[str, Any]:
    return {
        "principal": printable(witness.principal),
        "action": f"kms:{witness.action}",
        "context": {
            printable(name): printable(value) if isinstance(value, str) else list(map(printable, value))
            for name, value in sorted(witness.context.items())
        },
        "needsIamPolicy": witness.needs_iam,
        "allowed": witness.allowed,
        "taken": {printable(name): printable(value) for name, value in witness.taken.items()},
        "beside": None if witness.beside is None else _witness(witness.beside),
    }


def _world(world: str) -> dict[str, str]:
    """Which deployments something is about: said only where it is not all of them."""
    return {"world": printable(world)} if world else {}


def _problem(problem: SourceProblem) -> dict[str, Any]:
    return {
        "source": printable(problem.source),
        "logicalId": printable(problem.logical_id),
        "message": printable(problem.message),
        "fix": printable(problem.fix),
    }


def _key(key: Key) -> dict[str, Any]:
    return {
        "id": printable(key.id),
        "name": key_name(key),
        "location": _location(key.location),
        "aliases": [printable(alias) for alias in key.aliases],
        "account": printable(key.account),
        "region": None if is_unknown(key.region) else printable(key.region),
        "keySpec": None if is_unknown(key.key_spec) else printable(key.key_spec),
        "keyUsage": None if is_unknown(key.key_usage) else printable(key.key_usage),
    }


def _row(row: MatrixRow, matrix: AccessMatrix) -> dict[str, Any]:
    access = []
    for capability in matrix.capabilities:
        cell = row.cells.get(capability)
        if cell is not None and cell.access is not Access.DENIED:
            access.append(
                {
                    "capability": capability.value,
                    "access": _access(cell.access),
                    "statements": [printable(statement) for statement in cell.statements],
                    "conditions": [printable(condition) for condition in cell.conditions],
                }
            )
    return {"principal": printable(row.principal), "kind": row.kind, "access": access}


def _access(access: Access) -> str:
    return "none" if access is Access.DENIED else access.value
