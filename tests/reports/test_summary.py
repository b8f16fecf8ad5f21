from __future__ import annotations

from collections import Counter

import pytest

from kms_constructs.guardrails.finding import Finding, Outcome, Report, Severity
from kms_constructs.reports.summary import (
    Status,
    Summary,
    by_control,
    by_resource,
    natural_order,
    status_of,
)
from tests.reports import samples
from tests.reports.samples import finding


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        pytest.param(finding(), Status.VIOLATION, id="violation"),
        pytest.param(finding(outcome=Outcome.UNDETERMINED), Status.UNDETERMINED, id="undetermined"),
        pytest.param(finding(severity=Severity.WARNING), Status.WARNING, id="warning"),
        pytest.param(
            finding(outcome=Outcome.UNDETERMINED, severity=Severity.WARNING),
            Status.WARNING,
            id="undetermined-warning",
        ),
        pytest.param(finding(acknowledged="why"), Status.ACKNOWLEDGED, id="acknowledged"),
        pytest.param(
            finding(severity=Severity.WARNING, acknowledged="why"),
            Status.ACKNOWLEDGED,
            id="acknowledged-warning",
        ),
        pytest.param(finding(outcome=Outcome.COMPLIANT), Status.COMPLIANT, id="compliant"),
        pytest.param(finding(outcome=Outcome.NOT_APPLICABLE), Status.NOT_APPLICABLE, id="not-applicable"),
    ],
)
def test_status(given: Finding, expected: Status) -> None:
    assert status_of(given) is expected
    assert given.fails == (expected in (Status.VIOLATION, Status.UNDETERMINED))


def test_resources_come_worst_first_and_so_do_their_findings() -> None:
    groups = by_resource(samples.MIXED.findings)
    assert [(group.location, [item.id for item in group.findings]) for group in groups] == [
        (samples.DATA_KEY, ["IAM-KMS-8[CreateGrant]", "KMS:007", "KMS:002", "KMS:009"]),
        (samples.LOG_KEY, ["KMS:001", "KMS:003"]),
        (samples.POLICY_FILE, ["IAM-KMS-3"]),
    ]
    assert [group.worst for group in groups] == [Status.VIOLATION, Status.VIOLATION, Status.UNDETERMINED]


def test_of_findings_that_count_alike_the_gravest_come_first() -> None:
    # By number alone the order would be the other way round.
    found = [
        finding("KMS:001", severity=Severity.LOW),
        finding("KMS:002", severity=Severity.MEDIUM),
        finding("KMS:010", severity=Severity.HIGH),
        finding("KMS:004", severity=Severity.HIGH),
    ]
    (group,) = by_resource(found)
    assert [item.control for item in group.findings] == ["KMS:004", "KMS:010", "KMS:002", "KMS:001"]


def test_counts_by_control() -> None:
    counts = by_control(samples.MIXED.findings)
    assert [(count.control, dict(count.counts)) for count in counts] == [
        ("IAM-KMS-3", {Status.UNDETERMINED: 1}),
        ("IAM-KMS-8", {Status.VIOLATION: 1}),
        ("KMS:001", {Status.VIOLATION: 1}),
        ("KMS:002", {Status.COMPLIANT: 1}),
        ("KMS:003", {Status.WARNING: 1}),
        ("KMS:007", {Status.ACKNOWLEDGED: 1}),
        ("KMS:009", {Status.NOT_APPLICABLE: 1}),
    ]


def test_natural_order() -> None:
    names = ["IAM-KMS-10", "IAM-KMS-9", "Key2", "Key10", "KMS:001"]
    assert sorted(names, key=natural_order) == ["IAM-KMS-9", "IAM-KMS-10", "KMS:001", "Key2", "Key10"]


@pytest.mark.parametrize(
    ("report", "line", "verdict"),
    [
        pytest.param(
            samples.MIXED,
            "3 keys: 2 violations, 1 undetermined, 1 warning, 1 acknowledged, 1 compliant check",
            "violations",
            id="mixed",
        ),
        pytest.param(samples.CLEAN, "1 key: no violations, 1 compliant check", "clean", id="clean"),
        pytest.param(
            samples.BROKEN,
            "1 key: 1 problem reading input, 1 compliant check",
            "unreadable input",
            id="broken",
        ),
        pytest.param(
            Report(findings=(samples.UNRESOLVED,), keys=1),
            "1 key: 1 undetermined, 0 compliant checks",
            "undetermined",
            id="undetermined-only",
        ),
    ],
)
def test_summary(report: Report, line: str, verdict: str) -> None:
    summary = Summary.of(report)
    assert (str(summary), summary.verdict) == (line, verdict)


def test_summary_counts_every_finding_once() -> None:
    summary = Summary.of(samples.MIXED)
    assert summary.counts == Counter(
        {
            Status.VIOLATION: 2,
            Status.UNDETERMINED: 1,
            Status.WARNING: 1,
            Status.ACKNOWLEDGED: 1,
            Status.COMPLIANT: 1,
            Status.NOT_APPLICABLE: 1,
        }
    )
