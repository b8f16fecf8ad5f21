"""What patterns cover and meet: named cases, and brute force over every short text."""

from __future__ import annotations

import functools
import itertools
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kms_constructs.model.effort import Effort, limited_to
from kms_constructs.model.globs import (
    arn_pattern,
    glob_covers,
    glob_matches,
    globs_meet,
    has_variable,
    is_literal,
    without_variables,
)
from kms_constructs.model.text import CLOSE, FIELD_ANY, FIELD_STAR, OPEN, HoleKind, display, hole

G, H = hole(HoleKind.GENERATED, "App.Role"), hole(HoleKind.GENERATED, "App.Other")
E, F = hole(HoleKind.ENVIRONMENT, "AWS::AccountId"), hole(HoleKind.ENVIRONMENT, "AWS::Region")
U, V = hole(HoleKind.UNRESOLVED, "Admin"), hole(HoleKind.UNRESOLVED, "Other")
NAMED = hole(HoleKind.GENERATED, "Shop.AppRole.Name")
LONG = "a" * 3000


# pattern, other, covers, meets
CASES = {
    "equal texts": ("role/a", "role/a", True, True),
    "different texts": ("role/a", "role/b", False, False),
    "an asterisk covers all": ("*", U, True, True),
    "an asterisk covers nothing too": ("role/a*", "role/a", True, True),
    "an asterisk runs over colons and slashes": ("arn:*:a", "arn:aws:iam::1:role/x:a", True, True),
    "a question mark is one character": ("role/?", "role/a", True, True),
    "a question mark is not none": ("role/a?", "role/a", False, False),
    "a question mark is not two": ("role/?", "role/ab", False, False),
    "the narrower does not cover the wider": ("role/ops-?", "role/ops-*", False, True),
    "the wider covers the narrower": ("role/ops-*", "role/ops-?", True, True),
    "neither covers, they meet": ("role/*-admin", "role/prod-*", False, True),
    "overlapping ends need room": ("ab*ba", "aba", False, False),
    "wildcards that cannot meet": ("role/a*", "role/b*", False, False),
    "case counts": ("role/A*", "role/admin", False, False),
    "brackets are plain": ("role/[ab]", "role/a", False, False),
    "two asterisks": ("role/**", "role/a", True, True),
    "backtracking": ("*a*b*c", "aabbacbc", True, True),
    "generated equals itself": (f"role/{G}", f"role/{G}", True, True),
    "generated differs from another": (f"role/{G}", f"role/{H}", False, False),
    "generated differs from what deployment decides": (f"role/{G}", f"role/{E}", False, False),
    "generated differs from text": (f"role/{G}", "role/a", False, False),
    "a generated name may be spelt": (
        f"role/{NAMED}",
        "role/Shop-AppRole-1ABCDEFGHIJKL",
        False,
        True,
    ),
    "a generated name may be cut": (f"role/{NAMED}", "role/Shop-App-1abcDEF2ghIJ", False, True),
    "a generated name of another logical id": (
        f"role/{NAMED}",
        "role/Shop-Other-1ABCDEFGHIJKL",
        False,
        False,
    ),
    "a generated name and a name of a person's": (
        f"role/{NAMED}",
        "role/shop-approle-administrator",
        False,
        False,
    ),
    "a generated name behind another path": (
        f"role/a/{NAMED}",
        "role/Shop-AppRole-1ABCDEFGHIJKL",
        False,
        False,
    ),
    "a generated id is no name": (f"role/{G}", "role/Shop-App-1ABCDEFGHIJKL", False, False),
    "a generated name in an open account": (
        f"iam::{E}:role/{NAMED}",
        "iam::111122223333:role/Shop-AppRole-1ABCDEFGHIJKL",
        False,
        True,
    ),
    "a hole that was put into a hole": (f"{OPEN}u:a{OPEN}e:b{CLOSE}{CLOSE}", "role/a", False, True),
    "a hole that was put into a hole, in a wildcard": (f"a{OPEN}u:b", "a?", False, True),
    "generated is in an asterisk": ("role/*", f"role/{G}", True, True),
    "generated is not one character": ("role/?", f"role/{G}", False, True),
    "generated may match a wildcard": (f"role/{G}", "role/App-*", False, True),
    "generated behind another text": ("user/*", f"role/{G}", False, False),
    "environment equals itself": (f"iam::{E}:root", f"iam::{E}:root", True, True),
    "environment may equal text": (f"iam::{E}:root", "iam::1:root", False, True),
    "environment may equal another": (f"iam::{E}:root", f"iam::{F}:root", False, True),
    "environment in an asterisk": ("iam::*:root", f"iam::{E}:root", True, True),
    "environment with wildcards beside": (f"iam::{E}:role/*", f"iam::{E}:role/a", True, True),
    "environment before another text": (f"{E}:root", "1:user", False, False),
    "unresolved equals itself": (f"role/{U}", f"role/{U}", True, True),
    "unresolved may be anything": (f"role/{U}", "role/a", False, True),
    "unresolved may be another": (U, V, False, True),
    "unresolved is not covered by text": ("role/a", U, False, True),
    "a variable may be anything": ("role/${aws:PrincipalTag/team}", "role/a", False, True),
    "a variable is covered by an asterisk": ("role/*", "role/${aws:username}", True, True),
    "a variable equals itself": ("role/${aws:username}", "role/${aws:username}", True, True),
    "a variable covers not even an asterisk": ("role/${aws:username}", "role/*", False, True),
    "a variable beside another text": ("role/${aws:username}", "user/a", False, False),
    "in a field, an asterisk does not run over a colon": (f"a:{FIELD_STAR}:c", "a:b:b:c", False, False),
    "in a field, an asterisk is all but a colon": (f"a:{FIELD_STAR}:c", "a:bb:c", True, True),
    "in a field, an asterisk is nothing too": (f"a:{FIELD_STAR}:c", "a::c", True, True),
    "in a field, a question mark is no colon": (f"a{FIELD_ANY}c", "a:c", False, False),
    "in a field, a question mark is one": (f"a{FIELD_ANY}c", "abc", True, True),
    "in a field, an asterisk covers no asterisk": (f"a:{FIELD_STAR}", "a:*", False, True),
    "in a field, an asterisk covers no question mark": (f"a:{FIELD_STAR}", "a:?", False, True),
    "in a field, an asterisk covers its like": (f"a:{FIELD_STAR}", f"a:{FIELD_STAR}b{FIELD_ANY}", True, True),
    "an asterisk covers one in a field": ("a:*", f"a:{FIELD_STAR}", True, True),
    "a question mark covers one in a field": ("a?", f"a{FIELD_ANY}", True, True),
    "a question mark covers no asterisk in a field": ("a?", f"a{FIELD_STAR}", False, True),
    "in a field, an asterisk covers a hole": (f"iam::{FIELD_STAR}:root", f"iam::{E}:root", True, True),
    "a hole beside an asterisk in a field": (f"iam::{E}:role/{FIELD_STAR}", f"iam::{E}:role/a", True, True),
    "later places are found": (f"*a{FIELD_STAR}c", "a:abc", True, True),
    "fields that cannot meet": (f"{FIELD_STAR}:a", f"{FIELD_STAR}:b:{FIELD_STAR}", False, False),
    "fields that meet": (f"{FIELD_STAR}:a*", "x:*:b", False, True),
    "too long to compare": (LONG + "*", LONG + "b", False, True),
    "too long and equal": (LONG, LONG, True, True),
}


