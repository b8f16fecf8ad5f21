"""`audit` as it is called, offline: the emulator has a tier of its own (`tests/emulator/test_audit.py`)."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from kms_constructs.reports.json_report import output_schema
from kms_constructs.runtime.sessions import unheard_of
from kms_constructs.sources.kms_api.answers import Answer, Answers, Call
from tests.cli.conftest import Run, template, write
from tests.runtime.accounts import whole
from tests.sources.kms_api.build import ACCOUNT, GOOD_POLICY, KEY_ID, REGION, Seed, answers_of, refused

TRAIL = {"TrailARN": f"arn:aws:cloudtrail:{REGION}:{ACCOUNT}:trail/all", "HomeRegion": REGION}
TAGS = {"kms:policy-reviewed-on": "2099-01-01"}


def saved(answers: Answers, name: str = "answers.json") -> str:
    Path(name).write_text(answers.to_text(), "utf-8")
    return name


def good() -> Answers:
    return answers_of(Seed(), trails=[TRAIL])


def test_exit_codes(run: Run) -> None:
    config = Path("c.toml")
    config.write_text('[disabled]\n"KMS:008" = "no reviews yet"\n', "utf-8")
    where = ["--config", str(config)]
    assert run("audit", "--offline", saved(good()), *where).code == 0
    assert run("audit", "--offline", saved(answers_of(Seed(aliases=()), trails=[TRAIL])), *where).code == 1
    gap = refused(good(), Call.of(ACCOUNT, REGION, "kms", "ListGrants", KeyId=KEY_ID))
    assert run("audit", "--offline", saved(gap), *where).code == 3
    assert run("audit", "--offline", saved(gap), "--undetermined-ok", *where).code == 0
    assert run("audit", "--offline", "none.json", *where).code == 2


def test_the_score_and_its_formula_and_the_frameworks_are_shown(run: Run) -> None:
    done = run("audit", "--offline", saved(whole()))
    assert done.code == 1
    assert "Score: " in done.out
    assert "100 * 10k / (10k + w)" in done.out
    assert "CIS AWS Foundations 7.0: " in done.out
    assert "not decidable from here: The pending window of production keys" in done.out


def test_json_has_the_schema_that_is_documented(run: Run) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    document = run("audit", "--offline", saved(whole()), "--format", "json").json()
    jsonschema.validate(document, output_schema())
    assert document["report"] == "audit"
    assert {one["key_id"] for one in document["keys"]} >= {"good", "public"}


@pytest.mark.parametrize(
    "format_", ["sarif", "junit", "html", "markdown", "github", "gitlab", "csv", "inventory"]
)
def test_every_format_draws_it(run: Run, format_: str) -> None:
    done = run("audit", "--offline", saved(whole()), "--format", format_, "--quiet")
    assert done.code == 1
    assert "public" in done.out


def test_the_inventory_tells_cost_and_quantum_readiness(run: Run) -> None:
    done = run("audit", "--offline", saved(whole()), "-o", "keys.inventory.csv")
    assert done.code == 1
    lines = Path("keys.inventory.csv").read_text("utf-8").splitlines()
    assert lines[0].startswith("account,region,key_id,aliases")
    (signing,) = (line for line in lines if ",signing," in line)
    assert "vulnerable: signatures can be forged later" in signing
    (going,) = (line for line in lines if ",going," in line)
    assert ",0,0,resistant: AES-256" in going


def test_drift_from_what_is_declared(run: Run) -> None:
    file = write(Path("t.json"), template({"KeyPolicy": GOOD_POLICY}))
    off = answers_of(Seed(rotation={"KeyRotationEnabled": False}), trails=[TRAIL])
    done = run("audit", "--offline", saved(off), "--against", file, "--format", "json")
    assert [one["message"] for one in done.json()["findings"] if one["id"] == "KMS:DRIFT[rotation]"] == [
        "Rotation is off, and declared on."
    ]
    assert run("audit", "--offline", saved(good()), "--against", "none.json").code == 2
    empty = write(Path("e.json"), {"Resources": {}})
    done = run("audit", "--offline", saved(good()), "--against", empty)
    assert (done.code, "it declares no key" in done.err) == (2, True)


def test_saved_answers_can_be_checked_explained_compared_and_taken_as_a_baseline(run: Run) -> None:
    first, second = saved(good(), "a.json"), saved(answers_of(Seed(policy=_open()), trails=[TRAIL]), "b.json")
    assert run("check", second).code == 1
    assert "role/App" in run("explain", second, "--key", "alias/orders").out
    assert run("diff", first, second, "--fail-on-gain").code == 1
    assert run("baseline", second, "-o", "base.json").code == 0
    assert run("audit", "--offline", second, "--baseline", "base.json").code == 0


def _open() -> dict[str, object]:
    allow = {
        "Sid": "App",
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:role/App"},
        "Action": ["kms:Decrypt", "kms:PutKeyPolicy"],
        "Resource": "*",
    }
    return {**GOOD_POLICY, "Statement": [*GOOD_POLICY["Statement"], allow]}  # type: ignore[misc]


WRONG = {
    "a template": (json.dumps(template()), "it holds no saved answers"),
    "no JSON": ("{", "it is not JSON"),
    "another version": ('{"kms-constructs-answers": 7}', "its answers are of version 7"),
}


@pytest.mark.parametrize(("text", "message"), WRONG.values(), ids=WRONG)
def test_what_is_no_file_of_answers(run: Run, text: str, message: str) -> None:
    Path("x.json").write_text(text, "utf-8")
    done = run("audit", "--offline", "x.json")
    assert done.code == 2
    assert message in done.err
    assert "Fix: " in done.err
    assert "Traceback" not in done.err


def test_offline_asks_nobody(run: Run) -> None:
    done = run("audit", "--offline", saved(good()), "--profile", "prod")
    assert done.code == 2
    assert "--offline asks AWS nothing" in done.err


def test_without_credentials_there_is_one_clear_error(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    done = run("audit", "--region", "eu-west-1")
    assert done.code == 2
    assert "AWS cannot be asked with it (NoCredentialsError" in done.err
    assert run("audit", "--profile", "none-such").code == 2


@pytest.mark.parametrize(
    "arguments", ["['--help']", "['audit', '--help']", "['audit', '--offline', 'a.json']"]
)
def test_boto3_is_not_loaded_until_aws_is_asked(arguments: str) -> None:
    saved(good(), "a.json")
    code = (
        "import sys\nfrom kms_constructs.cli.main import main\n"
        f"try:\n    main({arguments})\nexcept SystemExit:\n    pass\n"
        "print('loaded', sorted({name.partition('.')[0] for name in sys.modules} & {'boto3', 'botocore'}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "loaded []"


@pytest.mark.parametrize("format_", ["table", "html", "markdown", "csv"])
def test_keys_are_called_by_their_aliases_where_people_read(run: Run, format_: str) -> None:
    out = run("audit", "--offline", saved(whole()), "--format", format_, "--all").out
    shown = ("alias/public",) if format_ == "csv" else ("alias/public (public)", "delegating")
    # A terminal and Markdown break lines and escape marks.
    plain = out.replace("\\", "")
    assert [one for one in shown if one not in plain] == []


def test_a_baseline_holds_whatever_the_keys_are_called_by_now(run: Run) -> None:
    named = whole()
    moved = Answers(named.scopes, dict(named.given))
    call = Call.of(ACCOUNT, REGION, "kms", "ListAliases")
    listed = [
        {**one, "AliasName": f"{one['AliasName']}-renamed"} if "aws/" not in str(one["AliasName"]) else one
        for one in named.given[call].items("Aliases")
    ]
    moved.given[call] = Answer({"Aliases": listed})
    assert run("baseline", saved(named, "a.json"), "-o", "base.json").code == 0
    assert run("audit", "--offline", saved(moved, "b.json"), "--baseline", "base.json").code == 0


WRONG_ARGUMENTS = {
    "what is no Region": (["--region", "eu-west1"], "--region eu-west1: it is no name of a Region"),
    "what is no role": (["--role-arn", "Audit"], "--role-arn Audit: it is no ARN of a role"),
    "a file of answers in no directory": (["--save", "none/a.json"], "none/a.json: it cannot be written"),
    "a report in no directory": (["-o", "none/a.html"], "--output none/a.html: it cannot be written"),
    "what is only asked of AWS": (["--offline", "a.json", "--no-last-usage"], "--offline asks AWS nothing"),
}


@pytest.mark.parametrize(("arguments", "message"), WRONG_ARGUMENTS.values(), ids=WRONG_ARGUMENTS)
def test_what_cannot_be_is_said_before_anybody_is_asked(
    run: Run, monkeypatch: pytest.MonkeyPatch, arguments: list[str], message: str
) -> None:
    def asked(*_given: object) -> None:
        raise AssertionError("somebody was asked")

    monkeypatch.setattr("kms_constructs.runtime.sessions._identity", asked)
    saved(good(), "a.json")
    done = run("audit", *arguments)
    assert done.code == 2
    assert message in done.err
    assert "Fix: " in done.err


def test_a_region_that_boto3_has_not_heard_of_is_asked_about() -> None:
    assert unheard_of(["eu-west-1", "cn-north-1", "us-gov-west-1", "eu-west-9"]) == ("eu-west-9",)


def test_uses_that_a_trail_tells_are_taken_from_its_report(run: Run) -> None:
    row = {"key": Seed().arn, "last_use": "2026-06-01T00:00:00Z"}
    used = Path("used.json")
    write(used, {"reports": [{"name": "last-use", "rows": [row]}]})
    answers = saved(answers_of(Seed(), last_usage=False, trails=[TRAIL]))
    shown = run("audit", "--offline", answers, "--last-use", "used.json", "--format", "inventory")
    assert "2026-06-01 or later" in shown.out
    write(used, {"reports": []})
    done = run("audit", "--offline", answers, "--last-use", "used.json")
    assert (done.code, "used.json: it holds no report on the last use" in done.err) == (2, True)
