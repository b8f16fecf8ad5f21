"""An app under guardrails fails itself: whatever starts it, and whatever it is built of."""

from __future__ import annotations

import json
import os
import pickle
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

import aws_cdk as cdk
import pytest
from aws_cdk import aws_kms as kms

from kms_constructs import GuardrailError, GuardrailSynthError, enforce_guardrails
from kms_constructs.errors import ArgumentError
from tests.conftest import REPOSITORY
from tests.scripts import run_file

pytestmark = pytest.mark.cdk

CDK = REPOSITORY / "node_modules" / ".bin" / "cdk"
ENV = cdk.Environment(account="111122223333", region="eu-west-1")
SCRIPT = """
import sys
import aws_cdk as cdk
from aws_cdk import aws_kms as kms, pipelines
from kms_constructs import enforce_guardrails

ENV = cdk.Environment(account="111122223333", region="eu-west-1")
app = cdk.App(analytics_reporting=False)


def keyed(scope, name="Keys"):
    kms.Key(cdk.Stack(scope, name, env=ENV), "Key", alias="orders")


def stage(scope, name):
    return cdk.Stage(scope, name, env=ENV)


match sys.argv[1]:
    case "stack":
        keyed(app)
    case "stage":
        keyed(stage(app, "Stage"))
    case "nested-stage":
        keyed(stage(stage(app, "Outer"), "Stage"))
    case "stage-and-stack":
        keyed(stage(app, "Stage"))
        cdk.Stack(app, "Empty", env=ENV)
    case "pipeline":
        stack = cdk.Stack(app, "Pipeline", env=ENV)
        source = pipelines.CodePipelineSource.connection("o/r", "main", connection_arn="arn:aws:x:::c")
        step = pipelines.ShellStep("Synth", input=source, commands=["cdk synth"])
        pipeline = pipelines.CodePipeline(stack, "Pipeline", synth=step)
        keyed(one := stage(app, "Stage"))
        pipeline.add_stage(one)
enforce_guardrails(app)
app.synth()
"""
SHAPES = ("stack", "stage", "nested-stage", "stage-and-stack", "pipeline")
FIRST = "The guardrails of kms-constructs fail:"
MATRIX = [
    *((("python",), shape) for shape in SHAPES),
    *((("cdk", "synth"), shape) for shape in SHAPES),
    (("cdk", "synth", "Stage/*"), "stage-and-stack"),
    (("cdk", "ls"), "stage"),
    (("cdk", "deploy", "--all", "--require-approval", "never"), "pipeline"),
]


