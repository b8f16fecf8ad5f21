"""Which findings of a report fail, and which of them are shown: what the caller asked for.

What is not shown counts all the same: nothing that is left out turns a run green.
"""

from __future__ import annotations

from collections.abc import Callable

from msgspec.structs import replace

from kms_constructs.guardrails.finding import INTERNAL_ERROR, Finding, Report, Severity


def failing_from(report: Report, least: Severity) -> Report:
    """The report with findings that fail from a severity on; what is less severe is a warning.

    A rule that failed itself fails the run whatever its severity is, for it has found nothing out.

    Args:
        report: What was found.
        least: Least severity that fails.
    """
    return replace(
        report,
        findings=tuple(
            finding if finding.detail == INTERNAL_ERROR else replace(finding, fail_on=least)
            for finding in report.findings
        ),
    )


def shown_from(report: Report, least: Severity) -> Report:
    """The report without the findings that are less severe; a rule that failed itself is always shown.

    Args:
        report: What was found.
        least: Least severity that is shown.
    """
    return _shown(report, lambda one: one.detail == INTERNAL_ERROR or one.severity.at_least(least))


def failures_of(report: Report) -> Report:
    """The report with nothing but what fails the run."""
    return _shown(report, lambda one: one.fails)


def _shown(report: Report, wanted: Callable[[Finding], bool]) -> Report:
    # One pass each way, for findings are compared by value.
    shown = tuple(finding for finding in report.findings if wanted(finding))
    unshown = tuple(finding for finding in report.findings if not wanted(finding))
    return replace(report, findings=shown, unshown=(*report.unshown, *unshown))
