from __future__ import annotations

from pathlib import Path

import pytest

from kms_constructs.guardrails.catalogue import CATALOGUE
from tools.guardrail_table import BEGIN, END, main, markdown_table, with_table

README = Path(__file__).resolve().parents[2] / "README.md"


def test_the_table_in_readme_is_current() -> None:
    assert main(["--check", str(README)]) == 0


def test_every_control_is_a_row_with_as_many_cells_as_the_head() -> None:
    head, rule, *rows = markdown_table().splitlines()
    assert rule == "|" + "---|" * 5
    assert [row.split("]")[0] for row in rows] == [f"| [{name}" for name in CATALOGUE]
    assert {row.count(" | ") for row in rows} == {head.count(" | ")}


def test_a_text_without_marks_gets_the_table_at_its_end() -> None:
    once = with_table("# Title\n")
    assert once.startswith(f"# Title\n\n{BEGIN}\n| Control |")
    assert once.endswith(f"{END}\n")
    assert with_table(once) == once


def test_what_stands_around_the_marks_stays() -> None:
    assert with_table(f"before\n{BEGIN}\nold\n{END}\nafter\n") == (
        f"before\n{BEGIN}\n{markdown_table()}{END}\nafter\n"
    )


@pytest.mark.parametrize("text", [BEGIN, END, f"{END}{BEGIN}"])
def test_half_a_pair_of_marks_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="do not stand one after the other"):
        with_table(text)


def test_the_command_checks_and_writes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "README.md"
    path.write_text("# Title\n", encoding="utf-8")
    assert main(["--check", str(path)]) == 1
    assert "is not current: run with --write" in capsys.readouterr().err
    assert main(["--write", str(path)]) == 0
    assert main(["--check", str(path)]) == 0
