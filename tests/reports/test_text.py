from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kms_constructs.model.text import CLOSE, OPEN, HoleKind, hole
from kms_constructs.reports.text import counted, one_line, printable


@pytest.mark.parametrize(
    ("given_text", "expected"),
    [
        pytest.param("alias/prod/orders", "alias/prod/orders", id="plain"),
        pytest.param("Schlüssel → キー", "Schlüssel → キー", id="other-scripts-stay"),
        pytest.param(f"role/{hole(HoleKind.GENERATED, 'App.Role')}", "role/${App.Role}", id="hole"),
        pytest.param("a\x1b[2Jb", "a\\x1b[2Jb", id="terminal-escape"),
        pytest.param("a\rb", "a\\rb", id="carriage-return"),
        pytest.param("a\x00b\x9bc", "a\\x00b\\x9bc", id="nul-and-c1"),
        pytest.param("a\u202eb", "a\\u202eb", id="right-to-left-override"),
        pytest.param("a\ud800b", "a\\ud800b", id="lone-surrogate"),
        pytest.param(f"a{OPEN}b", "a\\ue000b", id="stray-hole-marker"),
        pytest.param("a\nb\tc", "a\nb\tc", id="line-break-and-tab-stay"),
    ],
)
def test_printable(given_text: str, expected: str) -> None:
    assert printable(given_text) == expected


@given(st.text(st.characters(codec=None)))
def test_printable_text_can_be_written_anywhere(text: str) -> None:
    shown = printable(text)
    shown.encode("utf-8")
    assert not {
        character
        for character in shown
        if unicodedata.category(character) in ("Cc", "Cs") and character not in "\n\t"
    }
    assert OPEN not in shown
    assert CLOSE not in shown


@given(st.text())
def test_printable_is_idempotent(text: str) -> None:
    assert printable(printable(text)) == printable(text)


def test_one_line_takes_line_breaks_out() -> None:
    assert one_line(" a\n  b\tc \n") == "a b c"


@pytest.mark.parametrize(
    ("number", "expected"),
    [(0, "0 keys"), (1, "1 key"), (2, "2 keys"), (12345, "12,345 keys")],
)
def test_counted(number: int, expected: str) -> None:
    assert counted(number, "key") == expected


def test_counted_takes_an_irregular_plural() -> None:
    assert counted(2, "policy", "policies") == "2 policies"
