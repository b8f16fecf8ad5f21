"""README is run: its Python, and its commands with what they print.

``README_UPDATE=1 pytest tests/test_readme.py`` writes the real output of the commands, and the table of
consumers, into README.
"""

from __future__ import annotations

import inspect
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

import kms_constructs
from kms_constructs import SecureKmsKey
from kms_constructs.guardrails.catalogue import CATALOGUE
from kms_constructs.model.services import requirements
from tests.conftest import REPOSITORY

pytestmark = [pytest.mark.cdk, pytest.mark.slow]

README = REPOSITORY / "README.md"
FENCE = re.compile(r"^```(python|console)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PASSED_TO_OTHERS = {"Acknowledgement", "KeyUsage"}
"""Values that go into arguments, documented there."""
UPDATE = os.environ.get("README_UPDATE") == "1"


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, its text, and the line it starts at."""

    language: str
    text: str
    line: int

    def __str__(self) -> str:
        return f"line {self.line} {self.language}"


def blocks() -> list[Block]:
    text = README.read_text("utf-8")
    return [
        Block(match.group(1), match.group(2), text.count("\n", 0, match.start()) + 2)
        for match in FENCE.finditer(text)
    ]


def run_block(block: Block, directory: Path) -> str:
    """Runs a block and returns what it should say: itself, when README tells the truth."""
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "CDK_OUTDIR": "cdk.out",
        "COLUMNS": "118",
        "NO_COLOR": "1",
    }
    if block.language == "python":
        done = subprocess.run(
            [sys.executable, "-c", block.text],
            cwd=directory, env=environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
        return block.text if done.returncode == 0 else f"{block.text}# fails: {done.stderr[-2000:]}"
    said = []
    for command in re.findall(r"^\$ (.*)$", block.text, re.MULTILINE):
        done = subprocess.run(
            ["bash", "-c", f"{command} 2>&1"],
            cwd=directory, env=environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
        said.append(f"$ {command}\n" + re.sub(r"[ \t]+$", "", done.stdout, flags=re.MULTILINE))
    return "".join(said)


@pytest.fixture(scope="module")
def transcript(tmp_path_factory: pytest.TempPathFactory) -> dict[Block, str]:
    """What every block says when they are run one after the other in one empty directory."""
    directory = tmp_path_factory.mktemp("readme")
    (directory / "examples").symlink_to(REPOSITORY / "examples")
    found = {block: run_block(block, directory) for block in blocks()}
    if UPDATE:
        text = README.read_text("utf-8")
        for block, said in found.items():
            if block.language != "console":
                continue
            text = text.replace(f"```{block.language}\n{block.text}```", f"```{block.language}\n{said}```")
        README.write_text(text, "utf-8")
    return found


@pytest.mark.parametrize("block", blocks(), ids=str)
def test_readme_shows_what_happens(block: Block, transcript: dict[Block, str]) -> None:
    assert transcript[block] == block.text


def consumers_table() -> str:
    """The table of consumers as README should show it."""
    rows = []
    known = [(one, needs) for needs in requirements().values() for one in needs.rows]
    for one, needs in sorted(known, key=lambda row: row[0].resource.lower()):
        cells = (
            one.resource,
            f"`{one.construct}`",
            one.caller,
            one.argument,
            "refused" if one.refused else "",
            " ".join(needs.undocumented),
        )
        rows.append(f"| {' | '.join(cells)} |".replace("<region>", "&lt;region&gt;"))
    head = "| resource | construct | who calls KMS | what lets it | without it | what AWS does not document |"
    return "\n".join([head, "|---|---|---|---|---|---|", *rows])


def test_the_table_of_consumers_is_the_tested_one() -> None:
    before, begin, rest = README.read_text("utf-8").partition("<!-- consumers:begin -->\n")
    table, end, after = rest.partition("\n<!-- consumers:end -->")
    if UPDATE:
        README.write_text(f"{before}{begin}{consumers_table()}{end or chr(10) + rest}{after}", "utf-8")

    assert table == consumers_table()


def test_every_argument_of_the_key_is_in_the_table_of_arguments() -> None:
    _, _, section = README.read_text("utf-8").partition("\n## Arguments\n")
    table = section.partition("\n## ")[0]
    parameters = inspect.signature(SecureKmsKey.__init__).parameters.values()

    assert [
        one.name for one in parameters if one.kind is one.KEYWORD_ONLY and f"`{one.name}`" not in table
    ] == []


def test_readme_says_of_every_control_what_compliant_proves() -> None:
    section = README.read_text("utf-8").partition("### What *compliant* proves")[2]
    cells = re.findall(r"^\| ((?:IAM-KMS|KMS:)[^|]*) \| ([^|]+) \| ([^|]+) \|$", section, re.MULTILINE)
    told = [
        one if ":" in one or "-" in one else re.split(r"\d", names)[0] + one
        for names, _, _ in cells
        for one in names.split(", ")
    ]

    assert sorted(told) == sorted(CATALOGUE)


def test_every_construct_and_exception_is_mentioned() -> None:
    text = README.read_text("utf-8")
    named = {name for name in kms_constructs.__all__ if name[0].isupper()} - PASSED_TO_OTHERS

    assert sorted(name for name in named if f"`{name}" not in text) == []


def test_every_file_that_readme_links_to_is_there() -> None:
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)", README.read_text("utf-8"))

    assert links
    assert [link for link in links if not (REPOSITORY / link).exists()] == []


def test_every_anchor_that_readme_links_to_is_there() -> None:
    text = README.read_text("utf-8")
    headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    anchors = {re.sub(r"[^\w\- ]", "", heading).strip().lower().replace(" ", "-") for heading in headings}

    assert [link for link in re.findall(r"\]\(#([^)]+)\)", text) if link not in anchors] == []
