from __future__ import annotations

import json
import os
import tomllib
from pathlib import Path

import pytest

from kms_constructs.cli.init import FILES
from kms_constructs.guardrails.config import GuardrailConfig, load_config
from tests.cli.conftest import Run
from tests.scripts import Ended, run_file


def written(place: Path) -> list[str]:
    return sorted(path.name for path in place.iterdir())


def test_it_writes_four_files_and_says_what_is_next(run: Run, tmp_path: Path) -> None:
    done = run("init", "orders")
    assert done.code == 0
    assert written(tmp_path / "orders") == sorted(FILES)
    assert done.err == "Wrote app.py, cdk.json, requirements.txt, pyproject.toml to orders.\n"
    assert done.out.splitlines()[1] == "  cd orders"
    assert "kms-constructs explain cdk.out" in done.out


def test_the_directory_is_this_one_by_default(run: Run, tmp_path: Path) -> None:
    done = run("init")
    assert (done.code, written(tmp_path)) == (0, sorted(FILES))
    assert "  cd " not in done.out


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("kind", ["file", "link"])
def test_nothing_is_overwritten(run: Run, tmp_path: Path, name: str, kind: str) -> None:
    if kind == "file":
        (tmp_path / name).write_text("mine\n", "utf-8")
    else:
        (tmp_path / name).symlink_to("nowhere")
    done = run("init")
    assert done.code == 2
    assert f"{name} in .: there already. Fix: choose another directory, or give --force" in done.err
    assert written(tmp_path) == [name]


def test_force_overwrites_all_but_the_configuration(run: Run, tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text("mine\n", "utf-8")
    own = '[project]\nname = "mine"\n'
    (tmp_path / "pyproject.toml").write_text(own, "utf-8")
    assert run("init", "--force").code == 0
    assert "SecureKmsKey(" in (tmp_path / "app.py").read_text("utf-8")
    text = (tmp_path / "pyproject.toml").read_text("utf-8")
    assert text.startswith(own)
    assert tomllib.loads(text)["tool"]["kms-constructs"]["trusted-accounts"] == []

    assert run("init", "--force").code == 0
    assert (tmp_path / "pyproject.toml").read_text("utf-8") == text


def test_a_configuration_that_cannot_be_read_is_kept(run: Run, tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("not toml", "utf-8")
    done = run("init", "--force")
    assert (done.code, "pyproject.toml: it cannot be read" in done.err) == (2, True)
    assert written(tmp_path) == ["pyproject.toml"]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        pytest.param(["--account", "1"], "this is no account id", id="account"),
        pytest.param(["--account", '111122223333")'], "this is no account id", id="account-with-code"),
        pytest.param(["--region", "here"], "this is no Region", id="region"),
        pytest.param(["--region", 'eu-west-1"'], "this is no Region", id="region-with-code"),
    ],
)
def test_what_is_no_account_and_no_region(run: Run, tmp_path: Path, options: list[str], says: str) -> None:
    done = run("init", *options)
    assert (done.code, says in done.err, written(tmp_path)) == (2, True, [])


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes anywhere")
def test_a_directory_that_cannot_be_written(run: Run, tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    done = run("init", "below")
    assert (done.code, "it cannot be written" in done.err) == (2, True)


def test_a_file_where_the_directory_should_be(run: Run, tmp_path: Path) -> None:
    (tmp_path / "below").write_text("", "utf-8")
    assert run("init", "below").code == 2
    done = run("init", "below/deeper")
    assert (done.code, "it cannot be written" in done.err) == (2, True)


def test_the_configuration_is_the_default_one(run: Run, tmp_path: Path) -> None:
    run("init")
    default = GuardrailConfig(source=str(tmp_path / "pyproject.toml"))
    assert load_config("pyproject.toml").production_environments == default.production_environments
    found = run("config", "--format", "json").json()["settings"]
    (tmp_path / "pyproject.toml").unlink()
    assert run("config", "--format", "json").json()["settings"] == found


@pytest.mark.cdk
@pytest.mark.slow
@pytest.mark.parametrize(("region", "partition"), [("eu-west-1", "aws"), ("us-gov-west-1", "aws-us-gov")])
def test_what_it_writes_synthesizes_and_passes(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, region: str, partition: str
) -> None:
    run("init", "app", "--region", region, "--account", "444455556666")
    place = tmp_path / "app"
    command = json.loads((place / "cdk.json").read_text("utf-8"))["app"]
    assert command == "python app.py"
    environment = {name: value for name, value in os.environ.items() if name != "CDK_OUTDIR"}
    assert run_file("app.py", directory=place, environment=environment) == Ended(0, "")
    text = (place / "cdk.out" / "Orders.template.json").read_text("utf-8")
    assert f"arn:{partition}:iam::444455556666:role/KeyAdministrators" in text

    monkeypatch.chdir(place)
    checked = run("check", "cdk.out")
    assert checked.code == 0
    *notes, summary = [line for line in checked.out.splitlines() if line.startswith(("note: ", "1 key: "))]
    assert summary.split(", ")[0] == "1 key: no violations"
    # The app says itself who manages its key, and that is shown; nothing else is to be noted.
    assert notes
    assert all("declares itself who is authorised for IAM-KMS-" in note for note in notes)
