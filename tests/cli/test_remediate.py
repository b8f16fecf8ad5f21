from __future__ import annotations

import json
from pathlib import Path

import pytest

from kms_constructs.errors import SourceError
from kms_constructs.runtime.trail.ingest import ingest
from kms_constructs.runtime.trail.sources import LocalFiles, Scope
from kms_constructs.sources.kms_api.answers import Answers, Call
from tests.cli.conftest import Run
from tests.runtime.accounts import whole
from tests.sources.kms_api.build import ACCOUNT, GOOD_POLICY, KEY_ID, REGION, Seed, answers_of, refused


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


def stored(folder: Path, *callers: str, action: str = "PutKeyPolicy") -> str:
    """A store with one call of each caller."""
    records = [
        {
            "eventVersion": "1.11",
            "eventID": f"event-{number}",
            "eventTime": "2026-05-02T10:00:00Z",
            "eventSource": "kms.amazonaws.com",
            "eventName": action,
            "awsRegion": REGION,
            "recipientAccountId": ACCOUNT,
            "userIdentity": {
                "type": "AssumedRole",
                "arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/{caller}/me",
                "accountId": ACCOUNT,
                "sessionContext": {
                    "sessionIssuer": {"type": "Role", "arn": f"arn:aws:iam::{ACCOUNT}:role/{caller}"}
                },
            },
            "requestParameters": {"keyId": Seed().arn},
            "resources": [{"ARN": Seed().arn, "accountId": ACCOUNT, "type": "AWS::KMS::Key"}],
            "sourceIPAddress": "203.0.113.7",
            "eventType": "AwsApiCall",
            "readOnly": False,
        }
        for number, caller in enumerate(callers)
    ]
    logs = folder / "log.json"
    logs.write_text(json.dumps({"Records": records}), "utf-8")
    store = folder / "store"
    ingest(store, [LocalFiles((logs,), Scope())])
    return str(store)


@pytest.mark.parametrize(
    ("case", "callers", "action", "kind"),
    [
        ("nobody called", (), "PutKeyPolicy", "change"),
        ("who stays authorised called", ("Deploy",), "PutKeyPolicy", "change"),
        ("somebody else called", ("Deploy", "Pipeline"), "PutKeyPolicy", "refused"),
        ("somebody else called what is not denied", ("Pipeline",), "DescribeKey", "change"),
    ],
)
def test_what_a_trail_shows_is_not_denied(
    run: Run, tmp_path: Path, *, case: str, callers: tuple[str, ...], action: str, kind: str
) -> None:
    everything = {
        "Sid": "Everything",
        "Effect": "Allow",
        "Principal": {"AWS": [f"arn:aws:iam::{ACCOUNT}:role/{name}" for name in ("Deploy", "Pipeline")]},
        "Action": ["kms:PutKeyPolicy", "kms:DescribeKey"],
        "Resource": "*",
    }
    policy = {**GOOD_POLICY, "Statement": [*GOOD_POLICY["Statement"], everything]}  # type: ignore[misc]
    file, config = tmp_path / "plan.json", tmp_path / "c.toml"
    file.write_text(answers_of(Seed(policy=policy)).to_text(), "utf-8")
    config.write_text(f'[authorised]\n"IAM-KMS-5" = ["arn:aws:iam::{ACCOUNT}:role/Deploy"]\n', "utf-8")
    given = ("remediate", "--plan", str(file), "--control", "IAM-KMS-5", "--config", str(config))
    (without,) = run(*given, "--format", "json").json()
    assert without["kind"] == "change"
    (told,) = run(*given, "--trail", stored(tmp_path, *callers, action=action), "--format", "json").json()
    assert told["kind"] == kind, (case, told["why"])
    if kind == "refused":
        assert "1 of kms:PutKeyPolicy by" in told["why"]
        assert "role/Pipeline, last on 2026-05-02, which it would deny" in told["why"]


def test_a_trail_that_is_none(run: Run, file: str, tmp_path: Path) -> None:
    done = run("remediate", "--plan", file, "--trail", str(tmp_path / "nothing"))
    assert (done.code, str(tmp_path / "nothing") in done.err) == (2, True)
