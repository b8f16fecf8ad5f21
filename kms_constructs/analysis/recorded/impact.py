"""What a change of policies would have done to the calls that a trail recorded."""

from __future__ import annotations

from collections.abc import Mapping

from kms_constructs.analysis.recorded.asked import asked_of
from kms_constructs.analysis.recorded.call import Recorded
from kms_constructs.analysis.recorded.judged import Side, Tally, titles
from kms_constructs.analysis.recorded.keys import Matching
from kms_constructs.analysis.recorded.names import Named
from kms_constructs.analysis.recorded.replay import Judged, Verdict
from kms_constructs.model.estate import Estate
from kms_constructs.model.frozen import Frozen

_GONE = "the key is in what is deployed and not in what is planned: its deletion policy decides what is left"
_ORDER = {verdict: rank for rank, verdict in enumerate(Verdict)}


class ImpactRow(Frozen, frozen=True, kw_only=True):
    """Calls of one principal on one key that have the same verdict for the same reasons.

    Args:
        key: The key as a person calls it.
        arn: Its ARN in the trail.
        principal: Who called.
        action: What, without ``kms:``.
        services: The services that called in the principal's name, sorted.
        verdict: What the planned policies would have made of them.
        before: What the policies before make of them; None when they are not known.
        reasons: Why.
        calls: How many.
        first, last: When, UTC, ISO 8601.
    """

    key: str
    arn: str
    principal: str
    action: str
    services: tuple[str, ...]
    verdict: Verdict
    before: Verdict | None
    reasons: tuple[str, ...]
    calls: int
    first: str
    last: str

    @property
    def may_break(self) -> bool:
        """Whether the change denies them, or may."""
        return self.verdict is not Verdict.ALLOWED and self.changes

    @property
    def changes(self) -> bool:
        """Whether the verdict is another than before; without a before everything counts as a change."""
        return self.before is not self.verdict


class Impact(Frozen, frozen=True, kw_only=True):
    """What a change would have done.

    Args:
        rows: Worst first, and then the most calls.
        matching: Which keys of the trail are which of the input.
        named: Generated names that the trail tells.
        first, last: The period that the trail covers: its first and last event of KMS.
        compared: Whether policies from before were given.
        unmatched: Calls on keys that are in no input.
    """

    rows: tuple[ImpactRow, ...]
    matching: Matching
    named: tuple[Named, ...]
    first: str
    last: str
    compared: bool
    unmatched: int

    def calls(self, verdict: Verdict, *, changed: bool = True) -> int:
        """How many calls have a verdict.

        Args:
            verdict: The verdict.
            changed: Only those of which the verdict changes.
        """
        return sum(row.calls for row in self.rows if row.verdict is verdict and (row.changes or not changed))


def impact_of(
    recorded: Recorded,
    planned: Estate,
    before: Estate | None = None,
    key_map: Mapping[str, str] | None = None,
) -> Impact:
    """Judges the calls of a trail by planned policies, and by those from before, when they are given.

    Args:
        recorded: What the trail tells, read for all that `asked_of` finds in both estates.
        planned: What is to be deployed.
        before: What is deployed today.
        key_map: Keys of the trail to keys of the input, where aliases do not tell; see `match_keys`.

    Raises:
        ArgumentError: A key that is mapped is nowhere.
    """
    estates = [planned] if before is None else [planned, before]
    asked = asked_of(estates).keys
    after = Side.of(recorded, planned, asked, key_map)
    # What is called otherwise today is found there by its alias, or not at all.
    earlier = None if before is None else Side.of(recorded, before, asked, None)
    if earlier is not None:
        after = after.with_live_grants(earlier)
    names = {
        **(dict(titles(earlier.matching)) if earlier is not None else {}),
        **dict(titles(after.matching)),
    }
    tallies: dict[tuple[str, str, str, Verdict, Verdict | None, tuple[str, ...]], Tally] = {}
    unmatched = 0
    for call in recorded.calls:
        judged = after.judge(call)
        was = earlier.judge(call) if earlier is not None else None
        if judged is None and was is not None:
            judged = Judged(Verdict.UNDETERMINED, (_GONE,))
        if judged is None:
            unmatched += call.calls
            continue
        place = (
            call.key,
            call.who,
            call.action,
            judged.verdict,
            None if was is None else was.verdict,
            judged.reasons,
        )
        tallies.setdefault(place, Tally()).add(call)
    rows = [
        ImpactRow(
            key=names[arn],
            arn=arn,
            principal=who,
            action=action,
            services=tuple(sorted(tally.services)),
            verdict=verdict,
            before=was,
            reasons=reasons,
            calls=tally.calls,
            first=tally.first,
            last=tally.last,
        )
        for (arn, who, action, verdict, was, reasons), tally in tallies.items()
    ]
    rows.sort(
        key=lambda row: (_ORDER[row.verdict], -row.calls, row.key, row.principal, row.action, row.reasons)
    )
    return Impact(
        rows=tuple(rows),
        matching=after.matching,
        named=after.named,
        first=recorded.first,
        last=recorded.last,
        compared=before is not None,
        unmatched=unmatched,
    )