@pytest.fixture(scope="module")
def script(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("app") / "app.py"
    file.write_text(SCRIPT, "utf-8")
    return file


def environment() -> dict[str, str]:
    """What a shell has, and not what pytest has: CDK behaves otherwise under it."""
    own = {name: text for name, text in os.environ.items() if not name.startswith("PYTEST")}
    return {**own, "PYTHONPATH": str(REPOSITORY), "CDK_VALIDATION": "false", "NO_COLOR": "1"}


def ended(script: Path, entry: tuple[str, ...], shape: str, directory: Path) -> tuple[int, str]:
    """The exit code of an app, and all that it said."""
    app = [sys.executable, str(script), shape]
    command = app
    if entry[0] == "cdk":
        if not CDK.exists():
            pytest.skip("the CDK CLI is not installed: make node_modules")
        command = [
            str(CDK), *entry[1:], "--app", shlex.join(app), "--no-notices", "--no-version-reporting",
            "--output", str(directory / "cdk.out"),
        ]  # fmt: skip
    elif shape != SHAPES[0]:  # how an interpreter ends, one shows for all
        here = run_file(str(script), shape, directory=directory, environment=environment())
        return here.code, here.said
    done = subprocess.run(
        command, cwd=directory, env=environment(), capture_output=True, text=True, timeout=300, check=False
    )
    return done.returncode, done.stderr + done.stdout


@pytest.mark.slow
@pytest.mark.parametrize(("entry", "shape"), MATRIX, ids=str)
def test_the_app_fails_by_every_way_in(
    script: Path, entry: tuple[str, ...], shape: str, tmp_path: Path
) -> None:
    code, said = ended(script, entry, shape, tmp_path)

    assert code == 1, said
    assert said.count(FIRST) == 1
    lines = said.splitlines()
    assert any(line.startswith("x violation  IAM-KMS-3[delegation], ") for line in lines)
    assert any("Key/Resource, at Properties/KeyPolicy/Statement/0" in line for line in lines)
    assert "Traceback" not in said
    assert "jsii" not in said.lower()
    own = [
        line for line in lines[lines.index(FIRST) :] if "Subprocess exited" not in line
    ]  # the CLI says that
    assert not any(str(tmp_path) in line or tempfile.gettempdir() in line for line in own)
    assert len(lines) < 60
    if entry[0] == "cdk":
        assert "Full report: cdk.out/kms-constructs-report.txt" in lines
        report = (tmp_path / "cdk.out" / "kms-constructs-report.txt").read_text("utf-8")
        assert "IAM-KMS-3[delegation]" in report


@pytest.fixture
def app(tmp_path: Path) -> cdk.App:
    return cdk.App(outdir=str(tmp_path / "cdk.out"), analytics_reporting=False)


def test_a_test_catches_it_as_an_error_of_the_guardrails(app: cdk.App) -> None:
    kms.Key(cdk.Stack(cdk.Stage(app, "Stage", env=ENV), "Keys"), "Key")
    enforce_guardrails(app)

    with pytest.raises(GuardrailError, match=r"Stage/Keys/Key/Resource") as raised:
        app.synth()
    with pytest.raises(GuardrailSynthError):
        app.synth()  # CDK keeps the assembly, and runs no plugin again: it fails all the same

    assert raised.value.code == str(raised.value)
    assert pickle.loads(pickle.dumps(raised.value)).code == raised.value.code  # noqa: S301 - made here
    assert raised.value.__cause__ is None


def test_what_complies_synthesizes_and_leaves_a_report(app: cdk.App) -> None:
    cdk.Stack(app, "Empty", env=ENV)
    enforce_guardrails(app)

    assert app.synth().directory == app.outdir
    report = json.loads((Path(app.outdir) / "kms-constructs-report.json").read_text("utf-8"))
    assert report["summary"]["verdict"] == "clean"


def test_warn_lets_the_synth_succeed_and_says_what_would_fail(
    app: cdk.App, capsys: pytest.CaptureFixture[str]
) -> None:
    kms.Key(cdk.Stack(app, "Keys", env=ENV), "Key")
    enforce_guardrails(app, mode="warn")

    app.synth()

    said = capsys.readouterr().err
    assert said.startswith("The guardrails of kms-constructs would fail; they only warn here:\nx violation  ")
    assert "KMS:001[enabled]" in said
    document = json.loads((Path(app.outdir) / "kms-constructs-report.json").read_text("utf-8"))
    assert document["summary"]["verdict"] == "violations"


def test_another_mode_is_refused(app: cdk.App) -> None:
    with pytest.raises(ArgumentError, match="it is 'fail' or 'warn'"):
        enforce_guardrails(app, mode="off")  # type: ignore[arg-type]


def test_what_else_goes_wrong_stays_what_it_was(app: cdk.App) -> None:
    stack = cdk.Stack(app, "Keys", env=ENV)
    kms.Key(stack, "Key")
    stack.node.add_validation(Complaint())
    enforce_guardrails(app)

    with pytest.raises(RuntimeError, match="the sky is falling"):
        app.synth()


def test_another_plugin_that_fails_is_named_beside(app: cdk.App) -> None:
    kms.Key(cdk.Stack(app, "Keys", env=ENV), "Key")
    cdk.Validations.of(app).add_plugins(Other())
    enforce_guardrails(app)

    with pytest.raises(GuardrailSynthError, match=r"Failed as well: Other; see validation-report\.json"):
        app.synth()


def test_another_plugin_that_fails_alone_stays_what_it_was(app: cdk.App) -> None:
    cdk.Stack(app, "Empty", env=ENV)
    cdk.CfnResource(cdk.Stack(app, "Some", env=ENV), "Topic", type="AWS::SNS::Topic")
    cdk.Validations.of(app).add_plugins(Other())
    enforce_guardrails(app)

    with pytest.raises(RuntimeError, match="it is not blue") as raised:
        app.synth()
    assert not isinstance(raised.value, GuardrailError)


import jsii  # noqa: E402 - beside what needs it
from constructs import IValidation  # noqa: E402


@jsii.implements(IValidation)
class Complaint:
    def validate(self) -> list[str]:
        return ["the sky is falling"]


@jsii.implements(cdk.IPolicyValidationPlugin)
class Other:
    """A validation plugin of somebody else, which nothing satisfies."""

    @property
    def name(self) -> str:
        return "Other"

    @property
    def version(self) -> str:
        return "1"

    @property
    def rule_ids(self) -> list[str]:
        return ["blue"]

    def validate(self, context: cdk.IPolicyValidationContext) -> cdk.PolicyValidationPluginReport:
        resource = cdk.PolicyViolatingResource(
            resource_logical_id="Any", template_path=context.template_paths[0], locations=[]
        )
        return cdk.PolicyValidationPluginReport(
            success=False,
            violations=[
                cdk.PolicyViolation(
                    rule_name="blue", description="it is not blue", violating_resources=[resource]
                )
            ],
        )
