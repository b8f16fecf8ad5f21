from __future__ import annotations

import io
import sys
import time

import pytest

from kms_constructs.cli import output
from kms_constructs.model.estate import SourceProblem


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def at_terminal(monkeypatch: pytest.MonkeyPatch, after_seconds: float) -> Terminal:
    """Makes standard error a terminal; in the test itself, for pytest sets its own before each phase."""
    stream = Terminal()
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setattr(output, "_PROGRESS_AFTER_SECONDS", after_seconds)
    return stream


def test_long_work_shows_and_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = at_terminal(monkeypatch, 0.01)
    with output.progress("Reading"):
        for _ in range(500):
            if terminal.getvalue():
                break
            time.sleep(0.01)
        assert terminal.getvalue() == "Reading …"
    assert terminal.getvalue() == "Reading …\r\x1b[2K"


def test_short_work_shows_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = at_terminal(monkeypatch, 60)
    with output.progress("Reading"):
        pass
    assert terminal.getvalue() == ""


def test_no_terminal_no_progress(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setattr(output, "_PROGRESS_AFTER_SECONDS", 0)
    with output.progress("Reading"):
        time.sleep(0.05)
    assert stream.getvalue() == ""


@pytest.mark.parametrize(
    ("environment", "terminal_here", "expected"),
    [
        pytest.param({}, False, False, id="pipe"),
        pytest.param({}, True, True, id="terminal"),
        pytest.param({"TERM": "dumb"}, True, False, id="dumb"),
        pytest.param({"NO_COLOR": "1"}, True, False, id="no-color"),
        pytest.param({"NO_COLOR": ""}, True, True, id="no-color-empty"),
        pytest.param({"FORCE_COLOR": "1"}, False, True, id="forced"),
    ],
)
def test_colours(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], terminal_here: bool, expected: bool
) -> None:
    monkeypatch.delenv("TERM", raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert output._colour(Terminal() if terminal_here else io.StringIO()) is expected


@pytest.mark.parametrize(("columns", "expected"), [("72", 72), ("0", 120), ("many", 120), ("", 120)])
def test_the_width(monkeypatch: pytest.MonkeyPatch, columns: str, expected: int) -> None:
    for name in ("stdout", "stderr", "stdin"):
        monkeypatch.setattr(sys, name, io.StringIO())
    monkeypatch.setenv("COLUMNS", columns)
    assert output._width() == expected


@pytest.mark.parametrize(
    ("number", "last"),
    [
        pytest.param(20, "19.json: it is broken. Fix: Mend it", id="all"),
        pytest.param(21, "… and 1 further problem", id="one-more"),
        pytest.param(25, "… and 5 further problems", id="several-more"),
    ],
)
def test_no_problem_vanishes(capsys: pytest.CaptureFixture[str], number: int, last: str) -> None:
    output.tell_problems([SourceProblem(f"{one}.json", "it is broken", "Mend it") for one in range(number)])
    told = capsys.readouterr().err.splitlines()
    assert (len(told), told[-1]) == (min(number, 21), last)
