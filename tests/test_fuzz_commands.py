"""A few of the runs that `benchmarks/fuzz_commands.py` makes by the hundred thousand."""

from __future__ import annotations

import importlib.util
import sys
from types import ModuleType

import pytest

from tests.conftest import REPOSITORY


@pytest.fixture(scope="module")
def fuzz() -> ModuleType:
    place = REPOSITORY / "benchmarks" / "fuzz_commands.py"
    found = importlib.util.spec_from_file_location("benchmarks_fuzz_commands", place)
    assert found is not None
    assert found.loader is not None
    module = importlib.util.module_from_spec(found)
    sys.modules[found.name] = module  # dataclasses look their module up
    found.loader.exec_module(module)
    return module


def test_commands_take_broken_files(fuzz: ModuleType) -> None:
    result = fuzz.runs(fuzz.SEED, range(400))
    assert result.problems == []
    assert result.blind > 15, "the fuzz hides too little to prove anything"
    assert {name for name, _ in result.codes} == {one.partition(" ")[0] for one in fuzz._COMMANDS}
    assert {code for _, code in result.codes} >= {0, 1, 2}


def test_a_run_is_the_same_whatever_ran_before(fuzz: ModuleType) -> None:
    alone = fuzz.run_of(fuzz.SEED, 37)
    fuzz.run_of(fuzz.SEED, 36)
    assert fuzz.run_of(fuzz.SEED, 37) == alone


@pytest.mark.parametrize(
    ("run", "code", "out", "err", "problem"),
    [
        pytest.param({}, 0, "", "", None, id="nothing"),
        pytest.param({}, 4, "", "", "ended with 4", id="a code that is not documented"),
        pytest.param({}, 2, "", "Internal error: TypeError", "Internal error", id="a crash"),
        pytest.param({}, 1, '{"detail": "internal-error"}', "", "a rule failed", id="a rule that fails"),
        pytest.param({}, 1, "\x1b[2J", "", "wrote", id="an escape of the terminal"),
        pytest.param({}, 1, "", "\u202e", "wrote", id="a mark of direction"),
        pytest.param({"must_be_refused": True}, 0, "", "", "not refused", id="what nobody can read"),
        pytest.param(
            {"hidden": ("KMS:001",)},
            1,
            '{"findings": [{"control": "KMS:001", "outcome": "compliant", "location": {"logicalId": "K"}}]}',
            "",
            "KMS:001 passes",
            id="what is unknown and passes",
        ),
    ],
)  # fmt: skip
def test_the_fuzz_notices(  # noqa: PLR0917 - a row of the table
    fuzz: ModuleType, run: dict[str, object], code: int, out: str, err: str, problem: str | None
) -> None:
    made = fuzz.Run(("check", "a.json"), {}, **run)
    found = list(fuzz._wrong(made, code, out, err))
    assert (found == []) if problem is None else any(problem in one for one in found)
