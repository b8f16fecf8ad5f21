from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tests.runtime.accounts import whole
from tests.sources.kms_api.build import Seed, answers_of


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
