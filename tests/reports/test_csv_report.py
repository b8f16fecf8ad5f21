from __future__ import annotations

import csv
from dataclasses import replace
from io import StringIO

import pytest

from kms_constructs.guardrails.finding import Report
from kms_constructs.model.estate import Location
from kms_constructs.reports.csv_report import COLUMNS, report_csv
from tests.reports import samples


def rows(report: Report, *, everything: bool = False) -> list[dict[str, str]]:
    return list(csv.DictReader(StringIO(report_csv(report, everything=everything), newline="")))


def test_a_line_a_finding() -> None:
    assert [(row["finding"], row["status"], row["fails"]) for row in rows(samples.MIXED)] == [
        ("IAM-KMS-8[CreateGrant]", "violation", "true"),
        ("KMS:001", "violation", "true"),
        ("IAM-KMS-3", "undetermined", "true"),
        ("KMS:003", "warning", "false"),
        ("KMS:007", "acknowledged", "false"),
    ]
    assert len(rows(samples.MIXED, everything=True)) == 7


def test_a_whole_line() -> None:
    (row,) = rows(Report(findings=(samples.placed(samples.SEPARATION, 42, 9),)))
    assert row == {
        "status": "violation",
        "fails": "true",
        "control": "IAM-KMS-8",
        "finding": "IAM-KMS-8[CreateGrant]",
        "severity": "high",
        "source": "cdk.out/AppStack.template.json",
        "line": "42",
        "stack": "AppStack",
        "logical_id": "DataKey961B73FD",
        "construct_path": "AppStack/DataKey/Resource",
        "property": "Properties/KeyPolicy/Statement/1/Action",
        "message": samples.SEPARATION.message,
        "fix": samples.SEPARATION.fix,
        "principals": samples.ADMIN,
        "chain": "statement KeyAdministrators → kms:Create* → kms:CreateGrant → a grant that carries Decrypt",
        "acknowledged": "",
        "made_at": "",
        "alias": "",
    }


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        pytest.param('=HYPERLINK("http://x","y")', '\'=HYPERLINK("http://x","y")', id="equals"),
        pytest.param("+1", "'+1", id="plus"),
        pytest.param("-1", "'-1", id="minus"),
        pytest.param("@SUM(A1)", "'@SUM(A1)", id="at"),
        pytest.param("＝1", "'＝1", id="wide-equals"),  # noqa: RUF001 - that is the case
        pytest.param(" =1", "'=1", id="after-a-space"),
        pytest.param("\t=1", "'=1", id="after-a-tab"),
        pytest.param("\u200b=1", "\\u200b=1", id="after-an-invisible-space"),
        pytest.param("a=1", "a=1", id="inside"),
        pytest.param('say "x", y', 'say "x", y', id="quotes-and-commas"),
        pytest.param("a\r\nb", "a\\r b", id="line-break"),
    ],
)
def test_cells(text: str, cell: str) -> None:
    found = replace(samples.finding(message=text, location=Location(text, text, text, text)), fix=text)
    (row,) = rows(Report(findings=(found,)))
    assert {row[name] for name in ("message", "fix", "source", "stack", "logical_id", "construct_path")} == {
        cell
    }


def test_unreadable_input_is_a_line() -> None:
    (row,) = rows(samples.BROKEN)
    assert {name: value for name, value in row.items() if value} == {
        "status": "unreadable",
        "fails": "true",
        "source": "broken.yaml",
        "logical_id": "BadKey",
        "message": samples.PROBLEM.message,
        "fix": samples.PROBLEM.fix,
    }


def test_nothing_found_is_the_head_alone() -> None:
    assert report_csv(samples.CLEAN) == ",".join(COLUMNS) + "\r\n"
