"""What a template can become: one estate for each choice of what its author leaves to deployment.

A template with ``AllowedValues: [dev, prod]`` is two deployments, and each has to be right. A *world* is one
of them: the inputs that decide something (parameters, Region, account), and the estate that they make.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Generic, TypeVar

from kms_constructs.model.frozen import Frozen

_Estate = TypeVar("_Estate")

Assignment = tuple[tuple[str, str], ...]
"""Inputs and their values as a person reads them, in a fixed order."""


class World(Frozen, Generic[_Estate], frozen=True):
    """An estate as some choices make it.

    Args:
        estate: The estate; it has no worlds of its own.
        assignments: The choices that make it: each alone is enough.
    """

    estate: _Estate
    assignments: tuple[Assignment, ...] = ((),)


def together(
    parts: Iterable[Sequence[World[_Estate]]],
) -> list[tuple[tuple[_Estate, ...], tuple[Assignment, ...]]]:
    """Worlds of inputs that know nothing of each other: every choice of one with every one of the others."""
    found: list[tuple[tuple[_Estate, ...], tuple[Assignment, ...]]] = [((), ((),))]
    for worlds in parts:
        found = [
            (
                (*estates, world.estate),
                tuple((*one, *other) for one in assignments for other in world.assignments),
            )
            for estates, assignments in found
            for world in worlds
        ]
    return found


def described(some: Collection[Assignment], every: Collection[Assignment]) -> str:
    """What some choices have in common that the others have not: see `Telling`.

    Example:
        >>> every = [(("Stage", stage), ("Open", flag)) for stage in ("dev", "prod") for flag in "ny"]
        >>> described([one for one in every if one[1] == ("Open", "y")], every)
        'Open=y'
        >>> described([every[0], every[3]], every)
        'Stage=dev and Open=n, for instance'
    """
    return Telling(every)(some)


class Telling:
    """Tells some choices from the others.

    Args:
        every: All choices.
    """

    def __init__(self, every: Collection[Assignment]) -> None:
        self._every = tuple(every)
        self._equal = {one: number for number, one in enumerate(dict.fromkeys(self._every))}
        self._same = {id(one): self._equal[one] for one in self._every}
        choices = [dict(one) for one in self._equal]
        values: dict[str, dict[str | None, None]] = {}
        for choice in choices:
            for name in choice:
                values.setdefault(name, {})
        for name, found in values.items():
            found.update(dict.fromkeys(choice.get(name) for choice in choices))
        # What all have in common tells none from another: of many inputs, most are left open.
        telling = {name for name, found in values.items() if len(found) > 1}
        self._choices = [
            {name: value for name, value in choice.items() if name in telling} for choice in choices
        ]

    def __call__(self, some: Collection[Assignment]) -> str:
        """What some choices have in common, as ``Stage=prod``; empty when they are all.

        Where they have nothing in common that tells them from the others, one of them is named.

        Args:
            some: The choices.
        """
        numbers = self._numbers(some)
        ordered = [choice for number, choice in enumerate(self._choices) if number in numbers]
        outside = [choice for number, choice in enumerate(self._choices) if number not in numbers]
        if not outside or not ordered:
            return ""
        values: dict[str, dict[str, None]] = {}
        for choice in ordered:
            for name, value in choice.items():
                values.setdefault(name, {})[value] = None
        needed = _needed(values, outside)
        if needed is not None:
            return " and ".join(f"{name}={_either(tuple(values[name]))}" for name in needed)
        for fixed in ordered:
            needed = _needed({name: {fixed[name]: None} for name in values if name in fixed}, outside)
            if needed is not None:
                return f"{' and '.join(f'{name}={fixed[name]}' for name in needed)}, for instance"
        return ""

    def _numbers(self, some: Collection[Assignment]) -> set[int]:
        same, equal = self._same, self._equal
        # Most are the same objects: long ones are slow to compare.
        return {same[id(one)] if id(one) in same else equal.get(one, -1) for one in some}


def _needed(
    box: Mapping[str, Mapping[str, None]], outside: Sequence[Mapping[str, str]]
) -> tuple[str, ...] | None:
    """The inputs whose values keep every choice outside out; None when even all of them do not."""
    barriers = [{name for name, values in box.items() if one.get(name) not in values} for one in outside]
    if not all(barriers):
        return None
    needed = list(box)
    for name in tuple(needed):
        if {name} not in barriers:
            needed.remove(name)
            for one in barriers:
                one.discard(name)
    return tuple(needed)


def _either(values: Sequence[str]) -> str:
    return " or ".join(values)
