"""Findings by their cause: what one statement breaks is one thing to mend, and so is what many keys share.

A root statement with ``kms:*`` breaks six controls, and two hundred keys that one module made have it alike.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from operator import itemgetter

from kms_constructs.guardrails.finding import Finding, Severity
from kms_constructs.model.estate import Location
from kms_constructs.model.frozen import Frozen
from kms_constructs.reports.summary import Status, finding_order, natural_order, status_of
from kms_constructs.reports.text import counted, one_line

_STATEMENT = re.compile(r"(?:^|.*/)Statement/\d+")
_EVERYONE = ("*", "any principal of any account")
"""How findings begin to say that everybody is let in."""
_BY_NAME = re.compile(r"policy '[^']*'(?:, statement \d+)?|\bon key .*? to ")
"""How messages name the one policy or key that keeps two findings of a kind apart."""


class Cause(Frozen, frozen=True):
    """What one statement, or one property, of one resource breaks.

    Args:
        location: The resource.
        place: Path of the statement or property within it; empty for the resource as a whole.
        findings: What it breaks, worst first.
    """

    location: Location
    place: str
    findings: tuple[Finding, ...]

    @property
    def worst(self) -> Finding:
        """The finding that weighs most."""
        return self.findings[0]

    @property
    def along(self) -> tuple[Finding, ...]:
        """What goes with the worst and need not be told: it is about the same deployments and nobody else."""
        worst = self.worst
        return tuple(one for one in self.findings[1:] if _adds_nothing(one, worst))

    @property
    def besides(self) -> tuple[Finding, ...]:
        """What is to be told of beside the worst: it lets in others, or in other deployments."""
        return tuple(one for one in self.findings[1:] if one not in self.along)

    @property
    def status(self) -> Status:
        """How the worst counts."""
        return status_of(self.worst)

    @property
    def line(self) -> int | None:
        """Line that it begins on; None where there is no text."""
        position = self.location.position(self.place)
        return None if position is None else position.line


class Pattern(Frozen, frozen=True):
    """Causes that break the same controls for the same reasons, in one resource or in many."""

    causes: tuple[Cause, ...]

    @property
    def first(self) -> Cause:
        """The cause that stands for them all."""
        return self.causes[0]

    @property
    def number(self) -> int:
        """Findings of all of them."""
        return sum(len(cause.findings) for cause in self.causes)


def place_name(location: Location) -> str:
    """What a resource is called: its construct path, else its alias and id, its logical id, its source."""
    return location.title


def shared_by(pattern: Pattern, most: int) -> str:
    """The resources of a pattern, each with the line that made it, where that is known.

    Args:
        pattern: The causes.
        most: How many resources are named; the others are counted.
    """
    locations = dict.fromkeys(one.location for one in pattern.causes)
    names = [
        one_line(place_name(one)) + (f" ({one_line(str(one.made_at))})" if one.made_at is not None else "")
        for one in locations
    ]
    more = len(names) - most
    return ", ".join(names[:most]) + (f" and {counted(more, 'more resource')}" if more > 0 else "")


def cause_place(finding: Finding) -> str:
    """Path of the statement that a finding is about, or of the property; empty for the whole resource."""
    found = _STATEMENT.match(finding.path)
    return finding.path if found is None else found.group(0)


def by_cause(findings: Iterable[Finding]) -> tuple[Cause, ...]:
    """The findings by resource and statement, the worst first.

    Example:
        >>> by_cause(())
        ()
    """
    groups: dict[tuple[Location, str, Status], list[Finding]] = {}
    for finding in findings:
        # What was accepted, or only warns, is not what fails.
        groups.setdefault((finding.location, cause_place(finding), status_of(finding)), []).append(finding)
    causes = [
        Cause(location, place, tuple(sorted(members, key=_worst_first) if members[1:] else members))
        for (location, place, _), members in groups.items()
    ]
    return tuple(sorted(causes, key=_cause_order))


def patterns(causes: Iterable[Cause]) -> tuple[Pattern, ...]:
    """Causes that are alike put together: the worst first, then those that most resources share.

    Of those that weigh the same, what breaks other controls comes before more of what stands above already.
    """
    groups: dict[tuple[tuple[str, str, Severity, Status], ...], list[Cause]] = {}
    for cause in causes:
        alike = tuple(
            (finding.id, _without_names(finding.message), finding.severity, status_of(finding))
            for finding in cause.findings
        )
        groups.setdefault(alike, []).append(cause)
    found = [(_pattern_order(one), one) for one in (Pattern(tuple(group)) for group in groups.values())]
    found.sort(key=itemgetter(0))
    seen: Counter[object] = Counter()
    ordered: list[tuple[tuple[object, ...], Pattern]] = []
    for order, one in found:
        kind = tuple(finding.id for finding in one.first.findings)
        ordered.append(((*order[:_WEIGHT], seen[kind], order), one))
        seen[kind] += 1
    ordered.sort(key=itemgetter(0))
    return tuple(one for _, one in ordered)


def fitting(heights: Iterable[int], room: int) -> int:
    """How many blocks, from the first on, fit into some lines; one at least, for nothing is said otherwise.

    Example:
        >>> fitting([7, 7, 7], 15)
        2
    """
    used = number = 0
    for height in heights:
        used += height
        if number and used > room:
            break
        number += 1
    return number


def _without_names(message: str) -> str:
    """The message without what `_BY_NAME` finds, which is seldom there and takes long to be looked for."""
    return _BY_NAME.sub("", message) if "policy '" in message or "on key " in message else message


_WEIGHT = 3
"""How many parts of a pattern's order are its weight."""


def _weight(pattern: Pattern) -> tuple[object, ...]:
    worst = pattern.first.worst
    return (*finding_order(worst)[:2], not _is_public(worst))


def _pattern_order(pattern: Pattern) -> tuple[object, ...]:
    return (*_weight(pattern), -pattern.number, _cause_order(pattern.first))


def _adds_nothing(finding: Finding, worst: Finding) -> bool:
    return finding.world == worst.world and (
        set(finding.principals) <= set(worst.principals) or (_is_public(finding) and _is_public(worst))
    )


def _is_public(finding: Finding) -> bool:
    return any(one.startswith(_EVERYONE) for one in finding.principals)


def _worst_first(finding: Finding) -> tuple[object, ...]:
    """Of what weighs the same, what lets in everybody comes first."""
    order = finding_order(finding)
    return (*order[:2], not _is_public(finding), *order[2:])


def _cause_order(cause: Cause) -> tuple[object, ...]:
    place = cause.location
    order = finding_order(cause.worst)
    return (
        order[:2],
        not _is_public(cause.worst),
        -len(cause.findings),
        natural_order(place.source),
        natural_order(place.construct_path or place.logical_id),
        order,
        natural_order(cause.place),
    )
