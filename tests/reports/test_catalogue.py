from __future__ import annotations

import pytest

from kms_constructs.guardrails.catalogue import CATALOGUE
from kms_constructs.guardrails.control import Control
from kms_constructs.reports.catalogue import catalogue_table, control_details
from kms_constructs.reports.console import Look


def test_one_line_for_each_control() -> None:
    lines = catalogue_table(CATALOGUE.values(), Look(width=120)).splitlines()
    assert [line.split()[0] for line in lines[1 : len(CATALOGUE) + 1]] == list(CATALOGUE)


@pytest.mark.parametrize("control", CATALOGUE.values(), ids=list(CATALOGUE))
def test_the_details_hold_everything(control: Control) -> None:
    text = " ".join(control_details([control], Look(width=200)).split())
    for part in (
        control.id,
        control.title,
        control.rationale,
        control.remediation,
        *control.references,
        *control.actions,
        *(f"{framework.value}: {', '.join(found)}" for framework, found in control.mappings.items()),
    ):
        assert " ".join(part.split()) in text


@pytest.mark.parametrize("width", [40, 80, 200])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    for draw in (catalogue_table, control_details):
        assert max(map(len, draw(CATALOGUE.values(), Look(width=width)).splitlines())) <= width
