from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from junitparser import JUnitXml

from kms_constructs.reports.formats import JUDGED
from kms_constructs.sources import files
from tests.cli.conftest import ROOT, Run, policy, statement, template, write

ROTATION = ("--control", "KMS:001")


@pytest.mark.parametrize(
    ("files", "options", "code"),
    [
        pytest.param(["good.json"], [], 0, id="clean"),
        pytest.param(["bad.json"], [], 1, id="violation"),
        pytest.param(["undetermined.json"], [], 3, id="undetermined"),
        pytest.param(["undetermined.json", "bad.json"], [], 1, id="violation-beats-undetermined"),
        pytest.param(["broken.json"], [], 2, id="unreadable"),
        pytest.param(["broken.json", "bad.json"], [], 2, id="unreadable-beats-violation"),
        pytest.param(["missing.json"], [], 2, id="missing"),
        pytest.param(["undetermined.json"], ["--undetermined-ok"], 0, id="undetermined-ok"),
        pytest.param(["bad.json"], ["--undetermined-ok"], 1, id="undetermined-ok-is-no-amnesty"),
        pytest.param(["bad.json"], ["--exit-zero"], 0, id="exit-zero"),
        pytest.param(["undetermined.json"], ["--exit-zero"], 0, id="exit-zero-undetermined"),
        pytest.param(["broken.json"], ["--exit-zero"], 2, id="exit-zero-unreadable"),
        pytest.param(["undetermined.json"], ["--parameter", "Rotate=true"], 0, id="parameter-good"),
        pytest.param(["undetermined.json"], ["--parameter", "Rotate=false"], 1, id="parameter-bad"),
        pytest.param(["undetermined.json"], ["--parameter", "Rotte=true"], 2, id="parameter-misspelt"),
        pytest.param(["undetermined.json"], ["--parameter", "Rotate"], 2, id="parameter-without-value"),
        pytest.param(["good.json"], ["--account", "123"], 2, id="account-too-short"),
        pytest.param(["good.json"], ["--control", "KMS:999"], 2, id="no-such-control"),
        pytest.param(["good.json"], ["--format", "pdf"], 2, id="no-such-format"),
        pytest.param(["good.json"], ["--config", "missing.toml"], 2, id="no-such-configuration"),
        pytest.param(["good.json"], ["--scp", "missing.json"], 2, id="no-such-scp"),
        pytest.param([], [], 2, id="no-path"),
    ],
)
@pytest.mark.usefixtures("good", "bad", "undetermined", "broken")
def test_exit_codes(run: Run, files: list[str], options: list[str], code: int) -> None:
    done = run("check", *files, *ROTATION, *options)
    assert done.code == code
    assert "Traceback" not in done.err


@pytest.mark.parametrize("format_", JUDGED.names)
@pytest.mark.usefixtures("good", "bad", "undetermined", "broken")
def test_the_exit_code_does_not_depend_on_the_format(run: Run, format_: str) -> None:
    assert [
        run("check", f"{name}.json", *ROTATION, "--format", format_).code
        for name in ("good", "bad", "broken", "undetermined")
    ] == [0, 1, 2, 3]


def test_the_table_tells_what_where_and_how_to_fix_it(run: Run, bad: Path) -> None:
    done = run("check", bad, *ROTATION)
    assert "✗ violation  KMS:001" in done.out
    assert "bad.json" in done.out
    assert "Properties/EnableKeyRotation" in done.out
    assert "fix" in done.out
    assert done.out.splitlines()[-1] == "1 key: 1 violation, 0 compliant checks"
    assert done.err == ""


def test_compliant_findings_are_shown_on_request(run: Run, good: Path) -> None:
    assert "✓ compliant" not in run("check", good, *ROTATION).out
    assert "✓ compliant  KMS:001" in run("check", good, *ROTATION, "--all").out


