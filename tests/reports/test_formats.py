from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from kms_constructs import reports
from kms_constructs.guardrails.finding import Report
from kms_constructs.model.estate import Estate
from kms_constructs.reports.console import Look
from kms_constructs.reports.formats import (
    ACCESSES,
    AUDITED,
    CHANGES,
    CONTROLS,
    FORMATS,
    IMPACTS,
    JUDGED,
    NARROWER,
    USAGES,
    Formats,
    Judged,
)
from tests.conftest import REPOSITORY
from tests.reports import samples


def test_names_and_endings_stand_once() -> None:
    names = [one.name for one in FORMATS]
    endings = [ending for one in FORMATS for ending in one.endings]
    assert (len(set(names)), len(set(endings))) == (len(names), len(endings))


@pytest.mark.parametrize(
    ("formats", "names"),
    [
        (JUDGED, ("table", "json", "sarif", "junit", "html", "markdown", "github", "gitlab", "csv")),
        (
            AUDITED,
            (
                "table",
                "json",
                "sarif",
                "junit",
                "html",
                "markdown",
                "github",
                "gitlab",
                "csv",
                "asff",
                "ocsf",
                "inventory",
            ),
        ),
        (ACCESSES, ("table", "json", "html", "markdown")),
        (CHANGES, ("table", "json", "markdown")),
        (CONTROLS, ("table", "json", "markdown")),
        (IMPACTS, ("table", "json", "csv")),
        (USAGES, ("table", "json", "csv")),
        (NARROWER, ("diff", "json")),
    ],
)
def test_what_a_command_has(formats: Formats[object], names: tuple[str, ...]) -> None:
    assert formats.names == names


def test_endings_are_those_of_a_commands_formats() -> None:
    assert CHANGES.endings == {".txt": "table", ".json": "json", ".md": "markdown", ".markdown": "markdown"}


@pytest.mark.parametrize("name", JUDGED.names)
def test_what_a_template_says_stays_text(name: str) -> None:
    drawn = JUDGED.draws[name](Judged(samples.HOSTILE_REPORT, Estate()), Look)
    assert [bad for bad in ("\x1b", "\u202e") if bad in drawn] == []
    if name in ("html", "junit"):
        assert '<script>alert("x")' not in drawn


@pytest.mark.parametrize("name", JUDGED.names)
def test_nothing_found_can_be_drawn(name: str) -> None:
    assert isinstance(JUDGED.draws[name](Judged(Report(), Estate()), Look), str)


def drawing() -> list[str]:
    """The modules that draw what `check` reports."""
    modules = Path(reports.__file__).parent.glob("*.py")
    return sorted(module.stem for module in modules if "\ndef report_" in module.read_text("utf-8"))


def test_every_module_that_draws_a_report_is_an_entry() -> None:
    text = (Path(reports.__file__).parent / "formats.py").read_text("utf-8")
    assert [module for module in drawing() if f"kms_constructs.reports.{module} import" not in text] == []


def test_the_contract_names_every_format() -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text("utf-8"))
    (contract,) = (
        one
        for one in project["tool"]["importlinter"]["contracts"]
        if one["name"] == "Report formats know nothing of each other"
    )
    assert contract["modules"] == [f"kms_constructs.reports.{module}" for module in drawing()]
