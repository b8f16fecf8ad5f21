"""The recipes in CONTRIBUTING name every place that changes, and tests that exist."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass

import pytest

from tests.conftest import REPOSITORY

TEXT = (REPOSITORY / "CONTRIBUTING.md").read_text("utf-8")


@dataclass(frozen=True)
class Recipe:
    """One recipe: how many places it says, which it lists, and the tests that fail until they are done."""

    name: str
    count: int
    places: tuple[str, ...]
    tests: tuple[str, ...]


def recipes() -> list[Recipe]:
    part = TEXT.partition("\n## Recipes\n")[2].partition("\n## ")[0]
    found = []
    for section in part.split("\n### ")[1:]:
        name = section.partition("\n")[0]
        count = re.search(r"^Places: (\d+)$", section, re.MULTILINE)
        assert count is not None, name
        found.append(
            Recipe(
                name,
                int(count[1]),
                tuple(re.findall(r"^\d+\. `([^`]+)`", section, re.MULTILINE)),
                tuple(re.findall(r"^- `(tests/[^`]+)`", section, re.MULTILINE)),
            )
        )
    return found


RECIPES = recipes()
by_name = pytest.mark.parametrize("recipe", RECIPES, ids=[recipe.name for recipe in RECIPES])


def test_there_are_recipes() -> None:
    assert {
        "Add a guardrail",
        "Add a guarded action",
        "Add a service",
        "Add an argument of SecureKmsKey",
        "Add a source",
        "Add a condition operator",
    } <= {recipe.name for recipe in RECIPES}


@by_name
def test_the_places_are_counted_and_there(recipe: Recipe) -> None:
    assert len(recipe.places) == recipe.count
    assert len(set(recipe.places)) == recipe.count
    missing = {place for place in recipe.places if not (REPOSITORY / place).exists()}
    assert missing == set()


@by_name
def test_the_tests_that_fail_until_it_is_done_are_there(recipe: Recipe) -> None:
    assert recipe.tests
    for test in recipe.tests:
        path, _, name = test.partition("::")
        tree = ast.parse((REPOSITORY / path).read_text("utf-8"))
        assert name in {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}, test