@pytest.mark.parametrize(("pattern", "other", "covers", "meets"), CASES.values(), ids=CASES)
def test_covers_and_meets(pattern: str, other: str, covers: bool, meets: bool) -> None:
    assert (glob_covers(pattern, other), globs_meet(pattern, other), globs_meet(other, pattern)) == (
        covers,
        meets,
        meets,
    )


@pytest.mark.parametrize(
    ("pattern", "literal"),
    [("role/a", True), ("role/*", False), ("role/?", False), (f"role/{G}", True), (E, False), (U, False)],
)
def test_is_literal(pattern: str, literal: bool) -> None:
    assert is_literal(pattern) is literal


def test_variables() -> None:
    assert [has_variable(text) for text in ("a", "${aws:username}", "$a{}", "${open")] == [
        False,
        True,
        False,
        False,
    ]
    assert without_variables("a/${aws:username}/b/${*}") == "a/*/b/*"


TEXTS = ["".join(letters) for length in range(5) for letters in itertools.product("ab", repeat=length)]
_patterns = st.text(alphabet="ab*?", max_size=5)


def _texts_of(pattern: str) -> set[str]:
    expression = re.compile(pattern.replace("*", ".*").replace("?", "."))
    return {text for text in TEXTS if expression.fullmatch(text)}


