from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft4Validator

from kms_constructs.guardrails.catalogue import CATALOGUE
from kms_constructs.guardrails.finding import Finding, Outcome, Report, Severity
from kms_constructs.model.estate import Location
from kms_constructs.reports.sarif import FINGERPRINT, report_sarif
from tests.reports import samples
from tests.reports.samples import finding

SCHEMA = json.loads((Path(__file__).parent / "data/sarif-2.1.0-rtm.5.json").read_text("utf-8"))
VALIDATOR = Draft4Validator(SCHEMA)


def written(report: Report, **options: Any) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(report_sarif(report, **options))
    return document


def results(report: Report, **options: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = written(report, **options)["runs"][0]["results"]
    return found


@pytest.mark.parametrize("everything", [False, True], ids=["by-default", "everything"])
@pytest.mark.parametrize(
    "report",
    [samples.MIXED, samples.CLEAN, samples.BROKEN, samples.HOSTILE_REPORT, Report()],
    ids=["mixed", "clean", "broken", "hostile", "empty"],
)
def test_it_is_valid_sarif(report: Report, everything: bool) -> None:
    with_lines = replace(report, findings=tuple(samples.placed(one, 7, 3) for one in report.findings))
    VALIDATOR.validate(written(with_lines, everything=everything))
    document = written(report, everything=everything)
    VALIDATOR.validate(document)
    assert document["version"] == "2.1.0"


def test_the_schema_would_notice() -> None:
    document = written(samples.MIXED)
    document["runs"][0]["results"][0]["kind"] = "violated"
    assert not VALIDATOR.is_valid(document)


TEXT = st.text(max_size=20)


@given(
    st.builds(
        Finding,
        control=st.sampled_from([*CATALOGUE, "OTHER-1"]),
        outcome=st.sampled_from(Outcome),
        severity=st.sampled_from(Severity),
        location=st.builds(Location, TEXT, TEXT, TEXT, st.none() | TEXT),
        message=TEXT,
        fix=TEXT,
        path=TEXT,
        detail=TEXT,
        chain=st.lists(TEXT, max_size=2).map(tuple),
        principals=st.lists(TEXT, max_size=2).map(tuple),
        acknowledged=st.none() | TEXT,
    )
)
def test_every_finding_makes_valid_sarif(found: Finding) -> None:
    VALIDATOR.validate(written(Report(findings=(found,)), everything=True))


def test_a_result_in_full() -> None:
    (result,) = results(Report(findings=(samples.placed(samples.SEPARATION, 42, 9),)))
    assert result == {
        "ruleId": "IAM-KMS-8",
        "ruleIndex": list(CATALOGUE).index("IAM-KMS-8"),
        "kind": "fail",
        "level": "error",
        "message": {
            "text": f"{samples.SEPARATION.message}. Access comes about so: statement KeyAdministrators → "
            "kms:Create* → kms:CreateGrant → a grant that carries Decrypt. "
            f"Fix: {samples.SEPARATION.fix}."
        },
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": "cdk.out/AppStack.template.json"},
                    "region": {"startLine": 42, "startColumn": 9},
                },
                "logicalLocations": [
                    {
                        "name": "DataKey961B73FD",
                        "fullyQualifiedName": "AppStack/DataKey/Resource",
                        "kind": "resource",
                    },
                    {
                        "name": "Action",
                        "fullyQualifiedName": "DataKey961B73FD/Properties/KeyPolicy/Statement/1/Action",
                        "kind": "property",
                    },
                ],
            }
        ],
        "partialFingerprints": result["partialFingerprints"],
        "properties": {
            "findingId": "IAM-KMS-8[CreateGrant]",
            "outcome": "violation",
            "severity": "high",
            "propertyPath": "Properties/KeyPolicy/Statement/1/Action",
            "chain": list(samples.SEPARATION.chain),
            "principals": [samples.ADMIN],
        },
    }


@pytest.mark.parametrize(
    ("found", "kind", "level", "suppressions"),
    [
        pytest.param(finding(severity=Severity.MEDIUM), "fail", "error", None, id="medium"),
        pytest.param(finding(severity=Severity.LOW), "fail", "warning", None, id="low"),
        pytest.param(finding(severity=Severity.WARNING), "fail", "note", None, id="warning"),
        pytest.param(finding(outcome=Outcome.UNDETERMINED), "fail", "warning", None, id="undetermined"),
        pytest.param(finding(outcome=Outcome.COMPLIANT), "pass", "none", None, id="compliant"),
        pytest.param(
            finding(acknowledged="known since 2024"),
            "fail",
            "error",
            [{"kind": "external", "status": "accepted", "justification": "known since 2024"}],
            id="acknowledged",
        ),
    ],
)
def test_kind_level_and_suppression(
    found: Finding, kind: str, level: str, suppressions: list[dict[str, str]] | None
) -> None:
    (result,) = results(Report(findings=(found,)), everything=True)
    assert (result["kind"], result["level"], result.get("suppressions")) == (kind, level, suppressions)


