"""What is accepted of the findings: by the configuration, by the input itself, by the baseline.

An accepted finding stays in the report and fails nothing. What is accepted has its fingerprint named, or a
wildcard that says "also what is to come"; everything else fails, and the report says what to write.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from datetime import date
from fnmatch import fnmatchcase
from itertools import islice

from msgspec import Struct, field
from msgspec.structs import replace

from kms_constructs.guardrails.baseline import Baseline
from kms_constructs.guardrails.catalogue import CATALOGUE, IAM_KMS_PACK, KMS_REQUIREMENTS_PACK
from kms_constructs.guardrails.finding import Finding, Outcome, Remark, RemarkKind
from kms_constructs.guardrails.finding_id import FindingId, day_of
from kms_constructs.guardrails.fingerprint import principals_of
from kms_constructs.guardrails.settings import Settings
from kms_constructs.model.estate import Acceptance, Location

_PACKS = {"IamKmsGuardrails": IAM_KMS_PACK, "KmsRequirements": KMS_REQUIREMENTS_PACK}
_EVERYTHING = "*"
_MOST_NAMED = 5


class _Given(Struct):
    """One thing that was accepted, whoever said so.

    Args:
        id: What it names; None when nobody understands it.
        text: What it names, as it was written.
        reason: Why.
        until: Its last day; None for no end.
        said_by: Who said so, for messages.
        place: Globs over the resource, or what was said of a construct.
        pack: Controls of the pack that is meant.
        used: Whether it accepted something.
        candidates: What it would have to name to accept what is there.
    """

    id: FindingId | None
    text: str
    reason: str
    until: date | None
    said_by: str
    place: str | Acceptance
    pack: Collection[str]
    used: bool = False
    candidates: dict[str, None] = field(default_factory=dict)

    def covers(self, location: Location) -> bool:
        if isinstance(self.place, Acceptance):
            return self.place.covers(location)
        return _matches(self.place, location)


def meant_for_us(one: Acceptance) -> bool:
    """Whether what an app acknowledges is about a guardrail: other plugins have ids of their own."""
    return (
        bool(one.logical_id) or one.pack in _PACKS or (not one.pack and FindingId.parse(one.id) is not None)
    )


class Acceptances:
    """Everything that is accepted, applied to findings.

    Args:
        settings: The configuration.
        declared: What the input says itself, as far as it is meant for the guardrails.
        baseline: What was there when the baseline was made.
        controls: The controls that are judged: what names others is not held against them.
        today: The day it is.
    """

    def __init__(
        self,
        settings: Settings,
        declared: Iterable[Acceptance],
        baseline: Baseline | None,
        controls: Collection[str],
        today: date,
    ) -> None:
        self._baseline = baseline
        self._controls = controls
        self._today = today
        everything = FindingId(pattern=_EVERYTHING)
        self._excluded = [
            _Given(everything, _EVERYTHING, reason, None, "excluded", name, CATALOGUE)
            for name, reason in settings.excluded.items()
        ]
        nearest_first = sorted(
            declared, key=lambda one: (not one.logical_id, -len(one.construct_path), str(one), one.id)
        )
        self._given = [
            *(
                _Given(
                    FindingId.parse(one.id), one.id, one.reason, day_of(one.until), settings.source,
                    one.resource, CATALOGUE,
                )
                for one in settings.acknowledgements
            ),
            *(
                _Given(
                    FindingId.parse(one.id), one.id, one.reason, day_of(one.until), str(one), one,
                    _PACKS[one.pack] if one.pack else CATALOGUE,
                )
                for one in nearest_first
            ),
        ]  # fmt: skip

        self._any = bool(self._excluded or self._given or baseline is not None)

    def applied_to(self, finding: Finding) -> Iterator[Finding]:
        """The finding, accepted or not; as two when only some of its principals are accepted."""
        failing = finding.outcome in (Outcome.VIOLATION, Outcome.UNDETERMINED)
        reasons = self._reasons(finding) if failing and self._any else {}
        if not reasons:
            yield finding
            return
        accepted = [place for place, one in enumerate(finding.fingerprints) if one in reasons]
        why = "; ".join(dict.fromkeys(reasons[finding.fingerprints[place]] for place in accepted))
        left = [place for place in range(len(finding.fingerprints)) if place not in accepted]
        if not left:
            yield replace(finding, acknowledged=why)
            return
        yield replace(only(finding, accepted), acknowledged=why)
        yield only(finding, left)

    def _reasons(self, finding: Finding) -> dict[str, str]:
        """Why each fingerprint of the finding is accepted, for those that are."""
        found: dict[str, str] = {}
        for given in (*self._excluded, *self._given):
            if given.id is None or finding.control not in given.pack or not given.covers(finding.location):
                continue
            if given.id.vague or not self._holds(given):
                if given.id.of_kind(finding):
                    given.candidates.update(dict.fromkeys(finding.exact_ids))
                continue
            for one in given.id.accepts(finding):
                given.used = True
                found.setdefault(one, given.reason)
        if self._baseline is not None:
            for one in finding.fingerprints:
                if one not in found and self._baseline.accepts(one, finding):
                    found[one] = self._baseline.reason
        return found

    def _holds(self, given: _Given) -> bool:
        return given.until is None or self._today <= given.until

    def remarks(self) -> Iterator[Remark]:
        """What accepts nothing, or nothing any more; to be asked when every finding has been seen."""
        for given in self._excluded:
            if not given.used and set(self._controls) >= set(CATALOGUE):
                yield Remark(
                    RemarkKind.ACKNOWLEDGEMENT,
                    f"excluded {given.place!r} has no finding to exclude.",
                    "Remove it, or correct its name.",
                )
        for given in self._given:
            if given.used or not self._meant(given):
                continue
            yield self._remark(given)
        if self._baseline is not None:
            yield from self._baseline.fixed(self._controls)

    def _meant(self, given: _Given) -> bool:
        """Whether all controls that it may be meant for were judged: else its time may come."""
        if given.id is None:
            return True
        meant = [control for control in CATALOGUE if given.id.concerns(control) and control in given.pack]
        return set(meant) <= set(self._controls)

    def _remark(self, given: _Given) -> Remark:
        what = f"The acknowledgement {given.text!r} ({given.said_by})"
        if given.id is None:
            text = f"{what} names no control, and accepts nothing."
            fix = "Copy the id from a report."
        elif not self._holds(given):
            text = f"{what} ended on {given.until}."
            fix = "Mend what it accepted, or look at it again and give it another day."
        elif given.id.vague:
            text = f"{what} names a kind of finding and no fingerprint, and so accepts nothing."
            more = len(given.candidates) - _MOST_NAMED
            named = ", ".join(islice(given.candidates, _MOST_NAMED)) + (
                f" and {more} more" if more > 0 else ""
            )
            wild = f"{given.id.control}[{given.id.detail}:*]" if given.id.detail else f"{given.id.control}[*]"
            fix = (
                f"Name what is there: {named}. " if named else "Nothing of the kind is there: remove it. "
            ) + (f"{wild} accepts whatever of the kind is still to come.")
        else:
            text = f"{what} matches nothing."
            fix = "Remove it: what it accepted is gone, or has become something else that fails by itself."
        return Remark(RemarkKind.ACKNOWLEDGEMENT, text, fix)


def only(finding: Finding, places: Iterable[int]) -> Finding:
    """The finding for some of its principals, by their positions in its fingerprints."""
    named = principals_of(finding)
    chosen = list(places)
    if not named or len(chosen) == len(named):
        return finding
    names = tuple(named[place] for place in chosen)
    return replace(
        finding,
        message=finding.message.replace(", ".join(named), ", ".join(names)),
        principals=names,
        evidence=tuple(finding.fingerprints[place] for place in chosen),
    )


def one_by_one(finding: Finding) -> Iterator[Finding]:
    """The finding for each principal that it names."""
    for place in range(max(1, len(finding.fingerprints))):
        yield only(finding, [place]) if finding.fingerprints else finding


def _matches(glob: str, place: Location) -> bool:
    names = (
        place.construct_path,
        place.logical_id,
        place.stack,
        f"{place.stack}/{place.logical_id}" if place.stack else None,
        place.source,
    )
    return any(name is not None and fnmatchcase(name, glob) for name in names) or (
        place.lies_in(glob) is True
    )
