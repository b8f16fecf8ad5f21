"""A value that exists but cannot be known before deployment."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NoReturn, TypeVar

from kms_constructs.model.frozen import Frozen

if TYPE_CHECKING:
    from typing_extensions import TypeIs

_T = TypeVar("_T")


class Unknown(Frozen, frozen=True):
    """A value that could not be resolved, and why.

    An unknown value is neither true nor false nor absent: asking it for its truth raises, so that no rule
    can pass what it does not know by writing ``if not key.x``.

    Args:
        reason: Why it is not known, as a phrase that finishes "not known because …".

    Example:
        >>> bool(Unknown("parameter Admin has no default"))
        Traceback (most recent call last):
        ...
        TypeError: an unknown value has no truth (parameter Admin has no default): ask is_unknown() first
    """

    reason: str

    def __bool__(self) -> NoReturn:
        raise TypeError(f"an unknown value has no truth ({self.reason}): ask is_unknown() first")


UNKNOWN = Unknown("it cannot be resolved")
"""An unknown value without a more telling reason."""


def is_unknown(value: object) -> TypeIs[Unknown]:
    """Whether the value is unknown (and says so to the type checker)."""
    return isinstance(value, Unknown)


def or_default(value: _T | Unknown | None, default: _T) -> _T | Unknown:
    """The value, or the default where it is absent; what is unknown stays so."""
    return default if value is None else value


class Maybe(Frozen, frozen=True):
    """An element that is there or not, as a condition decides that cannot be resolved.

    What allows access counts as there; what denies it counts as absent.

    Args:
        value: The element, if it is there.
        reason: Why it is not known whether it is.
    """

    value: object
    reason: str


def elements(value: object) -> Iterator[tuple[object, str]]:
    """Elements of a list (one value counts as a list of it) and why they may be absent, if they may."""
    for element in value if isinstance(value, list | tuple) else (value,):
        if isinstance(element, Maybe):
            yield element.value, element.reason
        else:
            yield element, ""
