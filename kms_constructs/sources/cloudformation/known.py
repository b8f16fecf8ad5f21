"""What has been found out of a stack, and in which worlds it holds.

A stack serves every world that chooses nothing else for its parameters. What is found out of it is kept with
what it took from other stacks for that (`Take`): in another world it holds where they give the same. They are
asked in the order in which they were asked first, so nothing is ever asked that finding it out anew would not
ask. What was met in a circle hangs on who asked first, and serves no other world.

Finding something out leaves notes (`Mark`): of defaults that were taken, of names that are not there. They
belong to a world, so they are made again in each world in which what was found is asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from typing import Any, Final, Generic, ParamSpec, Protocol, TypeAlias, TypeVar, cast

_Value = TypeVar("_Value")
_Place = TypeVar("_Place", bound=Hashable)
_Given = ParamSpec("_Given")

Take = tuple[str, ...]
"""What is asked of other stacks: see `Asked.answer`."""
Mark = tuple[Hashable, str, str | None]
"""A stack, and a name: of a parameter with the default that it has, or without one of what is not there."""
_NOTED: Final = object()
SHALLOW: Final = 28
"""Levels of nesting within which nothing is cut off, wherever in a second template it is asked for."""


MAX_COMPARING: Final = 3
"""Stacks whose exports hang on each other's that are compared one within another: nothing else bounds it."""


class Asked(Protocol):
    """A world, as far as what is known of stacks hangs on it."""

    @property
    def is_settled(self) -> bool:
        """Whether it is decided which resources each stack has."""
        ...

    def answer(self, take: Take, depth: int) -> object:
        """What other stacks have; None when no template has it."""
        ...

    def note(self, marks: Mapping[Any, object]) -> None:
        """Notes what finding something out came upon; whatever is kept with the marks means nothing."""
        ...


class Course:
    """How the finding out goes: in which world, and what came in between."""

    def __init__(self) -> None:
        self.world: Asked
        """The world that is asked at the moment."""
        self.upsets = 0
        """How often something came in between that makes what is found hang on who asked first."""
        self.comparing = 0
        """How many things are compared with what they took, one within the other."""
        self.is_hasty = False
        """Whether a stack asked others in this world before it was decided which resources they have."""
        self.is_deep = False
        """Whether anything was asked for so deep that it may be cut off elsewhere."""

    def deepen(self) -> None:
        """Something lies so deep that it may be cut off elsewhere."""
        if self.comparing:
            raise OddError
        self.is_deep = True

    def upset(self) -> None:
        """Something hangs on who asked first: a comparison does not ask as finding it out does."""
        if self.comparing:
            raise OddError
        self.upsets += 1


class OddError(Exception):
    """It cannot be told by comparing whether something is the same: it has to be found out anew."""


class Known(Generic[_Value]):
    """Something that was found out, with what it hangs on.

    What hangs on nothing, so that it holds in every world, and left no notes, is kept as it is instead.

    Args:
        value: The value.
        world: The world in which it was found, or is known to be the same.
        before: What was found in other worlds.
        met: What it took from others with what they gave, and what it came upon, in this order.
        is_own: Whether it took nothing from others.
        lasts: Whether it may hold in another world.
    """

    __slots__ = ("before", "is_own", "lasts", "met", "value", "world")

    def __init__(
        self,
        value: _Value,
        world: Asked | None,
        before: Known[_Value] | None,
        met: Mapping[Take | Mark, object],
        *,
        is_own: bool = True,
        lasts: bool = False,
    ) -> None:
        self.value = value
        self.world = world
        self.before = before
        self.met = met
        self.is_own = is_own
        self.lasts = lasts


Kept: TypeAlias = Known[_Value] | _Value
NEW: Final[Known[Any]] = Known(None, None, None, {})
"""What nothing is known of yet."""
_BEING_FOUND: Final[Any] = Known(None, None, None, {})


_Met: TypeAlias = dict[Take | Mark, object] | None
_BEGINNING: Final[tuple[bool, _Met, bool]] = (True, None, True)


