"""What a rule answers."""

from __future__ import annotations

from enum import StrEnum
from typing import Protocol

from msgspec import field

from kms_constructs.analysis.witness import Witness
from kms_constructs.exit_code import ExitCode
from kms_constructs.guardrails.verdict import Verdict
from kms_constructs.model.estate import Location, SourceProblem
from kms_constructs.model.frozen import Frozen, told_apart_without
from kms_constructs.model.position import Position

INTERNAL_ERROR = "internal-error"
"""Detail of the finding that stands for a rule that failed."""


class Outcome(StrEnum):
    """The answers a rule can give. Undetermined is never a pass."""

    COMPLIANT = "compliant"
    VIOLATION = "violation"
    UNDETERMINED = "undetermined"
    NOT_APPLICABLE = "not applicable"


class Severity(StrEnum):
    """How bad a violation is. Warnings are reported and do not fail."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"
    WARNING = "warning"

    @property
    def fails(self) -> bool:
        """Whether a finding of this severity fails a run."""
        return self.at_least(Severity.LOW)

    def at_least(self, other: Severity) -> bool:
        """Whether it is as bad as another, or worse.

        Example:
            >>> Severity.HIGH.at_least(Severity.MEDIUM), Severity.WARNING.at_least(Severity.LOW)
            (True, False)
        """
        return _RANKS[self] <= _RANKS[other]


_RANKS = {severity: rank for rank, severity in enumerate(Severity)}


class Evidence(Protocol):
    """What a finding rested on when it was found, whatever becomes of its words and places."""

    def fingerprints(self) -> tuple[str, ...]:
        """The fingerprints of the finding."""
        ...


@told_apart_without("evidence")
class Finding(Frozen, frozen=True, kw_only=True):
    """One answer of one rule about one resource.

    Args:
        control: Control id: ``IAM-KMS-8``, ``KMS:001``.
        outcome: The answer.
        severity: After overrides of the configuration.
        location: The resource judged.
        message: What was found, naming principals, statements and values; one or two sentences.
        fix: What to do about it; empty when compliant.
        path: Property path within the resource: ``Properties/KeyPolicy/Statement/0/Action``.
        detail: Short stable word for this kind of finding (``CreateGrant``, ``period``): with the control it
            makes the finding id ``IAM-KMS-8[CreateGrant]``, which can be acknowledged alone.
        chain: How access comes about, step by step (statement, delegation, IAM policy).
        principals: Principals concerned, as a person reads them.
        acknowledged: The reason, when the finding was acknowledged; it then fails nothing and stays listed.
        witness: A request that shows it, if one was found.
        fail_on: Least severity that fails; what is less severe is a warning, whatever it is called.
        world: Which deployments it is about, when it is not all of them: ``Stage=prod``. The message says it.
        evidence: What makes its fingerprints, or the fingerprints; none where there is nothing to accept. It
            does not tell findings apart.
    """

    control: str
    outcome: Outcome
    severity: Severity
    location: Location
    message: str
    fix: str = ""
    path: str = ""
    detail: str = ""
    chain: tuple[str, ...] = ()
    principals: tuple[str, ...] = ()
    acknowledged: str | None = None
    witness: Witness | None = None
    fail_on: Severity = Severity.LOW
    world: str = ""
    evidence: Evidence | tuple[str, ...] = ()

    @property
    def fingerprints(self) -> tuple[str, ...]:
        """What it found, exactly, by content.

        One for each principal where the principals are named one by one, else one; empty where there is
        nothing to accept. Made when they are asked for: most reports name a few of them.
        """
        evidence = self.evidence
        return evidence if isinstance(evidence, tuple) else evidence.fingerprints()

    @property
    def id(self) -> str:
        """Control and detail: ``IAM-KMS-8[CreateGrant]``; the control alone when there is no detail."""
        return f"{self.control}[{self.detail}]" if self.detail else self.control

    @property
    def exact_ids(self) -> tuple[str, ...]:
        """The ids that accept what was found and nothing else: ``IAM-KMS-8[CreateGrant:3fa9c2d10b7e]``."""
        return tuple(f"{self.control}[{self.detail}:{one}]" for one in self.fingerprints)

    @property
    def position(self) -> Position | None:
        """Where what it is about begins in its source, as that was read; None where there is no text."""
        return self.location.position(self.path)

    @property
    def line(self) -> int | None:
        """Line of what the finding is about, counted from 1; None where there is no text."""
        position = self.position
        return None if position is None else position.line

    @property
    def severe(self) -> bool:
        """Whether its severity is one that fails."""
        return _RANKS[self.severity] <= _RANKS[self.fail_on]

    @property
    def fails(self) -> bool:
        """Whether it fails a run: a violation or undetermined, of a failing severity, not acknowledged."""
        return (
            (self.outcome is Outcome.VIOLATION or self.outcome is Outcome.UNDETERMINED)
            and self.severe
            and self.acknowledged is None
        )


class RemarkKind(StrEnum):
    """What a remark is about."""

    DECLARATION = "declaration"
    """What the input says itself of who is authorised, or of what is accepted."""
    ACKNOWLEDGEMENT = "acknowledgement"
    """An acknowledgement that accepts nothing, any more or at all."""
    BASELINE = "baseline"
    """An entry of the baseline that nothing corresponds to any more."""


class Remark(Frozen, frozen=True):
    """What there is to say beside the findings; it fails nothing.

    Args:
        kind: What it is about.
        text: A sentence.
        fix: What to do about it, or empty.
    """

    kind: RemarkKind
    text: str
    fix: str = ""


class Report(Frozen, frozen=True, kw_only=True):
    """Every answer of every rule, in a stable order, and what could not be read.

    Args:
        findings: All outcomes, compliant ones included; sorted by source, resource, control, detail.
        problems: Inputs that could not be read.
        keys: How many keys were judged.
        sources: What was read.
        unshown: Findings that the caller did not want to see. They fail the run like those that are seen.
        notes: What a reader has to know of how the input was read.
        remarks: What there is to say beside the findings.
    """

    findings: tuple[Finding, ...] = ()
    problems: tuple[SourceProblem, ...] = ()
    keys: int = 0
    sources: tuple[str, ...] = field(default=())
    unshown: tuple[Finding, ...] = ()
    notes: tuple[str, ...] = ()
    remarks: tuple[Remark, ...] = ()

    @property
    def failures(self) -> tuple[Finding, ...]:
        """The findings that fail the run."""
        return tuple(finding for finding in (*self.findings, *self.unshown) if finding.fails)

    @property
    def verdict(self) -> Verdict:
        """What it comes to: an input that could not be read weighs most, then a violation."""
        if self.problems:
            return Verdict.UNREADABLE
        outcomes = {finding.outcome for finding in self.failures}
        if Outcome.VIOLATION in outcomes:
            return Verdict.VIOLATIONS
        return Verdict.UNDETERMINED if outcomes else Verdict.CLEAN

    @property
    def exit_code(self) -> ExitCode:
        """What a run with this report exits with."""
        return self.verdict.exit_code
