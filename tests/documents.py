"""README and the pages of ``docs``: their fenced blocks, and what happens when they are run.

A document is run from top to bottom in a directory of its own: a block with a title is a file that is
written there, Python without one is executed, and in ``console`` blocks the lines that start with ``$``
are, and say what follows. Those of README have a process each; others only where a shell is needed.
"""

from __future__ import annotations

import io
import os
import re
import shlex
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

import pytest

from kms_constructs.cli.main import main
from tests.conftest import REPOSITORY
from tests.scripts import run_file, run_text

README = REPOSITORY / "README.md"
DOCUMENTS = (README, *sorted((REPOSITORY / "docs").rglob("*.md")))
UPDATE = os.environ.get("README_UPDATE") == "1"
"""Whether what commands really say is written into the documents."""

_FENCE = re.compile(
    r"^```(?P<language>\w*)(?: title=\"(?P<title>[^\"]+)\")?(?P<more>[^\n]*)\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
_OF_A_SHELL = re.compile(r"[;&|<>$`]")
"""What a shell makes something of; quotes are taken off here."""
_SCRIPT = re.compile(
    r"(?:cd (?P<directory>\S+) && )?(?P<variables>(?:\w+=\S+ )*)python (?P<file>\S+\.py)"
    r"(?P<rest>|(?: &&|;) .*)"
)
_INCLUDED = re.compile(r'^--8<-- "([^"]+)"\n', re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """A fenced block: its document, language, title and text, and the line its text starts at."""

    document: Path
    language: str
    title: str | None
    text: str
    line: int

    def __str__(self) -> str:
        return f"{self.document.relative_to(REPOSITORY)}:{self.line} {self.language}"


def blocks(document: Path) -> list[Block]:
    """The fenced blocks of a document, in order."""
    text = document.read_text("utf-8")
    return [
        Block(
            document, match["language"], match["title"], match["text"],
            text.count("\n", 0, match.start("text")) + 1,
        )
        for match in _FENCE.finditer(text)
    ]  # fmt: skip


EMULATED = REPOSITORY / "docs" / "key-material.md"
"""Its blocks need KMS, and are run against an emulator by a test of their own."""
EVERY_BLOCK = [block for document in DOCUMENTS if document != EMULATED for block in blocks(document)]
RUN = [
    block
    for block in EVERY_BLOCK
    if block.language == "console" or (block.language == "python" and not block.title)
]
"""What is executed and may fail."""


def included(text: str) -> str:
    """The text with the files of the repository that the site puts into it."""
    return _INCLUDED.sub(lambda match: (REPOSITORY / match[1]).read_text("utf-8"), text)


def run_document(document: Path, directory: Path) -> dict[Block, str]:
    """What every block should say: itself, where the document tells the truth."""
    (directory / "examples").symlink_to(REPOSITORY / "examples")
    said = {}
    for block in blocks(document):
        if block.title:
            file = directory / block.title
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(included(block.text), "utf-8")
        elif block.language == "python":
            said[block] = _of_python(block, directory)
        elif block.language == "console":
            said[block] = _of_console(block, directory)
    if UPDATE:
        text = document.read_text("utf-8")
        for block, told in said.items():
            if block.language == "console":
                text = text.replace(f"```console\n{block.text}```", f"```console\n{told}```")
        document.write_text(text, "utf-8")
    return said


def environment() -> dict[str, str]:
    """What a shell has whose commands are those of this project, and not what pytest has."""
    own = {name: text for name, text in os.environ.items() if not name.startswith("PYTEST")}
    return {
        **own,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(REPOSITORY),
        "CDK_OUTDIR": "cdk.out",
        "COLUMNS": "118",
        "NO_COLOR": "1",
    }


def _of_python(block: Block, directory: Path) -> str:
    if block.document != README:
        done = run_text(included(block.text), directory=directory, environment=environment())
        return block.text if done.code == 0 else f"{block.text}# fails: {done.said[-2000:]}"
    process = subprocess.run(
        [sys.executable, "-c", included(block.text)],
        cwd=directory, env=environment(), capture_output=True, text=True, check=False,
    )  # fmt: skip
    return block.text if process.returncode == 0 else f"{block.text}# fails: {process.stderr[-2000:]}"


def _of_console(block: Block, directory: Path) -> str:
    said = []
    for command in re.findall(r"^\$ (.*)$", block.text, re.MULTILINE):
        if command.startswith("kms-constructs ") and not _OF_A_SHELL.search(command):
            told = _of_command(shlex.split(command)[1:], directory)
        elif block.document != README and (script := _SCRIPT.fullmatch(command)):
            told = _of_script(script, directory)
        else:
            told = _of_shell(command, directory)
        said.append(f"$ {command}\n" + re.sub(r"[ \t]+$", "", told, flags=re.MULTILINE))
    return "".join(said)


def _of_script(script: re.Match[str], directory: Path) -> str:
    """What a line says that begins with a script: run in this process, and the rest by a shell."""
    place = directory / (script["directory"] or "")
    given = dict(one.split("=", 1) for one in script["variables"].split())
    done = run_file(script["file"], directory=place, environment={**environment(), **given})
    rest = script["rest"]
    if done.code == 0 and rest.startswith(" && ") and (other := _SCRIPT.fullmatch(rest[4:])):
        return done.said + _of_script(other, place)
    return done.said + (_of_shell(f"(exit {done.code}){rest}", place) if rest else "")


def _of_shell(command: str, directory: Path) -> str:
    return subprocess.run(
        ["bash", "-c", f"exec 2>&1\n{command}"],
        cwd=directory, env=environment(), capture_output=True, text=True, check=False,
    ).stdout  # fmt: skip


def _of_command(arguments: list[str], directory: Path) -> str:
    """What the command says, run in this process: most of the documents' commands are it and nothing else."""
    with pytest.MonkeyPatch.context() as patch, io.TextIOWrapper(io.BytesIO(), "utf-8") as out:
        patch.chdir(directory)
        for name in set(os.environ) - set(environment()):
            patch.delenv(name)
        for name, text in environment().items():
            patch.setenv(name, text)
        patch.setattr(sys, "argv", ["kms-constructs", *arguments])
        with redirect_stdout(out), redirect_stderr(out), pytest.raises(SystemExit):
            main()
        out.flush()
        out.seek(0)
        return out.read()
