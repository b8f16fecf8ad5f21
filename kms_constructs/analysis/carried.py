"""What a call may carry for a condition: values that satisfy it, and neighbours of them that do not."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import product

from kms_constructs.analysis.conditions import holds
from kms_constructs.model.condition_operators import CONDITION_OPERATORS, ValueType
from kms_constructs.model.globs import has_variable
from kms_constructs.model.policy import Condition


def nearest(
    choices: Sequence[Sequence[str | tuple[str, ...] | None]],
) -> Iterator[tuple[str | tuple[str, ...] | None, ...]]:
    """Every choice of one value each: the first of all, those that differ from it in one place, the rest."""
    first = tuple(options[0] for options in choices)
    yield first
    for place, options in enumerate(choices):
        for value in options[1:]:
            yield (*first[:place], value, *first[place + 1 :])
    for values in product(*choices):
        if sum(one != other for one, other in zip(values, first, strict=True)) > 1:
            yield values


def misses(condition: Condition, value: str | tuple[str, ...] | None) -> bool:
    """Whether the value is not sure to satisfy the condition."""
    return holds(condition, (value,) if isinstance(value, str) else value) is not True


def values_around(condition: Condition) -> Iterator[str | tuple[str, ...] | None]:
    """Values of its key that a condition takes in, and such that it leaves out."""
    yield None
    if not isinstance(condition.values, tuple):
        return
    operator = CONDITION_OPERATORS.get(condition.base)
    several = condition.qualifier != ""
    for value in condition.values:
        if has_variable(value):
            continue
        for one in _around(value, operator.values if operator is not None else ValueType.STRING):
            yield (one,) if several else one
    if operator is None or operator.values in (ValueType.STRING, ValueType.ARN):
        yield ("example",) if several else "example"


def _around(value: str, kind: ValueType) -> Iterator[str]:
    """A value that matches, and neighbours of it."""
    if kind in (ValueType.BOOL, ValueType.PRESENCE):
        yield from ("true", "false")
    elif kind is ValueType.ADDRESS:
        try:
            yield str(ipaddress.ip_network(value, strict=False).network_address)
        except ValueError:
            return
    elif kind is ValueType.NUMBER:
        try:
            number = float(value)
        except ValueError:
            return
        yield from (value, f"{number - 1:g}", f"{number + 1:.0f}")
    elif kind is ValueType.DATE:
        yield value
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            return
        for days in (-1, 1):
            moved = moment + timedelta(days=days)
            yield (moved if moved.tzinfo else moved.replace(tzinfo=UTC)).isoformat()
    else:
        # Some operators take an asterisk for itself.
        yield value
        yield value.replace("*", "example").replace("?", "x")
        yield value.replace("*", "").replace("?", "x")
