"""What the commands say of a template that can become several keys."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from kms_constructs.reports.json_report import output_schema
from tests.cli.conftest import Run, write
from tests.sources.cloudformation.templates_with_choices import (
    PUBLIC,
    STAGE,
    Part,
    by_stage,
    equals,
    key,
    ref,
    template,
    when,
)

VALIDATOR = Draft202012Validator(output_schema())
OPEN_IN_PROD = when("IsProd", PUBLIC)
SAID = "With Stage=prod: Statement 'Open' lets in any principal of any account"


@pytest.fixture
def staged(tmp_path: Path) -> Path:
    return write(tmp_path / "staged.json", by_stage(OPEN_IN_PROD))


@pytest.mark.parametrize("format_", ["table", "json", "sarif", "junit", "html"])
def test_check_names_the_world_in_every_format(run: Run, staged: Path, format_: str) -> None:
    done = run("check", staged, "--control", "KMS:004", "--format", format_)
    assert done.code == 1
    text = " ".join(done.out.split()).replace("&#39;", "'")
    assert SAID in text


def test_check_has_the_world_as_a_field(run: Run, staged: Path) -> None:
    document = run("check", staged, "--control", "KMS:004", "--format", "json").json()
    VALIDATOR.validate(document)
    assert [finding["world"] for finding in document["findings"]] == ["Stage=prod"]
    assert "notes" not in document


def test_a_parameter_that_is_given_leaves_one_world(run: Run, staged: Path) -> None:
    for stage, code in (("dev", 0), ("prod", 1)):
        done = run(
            "check", staged, "--control", "KMS:004", "--parameter", f"Stage={stage}", "--format", "json"
        )
        assert done.code == code
        assert all("world" not in finding for finding in done.json()["findings"])


def test_the_bound_is_told(run: Run, tmp_path: Path) -> None:
    document = template(
        {"Key": key(*(when(f"C{number}", {**PUBLIC, "Sid": f"S{number}"}) for number in range(7)))},
        Parameters={f"P{number}": STAGE for number in range(7)},
        Conditions={f"C{number}": equals(ref(f"P{number}"), "prod") for number in range(7)},
    )
    file = write(tmp_path / "many.json", document)
    note = "decide together among more than 64 deployments"
    done = run("check", file, "--format", "json")
    VALIDATOR.validate(done.json())
    assert note in done.json()["notes"][0]
    for command in (("check", file), ("explain", file), ("diff", file, file)):
        assert note in " ".join(run(*command).err.split())


def test_explain_shows_each_world_that_differs(run: Run, staged: Path) -> None:
    document = run("explain", staged, "--format", "json").json()
    VALIDATOR.validate(document)
    shown = [
        (one["world"], [row["principal"] for row in one["principals"] if row["principal"] == ANYONE])
        for one in document["keys"]
    ]
    assert shown == [("Stage=dev", []), ("Stage=prod", [ANYONE])]
    for format_ in ("table", "markdown", "html"):
        text = run("explain", staged, "--format", format_).out
        assert "with Stage=dev" in text
        assert "with Stage=prod" in text


def test_explain_shows_what_is_equal_once(run: Run, tmp_path: Path) -> None:
    named = {"Key": key(), "Other": key(OPEN_IN_PROD)}
    file = write(tmp_path / "t.json", by_stage(Resources=named))
    document = run("explain", file, "--format", "json", "--key", "Key").json()
    assert [(one["key"]["name"], one.get("world")) for one in document["keys"]] == [("Key", None)]


def test_explain_finds_a_key_of_another_world(run: Run, tmp_path: Path) -> None:
    resources: Part = {"Key": {**key(), "Condition": "IsProd"}, "Other": key()}
    file = write(tmp_path / "t.json", by_stage(Resources=resources))
    for asked in ((), ("--key", "Key")):
        document = run("explain", file, "--format", "json", *asked).json()
        assert "Key" in [one["key"]["name"] for one in document["keys"]]


def _diff(run: Run, tmp_path: Path, old: Part, new: Part) -> list[tuple[str, str, str | None]]:
    files = write(tmp_path / "old.json", old), write(tmp_path / "new.json", new)
    document = run("diff", *files, "--format", "json").json()
    VALIDATOR.validate(document)
    return [
        (one["principal"], "gains" if one["gain"] else "loses", one.get("world"))
        for one in document["changes"]
        if one["capability"] == "decrypt" and one["principal"] == ANYONE
    ]


ANYONE = "any principal of any account, any AWS service"
DIFFS: dict[str, tuple[Part, Part, list[tuple[str, str, str | None]]]] = {
    "nothing": (by_stage(OPEN_IN_PROD), by_stage(OPEN_IN_PROD), []),
    "one world gains": (by_stage(), by_stage(OPEN_IN_PROD), [(ANYONE, "gains", "Stage=prod")]),
    "one world loses": (by_stage(OPEN_IN_PROD), by_stage(), [(ANYONE, "loses", "Stage=prod")]),
    "all gain": (by_stage(), by_stage(PUBLIC), [(ANYONE, "gains", None)]),
    "from one world to another": (
        by_stage(OPEN_IN_PROD),
        by_stage(when("IsProd", {"Ref": "AWS::NoValue"}, PUBLIC)),
        [(ANYONE, "gains", "Stage=dev"), (ANYONE, "loses", "Stage=prod")],
    ),
    "a value that is new": (
        by_stage(when("IsProd", {"Ref": "AWS::NoValue"})),
        by_stage(
            OPEN_IN_PROD,
            Parameters={"Stage": {**STAGE, "AllowedValues": ["dev", "qa", "prod"]}},
            Conditions={"IsProd": equals(ref("Stage"), "qa")},
        ),
        [(ANYONE, "gains", "Stage=qa")],
    ),
    "another input": (
        by_stage(OPEN_IN_PROD),
        by_stage(
            OPEN_IN_PROD,
            Parameters={"Size": {"Type": "String", "AllowedValues": ["s", "l"]}},
            Conditions={"IsProd": equals(ref("Size"), "l")},
        ),
        [(ANYONE, "gains", "Stage=dev and Size=l"), (ANYONE, "loses", "Stage=prod and Size=s")],
    ),
}


@pytest.mark.parametrize(("old", "new", "changes"), DIFFS.values(), ids=DIFFS.keys())
def test_diff(
    run: Run, tmp_path: Path, old: Part, new: Part, changes: list[tuple[str, str, str | None]]
) -> None:
    assert _diff(run, tmp_path, old, new) == changes


def test_diff_names_the_world_in_every_format(run: Run, tmp_path: Path) -> None:
    files = write(tmp_path / "old.json", by_stage()), write(tmp_path / "new.json", by_stage(OPEN_IN_PROD))
    for format_ in ("table", "markdown"):
        assert "with Stage=prod" in " ".join(run("diff", *files, "--format", format_).out.split())


def test_a_report_without_worlds_says_nothing_of_them(run: Run, tmp_path: Path) -> None:
    file = write(tmp_path / "t.json", template({"Key": key(PUBLIC)}))
    for command in ("check", "explain"):
        text = json.dumps(run(command, file, "--format", "json").json())
        assert '"world"' not in text
