from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from kms_constructs.detections.catalogue import WATCHES
from tests.conftest import REPOSITORY
from tools.monitoring_table import TABLE, markdown_table

BEGIN, END, main, with_table = TABLE.begin, TABLE.end, TABLE.main, TABLE.put_into

DOCUMENT = REPOSITORY / "docs" / "monitoring.md"


def test_the_table_in_the_documentation_is_current() -> None:
    assert main(["--check", str(DOCUMENT)]) == 0


def test_every_watch_is_a_row_with_as_many_cells_as_the_head() -> None:
    head, rule, *rows = markdown_table().splitlines()
    assert rule == "|" + "---|" * 6
    assert [row.split("`")[1] for row in rows] == [watch.id for watch in WATCHES]
    assert {row.count(" | ") for row in rows} == {head.count(" | ")}


def test_a_watch_that_is_added_is_a_row() -> None:
    added = dataclasses.replace(WATCHES[0], id="revoke-grant", event_names=("RevokeGrant",))
    assert "| `revoke-grant` | [DisableKey was called (disable)](https:" in markdown_table((*WATCHES, added))


def test_what_stands_around_the_marks_stays() -> None:
    assert with_table(f"before\n{BEGIN}\nold\n{END}\nafter\n") == (
        f"before\n{BEGIN}\n{markdown_table()}{END}\nafter\n"
    )


@pytest.mark.parametrize("text", ["", BEGIN, END, f"{END}{BEGIN}"])
def test_without_a_pair_of_marks_it_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="do not stand one after the other"):
        with_table(text)


def test_the_command_checks_and_writes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "monitoring.md"
    path.write_text(f"{BEGIN}\n{END}\n", encoding="utf-8")
    assert main(["--check", str(path)]) == 1
    assert "is not current: run with --write" in capsys.readouterr().err
    assert main(["--write", str(path)]) == 0
    assert main(["--check", str(path)]) == 0
