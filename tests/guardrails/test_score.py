from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from kms_constructs.guardrails.finding import Finding, Outcome, Report, Severity
from kms_constructs.guardrails.score import FORMULA, WEIGHTS, Score
from kms_constructs.model.estate import Location


def a_finding(
    outcome: Outcome = Outcome.VIOLATION, severity: Severity = Severity.HIGH, **more: object
) -> Finding:
    return Finding(
        control="KMS:001",
        outcome=outcome,
        severity=severity,
        location=Location("a"),
        message="m",
        **more,  # type: ignore[arg-type]
    )


FINDINGS = st.builds(
    a_finding,
    st.sampled_from(Outcome),
    st.sampled_from(Severity),
    acknowledged=st.none() | st.just("because"),
)
REPORTS = st.builds(
    Report,
    findings=st.lists(FINDINGS).map(tuple),
    unshown=st.lists(FINDINGS).map(tuple),
    keys=st.integers(0, 50),
)


@given(REPORTS, FINDINGS)
def test_a_finding_never_raises_the_score(report: Report, finding: Finding) -> None:
    more = replace(report, findings=(*report.findings, finding))
    assert Score.of(more).value <= Score.of(report).value
    assert 0 <= Score.of(more).value <= 100


@given(REPORTS)
def test_only_no_finding_at_all_gives_a_hundred(report: Report) -> None:
    bad = [
        one
        for one in (*report.findings, *report.unshown)
        if one.outcome in (Outcome.VIOLATION, Outcome.UNDETERMINED)
    ]
    assert (Score.of(report).value == 100) is (not bad)


@given(REPORTS, st.sampled_from(Severity), st.sampled_from(Severity))
def test_a_worse_finding_never_scores_better(report: Report, one: Severity, other: Severity) -> None:
    worse, better = (one, other) if one.at_least(other) else (other, one)
    first, second = (
        Score.of(replace(report, findings=(*report.findings, a_finding(severity=severity)))).value
        for severity in (worse, better)
    )
    assert first <= second


@given(REPORTS, st.randoms(use_true_random=False))
def test_what_is_not_shown_counts_all_the_same(report: Report, random: object) -> None:
    hidden = replace(report, findings=(), unshown=(*report.findings, *report.unshown))
    assert Score.of(hidden) == Score.of(report)


def test_the_formula_is_the_one_that_is_shown() -> None:
    report = Report(findings=(a_finding(), a_finding(severity=Severity.LOW)), keys=3)
    assert str(Score.of(report)) == "71 of 100 = 100 * 30 / (30 + 12)"
    assert all(str(weight) in FORMULA for weight in WEIGHTS.values())
