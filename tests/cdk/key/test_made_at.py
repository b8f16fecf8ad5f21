"""The line of the app that made a key: remembered, left in the assembly, shown by the guardrails."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_iam as iam
from jsii._kernel.providers.process import _NodeProcess

from kms_constructs.cdk.key.made_at import calling_line
from kms_constructs.cli.main import main
from kms_constructs.errors import SealedSynthError
from kms_constructs.sources.cloudformation.made_at import MADE_AT
from tests.cdk.keys import new_key, new_stack
from tests.scripts import run_file

pytestmark = pytest.mark.cdk

APP = """\
import aws_cdk as cdk
from aws_cdk import aws_kms as kms
from kms_constructs import SecureKmsKey, enforce_guardrails
from teams.keys import team_key

app = cdk.App(analytics_reporting=False)
env = cdk.Environment(account="111122223333", region="eu-west-1")
stack = cdk.Stack(cdk.Stage(app, "Prod", env=env), "Data")
ARGUMENTS = dict(
    description="Orders", environment="dev", service="orders", data_classification="internal",
    key_administrators=["arn:aws:iam::111122223333:role/KeyAdmin"],
)
for name in ("One", "Two"):
    team_key(stack, name, alias=f"dev/{name}", **ARGUMENTS)
SecureKmsKey(stack, "Three", alias="dev/three", **ARGUMENTS)
kms.Key(stack, "Plain")
enforce_guardrails(app, {"severities": {"KMS:003": "high"}, "excluded": {"Prod/Data/Plain": "legacy"}})
app.synth()
"""
TEAM = """\
from kms_constructs import SecureKmsKey


def team_key(scope, construct_id, **own):
    return SecureKmsKey(scope, construct_id, **own)
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "teams").mkdir()
    (tmp_path / "teams" / "keys.py").write_text(TEAM)
    (tmp_path / "app.py").write_text(APP)
    return tmp_path


def run(project: Path, **environment: str) -> None:
    assert run_file("app.py", directory=project, environment={**os.environ, **environment}).code == 1


def test_the_app_says_which_line_made_the_key_that_fails(project: Path) -> None:
    done = subprocess.run(
        [sys.executable, "app.py"],
        cwd=project,
        env={**os.environ, "CDK_OUTDIR": "cdk.out"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 1
    flat = " ".join(done.stderr.split())
    assert "Prod/Data/One/Resource (teams/keys.py:5), Prod/Data/Three/Resource (app.py:15)" in flat
    assert "Plain/Resource (" not in flat
    assert "made at app.py:15" in (project / "cdk.out" / "kms-constructs-report.txt").read_text()
    # What the CDK CLI prints
    assert "made at app.py:15" in (project / "cdk.out" / "validation-report.json").read_text()


def test_the_command_line_reads_it_from_the_assembly(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run(project, CDK_OUTDIR="build/cdk.out")
    monkeypatch.chdir(project)

    with pytest.raises(SystemExit):
        main(["check", "build/cdk.out", "--control", "KMS:003", "--format", "sarif"])

    results = json.loads(capsys.readouterr().out)["runs"][0]["results"]
    lines = {
        place["logicalLocations"][0]["fullyQualifiedName"]: place["physicalLocation"]
        for result in results
        for place in result["locations"]
    }
    assert lines["Prod/Data/Three/Resource"] == {
        "artifactLocation": {"uri": "app.py"},
        "region": {"startLine": 15},
    }
    assert lines["Prod/Data/Two/Resource"]["artifactLocation"] == {"uri": "teams/keys.py"}
    assert lines["Prod/Data/Plain/Resource"]["artifactLocation"]["uri"].startswith("build/cdk.out/")
    monkeypatch.chdir(project / "build")
    with pytest.raises(SystemExit):
        main(["check", "cdk.out", "--control", "KMS:003", "--format", "github"])
    assert "file=../app.py,line=15," in capsys.readouterr().out


def test_no_path_of_the_machine_is_left_behind(
    project: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    outside = tmp_path_factory.mktemp("elsewhere")
    run(project, CDK_OUTDIR=str(outside))

    text = (outside / MADE_AT).read_text()
    assert str(project) not in text
    assert project.name not in text
    assert json.loads(text)["lines"]["Prod/Data/Three/Resource"] == ["app.py", 15]
    for template in outside.rglob("*.template.json"):
        assert "app.py" not in template.read_text()


def test_an_app_without_guardrails_leaves_it_as_well(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(Path(__file__).parent)
    app = cdk.App(analytics_reporting=False, outdir=str(tmp_path))
    new_key(new_stack(app=app))

    app.synth()

    # keys.py of the tests is not below the working directory
    assert json.loads((tmp_path / MADE_AT).read_text())["lines"] == {}


def test_what_a_sealed_key_refuses_names_the_line_that_made_it() -> None:
    app = cdk.App(analytics_reporting=False)
    key = new_key(new_stack(app=app))
    key.grant_admin(iam.ArnPrincipal("arn:aws:iam::444455556666:role/App"))

    with pytest.raises(SealedSynthError) as caught:
        app.synth()

    assert "; the key is made at tests/cdk/keys.py:" in str(caught.value)


def test_it_costs_no_call_into_node(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[object] = []
    send = _NodeProcess.send

    def counting(self: _NodeProcess, *arguments: Any, **options: Any) -> Any:
        sent.append(arguments)
        return send(self, *arguments, **options)

    stack = new_stack()
    new_key(stack, "First")
    monkeypatch.setattr(_NodeProcess, "send", counting)

    assert calling_line() is not None
    assert sent == []
    new_key(stack, "Second")
    assert len(sent) == 1, "the one that makes kms.Key"
