from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import ROOT, USER, Run, policy, statement, template, write

LESS = template(
    {"KeyPolicy": policy(statement("Root", ROOT, "kms:*"), statement("Users", USER, "kms:Encrypt"))}
)
MORE = template(
    {
        "KeyPolicy": policy(
            statement("Root", ROOT, "kms:*"), statement("Users", USER, "kms:Encrypt", "kms:Decrypt")
        )
    }
)


@pytest.fixture
def less(tmp_path: Path) -> Path:
    return write(tmp_path / "less.json", LESS)


@pytest.fixture
def more(tmp_path: Path) -> Path:
    return write(tmp_path / "more.json", MORE)


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        pytest.param(["less.json", "less.json"], 0, id="same"),
        pytest.param(["less.json", "more.json"], 0, id="gain"),
        pytest.param(["less.json", "more.json", "--fail-on-gain"], 1, id="gain-that-fails"),
        pytest.param(["more.json", "less.json", "--fail-on-gain"], 0, id="loss"),
        pytest.param(["less.json", "broken.json", "--fail-on-gain"], 2, id="unreadable"),
        pytest.param(["less.json"], 2, id="one-side"),
    ],
)
@pytest.mark.usefixtures("less", "more", "broken")
def test_exit_codes(run: Run, arguments: list[str], code: int) -> None:
    assert run("diff", *arguments).code == code


def test_who_gains_what(run: Run, less: Path, more: Path) -> None:
    done = run("diff", less, more)
    assert done.out == (f"alias/orders\n  {USER}\n    + decrypt no access → allowed  by Users\n\n")
    assert done.err == "1 gained, 0 lost\n"


def test_as_json(run: Run, less: Path, more: Path) -> None:
    document = run("diff", more, less, "--format", "json").json()
    assert document["summary"] == {"gained": 0, "lost": 1}
    assert document["changes"] == [
        {
            "key": "alias/orders",
            "principal": USER,
            "capability": "decrypt",
            "before": "allowed",
            "after": "none",
            "gain": False,
            "statements": ["Users"],
            "conditions": [],
        }
    ]


def test_a_new_key_is_all_gain(run: Run, less: Path, tmp_path: Path) -> None:
    nothing = write(tmp_path / "nothing.json", {"Resources": {"Bucket": {"Type": "AWS::S3::Bucket"}}})
    assert run("diff", nothing, less, "--fail-on-gain").code == 1
    assert run("diff", less, nothing, "--fail-on-gain").code == 0


def test_as_markdown(run: Run, less: Path, more: Path) -> None:
    assert "| **gains** | decrypt |" in run("diff", less, more, "-f", "markdown").out


def test_what_is_unreadable_is_said_to_count_as_absent(run: Run, less: Path, broken: Path) -> None:
    done = run("diff", broken, less)
    assert done.code == 2
    assert "broken.json" in done.err
    assert "counts as absent" in done.err


def test_what_both_sides_say_is_told_once(run: Run, less: Path, more: Path) -> None:
    done = run("diff", less, more, "--parameter", "Nam=x", "--format", "json")
    assert [problem["message"] for problem in done.json()["problems"]] == [
        "no template has a parameter 'Nam'"
    ]
    assert done.err.count("no template has a parameter 'Nam'") == 1
