"""A legacy app on its first day, and the day after."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import ADMIN, ROOT, Run, policy, statement, write

KEYS = 200
HOME = ("--account", "111122223333")
CONTRACTOR = "arn:aws:iam::111122223333:role/Contractor"
FILE = ".kms-constructs.baseline.json"


def legacy(**worse: object) -> dict[str, Any]:
    """A template of keys as they were made years ago; some key's administrators as given."""
    resources: dict[str, Any] = {}
    for number in range(KEYS):
        who = worse.get(f"Key{number}", [ADMIN])
        resources[f"Key{number}"] = {
            "Type": "AWS::KMS::Key",
            "Properties": {
                "KeyPolicy": policy(
                    statement("Account", ROOT, "kms:*"), statement("Admins", who, "kms:DisableKey")
                )
            },
        }
    return {"Resources": resources}


@pytest.fixture
def app(tmp_path: Path) -> Path:
    return write(tmp_path / "legacy.json", legacy())


def failing(run: Run, *more: str) -> list[dict[str, Any]]:
    done = run("check", "legacy.json", *HOME, "--baseline", FILE, "--format", "json", *more)
    return [finding for finding in done.json()["findings"] if finding["fails"]]


def test_two_hundred_legacy_keys_fit_on_a_screen(run: Run, app: Path) -> None:
    done = run("check", "legacy.json")

    lines = done.out.splitlines()
    assert done.code == 1
    assert len(lines) <= 40
    assert "    in  Key0, Key1, Key2 and 197 more resources" in lines
    assert lines[-1].startswith("200 keys: ")
    assert len(run("check", "legacy.json", "--verbose").out.splitlines()) > 2_000


def test_a_baseline_in_one_command_then_one_worse_statement_is_one_finding(run: Run, app: Path) -> None:
    made = run("baseline", "legacy.json", *HOME)
    assert made.code == 0
    assert made.err.startswith(f"{FILE} accepts ")
    green = run("check", "legacy.json", *HOME, "--baseline", FILE)
    assert green.code == 0
    assert len(green.out.splitlines()) <= 40

    write(app, legacy(Key7=[ADMIN, CONTRACTOR]))
    red = run("check", "legacy.json", *HOME, "--baseline", FILE)
    (finding,) = failing(run)

    assert red.code == 1
    assert (finding["id"], finding["location"]["logicalId"], finding["principals"]) == (
        "IAM-KMS-4[principal]",
        "Key7",
        [CONTRACTOR],
    )


def test_a_baseline_on_standard_output(run: Run, app: Path) -> None:
    run("baseline", "legacy.json", *HOME)

    done = run("baseline", "legacy.json", *HOME, "-o", "-")

    assert done.code == 0
    assert done.out == Path(FILE).read_text("utf-8")
    assert done.err.startswith("The baseline accepts ")
    assert not Path("-").exists()
    assert "--update changes a file" in run("baseline", "legacy.json", "-o", "-", "--update").err


def test_what_is_accepted_stays_in_the_report(run: Run, app: Path) -> None:
    run("baseline", "legacy.json", *HOME)
    found = run("check", "legacy.json", *HOME, "--baseline", FILE, "--format", "json").json()
    assert found["summary"]["acknowledged"] > KEYS
    assert found["summary"]["verdict"] == "clean"


def test_update_takes_out_what_is_mended_and_adds_nothing(run: Run, app: Path) -> None:
    run("baseline", "legacy.json", *HOME)
    before = json.loads(Path(FILE).read_text("utf-8"))["accepted"]
    mended = legacy(Key7=[ADMIN, CONTRACTOR])
    del mended["Resources"]["Key0"]
    write(app, mended)
    remarks = run("check", "legacy.json", *HOME, "--baseline", FILE, "--format", "json").json()["remarks"]
    assert {remark["kind"] for remark in remarks} == {"baseline"}

    done = run("baseline", "legacy.json", *HOME, "--update")

    after = json.loads(Path(FILE).read_text("utf-8"))["accepted"]
    assert done.code == 1, "what is new fails still"
    assert after == [entry for entry in before if entry["resource"] != "legacy.json/Key0"]
    assert len(before) - len(after) == len(remarks)
    assert failing(run)


