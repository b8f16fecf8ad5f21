"""A value that is not known is neither true nor false nor absent."""

from __future__ import annotations

import pytest

from kms_constructs.model.unknown import UNKNOWN, Maybe, Unknown, is_unknown


@pytest.mark.parametrize(
    "ask", [bool, lambda value: not value, lambda value: value or 1, lambda value: value and 1]
)
def test_asking_an_unknown_for_its_truth_raises_and_says_why(ask) -> None:
    with pytest.raises(TypeError, match=r"parameter Admin has no default.*is_unknown"):
        ask(Unknown("parameter Admin has no default"))


@pytest.mark.parametrize("value", [None, False, "", "unknown", 0, (), {}, Maybe("x", "a condition"), Unknown])
def test_nothing_else_is_unknown(value: object) -> None:
    assert is_unknown(value) is False


def test_an_unknown_is_unknown_and_equal_by_its_reason() -> None:
    assert is_unknown(UNKNOWN)
    assert Unknown("a") == Unknown("a")
    assert Unknown("a") != Unknown("b")
    assert len({Unknown("a"), Unknown("a"), Unknown("b")}) == 2


def test_a_maybe_keeps_its_value_and_its_reason() -> None:
    assert (Maybe([1], "IsProd").value, Maybe([1], "IsProd").reason) == ([1], "IsProd")
