"""The tables of the documentation are those that the code makes today."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest

from kms_constructs.guardrails.catalogue import CATALOGUE
from kms_constructs.guardrails.settings import Settings
from kms_constructs.model.services import requirements
from tests.conftest import REPOSITORY
from tools import guardrail_table, services_table, settings_table
from tools.generated_table import GeneratedTable, table

REFERENCE = REPOSITORY / "docs" / "reference"
ONE = GeneratedTable("one", lambda: table(("A", "B"), [("1", "2|3")]))


def test_the_table_of_guardrails_is_current() -> None:
    assert guardrail_table.TABLE.main(["--check", str(REFERENCE / "guardrails.md")]) == 0


def test_the_table_of_settings_is_current() -> None:
    assert settings_table.TABLE.main(["--check", str(REFERENCE / "configuration.md")]) == 0


def test_the_table_of_services_is_current() -> None:
    assert services_table.TABLE.main(["--check", str(REFERENCE / "services.md")]) == 0


@pytest.mark.cdk
def test_the_table_of_arguments_is_current() -> None:
    from tools import arguments_table

    assert arguments_table.TABLE.main(["--check", str(REFERENCE / "arguments.md")]) == 0


@pytest.mark.cdk
def test_every_argument_is_a_row() -> None:
    from kms_constructs.cdk.key.key_arguments import ARGUMENTS
    from tools import arguments_table

    names = [row.split("`")[1] for row in arguments_table.markdown_table().splitlines()[2:]]
    assert sorted(names) == sorted(ARGUMENTS)


def test_every_control_is_a_row() -> None:
    rows = guardrail_table.markdown_table().splitlines()[2:]
    assert [row.split("]")[0] for row in rows] == [f"| [{name}" for name in CATALOGUE]


def test_every_setting_is_a_row() -> None:
    rows = settings_table.markdown_table().splitlines()[2:]
    names = [item.name.replace("_", "-") for item in fields(Settings) if item.name != "source"]
    assert [row.split("`")[1] for row in rows] == names
    assert (
        "| `minimum-pending-window` | days, 7 to 30 | `7` | Days, 7 to 30: least pending window of any key. |"
        in rows
    )


def test_every_resource_that_uses_a_key_is_a_row() -> None:
    known = [one.resource for requirement in requirements().values() for one in requirement.rows]
    rows = services_table.markdown_table().splitlines()[2:]
    assert sorted(row.split(" | ")[0].removeprefix("| ") for row in rows) == sorted(known)


def test_a_table_has_as_many_cells_in_every_row() -> None:
    assert ONE.markdown() == "| A | B |\n|---|---|\n| 1 | 2\\|3 |\n"


def test_what_stands_around_the_marks_stays() -> None:
    text = f"before\n{ONE.begin}\nold\n{ONE.end}\nafter\n"
    assert ONE.put_into(text) == f"before\n{ONE.begin}\n{ONE.markdown()}{ONE.end}\nafter\n"


@pytest.mark.parametrize("text", ["", ONE.begin, ONE.end, f"{ONE.end}{ONE.begin}"])
def test_marks_that_are_not_a_pair_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="do not stand one after the other"):
        ONE.put_into(text)


def test_the_command_checks_and_writes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "page.md"
    path.write_text(f"before\n{ONE.begin}\nold\n{ONE.end}\nafter\n", "utf-8")
    assert ONE.main(["--check", str(path)]) == 1
    assert "is not current: run with --write" in capsys.readouterr().err
    assert ONE.main(["--write", str(path)]) == 0
    assert ONE.main(["--check", str(path)]) == 0
