from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from kms_constructs.reports.console import Look, Pen, cut, draw


@pytest.mark.parametrize(
    ("text", "label", "expected"),
    [
        pytest.param("short", "", "    short", id="short"),
        pytest.param("", "", "    ", id="empty"),
        pytest.param(
            "one two three four five six seven eight nine",
            "fix",
            "    fix one two three four five six\n        seven eight nine",
            id="label-hangs",
        ),
        pytest.param("x" * 40, "", f"    {'x' * 36}\n    {'x' * 4}", id="long-word"),
        pytest.param("キー" * 12, "", f"    {'キー' * 9}\n    {'キー' * 3}", id="wide-characters"),
        pytest.param("a-b " * 9, "", f"    {'a-b ' * 8}a-b", id="hyphens-do-not-break"),
    ],
)
def test_paragraphs(text: str, label: str, expected: str) -> None:
    drawn = Pen(Look(width=40)).paragraph(text.strip(), indent=4, label=label)
    assert [line.rstrip() for line in drawn.split("\n")] == [line.rstrip() for line in expected.split("\n")]


WORDS = st.lists(st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z", "M"]), min_size=1)).map(
    " ".join
)


@given(WORDS, st.integers(40, 120), st.integers(0, 8), st.sampled_from(["", "at", "fix"]))
def test_paragraphs_keep_their_text_and_their_width(text: str, width: int, indent: int, label: str) -> None:
    drawn = Pen(Look(width=width)).paragraph(text, indent=indent, label=label)
    assert max(cell_len(line) for line in drawn.split("\n")) <= width
    assert "".join(drawn.split()) == label + "".join(text.split())


def test_a_line_that_fits_keeps_its_styles() -> None:
    line = Pen(Look(width=40, colour=True)).line(2, ("x violation", "bold red"), ("  KMS:001", "bold"))
    assert line == "  \x1b[1;31mx violation\x1b[0m\x1b[1m  KMS:001\x1b[0m"


def test_a_line_that_does_not_fit_is_wrapped() -> None:
    line = Pen(Look(width=40)).line(2, ("x violation", "bold red"), ("  " + "K" * 50, "bold"))
    assert max(map(len, line.split("\n"))) <= 40


def test_drawn_lines_and_renderables_mix() -> None:
    pen = Pen(Look(width=40))
    assert draw(["[plain] text", pen.line(2, ("drawn", ""))], Look(width=40)) == "[plain] text\n  drawn\n"


STYLED = st.lists(st.tuples(WORDS, st.sampled_from(["", "bold", "dim"])), max_size=4)


@given(STYLED, st.integers(40, 120))
def test_flowing_text_keeps_its_text_and_its_width(body: list[tuple[str, str]], width: int) -> None:
    drawn = Pen(Look(width=width)).flow([("● allowed", "bold")], 14, body, indent=4)
    lines = drawn.split("\n")
    assert max(cell_len(line.rstrip()) for line in lines) <= width
    assert lines[0].startswith("    ● allowed     ")
    assert all(line.startswith(" " * 18) for line in lines[1:])
    text = "".join("".join(word for word, _ in body).split())
    assert "".join(drawn.removeprefix("    ● allowed").split()) == text


def test_flowing_text_keeps_its_styles_over_the_break() -> None:
    pen = Pen(Look(width=40, colour=True))
    drawn = pen.flow([("●", "")], 2, [("read", ""), ("  by " + "x" * 34, "dim")], indent=2)
    assert drawn == f"  ● read\x1b[2m  \x1b[0m\x1b[2mby\x1b[0m\x1b[2m \x1b[0m\n    \x1b[2m{'x' * 34}\x1b[0m"


def test_rows_of_a_grid() -> None:
    pen = Pen(Look(width=40))
    assert (
        pen.row([("name", ""), ("●", "bold"), ("◐", "")], [8, 4, 7], indent=2) == "  name       ●       ◐   "
    )


@given(st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z", "M"])), st.integers(2, 20))
def test_words_are_cut_to_the_width(word: str, width: int) -> None:
    parts = cut(word, width)
    assert "".join(parts) == word
    assert all(cell_len(part) <= width for part in parts)
