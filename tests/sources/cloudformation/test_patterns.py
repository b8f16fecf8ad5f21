"""Patterns that stand for a few texts."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kms_constructs.sources.cloudformation.patterns import MAX_TEXTS, texts_of

FEW = {
    "^(dev|prod)$": ("dev", "prod"),
    "dev|prod": ("dev", "prod"),
    "^dev$|^prod$": ("dev", "prod"),
    "^(?:a|b)(-x)?$": ("a", "a-x", "b", "b-x"),
    "[ab]1": ("a1", "b1"),
    r"v1\.0": ("v1.0",),
    "(a|b)|c": ("a", "b", "c"),
    "": ("",),
    "(|prod)": ("", "prod"),
    "a$b": None,
}
MANY = [
    "[a-z]+",
    ".*",
    "^o-[a-z0-9]{10}$",
    r"\d",
    "[^a]",
    "(?i)dev",
    "(dev",
    "dev)",
    "a*",
    "a??",
    "a|" * 40,
    "[",
]


@pytest.mark.parametrize(("pattern", "texts"), FEW.items(), ids=FEW.keys())
def test_few(pattern: str, texts: tuple[str, ...] | None) -> None:
    assert texts_of(pattern) == texts


@pytest.mark.parametrize("pattern", MANY)
def test_many_or_not_understood(pattern: str) -> None:
    found = texts_of(pattern)
    assert found is None or (pattern == "a|" * 40 and found == ("a", ""))


def test_a_pattern_of_many_alternatives_is_none() -> None:
    listed = [str(number) for number in range(MAX_TEXTS + 1)]
    assert texts_of("|".join(listed[:-1])) == tuple(listed[:-1])
    assert texts_of("|".join(listed)) is None
    assert texts_of("[abc]" * 5) is None
    assert texts_of("(" * 50 + "a" + ")" * 50) is None


@given(st.text("ab|()?[]^$.\\", max_size=12), st.lists(st.text("ab", max_size=4)))
def test_it_takes_the_texts_and_no_other(pattern: str, others: list[str]) -> None:
    texts = texts_of(pattern)
    if texts is None:
        return
    compiled = re.compile(pattern)
    assert all(compiled.fullmatch(text) for text in texts if "^" not in text)
    assert not any(compiled.fullmatch(text) for text in others if text not in texts)
