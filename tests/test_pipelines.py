"""What other tools take from this repository, run as they would run it, as far as that goes without them."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from kms_constructs.cli.main import cli
from kms_constructs.guardrails.finding import Severity
from tests.cli.conftest import template, write
from tests.conftest import REPOSITORY
from tests.scripts import Ended, run_file

PIPELINES = REPOSITORY / "examples" / "pipelines"


def read(path: Path) -> Any:
    return yaml.safe_load(path.read_text("utf-8"))


def environment(**more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in ("CDK_OUTDIR", "COLUMNS")}
    return {
        **kept,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "NO_COLOR": "1",
        # pip installs what is here and asks no registry: the dependencies are there already.
        "PIP_NO_DEPS": "1",
        "PIP_NO_INDEX": "1",
        "PIP_NO_BUILD_ISOLATION": "0",  # pip reads it as the value of build isolation
        "PIP_NO_COMPILE": "1",  # the few modules that run are compiled then
        **more,
    }


def bash(script: str, directory: Path, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=directory, env=environment(**more), capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.fixture
def templates(tmp_path: Path) -> Path:
    """A directory of templates, good and bad."""
    directory = tmp_path / "templates"
    directory.mkdir()
    write(directory / "bad.template.json", template({"EnableKeyRotation": False}))
    return directory


# pre-commit


def hook() -> Any:
    (found,) = read(REPOSITORY / ".pre-commit-hooks.yaml")
    return found


@pytest.mark.parametrize(
    ("name", "taken"),
    [
        ("template.yaml", True),
        ("stacks/template.yml", True),
        ("orders.template.json", True),
        ("cdk.out/Orders.template.json", True),
        ("package.json", False),
        ("my-template.json", False),
        ("template.json.txt", False),
        (".github/workflows/test.yml", False),
    ],
)
def test_the_hook_takes_templates(name: str, taken: bool) -> None:
    assert bool(re.search(hook()["files"], name)) == taken


def test_the_hook_fails_on_a_violation_and_passes_in_silence(tmp_path: Path, templates: Path) -> None:
    files = ["templates/bad.template.json"]
    done = bash(shlex.join([*shlex.split(hook()["entry"]), *files, "--control", "KMS:001"]), tmp_path)
    assert (done.returncode, "KMS:001" in done.stdout) == (1, True)

    write(templates / "bad.template.json", template())
    done = bash(shlex.join([*shlex.split(hook()["entry"]), *files, "--control", "KMS:001"]), tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_the_hook_judges_all_files_together() -> None:
    assert hook()["require_serial"] is True
    assert hook()["language"] == "python"


def test_the_configuration_of_pre_commit_names_the_hook() -> None:
    (repository,) = read(PIPELINES / "pre-commit-config.yaml")["repos"]
    assert [one["id"] for one in repository["hooks"]] == [hook()["id"]]


# GitHub


def action() -> Any:
    return read(REPOSITORY / "action.yml")


def step(number: int, given: dict[str, str], **github: str) -> tuple[str, dict[str, str]]:
    """Script and environment of a step, with what GitHub puts in for expressions."""
    found = action()["runs"]["steps"][number]
    inputs = {name: one["default"] for name, one in action()["inputs"].items()} | given

    def value(text: str) -> str:
        return re.sub(
            r"\$\{\{ (\w+)\.([\w-]+) \}\}",
            lambda match: (inputs if match[1] == "inputs" else github)[match[2]],
            text,
        )

    return found["run"], {name: value(text) for name, text in found["env"].items()}


def test_no_input_is_put_into_a_script() -> None:
    steps = action()["runs"]["steps"]
    assert all(one["shell"] == "bash" for one in steps)
    assert [one["run"] for one in steps if "${{" in one["run"]] == []


def test_the_inputs_are_those_of_the_command() -> None:
    options = {name for parameter in cli.commands["check"].params for name in parameter.opts}
    script = action()["runs"]["steps"][1]["run"]
    assert set(re.findall(r"(--?[a-z][a-z-]*) ", script)) - {"-n", "-o", "-r"} <= options
    listed = ", ".join(level.value for level in Severity)
    for name in ("fail-on", "severity"):
        assert f"One of {listed}." in action()["inputs"][name]["description"]


@pytest.fixture(scope="session")
def runner(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The runner's temporary directory, with the package as the action installs it."""
    directory = tmp_path_factory.mktemp("runner")
    script, env = step(0, {}, action_path=str(REPOSITORY))
    done = bash(script, directory, RUNNER_TEMP=str(directory), **env)
    assert done.returncode == 0, done.stderr
    return directory