def test_undetermined_says_so_in_the_message() -> None:
    (result,) = results(Report(findings=(samples.UNRESOLVED,)))
    assert result["message"]["text"].startswith("Undetermined: ")


def test_compliant_findings_are_left_out_unless_asked_for() -> None:
    assert results(samples.CLEAN) == []
    assert [result["ruleId"] for result in results(samples.CLEAN, everything=True)] == ["KMS:002"]


def test_every_control_is_a_rule_with_help() -> None:
    rules = written(Report())["runs"][0]["tool"]["driver"]["rules"]
    assert {rule["id"] for rule in rules} == set(CATALOGUE)
    for rule in rules:
        assert rule["help"]["text"]
        assert rule["help"]["markdown"]
        assert rule["shortDescription"]["text"] == CATALOGUE[rule["id"]].title
        assert rule["helpUri"].startswith("https://docs.aws.amazon.com/")


@pytest.mark.parametrize(
    ("source", "uri"),
    [
        pytest.param("cdk.out/App.template.json", "cdk.out/App.template.json", id="relative"),
        pytest.param("/work/my app/t.yaml", "file:///work/my%20app/t.yaml", id="absolute"),
        pytest.param("C:\\app\\t.yaml", "file:///C:/app/t.yaml", id="windows"),
        pytest.param("C:/app/t.yaml", "file:///C:/app/t.yaml", id="windows-with-slashes"),
        pytest.param("a b/ü#.json", "a%20b/%C3%BC%23.json", id="quoted"),
        pytest.param("arn:aws:kms:eu-central-1:111122223333:key/1", None, id="live-key"),
        pytest.param("-", None, id="standard-input"),
        pytest.param("", None, id="nothing"),
    ],
)
def test_the_uri(source: str, uri: str | None) -> None:
    (result,) = results(Report(findings=(finding(location=Location(source, "", "Key")),)))
    physical = result["locations"][0].get("physicalLocation")
    assert (physical["artifactLocation"]["uri"] if physical else None) == uri


def test_braces_and_links_in_messages_are_literal() -> None:
    (result,) = results(Report(findings=(finding(message="${Stack.Role} [x](y) a[0]"),)))
    assert result["message"]["text"] == "${{Stack.Role}} \\[x](y) a[0]."


def fingerprint(found: Finding) -> str:
    (result,) = results(Report(findings=(found,)))
    value: str = result["partialFingerprints"][FINGERPRINT]
    return value


@pytest.mark.parametrize(
    ("change", "same"),
    [
        pytest.param({"message": "in other words"}, True, id="wording"),
        pytest.param({"fix": "otherwise"}, True, id="fix"),
        pytest.param({"path": "Properties/KeyPolicy/Statement/9/Action"}, True, id="statement-moved"),
        pytest.param({"location": replace(samples.DATA_KEY, source="elsewhere.json")}, True, id="file-moved"),
        pytest.param({"control": "IAM-KMS-5"}, False, id="control"),
        pytest.param({"detail": "delegation"}, False, id="detail"),
        pytest.param({"location": samples.LOG_KEY}, False, id="resource"),
        pytest.param({"location": replace(samples.DATA_KEY, stack="OtherStack")}, False, id="stack"),
        pytest.param({"principals": (samples.USER,)}, False, id="principal"),
    ],
)
def test_the_fingerprint_follows_the_finding(change: dict[str, Any], same: bool) -> None:
    changed = replace(samples.SEPARATION, **change)
    assert (fingerprint(changed) == fingerprint(samples.SEPARATION)) == same


def test_unreadable_input_is_a_notification() -> None:
    (invocation,) = written(samples.BROKEN)["runs"][0]["invocations"]
    assert invocation["executionSuccessful"] is False
    (notification,) = invocation["toolExecutionNotifications"]
    assert notification["message"]["text"] == (
        "broken.yaml: BadKey: line 3, column 7: a mapping value is not allowed here. Fix: Correct the YAML"
    )


def test_findings_of_one_fingerprint_are_told_apart() -> None:
    twice = [samples.ROTATION, replace(samples.ROTATION, message="once more")]
    one, other = (
        result["partialFingerprints"][FINGERPRINT] for result in results(Report(findings=tuple(twice)))
    )
    assert other == f"{one}:2"
