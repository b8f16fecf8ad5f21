"""One number for a set of keys: 100 without findings, and lower with each.

    score = 100 * capacity / (capacity + weight), rounded down

where ``capacity`` is 10 for each key and ``weight`` the sum over the findings: 10 for one of high
severity, 5 for medium, 2 for low, 1 for a warning or for one that is acknowledged. What is undetermined
weighs as a violation. So a finding never raises the score, whatever it is, and only no finding at all
gives 100.
"""

from __future__ import annotations

from typing import Final

from kms_constructs.guardrails.finding import Finding, Outcome, Report, Severity
from kms_constructs.model.frozen import Frozen

CAPACITY: Final = 10
"""What one key weighs against findings: as much as one of high severity."""
WEIGHTS: Final = {Severity.HIGH: 10, Severity.MEDIUM: 5, Severity.LOW: 2, Severity.WARNING: 1}
ACKNOWLEDGED: Final = 1
FORMULA: Final = (
    "100 * 10k / (10k + w), rounded down: k keys; w is 10 for each finding of high severity, 5 medium, 2 "
    "low, 1 warning or acknowledged; undetermined as violations"
)


class Score(Frozen, frozen=True):
    """A score, and what it is made of.

    Args:
        keys: How many keys were judged.
        weight: Sum of the weights of the findings.
    """

    keys: int
    weight: int

    @classmethod
    def of(cls, report: Report) -> Score:
        """The score of a report, with the findings that are not shown.

        Example:
            >>> Score.of(Report(keys=3)).value
            100
        """
        return cls(report.keys, sum(map(weight_of, (*report.findings, *report.unshown))))

    @property
    def value(self) -> int:
        """0 to 100."""
        # Findings without any key, as when no key could be listed, leave nothing.
        capacity = CAPACITY * self.keys
        return 100 if not self.weight else 100 * capacity // (capacity + self.weight)

    def __str__(self) -> str:
        capacity = CAPACITY * self.keys
        return f"{self.value} of 100 = 100 * {capacity} / ({capacity} + {self.weight})"


def weight_of(finding: Finding) -> int:
    """What a finding weighs; nothing when it is none."""
    if finding.outcome not in (Outcome.VIOLATION, Outcome.UNDETERMINED):
        return 0
    return ACKNOWLEDGED if finding.acknowledged is not None else WEIGHTS[finding.severity]
