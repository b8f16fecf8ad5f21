"""Values that never change, and what `dataclasses` makes of them."""

from __future__ import annotations

import copy
import dataclasses
import importlib
import pickle
import pkgutil
from collections.abc import Iterator
from typing import ClassVar

import msgspec
import pytest

import kms_constructs
from kms_constructs.model.frozen import Frozen, told_apart_without


class Base(Frozen, frozen=True, kw_only=True):
    """With fields of every kind."""

    WORDS: ClassVar[int] = 3
    needed: int
    chosen: str = "a"
    listed: tuple[str, ...] = ()
    made: dict[str, int] = msgspec.field(default_factory=dict)


class Derived(Base, frozen=True, kw_only=True):
    """With one more."""

    more: str | None = None


@told_apart_without("by")
class Seen(Frozen, frozen=True):
    """Compared by two of three fields."""

    name: str
    line: int = 0
    by: object = None


@told_apart_without("line")
class Named(Frozen, frozen=True):
    """Compared by one of two fields, which a getter gives by itself."""

    name: str
    line: int = 0


def test_dataclasses_take_them_as_their_own() -> None:
    assert dataclasses.is_dataclass(Base)
    assert dataclasses.is_dataclass(Derived(needed=1))
    fields = {one.name: one for one in dataclasses.fields(Derived)}
    assert set(fields) == {"needed", "chosen", "listed", "made", "more"}
    assert fields["needed"].default is dataclasses.MISSING
    assert fields["needed"].default_factory is dataclasses.MISSING
    assert (fields["chosen"].default, fields["chosen"].type) == ("a", "str")
    assert (fields["listed"].default, fields["more"].default) == ((), None)
    assert fields["made"].default is dataclasses.MISSING
    assert fields["made"].default_factory is dict
    assert {one.name for one in dataclasses.fields(Base)} == set(fields) - {"more"}
    one = Derived(needed=1, made={"x": 2})
    assert dataclasses.replace(one, more="b") == Derived(needed=1, made={"x": 2}, more="b")
    assert dataclasses.asdict(one) == {
        "needed": 1, "chosen": "a", "listed": (), "made": {"x": 2}, "more": None,
    }  # fmt: skip
    with pytest.raises(TypeError):
        dataclasses.replace(one, nothing=1)


def test_nothing_of_them_changes() -> None:
    one = Derived(needed=1)
    with pytest.raises(AttributeError):
        one.needed = 2  # type: ignore[misc]
    with pytest.raises(AttributeError):
        one.nothing = 2  # type: ignore[attr-defined]
    assert Derived(needed=1).made is not one.made
    assert copy.deepcopy(one) == one
    with pytest.raises(TypeError):
        Derived()  # type: ignore[call-arg]


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        pytest.param(Seen("a", 1, "x"), Seen("a", 1, "y"), True, id="the third"),
        pytest.param(Seen("a", 1), Seen("a", 2), False, id="the second"),
        pytest.param(Seen("a", 1), Seen("b", 1), False, id="the first"),
        pytest.param(Named("a", 1), Named("a", 2), True, id="the other"),
        pytest.param(Named("a"), Named("b"), False, id="the only one"),
        pytest.param(Named("a"), "a", False, id="what is no such thing"),
        pytest.param(Named("a"), Seen("a"), False, id="another class"),
        pytest.param(Derived(needed=1), Base(needed=1), False, id="a base class"),
    ],
)
def test_what_tells_them_apart(one: object, other: object, same: bool) -> None:
    assert (one == other, other == one, one != other) == (same, same, not same)


def test_what_is_equal_has_one_hash() -> None:
    assert len({Seen("a", 1, "x"), Seen("a", 1, ["y"]), Seen("a", 2)}) == 2
    assert len({Named("a", 1), Named("a", 2), Named("b")}) == 2


def test_they_are_pickled() -> None:
    assert pickle.loads(pickle.dumps(Seen("a", 1, "x"))).by == "x"  # noqa: S301 - made here


def _structs() -> Iterator[type[msgspec.Struct]]:
    for one in pkgutil.walk_packages(kms_constructs.__path__, f"{kms_constructs.__name__}."):
        members = vars(importlib.import_module(one.name)).values()
        yield from (
            member for member in members if isinstance(member, type) and issubclass(member, msgspec.Struct)
        )


def test_no_field_is_declared_in_the_words_of_dataclasses() -> None:
    # msgspec would take such a declaration for the default itself, and give it to every instance.
    found = set(_structs())
    assert len(found) > 200
    for one in found:
        assert not [value for value in one.__struct_defaults__ if isinstance(value, dataclasses.Field)], one