class Family:
    """A stack and those nested in it: what is known of one hangs on what is known of the others.

    Args:
        course: How the finding out goes.
    """

    def __init__(self, course: Course) -> None:
        self.course = course
        self.serves_others = True
        """Whether it may serve another world."""
        self._is_finding = False
        """Whether something is being found out, of which is remembered what it met:"""
        self._met: _Met = None
        self._is_own = True

    def recall(
        self,
        known: dict[_Place, Kept[_Value]],
        place: _Place,
        circle: Callable[_Given, _Value],
        find: Callable[_Given, _Value],
        *given: _Given.args,
        **named: _Given.kwargs,
    ) -> _Value:
        """What is known, if it holds in this world; else what is found out now.

        Args:
            known: What is known, by place.
            place: The place.
            circle: Makes the value that it has while it is being found out.
            find: Finds it out.
            given: What both are given.
            named: What both are given by name.
        """
        course = self.course
        before: Kept[_Value] = known.get(place, NEW)
        if not isinstance(before, Known):
            return before
        if before is _BEING_FOUND:
            course.upset()
            return circle(*given, **named)
        if before is not NEW:
            held: Known[_Value] | None = self._held(known, place, before)
            if held is not None:
                if not held.lasts:
                    course.upset()
                if self._is_finding:
                    self._meet(held.met, is_own=held.is_own)
                return held.value
        upsets = course.upsets
        outer = self._is_finding, self._met, self._is_own
        self._is_finding, self._met, self._is_own = _BEGINNING
        known[place] = _BEING_FOUND
        try:
            value = find(*given, **named)
        except BaseException:
            if before is NEW:
                del known[place]
            else:
                known[place] = before
            raise
        finally:
            met, is_own = self._met, self._is_own
            self._is_finding, self._met, self._is_own = outer
        lasts = upsets == course.upsets
        if lasts and met is None:
            known[place] = value
            return value
        earlier = None if before is NEW else before
        known[place] = Known(value, course.world, earlier, met or {}, is_own=is_own, lasts=lasts)
        if self._is_finding and met is not None:
            self._meet(met, is_own=is_own)
        return value

    def holds(self, one: Known[Any]) -> bool:
        """Whether something holds in this world by itself while nothing is being found out that hangs on it.

        Notes what it came upon, as `recall` does.
        """
        return not self._is_finding and self._holds_by_itself(one)

    def _holds_by_itself(self, one: Known[Any]) -> bool:
        if not one.is_own or not one.lasts:
            return False
        world = self.course.world
        if one.world is not world:
            world.note(one.met)
            one.world = world
        return True

    def _meet(self, met: Mapping[Take | Mark, object], *, is_own: bool) -> None:
        """What is being found out hangs on something that met this."""
        if self._met is None:
            self._met = {}
        self._met.update(met)
        self._is_own = self._is_own and is_own

    def _held(
        self, known: dict[_Place, Kept[_Value]], place: _Place, newest: Known[_Value]
    ) -> Known[_Value] | None:
        """What is known and holds in this world."""
        world = self.course.world
        one: Known[_Value] | None = newest
        while one is not None:
            if one.world is world or self._holds_by_itself(one):
                return one
            if one.lasts and self._is_same(known, place, one):
                one.world = world
                return one
            one = one.before
        return None

    def _is_same(self, known: dict[_Place, Kept[_Value]], place: _Place, one: Known[_Value]) -> bool:
        """Whether others give in this world what was taken from them; notes what was come upon."""
        course, newest, world = self.course, known[place], self.course.world
        if course.comparing >= MAX_COMPARING:
            raise OddError
        known[place] = _BEING_FOUND
        course.comparing += 1
        try:
            for what, given in one.met.items():
                if given is _NOTED:
                    world.note({what: given})
                elif world.answer(cast("Take", what), 0) != given:
                    return False
            return True
        except OddError:
            if course.comparing > 1:
                raise
            return False
        finally:
            known[place] = newest
            course.comparing -= 1

    def note(self, mark: Mark) -> None:
        """Notes what finding something out came upon."""
        marks: dict[Take | Mark, object] = {mark: _NOTED}
        if self._is_finding:
            self._meet(marks, is_own=True)
        self.course.world.note(marks)

    def apart(self, ask: Callable[_Given, _Value], *given: _Given.args, **named: _Given.kwargs) -> _Value:
        """What another stack asks: it counts for nothing that is being found out here."""
        outer = self._is_finding, self._met, self._is_own
        self._is_finding = False
        try:
            return ask(*given, **named)
        finally:
            self._is_finding, self._met, self._is_own = outer

    def take(self, take: Take, depth: int) -> object:
        """Asks other stacks."""
        world = self.course.world
        if not world.is_settled:
            self.course.is_hasty = True
        answer = world.answer(take, depth)
        if self._is_finding:
            self._meet({take: answer}, is_own=False)
        return answer
