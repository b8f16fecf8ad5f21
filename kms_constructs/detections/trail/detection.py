"""What to look for in a trail, and what was found."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from kms_constructs.detections.watch import Level, Watch
from kms_constructs.model.frozen import Frozen

LEVELS: tuple[Level, ...] = (Level.CRITICAL, Level.ALERT, Level.INFORMATION)
"""Loudest first."""

EXAMPLES = 5
"""Ids of events that a finding names."""

_DETAILS = 3


class Detection(Frozen, frozen=True, kw_only=True):
    """Something to look for that needs a trail: history, counts, what a request says in full.

    Args:
        id: Short name, unique among detections and watches.
        title: What happened, as a sentence without a full stop.
        control: Id of the control of the catalogue that it serves.
        level: How loud it is.
        events: Which events it looks at, in words.
        expected: Who may be expected to do it.
        reason: Why it matters.
        respond: What to do when it happens.
        references: Pages that it rests on.
    """

    id: str
    title: str
    control: str
    level: Level
    events: str
    expected: str
    reason: str
    respond: str
    references: tuple[str, ...]


class TrailFinding(Frozen, frozen=True, kw_only=True):
    """What was found: one detection, one caller, one key.

    Args:
        what: What was looked for.
        principal: ARN of the caller; name of the service; of a caller of another account, what CloudTrail
            tells. Empty where there is none.
        key: ARN of the key; ``*`` as its Region for related multi-Region keys; empty where it is about none.
        count: Number of events.
        first: Time of the first, UTC, ISO 8601.
        last: Time of the last.
        events: Ids of some of them, at most `EXAMPLES`.
        detail: What is special about it, as a sentence without a full stop; empty when the title says all.
    """

    what: Watch | Detection
    principal: str
    key: str
    count: int
    first: str
    last: str
    events: tuple[str, ...]
    detail: str = ""

    @property
    def level(self) -> Level:
        """How loud it is."""
        return self.what.level

    def is_at_least(self, level: Level) -> bool:
        """Whether it is as loud as a level or louder."""
        return LEVELS.index(self.level) <= LEVELS.index(level)


class Detected(Frozen, frozen=True, kw_only=True):
    """What a trail tells.

    Args:
        findings: Loudest first, then by detection, key and caller.
        notes: What could not be judged, and why.
        calls: Number of calls looked at.
        first: Time of the first of them; empty without one.
        last: Time of the last.
        baseline_end: Day from which on things can be new: ``2026-05-15``; empty when nothing was compared.
    """

    findings: tuple[TrailFinding, ...]
    notes: tuple[str, ...] = ()
    calls: int = 0
    first: str = ""
    last: str = ""
    baseline_end: str = ""


@dataclass
class _Group:
    what: Watch | Detection
    count: int = 0
    first: str = "~"
    last: str = ""
    events: list[str] = field(default_factory=list)
    details: dict[str, None] = field(default_factory=dict)


def grouped(found: Iterable[TrailFinding]) -> tuple[TrailFinding, ...]:
    """One finding for each detection, caller and key, loudest first.

    Memory grows with the groups, not with what is found.
    """
    groups: dict[tuple[str, str, str], _Group] = {}
    for one in found:
        group = groups.setdefault((one.what.id, one.key, one.principal), _Group(one.what))
        group.count += one.count
        group.first, group.last = min(group.first, one.first), max(group.last, one.last)
        group.events += one.events[: EXAMPLES - len(group.events)]
        if one.detail:
            group.details[one.detail] = None
    made = [
        TrailFinding(
            what=group.what,
            principal=principal,
            key=key,
            count=group.count,
            first=group.first,
            last=group.last,
            events=tuple(group.events),
            detail=_joined(tuple(group.details)),
        )
        for (_, key, principal), group in groups.items()
    ]
    return tuple(sorted(made, key=lambda one: (LEVELS.index(one.level), one.what.id, one.key, one.principal)))


def _joined(details: Sequence[str]) -> str:
    more = len(details) - _DETAILS
    return "; ".join((*details[:_DETAILS], *([f"and {more} more"] if more > 0 else [])))