@pytest.mark.slow
@pytest.mark.parametrize(
    ("given", "code", "first"),
    [
        pytest.param({}, 1, "::error file=templates/bad.template.json,line=", id="fails"),
        pytest.param({"paths": "\ntemplates\n \nmissing.json\n"}, 2, "::error file=missing.json", id="lines"),
        pytest.param({"fail-on": "critical"}, 2, "", id="no-such-severity"),
        pytest.param({"paths": "$(touch owned)"}, 2, "::error file=$(touch owned),title", id="no-script"),
        pytest.param({"paths": "--exit-zero"}, 2, "::error file=--exit-zero", id="no-option"),
        pytest.param({"config": "missing.toml"}, 2, "", id="no-configuration"),
    ],
)
def test_the_action(  # noqa: PLR0917 - fixtures and cases
    runner: Path, tmp_path: Path, templates: Path, given: dict[str, str], code: int, first: str
) -> None:
    script, env = step(1, {"paths": "templates", "sarif": "kms.sarif", **given})
    summary = tmp_path / "summary.md"
    done = bash(script, tmp_path, RUNNER_TEMP=str(runner), GITHUB_STEP_SUMMARY=str(summary), **env)
    assert (done.returncode, done.stdout[: len(first)]) == (code, first), done.stderr
    assert not (tmp_path / "owned").exists()
    if not given:
        assert summary.read_text("utf-8").startswith("**1 key: ")
        assert json.loads((tmp_path / "kms.sarif").read_text("utf-8"))["version"] == "2.1.0"
        assert "kms_constructs" in {path.name for path in (runner / "kms-constructs").iterdir()}


def test_the_workflow_gives_the_action_what_it_takes() -> None:
    steps = read(PIPELINES / "github-actions.yml")["jobs"]["guardrails"]["steps"]
    (use,) = (one for one in steps if "kms-constructs" in one["uses"])
    assert set(use["with"]) <= set(action()["inputs"])
    (upload,) = (one for one in steps if "upload-sarif" in one["uses"])
    assert upload["with"]["sarif_file"] == use["with"]["sarif"]
    assert upload["if"] == "always()"


# GitLab


@pytest.mark.slow
def test_the_job_of_gitlab(tmp_path: Path, templates: Path) -> None:
    (job,) = read(PIPELINES / "gitlab-ci.yml").values()
    target = tmp_path / "installed"
    variables = {**job["variables"], "KMS_CONSTRUCTS": str(REPOSITORY), "PIP_TARGET": str(target)}
    scripts = "\n".join(job["script"])
    done = bash(scripts, tmp_path, **variables, PYTHONPATH=f"{target}{os.pathsep}{REPOSITORY}")
    assert (done.returncode, "✗ violation  KMS:001" in done.stdout) == (1, True), done.stderr
    reports = job["artifacts"]["reports"]
    issues = json.loads((tmp_path / reports["codequality"]).read_text("utf-8"))
    assert "KMS:001" in {one["check_name"].partition("[")[0] for one in issues}
    assert "<testsuite" in (tmp_path / reports["junit"]).read_text("utf-8")
    assert job["artifacts"]["when"] == "always"


# CDK Pipelines


@pytest.mark.cdk
@pytest.mark.slow
def test_the_pipeline_of_the_cdk(tmp_path: Path) -> None:
    app = str(PIPELINES / "cdk_pipeline.py")
    assert run_file(app, directory=tmp_path, environment=environment()) == Ended(0, "")
    assembly = json.loads((tmp_path / "cdk.out" / "Pipeline.template.json").read_text("utf-8"))
    specs = [
        json.loads(resource["Properties"]["Source"]["BuildSpec"])
        for resource in assembly["Resources"].values()
        if resource["Type"] == "AWS::CodeBuild::Project"
        and isinstance(resource["Properties"]["Source"]["BuildSpec"], str)
    ]
    commands = [command for spec in specs for command in spec["phases"]["build"]["commands"]]
    (judge,) = (command for command in commands if command.startswith("kms-constructs"))
    done = bash(judge, tmp_path)
    assert (done.returncode, done.stdout.splitlines()[-1].split(", ")[0]) == (0, "2 keys: no violations")
