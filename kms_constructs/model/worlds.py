"""What a template can become: one estate for each choice of what its author leaves to deployment.

A template with ``AllowedValues: [dev, prod]`` is two deployments, and each has to be right. A *world* is one
of them: the inputs that decide something (parameters, Region, account), and the estate that they make.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

_Estate = TypeVar("_Estate")

Assignment = tuple[tuple[str, str], ...]
"""Inputs and their values as a person reads them, in a fixed order."""


@dataclass(frozen=True, slots=True)
class World(Generic[_Estate]):
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
    """What some choices have in common that the others have not, as ``Stage=prod``; empty when they are all.

    Where they have nothing in common that tells them from the others, one of them is named.

    Example:
        >>> every = [(("Stage", stage), ("Open", flag)) for stage in ("dev", "prod") for flag in "ny"]
        >>> described([one for one in every if one[1] == ("Open", "y")], every)
        'Open=y'
        >>> described([every[0], every[3]], every)
        'Stage=dev and Open=n, for instance'
    """
    inside = set(some)
    outside = [one for one in every if one not in inside]
    if not outside or not inside:
        return ""
    ordered = [one for one in every if one in inside]
    names = tuple(dict.fromkeys(name for one in ordered for name, _ in one))
    values = {
        name: dict.fromkeys(value for one in ordered for at, value in one if at == name) for name in names
    }
    needed = _needed(names, {name: set(values[name]) for name in names}, outside)
    if needed is not None:
        return " and ".join(f"{name}={_either(tuple(values[name]))}" for name in needed)
    for one in ordered:
        fixed = dict(one)
        needed = _needed(names, {name: {fixed[name]} for name in fixed}, outside)
        if needed is not None:
            return f"{' and '.join(f'{name}={fixed[name]}' for name in needed)}, for instance"
    return ""


def _needed(
    names: Sequence[str], box: dict[str, set[str]], outside: Sequence[Assignment]
) -> tuple[str, ...] | None:
    """The inputs whose values keep every choice outside out; None when even all of them do not."""
    needed = [name for name in names if name in box]
    others = [dict(one) for one in outside]

    def keeps_out(chosen: Sequence[str]) -> bool:
        return not any(all(one.get(name) in box[name] for name in chosen) for one in others)

    if not keeps_out(needed):
        return None
    for name in tuple(needed):
        fewer = [other for other in needed if other != name]
        if keeps_out(fewer):
            needed = fewer
    return tuple(needed)


def _either(values: Sequence[str]) -> str:
    return " or ".join(values)
