"""What is read, and what is told of a file that is not: one clear error with the fix."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kms_constructs.cli.main import main
from kms_constructs.model.estate import SourceProblem
from kms_constructs.sources import load
from kms_constructs.sources.terraform.plan import AGAIN
from tests.sources.terraform.plans import block, made, module, plan, read, state

WHAT = (
    "Give a CloudFormation template, a cdk.out directory, a Terraform plan (terraform show -json), "
    "what kms-constructs audit --save wrote or a key "
    "policy"
)


def run(*arguments: str) -> int | str | None:
    """The exit code of the command."""
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    return ended.value.code


REFUSED: dict[str, tuple[str, bytes, str, str]] = {
    "binary plan": (
        "plan.out",
        b"PK\x03\x04\x14\x00",
        "it is a plan file in binary form",
        "Run terraform show -json plan.out > plan.json, and give plan.json",
    ),
    "binary plan by another name": (
        "plan.json",
        b"PK\x03\x04\x14\x00",
        "it is a plan file in binary form",
        "Run terraform show -json plan.json > shown.json, and give shown.json",
    ),
    "configuration": (
        "main.tf",
        b'resource "aws_kms_key" "a" {}\n',
        "it is Terraform configuration, not a plan",
        AGAIN,
    ),
    "configuration of OpenTofu": (
        "main.tofu",
        b"locals {}",
        "it is Terraform configuration, not a plan",
        AGAIN,
    ),
    "configuration as JSON": (
        "main.tf.json",
        b'{"resource": {"aws_kms_key": {"a": {}}}}',
        "it is Terraform configuration; give what terraform show -json makes of a plan file",
        WHAT,
    ),
    "state as it is kept": (
        "terraform.tfstate",
        b'{"version": 4, "serial": 1, "lineage": "x", "resources": []}',
        "it is a state file as Terraform keeps it; give what terraform show -json makes of it",
        WHAT,
    ),
    "log of a run": (
        "plan.json",
        b'{"@level":"info","@message":"Terraform 1.9"}\n{"@level":"info"}\n',
        "it is the log of terraform plan -json",
        AGAIN,
    ),
    "a later format": (
        "plan.json",
        b'{"format_version": "2.0", "planned_values": {}}',
        "its format_version is '2.0', and only versions 0, 1 are known here",
        "Update kms-constructs, or write the plan with a version of Terraform that it knows",
    ),
    "a format that is no text": (
        "plan.json",
        b'{"format_version": [], "planned_values": {}}',
        "its format_version is not text, and only versions 0, 1 are known here",
        "Update kms-constructs, or write the plan with a version of Terraform that it knows",
    ),
    "torn": (
        "plan.json",
        b'{"format_version": "1.2", ',
        "it is not JSON: Expecting property name enclosed in double quotes at line 1, column 27",
        "Correct the file there",
    ),
}


@pytest.mark.parametrize("case", REFUSED.values(), ids=REFUSED.keys())
def test_what_is_not_read_is_told_with_the_fix(
    case: tuple[str, bytes, str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name, content, message, fix = case
    path = tmp_path / name
    path.write_bytes(content)

    assert load([path]).problems == (SourceProblem(str(path), message, fix),)
    assert run("check", str(path)) == 2
    assert "0 keys: 1 problem" in capsys.readouterr().out


def test_a_directory_with_a_plan_is_read(tmp_path: Path) -> None:
    given = plan(made("aws_kms_key.a"), configuration=module(block("aws_kms_key.a")))
    (tmp_path / "plan.json").write_text(json.dumps(given), encoding="utf-8")
    (tmp_path / "other.json").write_text('{"format_version": "1.0"}', encoding="utf-8")
    (tmp_path / "main.tf").write_text("locals {}", encoding="utf-8")

    estate = load([tmp_path])

    assert ([key.location.logical_id for key in estate.keys], estate.problems) == (["aws_kms_key.a"], ())


@pytest.mark.parametrize("command", ["check", "explain"])
def test_the_commands_read_plans(command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "plan.json"
    path.write_text(json.dumps(plan(made("module.a.aws_kms_key.this[0]"))), encoding="utf-8")

    code = run(command, str(path))

    assert (code, "module.a.aws_kms_key.this[0]" in capsys.readouterr().out) == (
        int(command == "check"),
        True,
    )


def test_diff_tells_what_a_plan_changes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    document = (
        '{"Statement": {"Effect": "Allow", "Principal": "*", "Action": "kms:Decrypt", "Resource": "*"}}'
    )
    before, after = tmp_path / "before.json", tmp_path / "after.json"
    before.write_text(
        json.dumps(state(made("aws_kms_key.a", {"policy": '{"Statement": []}'}))), encoding="utf-8"
    )
    after.write_text(json.dumps(plan(made("aws_kms_key.a", {"policy": document}))), encoding="utf-8")

    run("diff", str(before), str(after))

    assert "+ decrypt no access → allowed  by statement 0" in capsys.readouterr().out


BROKEN: dict[str, tuple[dict[str, object], str]] = {
    "broke off": ({"errored": True}, "the plan broke off with an error and is not complete"),
    "made with -target": (
        {"errored": False, "complete": False},
        "the plan is not complete: it was made with -target, or leaves changes to a later plan",
    ),
    "deferred": (
        {"deferred_changes": [{"resource_change": {"address": "aws_kms_key.b", "type": "aws_kms_key"}}]},
        "its change is deferred, so the plan does not say what it will be",
    ),
    "values that are no object": ({"planned_values": []}, "its values are no object"),
    "a module that is no object": (
        {"planned_values": {"root_module": 1}},
        "a module is no object, or nested too deeply",
    ),
    "resources that are no list": (
        {"planned_values": {"root_module": {"resources": {}}}},
        "resources or child_modules of a module is no list",
    ),
    "a resource without a type": (
        {"planned_values": {"root_module": {"resources": [{"address": "a.b"}]}}},
        "a resource has no address, type, name or values",
    ),
    "a change without values": (
        {"resource_changes": [{"address": "aws_kms_key.b", "change": {"actions": ["create"]}}]},
        "the plan changes it and does not hold its values",
    ),
    "no values": ({"planned_values": None}, "its values are no object"),
    "changes that are no list": ({"resource_changes": {}}, "resource_changes is no list"),
    "a change without an address": (
        {"resource_changes": [{}]},
        "a resource change has no address or no change",
    ),
}


@pytest.mark.parametrize(("parts", "message"), BROKEN.values(), ids=BROKEN.keys())
def test_a_part_that_cannot_be_read_is_told(parts: dict[str, object], message: str) -> None:
    assert message in [one.message for one in read({**plan(), **parts})[1]]


@pytest.mark.parametrize(("parts", "message"), BROKEN.values(), ids=BROKEN.keys())
def test_what_check_reads_tells_it_too(tmp_path: Path, parts: dict[str, object], message: str) -> None:
    file = tmp_path / "plan.json"
    file.write_text(json.dumps({**plan(), **parts}), encoding="utf-8")

    assert message in [one.message for one in load([file]).problems]


def test_an_empty_state_is_no_mistake() -> None:
    assert read({"format_version": "1.0", "terraform_version": "1.9.8"})[1] == []
