"""One report of the reports on every world of an estate: compliant is what complies in all of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Sequence

from msgspec.structs import replace

from kms_constructs.guardrails.finding import Finding, Outcome
from kms_constructs.model.estate import Estate, IdentityPolicy, Key, Location, Trail
from kms_constructs.model.worlds import Assignment, Telling, World


class Judged:
    """What was found of keys, for the worlds in which nothing about them differs."""

    def __init__(self) -> None:
        self._found: dict[tuple[type, int, int], list[Finding]] = {}
        self._surroundings: dict[Hashable, int] = {}
        self._here = 0

    def enter(self, estate: Estate) -> None:
        """Goes on to another world. Its estate has to live as long as this."""
        around = (
            tuple(map(id, estate.identity_policies)),
            tuple(map(id, estate.trails)),
            tuple(key.arn_pattern for key in estate.keys),
            estate.unattached_aliases,
            estate.uses,
            id(estate.organization),
        )
        self._here = self._surroundings.setdefault(around, len(self._surroundings))

    def of(self, rule: type, key: Key, check: Callable[[], list[Finding]]) -> list[Finding]:
        """What a rule finds of a key: found once for one key in one kind of surroundings."""
        place = rule, id(key), self._here
        if place not in self._found:
            self._found[place] = check()
        return self._found[place]


def merged_findings(worlds: Sequence[World[Estate]], each: Sequence[Iterable[Finding]]) -> Iterator[Finding]:
    """What is found in the worlds of an estate, as one list; in no order.

    What is found in all worlds is one finding. What is found in some says in which: those of the worlds in
    which its resource exists. A violation in one world is a violation, whatever is undetermined in others.

    Args:
        worlds: The worlds.
        each: What is found in each.
    """
    present = _present(worlds)
    places: dict[tuple[str, Location], list[tuple[int, Finding]]] = {}
    for number, findings in enumerate(each):
        for finding in findings:
            places.setdefault((finding.control, finding.location), []).append((number, finding))
    everywhere = frozenset(range(len(worlds)))
    labels: dict[frozenset[int], _Label] = {}
    for (_, location), found in places.items():
        failing = [(number, finding) for number, finding in found if _speaks_against(finding)]
        if failing:
            where = present.get(location, everywhere)
            label = labels.get(where)
            if label is None:
                label = labels[where] = _Label(worlds, where)
            yield from _told(failing, label)
        else:
            # Not applicable in one world and compliant in another: it complies wherever it can.
            yield min((finding for _, finding in found), key=lambda one: one.outcome is not Outcome.COMPLIANT)


def _present(worlds: Sequence[World[Estate]]) -> dict[Location, frozenset[int]]:
    """The worlds in which each resource is."""
    found: dict[Location, set[int]] = {}
    for number, world in enumerate(worlds):
        estate = world.estate
        things: list[Key | IdentityPolicy | Trail]
        things = [*estate.keys, *estate.identity_policies, *estate.trails]
        for thing in things:
            found.setdefault(thing.location, set()).add(number)
    return {location: frozenset(numbers) for location, numbers in found.items()}


def _speaks_against(finding: Finding) -> bool:
    return finding.outcome in (Outcome.VIOLATION, Outcome.UNDETERMINED)


class _Label:
    """Says of findings in which worlds they are.

    Args:
        worlds: All worlds.
        present: Those in which the resource is.
    """

    def __init__(self, worlds: Sequence[World[Estate]], present: frozenset[int]) -> None:
        self._worlds = worlds
        self._present = present
        self._telling = Telling(self._assignments(present))
        self._known: dict[frozenset[int], str] = {}

    def _assignments(self, numbers: Iterable[int]) -> list[Assignment]:
        return [one for number in sorted(numbers) for one in self._worlds[number].assignments]

    def __call__(self, finding: Finding, numbers: Collection[int]) -> Finding:
        place = frozenset(numbers)
        if place not in self._known:
            self._known[place] = self._telling(self._assignments(place))
        world = self._known[place]
        if not world:
            return finding
        return replace(finding, message=f"With {world}: {finding.message}", world=world)


def _told(failing: Sequence[tuple[int, Finding]], label: _Label) -> Iterator[Finding]:
    details: dict[str, list[tuple[int, Finding]]] = {}
    for number, finding in failing:
        details.setdefault(finding.detail, []).append((number, finding))
    for found in details.values():
        certain = {number for number, finding in found if finding.outcome is Outcome.VIOLATION}
        for group in _groups([pair for pair in found if not certain or pair[0] in certain]):
            first = group[0][1]
            principals = dict.fromkeys(name for _, finding in group for name in finding.principals)
            yield label(replace(first, principals=tuple(principals)), {number for number, _ in group})


def _groups(found: list[tuple[int, Finding]]) -> Iterator[list[tuple[int, Finding]]]:
    """Findings of one kind about one resource that are one: equal ones, and those that differ by words."""
    equal: dict[Finding, list[tuple[int, Finding]]] = {}
    for number, finding in found:
        equal.setdefault(finding, []).append((number, finding))
    numbers = {number for number, _ in found}
    rest: list[tuple[int, Finding]] = []
    for group in equal.values():
        if {number for number, _ in group} == numbers:
            yield group
        else:
            rest.extend(group)
    by_outcome: dict[Hashable, list[tuple[int, Finding]]] = {}
    for number, finding in rest:
        by_outcome.setdefault(finding.outcome, []).append((number, finding))
    for group in by_outcome.values():
        if _once_each(group):
            yield group
            continue
        by_path: dict[str, list[tuple[int, Finding]]] = {}
        for number, finding in group:
            by_path.setdefault(finding.path, []).append((number, finding))
        for part in by_path.values():
            if _once_each(part):
                yield part
            else:
                same: dict[Finding, list[tuple[int, Finding]]] = {}
                for number, finding in part:
                    same.setdefault(finding, []).append((number, finding))
                yield from same.values()


def _once_each(group: Sequence[tuple[int, Finding]]) -> bool:
    """Whether no world has two of them."""
    return max(Counter(number for number, _ in group).values()) == 1
