"""Every command asks within the organization: rules, page, matrix and comparison say the same."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import ADMIN, ROOT, Run, policy, statement, template, write

ACCOUNT = ("--account", "111122223333")
DENY: dict[str, Any] = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Deny", "Action": "kms:ScheduleKeyDeletion", "Resource": "*"}],
}


@pytest.fixture
def ops(tmp_path: Path) -> Path:
    """A key whose deletion one role may schedule, which is authorised nowhere."""
    statements = (
        statement("Root", ROOT, "kms:PutKeyPolicy"),
        statement("Ops", ADMIN, "kms:ScheduleKeyDeletion"),
    )
    return write(tmp_path / "ops.json", template({"KeyPolicy": policy(*statements)}))


@pytest.fixture(params=["scp", "rcp"])
def bound(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, Path]:
    """An option that puts an organization policy in force, with its file."""
    document = json.loads(json.dumps(DENY))
    if request.param == "rcp":
        document["Statement"][0]["Principal"] = "*"
    return f"--{request.param}", write(tmp_path / "organization.json", document)


def deleting(document: dict[str, Any]) -> set[str]:
    return {
        row["principal"]
        for key in document["keys"]
        for row in key["principals"]
        for cell in row["access"]
        if cell["capability"] == "schedule deletion"
    }


def test_the_rule_and_the_page_agree(run: Run, ops: Path, bound: tuple[str, Path]) -> None:
    only = ("--control", "IAM-KMS-3", *ACCOUNT)
    free, held = run("check", ops, *only, "-f", "html"), run("check", ops, *only, *bound, "-f", "html")

    assert (free.code, held.code) == (1, 0)
    assert ("allowed by Ops" in free.out, "allowed by Ops" in held.out) == (True, False)


def test_explain(run: Run, ops: Path, bound: tuple[str, Path]) -> None:
    assert deleting(run("explain", ops, *ACCOUNT, "-f", "json").json()) == {ADMIN}
    assert deleting(run("explain", ops, *ACCOUNT, *bound, "-f", "json").json()) == set()


def test_explain_of_one_principal(run: Run, ops: Path, bound: tuple[str, Path]) -> None:
    asked = ("explain", ops, *ACCOUNT, "--principal", ADMIN, "-f", "json")
    assert deleting(run(*asked).json()) == {ADMIN}
    assert deleting(run(*asked, *bound).json()) == set()


def test_diff(run: Run, ops: Path, good: Path, bound: tuple[str, Path]) -> None:
    def gained(*options: str | Path) -> set[str]:
        changes = run("diff", good, ops, *ACCOUNT, *options, "-f", "json").json()["changes"]
        return {change["capability"] for change in changes if change["principal"] == ADMIN and change["gain"]}

    assert gained() == {"schedule deletion"}
    assert gained(*bound) == set()


@pytest.mark.parametrize(
    "command", [["check"], ["explain"], ["diff", "good.json"]], ids=lambda words: words[0]
)
def test_a_policy_that_cannot_be_read_is_told(run: Run, good: Path, command: list[str]) -> None:
    done = run(*command, good, "--scp", "missing.json")
    assert done.code == 2
    assert "missing.json" in done.err + done.out


@pytest.mark.parametrize("command", ["explain", "diff"])
def test_parameters_and_the_account_decide_everywhere(run: Run, tmp_path: Path, command: str) -> None:
    arn = {"Fn::Sub": "arn:aws:iam::${AWS::AccountId}:role/${Name}"}
    document = template(
        {"KeyPolicy": policy(statement("Users", arn, "kms:Decrypt"))},
        Parameters={"Name": {"Type": "String"}},
    )
    file = write(tmp_path / "parameter.json", document)
    nothing = write(tmp_path / "nothing.json", {"Resources": {}})
    paths = [file] if command == "explain" else [nothing, file]
    done = run(command, *paths, *ACCOUNT, "--parameter", "Name=Reader", "-f", "json")
    assert "arn:aws:iam::111122223333:role/Reader" in done.out


@pytest.mark.parametrize("command", ["check", "explain", "diff"])
@pytest.mark.parametrize("ignored", [False, True], ids=["taken", "left open"])
def test_defaults_are_told_and_may_be_left_open(
    run: Run, tmp_path: Path, command: str, *, ignored: bool
) -> None:
    document = template(
        {"KeyPolicy": policy(statement("Users", {"Ref": "Who"}, "kms:Decrypt"))},
        Parameters={"Who": {"Type": "String", "Default": "arn:aws:iam::111122223333:role/Reader"}},
    )
    file = write(tmp_path / "default.json", document)
    nothing = write(tmp_path / "nothing.json", {"Resources": {}})
    paths = [nothing, file] if command == "diff" else [file]
    done = run(command, *paths, *ACCOUNT, *(["--ignore-defaults"] if ignored else []))
    assert ("is taken from the default of parameter Who" in done.err + done.out) is not ignored