@given(pattern=_patterns, other=_patterns)
def test_against_every_short_text(pattern: str, other: str) -> None:
    left, right = _texts_of(pattern), _texts_of(other)
    if glob_covers(pattern, other):
        assert right <= left
    if left & right:
        assert globs_meet(pattern, other)
    if "*" not in other and "?" not in other:
        # Against a plain text both are exact.
        assert glob_covers(pattern, other) is (other in _texts_of(pattern) or other == pattern)
        assert globs_meet(pattern, other) is glob_covers(pattern, other)


@given(pattern=st.text(alphabet="ab*?", max_size=3), other=st.text(alphabet="ab*?", max_size=3))
def test_patterns_that_meet_have_a_text_in_common(pattern: str, other: str) -> None:
    """A text of at most six letters is enough for two patterns of three."""
    texts = ("".join(letters) for length in range(7) for letters in itertools.product("ab", repeat=length))
    expressions = [re.compile(found.replace("*", ".*").replace("?", ".")) for found in (pattern, other)]
    common = any(all(expression.fullmatch(text) for expression in expressions) for text in texts)
    assert globs_meet(pattern, other) is common


FIELDS = ["".join(letters) for length in range(6) for letters in itertools.product("a:", repeat=length)]
_WILDCARDS = {"*": ".*", "?": ".", FIELD_STAR: "[^:]*", FIELD_ANY: "[^:]"}
_field_patterns = st.text(alphabet=["a", ":", *_WILDCARDS], max_size=5)


def _fields_of(pattern: str) -> set[str]:
    expression = re.compile("".join(_WILDCARDS.get(character, character) for character in pattern))
    return {text for text in FIELDS if expression.fullmatch(text)}


@given(pattern=_field_patterns, other=_field_patterns)
def test_fields_against_every_short_text(pattern: str, other: str) -> None:
    left, right = _fields_of(pattern), _fields_of(other)
    if glob_covers(pattern, other):
        assert right <= left
    if left & right:
        assert globs_meet(pattern, other)
    if not {*other} & {*_WILDCARDS}:
        assert glob_covers(pattern, other) is (other in left or other == pattern)
        assert globs_meet(pattern, other) is glob_covers(pattern, other)


@given(
    pattern=st.text(alphabet=["a", ":", *_WILDCARDS], max_size=3),
    other=st.text(alphabet=["a", ":", *_WILDCARDS], max_size=3),
)
def test_fields_that_meet_have_a_text_in_common(pattern: str, other: str) -> None:
    texts = ("".join(letters) for length in range(7) for letters in itertools.product("a:", repeat=length))
    expressions = [
        re.compile("".join(_WILDCARDS.get(character, character) for character in found))
        for found in (pattern, other)
    ]
    common = any(all(expression.fullmatch(text) for expression in expressions) for text in texts)
    assert globs_meet(pattern, other) is common


_TOKENS = st.lists(st.sampled_from(["*", "?", FIELD_STAR, FIELD_ANY, ":", "a", "b", G, E, U]), max_size=8)


