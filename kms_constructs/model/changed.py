"""A copy of a frozen object with other values in some fields, quickly."""

from __future__ import annotations

from functools import cache
from typing import Any, TypeVar

_One = TypeVar("_One")


def changed(instance: _One, **values: object) -> _One:
    """What `dataclasses.replace` makes, in a third of the time, for thousands of findings.

    Args:
        instance: Of a frozen data class with slots, without `__post_init__`: nothing is checked again.
        values: New values, by field.

    Raises:
        AttributeError: There is no such field.

    Example:
        >>> from kms_constructs.model.estate import SourceProblem
        >>> changed(SourceProblem("a.json", "it is empty", "fill it"), source="b.json").source
        'b.json'
    """
    made: Any = object.__new__(type(instance))
    for name, write in _writers(type(instance)):  # type: ignore[arg-type]  # types hash
        write(made, values.pop(name) if name in values else getattr(instance, name))
    if values:
        raise AttributeError(f"{type(instance).__name__} has no {', '.join(values)}")
    return made  # type: ignore[no-any-return]


@cache
def _writers(kind: type) -> tuple[tuple[str, Any], ...]:
    return tuple((name, getattr(kind, name).__set__) for name in kind.__dataclass_fields__)  # type: ignore[attr-defined]
