"""Input files of the command tests, and a way to run the command."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from kms_constructs.cli import main as entry

ROOT = "arn:aws:iam::111122223333:root"
ADMIN = "arn:aws:iam::111122223333:role/Admin"
USER = "arn:aws:iam::111122223333:role/User"


def statement(sid: str, principal: object, *actions: str, **rest: object) -> dict[str, object]:
    return {
        "Sid": sid,
        "Effect": "Allow",
        "Principal": {"AWS": principal},
        "Action": list(actions),
        "Resource": "*",
        **rest,
    }


def policy(*statements: dict[str, object]) -> dict[str, object]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def template(key: dict[str, object] | None = None, **sections: object) -> dict[str, object]:
    """A template with one key, whose properties are those given over good ones."""
    properties = {
        "EnableKeyRotation": True,
        "KeyPolicy": policy(
            statement("Root", ROOT, "kms:*"), statement("Users", USER, "kms:Encrypt", "kms:DescribeKey")
        ),
        **(key or {}),
    }
    return {
        "Resources": {
            "OrdersKey": {
                "Type": "AWS::KMS::Key",
                "DeletionPolicy": "Retain",
                "UpdateReplacePolicy": "Retain",
                "Properties": {name: value for name, value in properties.items() if value is not None},
            },
            "Alias": {
                "Type": "AWS::KMS::Alias",
                "Properties": {"AliasName": "alias/orders", "TargetKeyId": {"Ref": "OrdersKey"}},
            },
        },
        **sections,
    }


@dataclass(frozen=True)
class Done:
    """What a run of the command left behind."""

    code: int
    out: str
    err: str

    def json(self) -> Any:
        return json.loads(self.out)


Run = Callable[..., Done]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs the command as its entry point does, in this process."""

    def go(*arguments: str | Path) -> Done:
        with pytest.raises(SystemExit) as exit_:
            entry.main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        assert isinstance(exit_.value.code, int)
        return Done(int(exit_.value.code), captured.out, captured.err)

    return go


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every test runs in a directory of its own, without a configuration, colours or a width set outside."""
    monkeypatch.chdir(tmp_path)
    for name in ("NO_COLOR", "FORCE_COLOR", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def good(tmp_path: Path) -> Path:
    return write(tmp_path / "good.json", template())


@pytest.fixture
def bad(tmp_path: Path) -> Path:
    return write(tmp_path / "bad.json", template({"EnableKeyRotation": False}))


@pytest.fixture
def undetermined(tmp_path: Path) -> Path:
    return write(
        tmp_path / "undetermined.json",
        template({"EnableKeyRotation": {"Ref": "Rotate"}}, Parameters={"Rotate": {"Type": "String"}}),
    )


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    file = tmp_path / "broken.json"
    file.write_text('{"Resources": ', "utf-8")
    return file


def write(file: Path, document: object) -> Path:
    file.write_text(json.dumps(document, indent=2), "utf-8")
    return file
