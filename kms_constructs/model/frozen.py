"""Values that never change: what the model, the analysis and the reports are made of."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from functools import cache
from operator import attrgetter
from typing import TYPE_CHECKING, Any, ClassVar, Final, TypeVar

import msgspec


class _Fields:
    """What the functions of `dataclasses` ask a class for; made when one of them asks."""

    def __get__(self, instance: object, owner: type[Frozen]) -> dict[str, dataclasses.Field[Any]]:
        return _fields_of(owner)


_Kind = TypeVar("_Kind", bound="Frozen")


class Frozen(msgspec.Struct, frozen=True):
    """Base of values that never change.

    Made by msgspec and not by `dataclasses`: a program that reads one template defines some hundred and fifty
    of them, and takes longer for that than for the template. `dataclasses.replace`, `fields` and `asdict`
    take them as they take data classes.

    Example:
        >>> class Person(Frozen, frozen=True):
        ...     name: str
        ...     age: int = 0
        >>> dataclasses.replace(Person("Ann"), age=7)
        Person(name='Ann', age=7)
    """

    if TYPE_CHECKING:
        __dataclass_fields__: ClassVar[dict[str, dataclasses.Field[Any]]]
    else:
        __dataclass_fields__ = _Fields()


def told_apart_without(*names: str) -> Callable[[type[_Kind]], type[_Kind]]:
    """Has instances of a class compared by all of their fields but some.

    Args:
        names: Those that do not count.

    Example:
        >>> @told_apart_without("line")
        ... class Seen(Frozen, frozen=True):
        ...     name: str
        ...     line: int = 0
        >>> Seen("a", 1) == Seen("a", 2), len({Seen("a", 1), Seen("a", 2), Seen("b", 1)})
        (True, 2)
    """

    def decorate(kind: type[_Kind]) -> type[_Kind]:
        told = attrgetter(*(name for name in kind.__struct_fields__ if name not in names))

        def equal(self: object, other: object) -> bool:
            return told(self) == told(other) if type(other) is type(self) else NotImplemented

        def hashed(self: object) -> int:
            return hash(told(self))

        kind.__eq__ = equal  # type: ignore[method-assign]
        kind.__hash__ = hashed  # type: ignore[method-assign]
        return kind

    return decorate


@cache
def _fields_of(kind: type[Frozen]) -> dict[str, dataclasses.Field[Any]]:
    names = kind.__struct_fields__
    # The last fields have defaults, or a mark that there is none.
    defaults = (
        *[msgspec.NODEFAULT] * (len(names) - len(kind.__struct_defaults__)),
        *kind.__struct_defaults__,
    )
    types: dict[str, Any] = {}
    for one in reversed(kind.__mro__):
        types |= vars(one).get("__annotations__", {})
    declared = [
        (name, types[name], _declared(default)) for name, default in zip(names, defaults, strict=True)
    ]
    made = dataclasses.make_dataclass(kind.__name__, declared, kw_only=True)
    return {one.name: one for one in dataclasses.fields(made)}


def _declared(default: Any) -> Any:  # noqa: ANN401 - a default of any type, and what `dataclasses` makes of it
    if default is msgspec.NODEFAULT:
        return dataclasses.field()
    factory = getattr(default, "factory", None) if type(default) is _FACTORY else None
    return (
        dataclasses.field(default=default) if factory is None else dataclasses.field(default_factory=factory)
    )


class _WithFactory(msgspec.Struct):
    made: list[object] = msgspec.field(default_factory=list)


_FACTORY: Final = type(_WithFactory.__struct_defaults__[0])
