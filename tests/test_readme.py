"""README and the pages of ``docs`` are run: their Python, and their commands with what they print.

``README_UPDATE=1 pytest tests/test_readme.py`` writes the real output of the commands into them.
"""

from __future__ import annotations

import json
import re
import shlex
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

import click
import pytest
import yaml
from botocore import xform_name
from botocore.loaders import Loader
from botocore.model import ServiceModel

import kms_constructs
from kms_constructs.cli.main import cli
from kms_constructs.guardrails.catalogue import CATALOGUE
from kms_constructs.guardrails.config import GuardrailConfig
from tests.conftest import REPOSITORY
from tests.documents import DOCUMENTS, EMULATED, EVERY_BLOCK, README, RUN, Block, included, run_document

PASSED_TO_OTHERS = {"Acknowledgement", "KeyUsage"}
"""Values that go into arguments, documented there."""
LANGUAGES = {"python", "console", "bash", "toml", "yaml", "json", "text"}
"""Each of them is run or checked below, but text."""
MOST_LINES_OF_README = 150


def of_language(*languages: str) -> list[Block]:
    return [block for block in EVERY_BLOCK if block.language in languages]


@pytest.fixture(scope="module")
def transcripts(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """What the blocks of a document say, run when they are first asked for."""
    return cache(lambda document: run_document(document, tmp_path_factory.mktemp("document")))


@pytest.mark.cdk
@pytest.mark.slow
@pytest.mark.parametrize("block", RUN, ids=str)
def test_a_document_shows_what_happens(block: Block, transcripts: Any) -> None:
    assert transcripts(block.document)[block] == block.text


def test_every_block_says_what_it_is() -> None:
    assert [str(block) for block in EVERY_BLOCK if block.language not in LANGUAGES] == []


def test_no_block_hides_from_the_tests() -> None:
    hidden = [
        document.name
        for document in DOCUMENTS
        if document != EMULATED
        and re.search(r"^(?: +```|~~~|````)", document.read_text("utf-8"), re.MULTILINE)
    ]
    assert hidden == []


@pytest.mark.parametrize("block", of_language("toml"), ids=str)
def test_a_configuration_is_one(block: Block) -> None:
    read = tomllib.loads(included(block.text))
    table = read.get("tool", {}).get("kms-constructs")
    if table is not None:
        GuardrailConfig.from_mapping(table, source=str(block))


@pytest.mark.parametrize("block", of_language("yaml", "json"), ids=str)
def test_data_can_be_read(block: Block) -> None:
    text = included(block.text)
    assert (json.loads(text) if block.language == "json" else yaml.safe_load(text)) is not None


def commands() -> list[tuple[str, list[str]]]:
    """The commands of this project and of AWS that are shown and not run."""
    found = []
    for block in of_language("bash"):
        for line in block.text.replace("\\\n", " ").splitlines():
            for part in re.split(r" \| | && ", line):
                words = shlex.split(part, comments=True)
                if words and words[0] in ("kms-constructs", "aws"):
                    found.append((f"{block}: {part.strip()}", words))
    return found


def options_of(words: list[str]) -> set[str]:
    return {word.removeprefix("--").partition("=")[0] for word in words if word.startswith("--")}


OWN = [pytest.param(words, id=name) for name, words in commands() if words[0] == "kms-constructs"]
KMS = [pytest.param(words, id=name) for name, words in commands() if words[:2] == ["aws", "kms"]]
GLOBAL_OPTIONS = {"output", "query", "region", "profile", "cli-input-json", "no-cli-pager"}


@pytest.mark.parametrize("words", OWN)
def test_a_command_that_is_shown_is_understood(words: list[str]) -> None:
    command: click.Command = cli
    rest = words[1:]
    while isinstance(command, click.Group) and rest and not rest[0].startswith("-"):
        found = command.get_command(click.Context(command), rest[0])
        assert found is not None, rest[0]
        command, rest = found, rest[1:]
    known = {name for one in command.params for name in (*one.opts, *one.secondary_opts)} | {"--help"}

    given = [word for word in rest if re.match(r"--?[a-z]", word)]
    assert [word for word in given if word.partition("=")[0] not in known] == []


@pytest.mark.parametrize("words", KMS)
def test_a_call_of_kms_that_is_shown_is_one(words: list[str]) -> None:
    model = ServiceModel(Loader().load_service_model("kms", "service-2"), "kms")
    operations = {xform_name(name, "-"): name for name in model.operation_names}
    assert words[2] in operations
    shape = model.operation_model(operations[words[2]]).input_shape
    members = {xform_name(name, "-"): member for name, member in shape.members.items()} if shape else {}
    switches = {f"no-{name}" for name, member in members.items() if member.type_name == "boolean"}

    given = options_of(words)
    assert given - set(members) - switches - GLOBAL_OPTIONS == set()
    required = {xform_name(name, "-") for name in (shape.required_members if shape else [])}
    assert required - given == set()


def test_the_guardrails_say_of_every_control_what_compliant_proves() -> None:
    text = (REPOSITORY / "docs/reference/guardrails.md").read_text("utf-8")
    section = text.partition("## What *compliant* proves")[2]
    cells = re.findall(r"^\| ((?:IAM-KMS|KMS:)[^|]*) \| ([^|]+) \| ([^|]+) \|$", section, re.MULTILINE)
    told = [
        one if ":" in one or "-" in one else re.split(r"\d", names)[0] + one
        for names, _, _ in cells
        for one in names.split(", ")
    ]

    assert sorted(told) == sorted(CATALOGUE)


def test_every_construct_and_exception_is_mentioned() -> None:
    text = "".join(document.read_text("utf-8") for document in DOCUMENTS)
    named = {name for name in kms_constructs.__all__ if name[0].isupper()} - PASSED_TO_OTHERS

    assert sorted(name for name in named if f"`{name}" not in text) == []


def test_readme_is_short() -> None:
    assert len(README.read_text("utf-8").splitlines()) <= MOST_LINES_OF_README


def test_every_file_that_readme_links_to_is_there() -> None:
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)", README.read_text("utf-8"))

    assert links
    assert [link for link in links if not (REPOSITORY / link).exists()] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda one: str(one.relative_to(REPOSITORY)))
def test_every_anchor_that_a_document_links_to_is_there(document: Path) -> None:
    text = document.read_text("utf-8")
    links = [
        (document if not target else (document.parent / target).resolve(), anchor)
        for target, anchor in re.findall(r"\]\(((?!https?:)[^)#]*)#([^)]+)\)", text)
    ]
    assert [
        (target.name, anchor)
        for target, anchor in links
        if not target.exists() or anchor not in anchors(target)
    ] == []


def anchors(document: Path) -> set[str]:
    headings = re.findall(r"^#+ (.*)$", document.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading).strip().lower().replace(" ", "-") for heading in headings}
