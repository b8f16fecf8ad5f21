"""The table of deliberate faults, which `benchmarks/mutants.py` makes one by one, is that of this code."""

from __future__ import annotations

import importlib
import sys
from collections import Counter
from types import ModuleType

import pytest

from tests.conftest import REPOSITORY

PACKAGE = REPOSITORY / "kms_constructs"
LAYERS = ("model", "analysis", "guardrails", "sources", "policies", "reports", "cdk", "cli")


@pytest.fixture(scope="module")
def table() -> ModuleType:
    sys.path.insert(0, str(REPOSITORY / "benchmarks"))
    try:
        return importlib.import_module("mutations")
    finally:
        sys.path.pop(0)


def test_each_changes_one_place(table: ModuleType) -> None:
    stale = {
        one.name: found
        for one in table.MUTANTS
        if (found := (PACKAGE / one.file).read_text(encoding="utf-8").count(one.old)) != 1
        or one.old == one.new
    }
    assert stale == {}


def test_each_still_compiles(table: ModuleType) -> None:
    for one in table.MUTANTS:
        text = (PACKAGE / one.file).read_text(encoding="utf-8")
        compile(text.replace(one.old, one.new), one.name, "exec")


def test_the_names_differ_and_the_tests_are_there(table: ModuleType) -> None:
    assert {name for name, count in Counter(one.name for one in table.MUTANTS).items() if count > 1} == set()
    named = {test for one in table.MUTANTS for test in one.tests}
    assert {test for test in named if not (REPOSITORY / test.partition("::")[0]).exists()} == set()


@pytest.mark.parametrize("layer", LAYERS)
def test_every_layer_has_some(table: ModuleType, layer: str) -> None:
    assert any(one.file.startswith(f"{layer}/") for one in table.MUTANTS)


def test_every_rule_has_one(table: ModuleType) -> None:
    rules = {f"guardrails/rules/{one.name}" for one in (PACKAGE / "guardrails" / "rules").glob("kms_0*.py")}
    assert rules - {one.file for one in table.MUTANTS} == set()


def test_every_kind_of_wrong_verdict_has_a_fault_that_brings_it_back(table: ModuleType) -> None:
    names = {one.name for one in table.MUTANTS}
    assert {name for some in table.REOPENS.values() for name in some} - names == set()
    assert all(table.REOPENS.values())
