"""Standard output that is closed, full, or knows ASCII alone: said plainly, and never a defect."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

COMMAND = f'"{sys.executable}" -c "from kms_constructs.cli.main import main; main()"'
COMMANDS = {"check": ("check bad.json", 1), "guardrails": ("guardrails", 0), "help": ("check --help", 0)}


def shell(line: str, directory: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", "-o", "pipefail", "-c", line],
        cwd=directory, env={**os.environ, "PYTHONIOENCODING": "ascii"},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


@pytest.mark.parametrize("name", COMMANDS)
@pytest.mark.parametrize(
    ("redirection", "code", "said"),
    [
        (">/dev/full", 2, "No space left on device"),
        (">/dev/full 2>/dev/full", 2, ""),
        (">&- 2>&-", None, ""),
        ("| head -n 1", None, ""),
        ("| cat", None, ""),
    ],
)
def test_the_output_cannot_be_written(
    bad: Path, name: str, redirection: str, code: int | None, said: str
) -> None:
    if "full" in redirection and not Path("/dev/full").exists():
        pytest.skip("no /dev/full here")
    arguments, own = COMMANDS[name]
    done = shell(f"{COMMAND} {arguments} {redirection}", bad.parent)

    assert "Internal error" not in done.stderr
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr
    assert said in done.stderr
    if code is not None:
        assert done.returncode == code
    elif "|" in redirection:
        assert done.returncode == own
    else:
        assert done.returncode in (own, 2), "there may be nobody to tell the report to"


def test_a_closed_output_is_said(bad: Path) -> None:
    done = shell(f"{COMMAND} check bad.json >&-", bad.parent)
    assert (done.returncode, done.stderr) == (
        2,
        "Error: standard output is closed. Fix: write the report to a file with --output\n",
    )
