from __future__ import annotations

import json
from pathlib import Path

import pytest

from kms_constructs.errors import SourceError
from kms_constructs.sources.kms_api.answers import Answers, Call
from tests.cli.conftest import Run
from tests.runtime.accounts import whole
from tests.sources.kms_api.build import ACCOUNT, KEY_ID, REGION, Seed, answers_of, refused


@pytest.fixture
def file(tmp_path: Path) -> str:
    found = tmp_path / "a.json"
    found.write_text(whole().to_text(), "utf-8")
    return str(found)


def test_a_plan_says_what_to_do_and_what_people_have_to_decide(run: Run, file: str) -> None:
    done = run("remediate", "--plan", file)
    assert done.code == 1
    assert "do   aws kms enable-key-rotation --region eu-west-1" in done.out
    assert "by hand: KMS:004[public]" in done.out
    assert "do   enable_key_rotation = true" in run("remediate", "--plan", file, "--words", "terraform").out


def test_as_json(run: Run, file: str) -> None:
    document = run("remediate", "--plan", file, "--control", "KMS:001", "--format", "json").json()
    assert {(one["kind"], *one["findings"]) for one in document} == {("change", "KMS:001[enabled]")}


def test_nothing_to_do(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "good.json"
    file.write_text(answers_of(Seed()).to_text(), "utf-8")
    done = run("remediate", "--plan", str(file), "--control", "KMS:001")
    assert (done.code, done.out) == (0, "")


def test_nothing_is_changed_without_a_yes(run: Run, file: str, monkeypatch: pytest.MonkeyPatch) -> None:
    called: list[object] = []
    monkeypatch.setattr("kms_constructs.runtime.applying.apply", lambda *given: called.append(given))
    monkeypatch.setattr("click.confirm", lambda *_given, **_more: False)
    assert run("remediate", "--plan", file, "--control", "KMS:001", "--apply").code == 1
    assert called == []


def test_a_file_that_holds_no_answers(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "t.json"
    file.write_text(json.dumps({"Resources": {}}), "utf-8")
    done = run("remediate", "--plan", str(file))
    assert (done.code, "it holds no saved answers" in done.err) == (2, True)


def plan_of(run: Run, tmp_path: Path, answers: Answers, control: str) -> tuple[int, list[dict[str, object]]]:
    file = tmp_path / "plan.json"
    file.write_text(answers.to_text(), "utf-8")
    done = run("remediate", "--plan", str(file), "--control", control, "--format", "json")
    return done.code, done.json()


def test_what_is_not_known_is_not_nothing_to_do(run: Run, tmp_path: Path) -> None:
    gap = refused(answers_of(Seed()), Call.of(ACCOUNT, REGION, "kms", "GetKeyRotationStatus", KeyId=KEY_ID))
    code, changes = plan_of(run, tmp_path, gap, "KMS:001")
    assert (code, [one["kind"] for one in changes]) == (3, ["not known"])


def test_no_change_is_proposed_that_kms_refuses(run: Run, tmp_path: Path) -> None:
    off = Seed(rotation={"KeyRotationEnabled": False}, metadata={"KeyState": "Disabled"})
    _, (change,) = plan_of(run, tmp_path, answers_of(off), "KMS:001")
    assert (change["kind"], change["findings"]) == ("by hand", ["KMS:001[enabled]"])
    assert "enable it, or retire it" in str(change["why"])


def test_a_change_that_aws_does_not_take_leaves_the_others_to_be_made(
    run: Run, file: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[str] = []

    def refuses_first(_client: object, operation: str, *_given: object) -> None:
        made.append(operation)
        if len(made) == 1:
            raise SourceError("the key", "AWS did not take the change (DisabledException)", "Plan anew")

    monkeypatch.setattr("kms_constructs.runtime.applying.apply", refuses_first)
    monkeypatch.setattr("kms_constructs.runtime.sessions.key_client", lambda *_given: None)
    monkeypatch.setattr("click.confirm", lambda *_given, **_more: True)
    done = run("remediate", "--plan", file, "--control", "KMS:001", "--control", "KMS:002", "--apply")
    assert (done.code, made) == (1, ["CancelKeyDeletion", "EnableKeyRotation"])
    assert "DisabledException" in done.err
