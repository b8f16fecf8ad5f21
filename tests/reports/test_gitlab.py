from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import jsonschema
import pytest

from kms_constructs.guardrails.finding import Finding, Report
from kms_constructs.model.estate import Location
from kms_constructs.reports.gitlab import report_gitlab
from tests.reports import samples

# After https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format
SCHEMA = {
    "type": "array",
    "items": {
        "type": "object",
        "required": ["description", "check_name", "fingerprint", "location", "severity"],
        "properties": {
            "description": {"type": "string", "minLength": 1},
            "check_name": {"type": "string", "minLength": 1},
            "fingerprint": {"type": "string", "minLength": 1},
            "severity": {"enum": ["info", "minor", "major", "critical", "blocker"]},
            "location": {
                "type": "object",
                "required": ["path", "lines"],
                "properties": {
                    "path": {"type": "string", "minLength": 1, "not": {"pattern": r"^\./"}},
                    "lines": {
                        "type": "object",
                        "required": ["begin"],
                        "properties": {"begin": {"type": "integer", "minimum": 1}},
                    },
                },
            },
        },
    },
}


def issues(*findings: Finding) -> list[Any]:
    found: list[Any] = json.loads(report_gitlab(Report(findings=findings)))
    return found


@pytest.mark.parametrize(
    "report",
    [samples.MIXED, samples.CLEAN, samples.BROKEN, samples.HOSTILE_REPORT],
    ids=["mixed", "clean", "broken", "hostile"],
)
def test_it_is_what_gitlab_reads(report: Report) -> None:
    found = json.loads(report_gitlab(report))
    jsonschema.validate(found, SCHEMA)
    assert len({one["fingerprint"] for one in found}) == len(found)


def test_a_finding() -> None:
    (issue,) = issues(samples.placed(samples.ROTATION, 12, 7))
    del issue["fingerprint"]
    assert issue == {
        "description": "AppStack/LogKey/Resource: EnableKeyRotation is absent, and KMS's default is off. "
        "Fix: Set EnableKeyRotation to true.",
        "check_name": "KMS:001",
        "severity": "major",
        "location": {"path": "cdk.out/AppStack.template.json", "lines": {"begin": 12}},
    }


@pytest.mark.parametrize(
    ("finding", "severity", "says"),
    [
        pytest.param(samples.SEPARATION, "critical", "IAM", id="high"),
        pytest.param(samples.UNRESOLVED, "critical", "Undetermined: who may", id="undetermined"),
        pytest.param(samples.UNUSED, "info", "nothing in the templates", id="warning"),
        pytest.param(samples.ACCEPTED, "info", "Acknowledged: The data may not", id="acknowledged"),
    ],
)
def test_severities(finding: Finding, severity: str, says: str) -> None:
    (issue,) = issues(finding)
    assert issue["severity"] == severity
    if says != "IAM":
        assert says in issue["description"]


def test_a_fingerprint_outlives_lines_and_words() -> None:
    (before,) = issues(samples.placed(samples.SEPARATION, 12, 7))
    moved = replace(
        samples.SEPARATION, message="in other words", path="Properties/KeyPolicy/Statement/9/Action"
    )
    (after,) = issues(samples.placed(moved, 99, 1))
    (other,) = issues(replace(samples.SEPARATION, principals=(samples.USER,)))
    assert before["fingerprint"] == after["fingerprint"] != other["fingerprint"]


def test_a_path_has_no_dot_before_it() -> None:
    (issue,) = issues(samples.finding(location=Location("./templates/a.yaml")))
    assert issue["location"]["path"] == "templates/a.yaml"


def test_unreadable_input_is_a_blocker() -> None:
    (issue,) = json.loads(report_gitlab(samples.BROKEN))
    assert (issue["severity"], issue["check_name"], issue["location"]["path"]) == (
        "blocker",
        "input",
        "broken.yaml",
    )
    assert issue["description"] == (
        "BadKey: It cannot be read: line 3, column 7: a mapping value is not allowed here. "
        "Fix: Correct the YAML."
    )
