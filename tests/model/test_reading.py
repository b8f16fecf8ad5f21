"""Files and JSON texts: what is read of them, and keys that stand twice."""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kms_constructs.model import reading
from kms_constructs.model.reading import bounded_bytes, parsed_json

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


NUMBERS = st.one_of(
    st.integers().map(str),
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
    st.from_regex(r"-?(0|[1-9][0-9]{0,30})(\.[0-9]{1,30})?([eE][+-]?[0-9]{1,3})?", fullmatch=True),
)
ODD_NUMBERS = ["NaN", "-Infinity", "1e400", "-0", "-0.0", "01", "1.", "+1", "9" * 4301]
ODD_TEXTS = [r'"\ud800"', r'"\ud83d\ude00"', r'"\u0000"', '"\n"', '"\x7f"', r'"\x"', '"\ud800"']
NO_JSON = ["", "nul", "[1,]", '{"a":1,}', "\ufeff1", "\x0c1"]
ODD = st.sampled_from([*ODD_NUMBERS, *ODD_TEXTS, *NO_JSON])


@given(st.one_of(DOCUMENTS, NUMBERS, ODD, st.builds("[{},{}]".format, NUMBERS, ODD), st.text()))
def test_what_is_read_is_what_the_standard_library_reads(text: str) -> None:
    try:
        wanted: object = json.loads(text)
    except ValueError:
        with pytest.raises(ValueError):  # noqa: PT011 - in whose words is told elsewhere
            parsed_json(text)
        return
    assert repr(parsed_json(text)) == repr(wanted)  # which tells 1 from 1.0, -0.0 from 0.0, and is so of NaN


def test_of_what_tells_no_size_all_is_read(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_bytes, args=(b"x" * 100_000,))
    writer.start()
    assert bounded_bytes(pipe) == b"x" * 100_000
    writer.join()


def test_of_a_file_no_more_is_read_than_the_most(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MAX_FILE_BYTES", 10)
    file = tmp_path / "file"
    for size in (0, 1, 9, 10):
        file.write_bytes(b"x" * size)
        assert bounded_bytes(file) == b"x" * size
    for size in (11, 12, 1000):
        file.write_bytes(b"x" * size)
        with pytest.raises(OSError, match="it is larger than"):
            bounded_bytes(file)
