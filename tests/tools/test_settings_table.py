from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest

from kms_constructs.guardrails.settings import Settings
from tests.conftest import REPOSITORY
from tools.settings_table import BEGIN, END, main, markdown_table, with_table

README = REPOSITORY / "README.md"


def test_the_table_in_readme_is_current() -> None:
    assert main(["--check", str(README)]) == 0


def test_every_setting_is_a_row_with_as_many_cells_as_the_head() -> None:
    head, rule, *rows = markdown_table().splitlines()
    assert rule == "|" + "---|" * 4
    names = [item.name.replace("_", "-") for item in fields(Settings) if item.name != "source"]
    assert [row.split("`")[1] for row in rows] == names
    assert {row.count(" | ") for row in rows} == {head.count(" | ")}


def test_a_row() -> None:
    assert (
        "| `minimum-pending-window` | days, 7 to 30 | `7` | Days, 7 to 30: least pending window of any key. |"
        in markdown_table().splitlines()
    )


def test_a_table_that_is_not_current(tmp_path: Path) -> None:
    file = tmp_path / "README.md"
    file.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n", "utf-8")
    assert main(["--check", str(file)]) == 1
    assert main(["--write", str(file)]) == 0
    assert file.read_text("utf-8") == f"before\n{BEGIN}\n{markdown_table()}{END}\nafter\n"


@pytest.mark.parametrize("text", ["", BEGIN, END, f"{END}{BEGIN}"])
def test_marks_that_are_not_a_pair_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="do not stand one after the other"):
        with_table(text)
