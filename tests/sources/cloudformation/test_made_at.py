"""The lines that an app leaves in its assembly: read as they are meant, refused when they are broken."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kms_constructs.model.estate import SourceProblem
from kms_constructs.model.location import CodeLine
from kms_constructs.sources.cloudformation.made_at import MADE_AT, made_at

LINES = {"Data/Key/Resource": ["stacks/data.py", 12]}

READ: dict[str, tuple[object, dict[str, CodeLine]]] = {
    "seen from here": (
        {"base": "..", "lines": LINES},
        {"Data/Key/Resource": CodeLine("app/stacks/data.py", 12)},
    ),
    "without a base": ({"lines": LINES}, {"Data/Key/Resource": CodeLine("stacks/data.py", 12)}),
    "nothing": ({"base": "..", "lines": {}}, {}),
    "no lines": ({"base": ".."}, {}),
    "no object": ([LINES], {}),
    "lines as list": ({"lines": ["stacks/data.py"]}, {}),
    "odd entries": (
        {
            "lines": {
                "a": "x.py:1",
                "b": ["x.py"],
                "c": ["x.py", "1"],
                "d": ["x.py", True],
                "e": [1, 1],
                **LINES,
            }
        },
        {"Data/Key/Resource": CodeLine("stacks/data.py", 12)},
    ),
    "a base that is no path": (
        {"base": "a\0b", "lines": LINES},
        {"Data/Key/Resource": CodeLine("stacks/data.py", 12)},
    ),
}


@pytest.fixture
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    found = tmp_path / "app" / "cdk.out"
    found.mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    return found


@pytest.mark.parametrize(("content", "expected"), READ.values(), ids=READ)
def test_what_is_read(directory: Path, content: object, expected: dict[str, CodeLine]) -> None:
    (directory / MADE_AT).write_text(json.dumps(content))
    problems: list[SourceProblem] = []

    assert made_at(directory, problems) == expected
    assert problems == []


def test_an_assembly_without_the_file_has_none(directory: Path) -> None:
    problems: list[SourceProblem] = []

    assert made_at(directory, problems) == {}
    assert problems == []


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe{"], ids=["empty", "torn", "UTF-16"])
def test_a_broken_file_is_a_problem(directory: Path, content: bytes) -> None:
    (directory / MADE_AT).write_bytes(content)
    problems: list[SourceProblem] = []

    assert made_at(directory, problems) == {}
    assert [(problem.source, problem.fix) for problem in problems] == [
        (str(directory / MADE_AT), "Synthesize again")
    ]