def test_what_is_readable_is_judged_though_something_is_not(run: Run, bad: Path, broken: Path) -> None:
    done = run("check", broken, bad, *ROTATION, "--format", "json")
    document = done.json()
    assert [problem["source"] for problem in document["problems"]] == [str(broken)]
    assert [finding["id"] for finding in document["findings"] if finding["fails"]] == ["KMS:001[enabled]"]
    assert "broken.json" in done.err
    assert "Fix: " in done.err
    assert done.err.splitlines()[-1].startswith("1 key: 1 problem reading input, 1 violation")


def test_json_goes_to_the_terminal_and_the_summary_beside_it(run: Run, bad: Path) -> None:
    done = run("check", bad, *ROTATION, "-f", "json")
    assert done.json()["summary"]["violation"] == 1
    assert done.err == "1 key: 1 violation, 0 compliant checks\n"


def test_several_outputs_at_once(run: Run, bad: Path, tmp_path: Path) -> None:
    names = ["a.json", "a.sarif", "b.sarif.json", "a.xml", "a.html", "a.txt"]
    arguments = [part for name in names for part in ("-o", name)]
    done = run("check", bad, *ROTATION, *arguments, "-o", "-")
    assert done.code == 1
    texts = {name: (tmp_path / name).read_text("utf-8") for name in names}
    assert json.loads(texts["a.json"])["report"] == "check"
    assert json.loads(texts["a.sarif"])["version"] == "2.1.0"
    assert texts["b.sarif.json"] == texts["a.sarif"]
    assert JUnitXml.fromstring(texts["a.xml"].encode()).failures == 1
    assert texts["a.html"].startswith("<!doctype html>")
    assert texts["a.txt"].splitlines()[-1] == done.out.splitlines()[-1]
    assert done.err == ""


def test_the_format_wins_over_the_ending(run: Run, bad: Path, tmp_path: Path) -> None:
    done = run("check", bad, *ROTATION, "--format", "json", "--output", "report.html")
    assert json.loads((tmp_path / "report.html").read_text("utf-8"))["report"] == "check"
    assert done.out == ""


@pytest.mark.parametrize(
    ("file", "hint"),
    [
        pytest.param(
            "report.pdf",
            "use one of .csv, .htm, .html, .json, .markdown, .md, .sarif, .sarif.json, .txt, .xml",
            id="unknown-ending",
        ),
        pytest.param("report", "or give --format", id="no-ending"),
        pytest.param(".json", "the ending tells no format", id="ending-alone"),
        pytest.param("pdf:report", "the ending tells no format", id="no-such-format"),
        pytest.param("json:no/such/directory/report", "it cannot be written", id="named-and-not-there"),
        pytest.param("no/such/directory/report.json", "it cannot be written", id="no-such-directory"),
    ],
)
def test_outputs_that_cannot_be(run: Run, good: Path, file: str, hint: str) -> None:
    done = run("check", good, *ROTATION, "-o", file)
    assert done.code == 2
    assert file.removeprefix("json:") in done.err
    assert hint in done.err


def test_a_format_of_another_command_is_refused(run: Run, good: Path) -> None:
    done = run("explain", good, "-o", "report.sarif")
    assert (done.code, "the ending tells no format" in done.err) == (2, True)


def test_each_output_may_name_its_format(run: Run, bad: Path, tmp_path: Path) -> None:
    done = run(
        "check", bad, *ROTATION,
        "-o", "github:-", "-o", "gitlab:quality.json", "-o", "json:data", "-o", "a.sarif.json", "-o", "a.csv",
    )  # fmt: skip
    assert done.out.startswith("::error file=")
    assert isinstance(json.loads((tmp_path / "quality.json").read_text("utf-8")), list)
    assert json.loads((tmp_path / "data").read_text("utf-8"))["report"] == "check"
    assert json.loads((tmp_path / "a.sarif.json").read_text("utf-8"))["version"] == "2.1.0"
    assert (tmp_path / "a.csv").read_bytes().startswith(b"status,fails,control,")


def test_two_formats_in_one_file_are_refused(run: Run, bad: Path) -> None:
    done = run("check", bad, "-o", "json:a", "-o", "csv:a")
    assert (done.code, "json goes there already" in done.err) == (2, True)


