"""What every report says first: how findings count, in numbers and grouped by resource."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from enum import StrEnum
from functools import lru_cache

from kms_constructs.guardrails.engine import DISABLED
from kms_constructs.guardrails.finding import Finding, Outcome, Report, Severity
from kms_constructs.guardrails.verdict import Verdict
from kms_constructs.model.estate import Location
from kms_constructs.model.frozen import Frozen
from kms_constructs.reports.text import counted


class Status(StrEnum):
    """How a finding counts, worst first: its outcome, with severity and acknowledgement taken in."""

    VIOLATION = "violation"
    UNDETERMINED = "undetermined"
    WARNING = "warning"
    ACKNOWLEDGED = "acknowledged"
    COMPLIANT = "compliant"
    NOT_APPLICABLE = "not applicable"

    @property
    def rank(self) -> int:
        """0 for the worst."""
        return _RANKS[self]

    @property
    def quiet(self) -> bool:
        """Whether reports leave it out unless everything is asked for."""
        return self is Status.COMPLIANT or self is Status.NOT_APPLICABLE


_DIGITS = re.compile(r"(\d+)")
_RANKS = {status: rank for rank, status in enumerate(Status)}
QUIET = {Outcome.COMPLIANT: Status.COMPLIANT, Outcome.NOT_APPLICABLE: Status.NOT_APPLICABLE}
"""How what is left out counts, unless everything is asked for: whatever its severity is."""
_SEVERITY_RANKS = {severity: rank for rank, severity in enumerate(Severity)}


def status_of(finding: Finding) -> Status:
    """How this finding counts."""
    quiet = QUIET.get(finding.outcome)
    if quiet is not None:
        return quiet
    if finding.acknowledged is not None:
        return Status.ACKNOWLEDGED
    if not finding.severe:
        return Status.WARNING
    return Status.VIOLATION if finding.outcome is Outcome.VIOLATION else Status.UNDETERMINED


@lru_cache(maxsize=65536)
def natural_order(text: str) -> tuple[str, ...]:
    """A sort key in which Key10 comes after Key9, and IAM-KMS-10 after IAM-KMS-9."""
    return tuple(part.rjust(12, "0") if part.isdigit() else part for part in _DIGITS.split(text))


def switched_off(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """The findings that say that the configuration switches a control off: reports for people name them."""
    return tuple(
        finding
        for finding in findings
        if finding.detail == DISABLED and finding.outcome is Outcome.NOT_APPLICABLE
    )


class ResourceFindings(Frozen, frozen=True):
    """The findings of one resource, worst first."""

    location: Location
    findings: tuple[Finding, ...]

    @property
    def worst(self) -> Status:
        """Status of its worst finding."""
        return min((status_of(finding) for finding in self.findings), key=lambda status: status.rank)

    def count(self, status: Status) -> int:
        """How many of its findings count as this."""
        return sum(status_of(finding) is status for finding in self.findings)


def by_resource(findings: Iterable[Finding]) -> tuple[ResourceFindings, ...]:
    """Findings grouped by resource: the resources with the worst findings first, then by source and name."""
    groups: dict[Location, list[Finding]] = {}
    for finding in findings:
        groups.setdefault(finding.location, []).append(finding)
    resources = [
        ResourceFindings(location, tuple(sorted(members, key=finding_order)))
        for location, members in groups.items()
    ]
    return tuple(sorted(resources, key=lambda group: (group.worst.rank, _place(group.location))))


def finding_order(finding: Finding) -> tuple[object, ...]:
    """A sort key: the worst first, then by control."""
    return (
        status_of(finding).rank,
        _SEVERITY_RANKS[finding.severity],
        natural_order(finding.control),
        finding.detail,
        finding.path,
        finding.message,
    )


def _place(location: Location) -> tuple[tuple[str, ...], ...]:
    name = location.construct_path or location.logical_id
    return (natural_order(location.source), natural_order(name), natural_order(location.stack))


class ControlCount(Frozen, frozen=True):
    """How often each status came out of one control."""

    control: str
    counts: Counter[Status]


def by_control(findings: Iterable[Finding]) -> tuple[ControlCount, ...]:
    """Counts per control, in the order of the catalogue's numbers."""
    counts: dict[str, Counter[Status]] = {}
    for (control, status), number in Counter((one.control, status_of(one)) for one in findings).items():
        counts.setdefault(control, Counter())[status] = number
    return tuple(ControlCount(control, counts[control]) for control in sorted(counts, key=natural_order))


class Summary(Frozen, frozen=True):
    """A report in numbers.

    Args:
        keys: Keys judged.
        counts: Findings by status.
        problems: Inputs that could not be read.
        verdict: What it comes to, with what is not shown.
        unshown: Findings that are not shown, other than compliant and not applicable ones.
    """

    keys: int
    counts: Counter[Status]
    problems: int
    verdict: Verdict
    unshown: int = 0

    @classmethod
    def of(cls, report: Report, controls: Iterable[ControlCount] | None = None) -> Summary:
        """The summary of a report.

        Args:
            report: The report.
            controls: What `by_control` says of its findings, where that is known already.
        """
        counts: Counter[Status] = Counter()
        for control in by_control(report.findings) if controls is None else controls:
            counts.update(control.counts)
        unshown = sum(not status_of(finding).quiet for finding in report.unshown)
        return cls(report.keys, counts, len(report.problems), report.verdict, unshown)

    def __str__(self) -> str:
        """One line for people: ``12 keys: 3 violations, 1 undetermined, 40 compliant``."""
        parts = []
        if self.problems:
            parts.append(counted(self.problems, "problem reading input", "problems reading input"))
        for status, singular, plural in (
            (Status.VIOLATION, "violation", "violations"),
            (Status.UNDETERMINED, "undetermined", "undetermined"),
            (Status.WARNING, "warning", "warnings"),
            (Status.ACKNOWLEDGED, "acknowledged", "acknowledged"),
        ):
            if self.counts[status]:
                parts.append(counted(self.counts[status], singular, plural))
        if self.unshown:
            parts.append(f"{self.unshown:,} not shown")
        if not parts:
            parts.append("no violations")
        parts.append(counted(self.counts[Status.COMPLIANT], "compliant check"))
        return f"{counted(self.keys, 'key')}: {', '.join(parts)}"
