"""Standard output that is closed, full, or knows ASCII alone: said plainly, and never a defect."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from xml.etree import ElementTree

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


FOREIGN = "S/Schl\u00fcssel\u2192\U0001f600/Resource"
READERS: dict[str, Callable[[str], object]] = {
    "json": json.loads,
    "sarif": json.loads,
    "gitlab": json.loads,
    "junit": ElementTree.fromstring,
    "csv": lambda text: list(csv.reader(StringIO(text))),
    "github": str,
    "markdown": str,
    "html": str,
}


@pytest.mark.parametrize("name", READERS)
def test_what_programs_read_is_utf_8_on_a_terminal_that_knows_ascii_alone(name: str, tmp_path: Path) -> None:
    key = {"Type": "AWS::KMS::Key", "Properties": {}, "Metadata": {"aws:cdk:path": FOREIGN}}
    (tmp_path / "key.json").write_text(json.dumps({"Resources": {"Key": key}}), "utf-8")

    done = subprocess.run(
        ["bash", "-c", f"{COMMAND} check key.json --format {name}"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONIOENCODING": "ascii", "LC_ALL": "C"},
        capture_output=True,
        timeout=60,
        check=False,
    )

    text = done.stdout.decode("utf-8")
    assert FOREIGN in text
    READERS[name](text)