def with_low_and_high() -> dict[str, object]:
    """One high finding (the account delegates everything) and one low one (no alias), and warnings."""
    document = template()
    assert isinstance(document["Resources"], dict)
    del document["Resources"]["Alias"]
    return document


LEVELS = ("--control", "IAM-KMS-8", "--control", "KMS:001", "--control", "KMS:010", "--control", "KMS:003")


@pytest.mark.parametrize(
    ("options", "shown", "code"),
    [
        pytest.param(
            [], {"IAM-KMS-8": "violation", "KMS:010": "violation", "KMS:003": "warning"}, 1, id="all"
        ),
        pytest.param(["--severity", "low"], {"IAM-KMS-8": "violation", "KMS:010": "violation"}, 1, id="low"),
        pytest.param(["--severity", "high"], {"IAM-KMS-8": "violation"}, 1, id="high"),
        pytest.param(
            ["--fail-on", "high"],
            {"IAM-KMS-8": "violation", "KMS:010": "warning", "KMS:003": "warning"},
            1,
            id="fail-on-high",
        ),
        pytest.param(
            ["--fail-on", "warning"],
            {"IAM-KMS-8": "violation", "KMS:010": "violation", "KMS:003": "violation"},
            1,
            id="fail-on-warnings",
        ),
        pytest.param(["--quiet"], {"IAM-KMS-8": "violation", "KMS:010": "violation"}, 1, id="quiet"),
        pytest.param(["--quiet", "--fail-on", "high"], {"IAM-KMS-8": "violation"}, 1, id="quiet-high"),
    ],
)
@pytest.mark.parametrize("format_", ["json", "csv"])
def test_severities(  # noqa: PLR0917 - fixtures and cases
    run: Run, tmp_path: Path, options: list[str], shown: dict[str, str], code: int, format_: str
) -> None:
    file = write(tmp_path / "t.json", with_low_and_high())
    done = run("check", file, *LEVELS, *options, "-f", format_)
    if format_ == "json":
        rows = [(one["control"], one["status"]) for one in done.json()["findings"]]
    else:
        rows = [(row["control"], row["status"]) for row in csv.DictReader(done.out.splitlines())]
    found = {control: status for control, status in rows if status not in ("compliant", "not applicable")}
    assert (found, done.code) == (shown, code)


@pytest.mark.parametrize(
    ("control", "options", "code"),
    [
        pytest.param("KMS:010", [], 1, id="low-fails"),
        pytest.param("KMS:010", ["--fail-on", "low"], 1, id="low-as-ever"),
        pytest.param("KMS:010", ["--fail-on", "medium"], 0, id="low-below-medium"),
        pytest.param("KMS:003", [], 0, id="a-warning"),
        pytest.param("KMS:003", ["--fail-on", "warning"], 1, id="warnings-asked-to-fail"),
        pytest.param("IAM-KMS-8", ["--fail-on", "high"], 1, id="high"),
        pytest.param("KMS:010", ["--severity", "high"], 1, id="what-is-not-shown-fails"),
        pytest.param("KMS:010", ["--severity", "critical"], 2, id="no-such-severity"),
    ],
)
def test_what_fails(run: Run, tmp_path: Path, control: str, options: list[str], code: int) -> None:
    file = write(tmp_path / "t.json", with_low_and_high())
    assert run("check", file, "--control", control, *options).code == code


def test_what_is_not_shown_is_counted(run: Run, tmp_path: Path) -> None:
    file = write(tmp_path / "t.json", with_low_and_high())
    done = run("check", file, "--control", "KMS:010", "--severity", "high")
    assert done.out == "1 key: 1 not shown, 0 compliant checks\n"
    summary = run("check", file, "--control", "KMS:010", "--severity", "high", "-f", "json").json()["summary"]
    assert (summary["verdict"], summary["exitCode"], summary["notShown"]) == ("violations", 1, 1)


@pytest.mark.parametrize("format_", ["table", "github"])
def test_quiet_says_nothing_when_nothing_fails(run: Run, good: Path, format_: str) -> None:
    done = run("check", good, *ROTATION, "--quiet", "-f", format_)
    assert (done.code, done.out, done.err) == (0, "", "")


