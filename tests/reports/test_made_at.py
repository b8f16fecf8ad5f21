"""Every report names the line of the app that made a key, where that is known."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from io import StringIO
from typing import Any

import jsonschema
import pytest

from kms_constructs.guardrails.finding import Finding, Report
from kms_constructs.model.location import CodeLine
from kms_constructs.reports.brief import brief_report
from kms_constructs.reports.csv_report import report_csv
from kms_constructs.reports.github import report_github
from kms_constructs.reports.gitlab import report_gitlab
from kms_constructs.reports.html import report_html
from kms_constructs.reports.json_report import output_schema, report_json
from kms_constructs.reports.junit import report_junit
from kms_constructs.reports.markdown import report_markdown
from kms_constructs.reports.sarif import report_sarif
from kms_constructs.reports.table import report_table
from tests.reports.samples import ROTATION, SEPARATION, placed


def made(found: Finding, line: int = 12) -> Finding:
    location = replace(found.location, made_at=CodeLine("stacks/data.py", line))
    return placed(replace(found, location=location), 57, 9)


REPORT = Report(findings=(made(SEPARATION), made(ROTATION, 30)), keys=2)
UNKNOWN = Report(findings=(placed(SEPARATION, 57, 9),), keys=1)
MANY = Report(
    findings=tuple(
        made(
            replace(
                ROTATION,
                location=replace(
                    ROTATION.location, logical_id=f"Key{n}", construct_path=f"App/Key{n}/Resource"
                ),
            ),
            n,
        )
        for n in range(1, 9)
    ),
    keys=8,
)

TEXTS = {
    "table": report_table,
    "table by cause": lambda report: report_table(report, verbose=False),
    "brief": lambda report: brief_report(report.findings),
    "markdown": report_markdown,
    "html": report_html,
}


@pytest.mark.parametrize("draw", TEXTS.values(), ids=TEXTS)
def test_people_are_told_the_line(draw: Any) -> None:
    text = draw(REPORT)

    assert "stacks/data.py:12" in text
    assert "stacks/data.py:30" in text


@pytest.mark.parametrize("draw", TEXTS.values(), ids=TEXTS)
def test_nothing_is_said_of_a_line_that_is_not_known(draw: Any) -> None:
    assert "made at" not in draw(UNKNOWN)


def test_what_many_keys_share_names_the_line_of_each_that_it_names() -> None:
    for text in (brief_report(MANY.findings), report_table(MANY, verbose=False)):
        flat = " ".join(text.split())
        assert "App/Key1/Resource (stacks/data.py:1), App/Key2/Resource (stacks/data.py:2)" in flat


def test_sarif_puts_the_result_at_the_line_and_the_template_beside() -> None:
    first, second = json.loads(report_sarif(REPORT))["runs"][0]["results"]

    (location,) = first["locations"]
    assert location["physicalLocation"] == {
        "artifactLocation": {"uri": "stacks/data.py"},
        "region": {"startLine": 12},
    }
    assert [one["fullyQualifiedName"] for one in location["logicalLocations"]] == [
        "AppStack/DataKey/Resource",
        "DataKey961B73FD/Properties/KeyPolicy/Statement/1/Action",
    ]
    (related,) = first["relatedLocations"]
    assert related["physicalLocation"] == {
        "artifactLocation": {"uri": "cdk.out/AppStack.template.json"},
        "region": {"startLine": 57, "startColumn": 9},
    }
    assert related["message"] == {"text": "In the template"}
    assert second["locations"][0]["physicalLocation"]["region"] == {"startLine": 30}


def test_sarif_without_a_line_has_no_related_locations() -> None:
    (result,) = json.loads(report_sarif(UNKNOWN))["runs"][0]["results"]

    assert "relatedLocations" not in result


def test_the_fingerprints_do_not_change_with_the_line() -> None:
    def prints(line: int) -> list[Any]:
        report = Report(findings=(made(SEPARATION, line),), keys=1)
        results = json.loads(report_sarif(report))["runs"][0]["results"]
        return [one["partialFingerprints"] for one in results]

    assert prints(12) == prints(99)


def test_github_annotates_the_line() -> None:
    line = report_github(REPORT).splitlines()[0]

    assert line.startswith("::error file=stacks/data.py,line=12,title=IAM-KMS-8[CreateGrant] high::")
    assert line.endswith("%0AIn cdk.out/AppStack.template.json:57")


def test_gitlab_shows_it_at_the_line() -> None:
    assert [one["location"] for one in json.loads(report_gitlab(REPORT))] == [
        {"path": "stacks/data.py", "lines": {"begin": 12}},
        {"path": "stacks/data.py", "lines": {"begin": 30}},
    ]


def test_junit_json_and_csv_say_it() -> None:
    assert 'file="stacks/data.py" line="12"' in report_junit(REPORT)
    document = json.loads(report_json(REPORT))
    jsonschema.validate(document, output_schema())
    findings = document["findings"]
    assert findings[0]["location"]["madeAt"] == {"file": "stacks/data.py", "line": 12}
    assert findings[0]["line"] == 57
    assert "madeAt" not in json.loads(report_json(UNKNOWN))["findings"][0]["location"]
    rows = list(csv.DictReader(StringIO(report_csv(REPORT))))
    assert [row["made_at"] for row in rows] == ["stacks/data.py:12", "stacks/data.py:30"]
