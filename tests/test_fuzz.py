"""A few hundred of the runs that `benchmarks/fuzz.py` makes by the hundred thousand."""

from __future__ import annotations

import importlib.util
import sys
from types import ModuleType

import pytest

from tests.conftest import REPOSITORY


@pytest.fixture(scope="module")
def fuzz() -> ModuleType:
    found = importlib.util.spec_from_file_location("benchmarks_fuzz", REPOSITORY / "benchmarks" / "fuzz.py")
    assert found is not None
    assert found.loader is not None
    module = importlib.util.module_from_spec(found)
    sys.modules[found.name] = module  # dataclasses look their module up
    found.loader.exec_module(module)
    return module


def test_broken_input_neither_stops_nor_passes(fuzz: ModuleType) -> None:
    result = fuzz.fuzz(range(400))
    assert result.problems == []
    assert result.blind > 50, "the fuzz hides too little to prove anything"
    assert {"violation", "undetermined", "compliant"} <= set(result.outcomes)


def test_a_run_is_the_same_whatever_ran_before(fuzz: ModuleType) -> None:
    alone = fuzz.broken(fuzz.SEEDS, fuzz.SEED, 37)
    fuzz.broken(fuzz.SEEDS, fuzz.SEED, 36)
    # By their text, for not-a-number differs from itself.
    assert repr(fuzz.broken(fuzz.SEEDS, fuzz.SEED, 37)[:2]) == repr(alone[:2])


def test_the_fuzz_notices_a_crash(fuzz: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    def crash(_: object) -> None:
        raise RecursionError("a test says so")

    monkeypatch.setattr(fuzz, "judge", crash)
    assert "RecursionError: a test says so" in fuzz.fuzz(range(1)).problems[0][1]


def test_the_fuzz_notices_what_passes_unknown(fuzz: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fuzz, "BLIND", True)
    problems = fuzz.fuzz(range(0, 300, 3)).problems
    assert any(
        "KMS:001 passes a key of which it cannot know EnableKeyRotation" in text for _, text in problems
    )