def test_quiet_does_not_keep_quiet_about_input(run: Run, broken: Path) -> None:
    for format_ in ("table", "json"):
        done = run("check", broken, "--quiet", "-f", format_)
        assert (done.code, "broken.json" in done.out + done.err) == (2, True)


def test_sarif_has_line_numbers(run: Run, bad: Path) -> None:
    (result,) = run("check", bad, *ROTATION, "-f", "sarif").json()["runs"][0]["results"]
    line = result["locations"][0]["physicalLocation"]["region"]["startLine"]
    assert '"EnableKeyRotation": false' in bad.read_text("utf-8").splitlines()[line - 1]


def test_the_page_has_the_access_matrix(run: Run, good: Path) -> None:
    done = run("check", good, *ROTATION, "-f", "html")
    assert "Who may do what" in done.out
    assert "arn:aws:iam::111122223333:role/User" in done.out


def test_a_key_policy(run: Run, tmp_path: Path) -> None:
    file = write(tmp_path / "policy.json", policy(statement("Everyone", "*", "kms:*")))
    done = run("check", file, "--control", "KMS:004", "-f", "json")
    assert done.code == 1
    assert {finding["control"] for finding in done.json()["findings"]} == {"KMS:004"}


def test_the_configuration_of_the_project_applies(run: Run, bad: Path, tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(
        '[[tool.kms-constructs.acknowledgements]]\nid = "KMS:001[*]"\nreason = "rotated by hand"\n', "utf-8"
    )
    done = run("check", bad, *ROTATION)
    assert done.code == 0
    assert "why rotated by hand" in done.out


def test_a_wrong_configuration_is_named(run: Run, good: Path, tmp_path: Path) -> None:
    (tmp_path / "guardrails.toml").write_text("trusted_accounts = 5\n", "utf-8")
    done = run("check", good, "--config", "guardrails.toml")
    assert done.code == 2
    assert done.err.startswith("Error: guardrails.toml: trusted")
    assert "Fix: " in done.err


def test_input_without_a_key_is_said_to_be_so(run: Run, tmp_path: Path) -> None:
    file = write(tmp_path / "t.json", {"Resources": {"Bucket": {"Type": "AWS::S3::Bucket"}}})
    done = run("check", file, *ROTATION)
    assert done.code == 0
    assert "There is no KMS key in what was given." in done.err


def test_an_organization_policy_takes_access_away(run: Run, tmp_path: Path) -> None:
    file = write(
        tmp_path / "t.json",
        template(
            {
                "KeyPolicy": policy(
                    statement("Root", ROOT, "kms:*"),
                    statement("Ops", "arn:aws:iam::111122223333:role/Ops", "kms:ScheduleKeyDeletion"),
                )
            }
        ),
    )
    scp = write(
        tmp_path / "scp.json",
        policy(
            {
                "Sid": "Keep",
                "Effect": "Deny",
                "Action": "kms:ScheduleKeyDeletion",
                "Resource": "*",
                "Condition": {"ArnNotEquals": {"aws:PrincipalArn": ROOT}},
            }
        ),
    )
    options = ("--control", "IAM-KMS-3", "--account", "111122223333")
    assert run("check", file, *options).code == 1
    assert run("check", file, *options, "--scp", scp).code == 0


def test_hostile_names_reach_no_terminal(run: Run, tmp_path: Path) -> None:
    name = "\x1b[2J\u202e[red]x[/red]"
    document = template(
        {"KeyPolicy": policy(statement(name, f"arn:aws:iam::111122223333:role/{name}", "kms:*"))}
    )
    done = run("check", write(tmp_path / "t.json", document), "--all")
    assert "\x1b" not in done.out + done.err
    assert "\u202e" not in done.out + done.err


def test_standard_input_is_called_so(run: Run, bad: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "STDIN", bad)
    for format_ in JUDGED.names:
        done = run("check", "-", *ROTATION, "-f", format_)
        assert (done.code, str(bad) in done.out) == (1, False), format_
        assert format_ in ("github", "sarif") or "standard input" in done.out, format_
