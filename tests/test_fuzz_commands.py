"""A few of the runs that `benchmarks/fuzz_commands.py` makes by the hundred thousand."""

from __future__ import annotations

import importlib.util
import json
import random
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from kms_constructs.guardrails import alike
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


def part(name: str) -> ModuleType:
    """A module of `benchmarks/fuzzing`, which the fuzz put within reach."""
    return importlib.import_module(f"fuzzing.{name}")


def test_commands_take_broken_files_and_odd_arguments(fuzz: ModuleType) -> None:
    result = fuzz.runs(fuzz.SEED, range(400))
    assert result.problems == []
    assert result.blind > 10, "the fuzz hides too little to prove anything"
    assert {code for _, code in result.codes} >= {0, 1, 2, 3}


def test_every_command_is_run(fuzz: ModuleType) -> None:
    assert set(part("arguments").leaves()) == fuzz.COMMANDS
    made: set[str] = set()
    for number in range(4_000):
        made.add(fuzz.command_of(" ".join(fuzz.run_of(fuzz.SEED, number).arguments)))
        if made == fuzz.COMMANDS:
            return
    raise AssertionError(fuzz.COMMANDS - made)


def test_every_option_is_given(fuzz: ModuleType) -> None:
    arguments = part("arguments")
    dice = random.Random(1)  # noqa: S311 - repeatable on purpose
    given = {word for _ in range(2_000) for word in arguments.odd("trail report", dice) if word[:2] == "--"}
    declared = {
        max(one.opts, key=len) for one in arguments.leaves()["trail report"].params if one.opts[0][0] == "-"
    }
    assert given >= declared - arguments._NEVER


def test_a_run_is_the_same_whatever_ran_before(fuzz: ModuleType) -> None:
    numbers = range(37, 237)
    alone = [fuzz.run_of(fuzz.SEED, number) for number in numbers]
    for number in reversed(numbers):
        again = fuzz.run_of(fuzz.SEED, number)
        assert again == alone[number - 37]


def test_a_run_leaves_nothing(fuzz: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for number in range(60):
        fuzz.check(fuzz.SEED, number, fuzz.Result())
        assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("run", "code", "out", "err", "problem"),
    [
        pytest.param({}, 0, "", "", None, id="nothing"),
        pytest.param({}, 4, "", "", "ended with 4", id="a code that is not documented"),
        pytest.param({}, 130, "", "", "ended with 130", id="it stopped"),
        pytest.param({"asks": True}, 130, "", "", None, id="nobody answered"),
        pytest.param({}, 2, "", "Internal error: TypeError", "Internal error", id="a crash"),
        pytest.param({}, 1, '{"detail": "internal-error"}', "", "a rule failed", id="a rule that fails"),
        pytest.param({}, 1, "\x1b[2J", "", "wrote", id="an escape of the terminal"),
        pytest.param({}, 1, "", "\u202e", "wrote", id="a mark of direction"),
        pytest.param({"must_be_refused": True}, 0, "", "", "not refused", id="what nobody can read"),
        pytest.param(
            {"hidden": ("KMS:001",), "hidden_of": "K"},
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


CRASHES: dict[str, str] = {
    "check": "kms_constructs.cli.options.Given.estate",
    "trail ingest": "kms_constructs.runtime.trail.ingest._Run.take",
    "trail detect": "kms_constructs.runtime.trail.store.TrailStore.connect",
    "verify-sharing": "kms_constructs.runtime.sharing.Sharing.steps",
    "material upload": "kms_constructs.runtime.material.ceremony.read_wrapped",
}
"""What is broken on purpose, by command."""


@pytest.mark.parametrize("name", CRASHES)
def test_the_fuzz_notices_a_crash(fuzz: ModuleType, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def crash(*_: object, **__: object) -> None:
        raise RecursionError("a test says so")

    number = next(
        number
        for number in range(100_000)
        if (run := fuzz.run_of(fuzz.SEED, number)).arguments[: len(name.split())] == tuple(name.split())
        and not run.must_be_refused
        and not run.before
        and succeeds(fuzz, number)
    )
    monkeypatch.setattr(CRASHES[name], crash)
    ((told, problem),) = fuzz.runs(fuzz.SEED, range(number, number + 1)).problems
    assert told == number
    assert "Internal error: RecursionError: a test says so" in problem


def succeeds(fuzz: ModuleType, number: int) -> bool:
    return 2 not in {code for _, code in fuzz.runs(fuzz.SEED, range(number, number + 1)).codes}


LOGS = {"logs/a.json": b'{"Records": [{}, {}, {}]}', "logs/b.json": b'{"Records": [{}]}'}
TOLD = {"files": 2, "known": 0, "other": 0, "outside": 0, "events": 4, "kept": 0, "unrelated": 4,
        "duplicates": 0, "quarantined": [], "total": 0}  # fmt: skip


@pytest.mark.parametrize(
    ("told", "files", "problem"),
    [
        pytest.param({}, {}, "", id="everything"),
        pytest.param({"files": 1}, {}, "of 2 files it tells of 1", id="a file is not told of"),
        pytest.param({"unrelated": 3}, {}, "of 4 records it tells of 3", id="a record is not told of"),
        pytest.param({"events": 3, "unrelated": 3}, {}, "of 4 records in files it read 3", id="it read less"),
        pytest.param({"total": 1}, {}, "the store has 1", id="the store has more"),
        pytest.param({}, {"logs/b.json": b"\x1f\x8b1"}, "cannot be read, and was taken", id="no gzip"),
        pytest.param(
            {"quarantined": [{"name": "logs/b.json", "problem": "p"}], "files": 1},
            {}, "it ended with 0", id="something is quarantined",
        ),
    ],
)  # fmt: skip
def test_the_fuzz_notices_what_ingestion_loses(  # noqa: PLR0917 - a row of the table
    fuzz: ModuleType,
    told: dict[str, Any],
    files: dict[str, bytes],
    problem: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    run = fuzz.Run(("trail", "ingest", "logs"), LOGS | files)
    found = part("trails").accounting(run, 0, json.dumps(TOLD | told))
    assert any(problem in one for one in found) if problem else found == []


def test_the_fuzz_notices_keys_that_are_judged_otherwise(
    fuzz: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared = fuzz.runs(fuzz.SEED, fleet_of(fuzz))
    assert shared.problems == []
    filled: Callable[..., Any] = alike._Template.filled
    monkeypatch.setattr(alike._Template, "filled", lambda self, *given: filled(self, *given)[1:])
    assert any("keys that are alike" in text for _, text in fuzz.runs(fuzz.SEED, fleet_of(fuzz)).problems)


def fleet_of(fuzz: ModuleType) -> range:
    """The first run over a fleet that judges keys by their shape."""
    return next(
        range(number, number + 1)
        for number in range(100_000)
        if fuzz.run_of(fuzz.SEED, number).alike and shapes_of(fuzz, number)
    )


def shapes_of(fuzz: ModuleType, number: int) -> int:
    """How often a run takes over what was found of another key."""
    asked: list[object] = []
    filled: Callable[..., Any] = alike._Template.filled

    def counted(self: object, *given: object) -> object:
        asked.append(self)
        return filled(self, *given)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(alike._Template, "filled", counted)
        fuzz.runs(fuzz.SEED, range(number, number + 1))
    return len(asked)


def test_nothing_leaves_this_machine(fuzz: ModuleType) -> None:
    with (
        fuzz.outside.nobody(),
        socket.socket() as one,
        pytest.raises(ConnectionRefusedError, match="the fuzz"),
    ):
        one.connect(("192.0.2.1", 443))
