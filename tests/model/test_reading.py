"""JSON texts in which keys may stand twice."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kms_constructs.model.reading import parsed_json

WORDS = st.sampled_from(["", "a", "b", '"', "\\", '\\"', ":", '": ', "é", "\n", "\\\\", "{}", "a\\"])


def _text(value: str, *, spelt: bool) -> str:
    """A text of JSON; the same text may be spelt otherwise."""
    return '"' + "".join(f"\\u{ord(one):04x}" for one in value) + '"' if spelt else json.dumps(value)


TEXTS = st.builds(_text, WORDS, spelt=st.booleans())
SPACE = st.sampled_from(["", " ", "\n"])


def _object(space: str, members: list[tuple[str, str]]) -> str:
    return "{" + ",".join(f"{key}{space}:{space}{value}" for key, value in members) + "}"


DOCUMENTS = st.recursive(
    st.one_of(TEXTS, st.sampled_from(["1", "true", "null", "[]", "{}"])),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4).map(lambda values: f"[{','.join(values)}]"),
        st.builds(_object, SPACE, st.lists(st.tuples(TEXTS, inner), max_size=4)),
    ),
    max_leaves=12,
)


def _seen(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """Says of each object whether a key stands twice in it."""
    found = dict(pairs)
    return found if len(found) == len(pairs) else {"twice": pairs}


@given(DOCUMENTS)
def test_keys_that_stand_twice_are_told_as_if_each_object_was_asked(text: str) -> None:
    assert parsed_json(text, object_pairs_hook=_seen) == json.loads(text, object_pairs_hook=_seen)


@pytest.mark.parametrize(
    ("text", "twice"),
    [
        ('{"a": 1, "a": 1}', True),
        ('{"a": "a"}', False),
        ('{"a": 1, "\\u0061": 2}', True),
        ('{"a": "\\"", "a": 1}', True),
        ('{"a\\"": 1, "a": 1}', False),
        ('{"a\\\\": 1, "a\\\\": "b"}', True),
        ('{"a\\\\": 1, "a": "\\\\"}', False),
        ('[{"a": 1}, {"a": {"b": "c", "b": []}}]', True),
        ('[{"a": 1}, {"a": {"b": "c"}}]', False),
        ('"a"', False),
        ('{"a": "' + "x" * 300 + '", "a": "y"}', True),
    ],
)
def test_a_key_that_stands_twice(text: str, twice: bool) -> None:
    assert ("twice" in str(parsed_json(text, object_pairs_hook=_seen))) is twice


def test_without_a_question_the_last_one_counts() -> None:
    assert parsed_json('{"a": 1, "a": 2}') == {"a": 2}


@pytest.mark.parametrize("text", ['{"a": "b", "c": ["d", {"e": "\\""}]}', '"a"', "[]", '{"a": {"a": {}}}'])
def test_nobody_is_asked_where_every_key_stands_once(text: str) -> None:
    asked: list[object] = []
    assert parsed_json(text, object_pairs_hook=asked.append) == json.loads(text)
    assert asked == []
