"""A copy of a frozen object with other values in some fields, quickly."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from operator import attrgetter
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
    kind = type(instance)
    read, writers, by_name = _fields(kind)  # type: ignore[arg-type]  # types hash
    made: Any = object.__new__(kind)
    for write, value in zip(writers, read(instance), strict=True):
        write(made, value)
    for name, value in values.items():
        if name not in by_name:
            raise AttributeError(f"{kind.__name__} has no {name}")
        by_name[name](made, value)
    return made  # type: ignore[no-any-return]


_Write = Callable[[Any, object], None]


@cache
def _fields(kind: type) -> tuple[Callable[[Any], tuple[object, ...]], tuple[_Write, ...], dict[str, _Write]]:
    """What reads all fields of an instance at once, and what writes each: in their order, and by name."""
    names = tuple(kind.__dataclass_fields__)  # type: ignore[attr-defined]
    by_name = {name: getattr(kind, name).__set__ for name in names}
    # For one name the getter would give the value by itself.
    read = (
        attrgetter(*names) if names[1:] else lambda instance: tuple(getattr(instance, one) for one in names)
    )
    return read, tuple(by_name.values()), by_name
