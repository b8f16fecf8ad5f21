"""The runbook of key material does what it says: its blocks are run, in their order, against an emulator."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from tests import forked, ministack
from tests.conftest import REPOSITORY

TEXT = (REPOSITORY / "docs" / "key-material.md").read_text("utf-8")
BLOCK = re.compile(r"^( *)```(\w+)(?: ([\w.]+))?\n(.*?)^\1```$", re.DOTALL | re.MULTILINE)
AWS = """\
import sys, botocore.session, os
def flags(words):
    found, name = {}, None
    for word in words:
        if word.startswith("--"):
            name = word[2:]
            found[name] = ""
        else:
            found[name] = word
    return found
_, _, command, *words = sys.argv
given = flags(words)
client = botocore.session.get_session().create_client("kms")
tags = [dict(pair.split("=") for pair in given.pop("tags").split(","))] if "tags" in given else []
query = given.pop("query", None)
given.pop("output", None)
names = {"Tags": tags} if tags else {}
for name, value in given.items():
    names["".join(part.capitalize() for part in name.split("-"))] = value
answer = getattr(client, command.replace("-", "_"))(**names)
if query:
    for part in query.split("."):
        answer = answer[part]
    print(answer)
"""
"""As much of the AWS CLI as the runbook uses."""
PROGRAMS = {"aws": AWS, "kms-constructs": "from kms_constructs.cli.main import main\nmain()\n"}
PREPARED = """\
import functools, boto3, botocore.session, kms_constructs.cli.main, kms_constructs.cli.material
botocore.session.create_loader = functools.cache(botocore.session.create_loader)
boto3.Session("a", "b", region_name="eu-west-1").client("kms")
"""
"""What every one of them would do first."""


def blocks(kind: str) -> list[tuple[str, str]]:
    return [(name, textwrap.dedent(body)) for _, found, name, body in BLOCK.findall(TEXT) if found == kind]


@pytest.mark.slow
def test_the_runbook_runs(tmp_path: Path) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "python").symlink_to(sys.executable)
    for name, body in blocks("python"):
        if name:
            (tmp_path / name).write_text(body)
    script = "\n".join(body for _, body in blocks("sh"))
    assert script.count("kms-constructs material") > 12
    with ministack.running(tmp_path) as emulator, forked.programs(programs, PREPARED, PROGRAMS):
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-x", "-c", script],
            cwd=tmp_path,
            env={
                "PATH": f"{programs}:{Path(sys.executable).parent}:{os.environ['PATH']}",
                "PYTHONPATH": str(REPOSITORY),
                "AWS_ENDPOINT_URL": emulator.endpoint,
                "AWS_REGION": ministack.REGION,
                "AWS_DEFAULT_REGION": ministack.REGION,
                "AWS_ACCESS_KEY_ID": "111122223333",
                "AWS_SECRET_ACCESS_KEY": "none",
            },
            capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL,
        )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_command_of_the_runbook_is_there() -> None:
    from kms_constructs.cli.main import cli
    from kms_constructs.cli.material import material

    assert cli.commands["material"] is material
    named = set(re.findall(r"(?:kms-constructs |`)material (\w+)", TEXT))
    assert named == set(material.commands)
    options = {
        option for command in material.commands.values() for one in command.params for option in one.opts
    }
    shown = set(re.findall(r"(?<![\w-])(--[a-z-]+)", "\n".join(body for _, body in blocks("console"))))
    assert shown <= options