def test_what_is_mended_everywhere_is_one_note_for_each_kind(run: Run, app: Path) -> None:
    run("baseline", "legacy.json", *HOME)
    write(app, {"Resources": {"Key0": legacy()["Resources"]["Key0"]}})

    told = run("check", "legacy.json", *HOME, "--baseline", FILE, "--verbose").out

    notes = [" ".join(note.partition("\n\n")[0].split()) for note in told.split("note: ")[1:]]
    assert [note for note in notes if note.startswith("KMS:010")] == [
        "KMS:010[missing] of legacy.json/Key1, legacy.json/Key10, legacy.json/Key100, legacy.json/Key101, "
        "legacy.json/Key102 and 194 more is in the baseline, and is there no more. "
        "fix `kms-constructs baseline PATH --update` takes it out."
    ]
    assert len(notes) == len({note.partition(" ")[0] for note in notes})


def test_a_baseline_is_not_made_anew_by_accident(run: Run, app: Path) -> None:
    run("baseline", "legacy.json", *HOME)
    again = run("baseline", "legacy.json", *HOME)
    assert again.code == 2
    assert "--update" in again.err
    assert run("baseline", "legacy.json", *HOME, "--force").code == 0
    assert run("baseline", "legacy.json", *HOME, "--force", "--update").code == 2


def test_what_cannot_be_read_is_not_accepted(run: Run, app: Path, broken: Path) -> None:
    done = run("baseline", "legacy.json", *HOME, broken)
    assert done.code == 2
    assert not Path(FILE).exists()


def test_a_place_that_cannot_be_written(run: Run, app: Path) -> None:
    done = run("baseline", "legacy.json", *HOME, "-o", "missing/dir/b.json")
    assert done.code == 2
    assert "cannot be written" in done.err


def test_declarations_are_shown_and_can_be_refused(run: Run, tmp_path: Path) -> None:
    document = legacy()
    resources = {"Key0": document["Resources"]["Key0"]}
    resources["Key0"]["Metadata"] = {"kms-constructs": {"authorised": {"IAM-KMS-4": [ADMIN]}}}
    write(tmp_path / "own.json", {"Resources": resources})

    shown = run("check", "own.json", "--control", "IAM-KMS-4")
    refused = run("check", "own.json", "--control", "IAM-KMS-4", "--no-declarations")

    assert f"note: own.json: Key0 declares itself who is authorised for IAM-KMS-4: {ADMIN}." in shown.out
    assert "IAM-KMS-4[principal]" not in shown.out
    assert "IAM-KMS-4[principal]" in refused.out


@pytest.mark.parametrize(
    ("entry", "code", "said"),
    [
        ({"id": "KMS:001[*]", "reason": "by hand"}, 0, "why by hand"),
        ({"id": "KMS:001[*]", "reason": "by hand", "until": "2020-01-31"}, 1, "ended on 2020-01-31"),
        ({"id": "KMS:001[enabled]", "reason": "by hand"}, 1, "Name what is there: KMS:001[enabled:"),
        ({"id": "KMS:001[*]"}, 2, "an entry has no reason"),
        ({"id": "KMS:001[*]", "reason": "r", "until": "soon"}, 2, "'soon' is no day"),
        ({"id": "KMS:001[*]", "reason": "r", "who": "me"}, 2, "an entry has no member 'who'"),
        ("KMS:001", 2, "an entry is no object"),
    ],
    ids=str,
)
def test_a_template_accepts_with_a_reason(
    run: Run, tmp_path: Path, entry: object, code: int, said: str
) -> None:
    key = {**legacy()["Resources"]["Key0"], "Metadata": {"kms-constructs": {"accepted": [entry]}}}
    write(tmp_path / "own.json", {"Resources": {"Key0": key}})
    done = run("check", "own.json", "--control", "KMS:001")
    assert done.code == code
    assert said in " ".join(done.out.split())
    assert run("check", "own.json", "--control", "KMS:001", "--no-declarations").code == max(code, 1)
