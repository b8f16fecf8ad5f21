from __future__ import annotations

from dataclasses import replace

import pytest

from kms_constructs.guardrails.finding import Report
from kms_constructs.model.estate import STANDARD_INPUT, Location, SourceProblem
from kms_constructs.reports.github import report_github
from tests.reports import samples


def test_a_report_worst_first() -> None:
    shown = [line.split("::")[1] for line in report_github(samples.MIXED).splitlines()]
    assert shown == [
        "error file=cdk.out/AppStack.template.json,title=IAM-KMS-8[CreateGrant] high",
        "error file=cdk.out/AppStack.template.json,title=KMS%3A001 medium",
        "error file=policies/shared.json,title=IAM-KMS-3 high",
        "warning file=cdk.out/AppStack.template.json,title=KMS%3A003 warning",
        "notice file=cdk.out/AppStack.template.json,title=KMS%3A007 low",
    ]


def test_a_finding_with_its_place() -> None:
    report = Report(findings=(samples.placed(samples.ROTATION, 12, 7),))
    assert report_github(report) == (
        "::error file=cdk.out/AppStack.template.json,line=12,col=7,title=KMS%3A001 medium"
        "::AppStack/LogKey/Resource%0AEnableKeyRotation is absent, and KMS's default is off"
        "%0AFix: Set EnableKeyRotation to true\n"
    )


@pytest.mark.parametrize(
    ("text", "in_property", "in_message"),
    [
        pytest.param("100%", "100%25", "100%25", id="percent"),
        pytest.param("a:b,c", "a%3Ab%2Cc", "a:b,c", id="separators"),
        pytest.param("a\nb\r\nc", "a b\\r c", "a b\\r c", id="line-breaks"),
        pytest.param("x::error::y", "x%3A%3Aerror%3A%3Ay", "x::error::y", id="a-command"),
        pytest.param("%0A::error::y", "%250A%3A%3Aerror%3A%3Ay", "%250A::error::y", id="an-escaped-command"),
    ],
)
def test_escapes(text: str, in_property: str, in_message: str) -> None:
    found = replace(samples.finding(message=text, location=Location(text)), acknowledged=None)
    assert report_github(Report(findings=(found,))) == (
        f"::error file={in_property},title=KMS%3A001 high::{in_message}\n"
    )


def test_undetermined_says_so() -> None:
    assert "::Undetermined: who may schedule" in report_github(Report(findings=(samples.UNRESOLVED,)))


def test_acknowledged_says_why() -> None:
    line = report_github(Report(findings=(samples.ACCEPTED,)))
    assert line.endswith("%0AAcknowledged: The data may not leave the Region (DPA-12)\n")


def test_unreadable_input() -> None:
    assert report_github(samples.BROKEN) == (
        "::error file=broken.yaml,title=input cannot be read::BadKey"
        "%0Aline 3, column 7: a mapping value is not allowed here%0AFix: Correct the YAML\n"
    )


def test_standard_input_is_no_file() -> None:
    problem = SourceProblem(STANDARD_INPUT, "the file is empty", "")
    found = samples.placed(samples.finding(location=Location(STANDARD_INPUT)), 3, 1)
    assert report_github(Report(findings=(found,), problems=(problem,))) == (
        "::error title=input cannot be read::the file is empty\n"
        "::error title=KMS%3A001 high::rotation is off\n"
    )
