"""What docs/monitoring.md shows runs."""

from __future__ import annotations

import json
import os
import re
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner

from kms_constructs.cli.main import cli
from tests.conftest import REPOSITORY
from tests.scripts import run_text

TEXT = (REPOSITORY / "docs" / "monitoring.md").read_text("utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)


@pytest.mark.cdk
def test_its_app_synthesizes(tmp_path: Path) -> None:
    (code,) = blocks("python")
    done = run_text(code, directory=tmp_path, environment={**os.environ, "CDK_OUTDIR": str(tmp_path)})
    assert done.code == 0, done.said
    template = json.loads((tmp_path / "Security.template.json").read_text("utf-8"))
    kinds = {one["Type"] for one in template["Resources"].values()}
    assert {"AWS::Events::Rule", "AWS::CloudWatch::Alarm", "AWS::CloudWatch::Dashboard"} <= kinds


def test_its_command_writes_the_template(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (line,) = blocks("bash")
    program, *arguments = shlex.split(line)
    assert program == "kms-constructs"
    done = CliRunner().invoke(cli, arguments, standalone_mode=False)
    assert done.exception is None, done.output
    template = json.loads((tmp_path / "monitoring.json").read_text("utf-8"))
    assert template["Parameters"]["CentralBusArn"]["Default"] in line


def test_its_files_are_there() -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)", TEXT)
    assert links
    assert [link for link in links if not (REPOSITORY / "docs" / link).is_file()] == []
