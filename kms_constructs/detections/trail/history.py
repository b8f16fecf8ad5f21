"""What a key had never seen before: a caller, a network, a VPC endpoint, a Region."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from kms_constructs.detections.trail.catalogue import NEW_ENDPOINT, NEW_NETWORK, NEW_PRINCIPAL, NEW_REGION
from kms_constructs.detections.trail.detection import Detection, TrailFinding
from kms_constructs.detections.trail.notes import Notes

LEAST_USES = 20
LEAST_DAYS = 5
"""A key with fewer uses in the baseline, or on fewer days, has no history that something could be new to."""

_SHORT = (
    "keys have too little history ({uses} uses on {days} days before {end} are wanted): nothing is said of "
    "what is new to them"
)


class Use(NamedTuple):
    """How a key was used, counted: cryptographic calls that succeeded.

    Args:
        unit: ARN of the key; related multi-Region keys are one, with ``*`` as their Region.
        principal: The caller.
        network: As `network_of` tells it; None for services, and for calls through a VPC endpoint.
        endpoint: Id of the VPC endpoint; None without one.
        region: Where.
        before: Number of uses in the baseline.
        after: Number of uses after it.
        first: Time of the first use after the baseline; empty without one.
        last: Time of the last.
        events: Ids of some uses after the baseline.
    """

    unit: str
    principal: str
    network: str | None
    endpoint: str | None
    region: str
    before: int
    after: int
    first: str
    last: str
    events: tuple[str, ...]


class History(NamedTuple):
    """What the baseline has of a key.

    Args:
        uses: Number of uses.
        days: Number of days on which it was used.
    """

    uses: int
    days: int

    def enough(self, baseline_days: int) -> bool:
        """Whether something can be new to the key."""
        return self.uses >= LEAST_USES and self.days >= min(LEAST_DAYS, baseline_days)


def is_related(unit: str) -> bool:
    """Whether related multi-Region keys are taken together in it."""
    return ":kms:*:" in unit


def never_seen(
    uses: Iterable[Use], histories: Mapping[str, History], *, baseline_days: int, end: str, notes: Notes
) -> Iterator[TrailFinding]:
    """What was new to a key after the baseline.

    Args:
        uses: The uses, before and after.
        histories: Key to what the baseline has of it.
        baseline_days: Length of the baseline.
        end: The day after it: ``2026-05-15``.
        notes: Takes what cannot be judged.
    """
    known = list(uses)
    enough = {unit for unit, history in histories.items() if history.enough(baseline_days)}
    short = {one.unit for one in known if one.after} - enough
    notes.add(_SHORT.format(uses=LEAST_USES, days=min(LEAST_DAYS, baseline_days), end=end), len(short))
    judged = [one for one in known if one.unit in enough]
    for what, field, said in (
        (NEW_PRINCIPAL, "principal", ""),
        (NEW_NETWORK, "network", "network "),
        (NEW_ENDPOINT, "endpoint", ""),
        (NEW_REGION, "region", "Region "),
    ):
        yield from _new(what, field, said, judged)


def _new(what: Detection, field: str, said: str, uses: list[Use]) -> Iterator[TrailFinding]:
    seen = {(one.unit, getattr(one, field)) for one in uses if one.before}
    for one in uses:
        value = getattr(one, field)
        if not one.after or value is None or (one.unit, value) in seen:
            continue
        if field == "region" and not is_related(one.unit):
            continue
        yield TrailFinding(
            what=what,
            principal=one.principal,
            key=one.unit,
            count=one.after,
            first=one.first,
            last=one.last,
            events=one.events,
            detail="" if field == "principal" else f"{said}{value}",
        )
