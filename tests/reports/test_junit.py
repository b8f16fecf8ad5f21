from __future__ import annotations

import junitparser
import pytest
from junitparser import JUnitXml

from kms_constructs.guardrails.finding import Report
from kms_constructs.reports.junit import report_junit
from tests.reports import samples


def read(report: Report) -> list[tuple[str, str, str, str | None]]:
    """Suite, test case, kind of result and its message."""
    document = JUnitXml.fromstring(report_junit(report).encode("utf-8"))
    rows = []
    for suite in document:
        for case in suite:
            results = case.result
            assert len(results) <= 1
            kind = type(results[0]).__name__ if results else "passed"
            rows.append((suite.name, case.name, kind, results[0].message if results else None))
    return rows


def test_findings_as_test_cases() -> None:
    data, logs, policy = (
        "AppStack/DataKey/Resource",
        "AppStack/LogKey/Resource",
        "policies/shared.json",
    )
    assert read(samples.MIXED) == [
        (data, "IAM-KMS-8[CreateGrant]", "Failure", samples.SEPARATION.message),
        (data, "KMS:007", "Skipped", "acknowledged: The data may not leave the Region (DPA-12)"),
        (data, "KMS:002", "passed", None),
        (logs, "KMS:001", "Failure", samples.ROTATION.message),
        (logs, "KMS:003", "passed", None),
        (policy, "IAM-KMS-3", "Error", samples.UNRESOLVED.message),
    ]


def test_unreadable_input_is_an_error() -> None:
    assert read(samples.BROKEN)[0] == ("input", "broken.yaml: BadKey", "Error", "could not be read")


def test_unreadable_input_says_what_and_what_to_do() -> None:
    document = JUnitXml.fromstring(report_junit(samples.BROKEN).encode("utf-8"))
    (case,) = next(iter(document))
    (error,) = case.result
    assert error.text.splitlines() == [samples.PROBLEM.message, f"fix: {samples.PROBLEM.fix}"]


def test_the_numbers_at_the_top() -> None:
    document = JUnitXml.fromstring(report_junit(samples.MIXED).encode("utf-8"))
    assert (document.tests, document.failures, document.errors, document.skipped) == (6, 2, 1, 1)


def test_the_text_tells_where_why_and_what_to_do() -> None:
    document = JUnitXml.fromstring(report_junit(Report(findings=(samples.SEPARATION,))).encode("utf-8"))
    (case,) = next(iter(document))
    (failure,) = case.result
    assert (failure.type, failure.text.splitlines()) == (
        "high",
        [
            samples.SEPARATION.message,
            "at: Properties/KeyPolicy/Statement/1/Action",
            "via: statement KeyAdministrators → kms:Create* → kms:CreateGrant → a grant that carries Decrypt",
            f"fix: {samples.SEPARATION.fix}",
        ],
    )


def test_a_finding_in_a_text_has_its_file_and_line() -> None:
    placed = samples.placed(samples.SEPARATION, 42, 9)
    text = report_junit(Report(findings=(placed,)))
    assert 'file="cdk.out/AppStack.template.json" line="42"' in text
    assert "at: cdk.out/AppStack.template.json:42 Properties/KeyPolicy/Statement/1/Action" in text


def test_a_warning_passes_and_says_so() -> None:
    document = JUnitXml.fromstring(report_junit(Report(findings=(samples.UNUSED,))).encode("utf-8"))
    (case,) = next(iter(document))
    assert case.is_passed
    assert case.system_out.startswith("warning: nothing in the templates given uses this key")


def test_findings_of_one_name_are_told_apart() -> None:
    twice = Report(findings=(samples.ROTATION, samples.finding(location=samples.LOG_KEY)))
    assert [row[1] for row in read(twice)] == ["KMS:001", "KMS:001 #2"]


@pytest.mark.parametrize("report", [samples.HOSTILE_REPORT, Report()], ids=["hostile", "empty"])
def test_it_is_xml_whatever_is_in_it(report: Report) -> None:
    assert isinstance(JUnitXml.fromstring(report_junit(report).encode("utf-8")), junitparser.JUnitXml)