def _meet_pair_by_pair(left: list[str], right: list[str]) -> bool:
    """As `globs_meet` says, one pair of places after the other."""
    wild = {"*", "?", FIELD_STAR, FIELD_ANY}
    # A generated part may match a wildcard, and what cannot be resolved anything.
    ours = ["*" if one == U or (one == G and wild & {*right}) else one for one in left]
    theirs = ["*" if one == U or (one == G and wild & {*left}) else one for one in right]

    def may_be(wide: str, part: str) -> bool:
        """Whether it may be a part of what stands for any number of them."""
        if wide == FIELD_STAR:
            return part != ":"
        return wide == "*" or (wide == E and part not in (G, E))

    def common(one: str, other: str) -> bool:
        if one == other or "?" in (one, other):
            return True
        return (one == FIELD_ANY and other != ":") or (other == FIELD_ANY and one != ":")

    @functools.cache
    def meet(i: int, j: int) -> bool:
        if i == len(ours) and j == len(theirs):
            return True
        one = ours[i] if i < len(ours) else ""
        other = theirs[j] if j < len(theirs) else ""
        if one in _MANY and (meet(i + 1, j) or (other and may_be(one, other) and meet(i, j + 1))):
            return True
        if other in _MANY and (meet(i, j + 1) or (one and may_be(other, one) and meet(i + 1, j))):
            return True
        narrow = one and other and one not in _MANY and other not in _MANY
        return bool(narrow) and common(one, other) and meet(i + 1, j + 1)

    return meet(0, 0)


_MANY = ("*", FIELD_STAR, E)


@given(_TOKENS, _TOKENS)
def test_patterns_meet_as_if_each_pair_of_places_was_asked(left: list[str], right: list[str]) -> None:
    assert globs_meet("".join(left), "".join(right)) is _meet_pair_by_pair(left, right)


def test_long_patterns_meet_in_no_time() -> None:
    """Their pairs of places are four million, and each of them was one step once."""
    with limited_to(Effort(10_000)):
        assert not globs_meet("*a" * 1_000 + "c", "*b" * 1_000 + "d")
        assert globs_meet("*a" * 1_000, "*b" * 1_000 + "*")


@pytest.mark.parametrize(
    ("pattern", "arn", "certainly", "possibly"),
    [
        ("arn:aws:iam::*:role/*", "arn:aws:iam::1:role/App", True, True),
        ("arn:aws:iam::*:role/*", "arn:aws:iam::1:role/a:b/App", False, True),
        ("arn:aws:iam::*:role/a:b/*", "arn:aws:iam::1:role/a:b/App", True, True),
        ("arn:aws:iam::*:role/App", "arn:aws:iam::1:user/x:role/App", False, False),
        ("arn:*:role/App:*:*:*", "arn:aws:iam::1:role/App", False, False),
        ("arn:*:*:*:*:*", "arn:aws-cn:iam::1:root", True, True),
        ("arn:aws:i?m::?:r??t", "arn:aws:iam::1:root", True, True),
        ("arn:aws:ia?::1:root", "arn:aws:ia:::1:root", False, False),
    ],
)
def test_arn_patterns(pattern: str, arn: str, certainly: bool, possibly: bool) -> None:
    sure, open_ = arn_pattern(pattern, certainly=True), arn_pattern(pattern, certainly=False)
    assert sure is not None
    assert open_ is not None
    assert (glob_covers(sure, arn), glob_covers(open_, arn)) == (certainly, possibly)
    assert display(sure) == display(open_) == pattern


def test_text_that_is_no_arn_is_no_arn_pattern() -> None:
    assert arn_pattern("*", certainly=True) is None
    assert arn_pattern("arn:aws:*:role/App", certainly=False) is None


def test_matching_plain_text() -> None:
    assert glob_matches("kms:re*", "KMS:ReEncryptTo", fold=True)
    assert not glob_matches("kms:re*", "KMS:ReEncryptTo")
    assert not glob_matches("\u212ams:*", "kms:Decrypt", fold=True)
    assert not glob_matches("[ab]", "a")
