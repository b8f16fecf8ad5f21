"""A bound on the work that one key policy can make: steps are counted, and too many of them end it.

Whoever asks a question gives it an `Effort`; the loops that can multiply call `spend`. Steps and not seconds,
so that every machine gives the same answer.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from contextvars import ContextVar, Token

from kms_constructs.model.ceilings import MAX_STEPS

SIMPLER = "Write fewer statements, and name principals instead of patterns that overlap"
"""What to do about a policy that takes too long to follow."""


class TooComplexError(Exception):
    """A question takes more steps than it was given: for who gave them, and for no caller of this package."""


class Effort:
    """Steps that are left.

    Args:
        steps: How many there are.
    """

    __slots__ = ("left", "steps")

    def __init__(self, steps: int = MAX_STEPS) -> None:
        self.steps = steps
        self.left = steps


class Efforts:
    """An effort for each key, whatever world and rule it is asked about in."""

    def __init__(self) -> None:
        self._of: dict[str, Effort] = {}

    def of(self, key: str) -> Effort:
        """What the key of that id has left."""
        found = self._of.get(key)
        if found is None:
            found = self._of[key] = Effort()
        return found


_CURRENT: ContextVar[Effort | None] = ContextVar("effort", default=None)


class _Limit:
    """A context manager by hand: it is entered for each key and rule, and a generator takes longer."""

    __slots__ = ("_effort", "_token")
    _token: Token[Effort | None]

    def __init__(self, effort: Effort) -> None:
        self._effort = effort

    def __enter__(self) -> None:
        self._token = _CURRENT.set(self._effort)

    def __exit__(self, *_: object) -> None:
        _CURRENT.reset(self._token)


def limited_to(effort: Effort) -> AbstractContextManager[None]:
    """Counts the steps that are spent within; one effort may be given to several questions in turn.

    Raises:
        TooComplexError: It is used up.

    Example:
        >>> with limited_to(Effort(10)):
        ...     spend(11)
        Traceback (most recent call last):
        kms_constructs.model.effort.TooComplexError: it takes more than 10 steps to follow
    """
    return _Limit(effort)


def spend(steps: int) -> None:
    """Notes steps; without a limit it does nothing.

    Args:
        steps: How many.

    Raises:
        TooComplexError: There are fewer left.
    """
    effort = _CURRENT.get()
    if effort is not None:
        effort.left -= steps
        if effort.left < 0:
            raise TooComplexError(f"it takes more than {effort.steps:,} steps to follow")
