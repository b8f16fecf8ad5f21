from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from kms_constructs.detections.synthetic.trail import SyntheticTrail
from kms_constructs.detections.synthetic.world import TrailOptions
from kms_constructs.runtime.sample_trail import write_trail
from kms_constructs.runtime.trail.ingest import ingest
from kms_constructs.runtime.trail.sources import LocalFiles, Scope
from tests.cli.conftest import ROOT, Run, policy, statement, template, write

TRAIL = SyntheticTrail(TrailOptions(events=3000, seed=21))
KINDS = {one.kind: one for one in TRAIL.incidents}
AUTHORISED = [
    part
    for control, principals in TRAIL.authorised.items()
    for principal in principals
    for part in ("--authorised", f"{control}={principal}")
]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("sample")
    write_trail(TRAIL, place / "logs")
    ingest(place / "store", [LocalFiles([place / "logs"], Scope())])
    return place / "store"


def _found(out: str) -> dict[str, list[dict[str, object]]]:
    found: dict[str, list[dict[str, object]]] = {}
    for one in json.loads(out)["findings"]:
        found.setdefault(one["detection"], []).append(one)
    return found


def test_what_was_planted_is_told(run: Run, store: Path) -> None:
    done = run("trail", "detect", store, "--format", "json", *AUTHORISED)
    assert done.code == 1
    document = json.loads(done.out)
    found = _found(done.out)
    assert set(found) == {detection for one in TRAIL.incidents for detection in one.findings}
    assert set(document["detections"]) == set(found)
    assert document["command"] == "trail detect"
    assert document["summary"]["critical"] == sum(one["level"] == "critical" for one in document["findings"])
    (disabled,) = found["disable-key-unauthorised"]
    incident = KINDS["disable-key-unauthorised"]
    assert (disabled["key"], disabled["principal"]) == (incident.key, incident.principal)
    assert disabled["examples"] == list(incident.findings["disable-key-unauthorised"])
    assert any("too little history" in note for note in document["notes"])


def test_the_table_tells_it_to_a_person(run: Run, store: Path) -> None:
    done = run("trail", "detect", store, *AUTHORISED)
    assert done.code == 1
    assert "3,000" not in done.out.splitlines()[0]  # calls, and not records
    assert "usual is what was before 2026-05-15" in done.out
    assert "A grant gave the key to another account (critical, grant-to-outsider, KMS:GRANTS)" in done.out
    assert "arn:aws:iam::999988887777:role/reader gained decrypt, encrypt" in done.out.replace("\n    ", " ")
    assert KINDS["denied-burst"].findings["denied-burst"][0] in done.out
    assert done.out.splitlines()[-1].endswith("information")


def test_csv_has_a_line_for_each(run: Run, store: Path, tmp_path: Path) -> None:
    file = tmp_path / "found.csv"
    assert run("trail", "detect", store, "-o", file, *AUTHORISED).code == 1
    rows = list(csv.DictReader(io.StringIO(file.read_text())))
    assert {row["detection"] for row in rows} == {d for one in TRAIL.incidents for d in one.findings}
    assert all(int(row["events"]) >= 1 and row["examples"] for row in rows)


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        pytest.param([], 1, id="critical"),
        pytest.param(["--fail-on", "never"], 0, id="never"),
        pytest.param(["--until", "2026-05-10"], 0, id="before"),
        pytest.param(["--until", "2026-05-10", "--fail-on", "information"], 0, id="before, all"),
        pytest.param(["--since", "2026-05-12", "--until", "2026-05-10"], 2, id="turned round"),
        pytest.param(["--key", "alias/nobody"], 2, id="no such key"),
        pytest.param(["--baseline-days", "0"], 2, id="no baseline"),
        pytest.param(["--authorised", "IAM-KMS-3"], 2, id="nobody"),
        pytest.param(["--authorised", "KMS:001=arn:aws:iam::1:role/a"], 2, id="guards nothing"),
        pytest.param(["--authorised", "IAM-KMS-3=arn:aws:sts::1:assumed-role/a/b"], 2, id="a session"),
        pytest.param(["--trusted", "12"], 2, id="no account"),
        pytest.param(["--against", "nothing.json"], 2, id="no input"),
        pytest.param(["--format", "sarif"], 2, id="no format"),
    ],
)
def test_exit_codes(run: Run, store: Path, arguments: list[str], code: int) -> None:
    done = run("trail", "detect", store, *arguments)
    assert done.code == code
    if code == 2:
        assert done.err
        assert "Traceback" not in done.err


def test_no_store(run: Run, tmp_path: Path) -> None:
    done = run("trail", "detect", tmp_path)
    assert done.code == 2
    assert "it is no store of a trail" in done.err


def test_least_level_and_one_key(run: Run, store: Path) -> None:
    done = run("trail", "detect", store, "--format", "json", "--level", "critical", *AUTHORISED)
    assert {one["level"] for one in json.loads(done.out)["findings"]} == {"critical"}
    key = KINDS["disable-key-unauthorised"].key
    done = run("trail", "detect", store, "--format", "json", "--key", key, *AUTHORISED)
    assert {one["key"] for one in json.loads(done.out)["findings"]} == {None, key}


def test_trusted_accounts_are_no_outsiders(run: Run, store: Path) -> None:
    done = run("trail", "detect", store, "--format", "json", "--trusted", "999988887777")
    assert not {"grant-to-outsider", "foreign-key-write", "endpoint-outsider"} & set(_found(done.out))


def test_who_is_authorised_is_taken_from_the_configuration(run: Run, store: Path, tmp_path: Path) -> None:
    config = tmp_path / "kms.toml"
    who = KINDS["disable-key-unauthorised"].principal
    config.write_text(f'trusted-accounts = ["999988887777"]\n[authorised]\nIAM-KMS-4 = ["{who}"]\n')
    found = _found(run("trail", "detect", store, "--format", "json", "--config", config).out)
    assert found["disable-key"][0]["level"] == "alert"
    assert "disable-key-unauthorised" not in found
    assert "grant-to-outsider" not in found


def test_whom_a_key_declares_is_authorised_on_that_key_alone(run: Run, store: Path, tmp_path: Path) -> None:
    """The template tells whom its key authorises, and --key-map which key of the trail it is."""
    disabled, deleted = KINDS["disable-key-unauthorised"], KINDS["delete-imported-key-material-unauthorised"]
    declared = {"version": 1, "authorised": {"IAM-KMS-4": [disabled.principal], "IAM-KMS-2": []}}
    made = template({"KeyPolicy": policy(statement("Root", ROOT, "kms:*"))})
    made["Resources"]["OrdersKey"]["Metadata"] = {"kms-constructs": declared}  # type: ignore[index]
    file = write(tmp_path / "template.json", made)
    mapped = ("--key-map", f"{disabled.key}=alias/orders")
    done = run("trail", "detect", store, "--format", "json", "--against", file, *mapped)
    found = _found(done.out)
    assert [one["key"] for one in found["disable-key"]] == [disabled.key]
    assert found["disable-key"][0]["level"] == "alert"
    assert [one["key"] for one in found["delete-imported-key-material"]] == [deleted.key]
    assert found["delete-imported-key-material"][0]["level"] == "critical"
    unmapped = run("trail", "detect", store, "--format", "json", "--against", file)
    assert _found(unmapped.out)["disable-key"][0]["level"] == "critical"
    assert "--key-map" in unmapped.err


def test_a_sample_is_written_taken_in_and_judged(run: Run, tmp_path: Path) -> None:
    done = run("trail", "sample", "--into", tmp_path / "sample", "--events", "2000", "--days", "20",
               "--incidents", tmp_path / "planted.json")  # fmt: skip
    assert done.code == 0
    assert done.out.startswith("2,000 records in ")
    authorised = [line.split() for line in done.out.splitlines() if line.startswith("  --authorised")]
    ingest(tmp_path / "store", [LocalFiles([tmp_path / "sample"], Scope())])
    found = run("trail", "detect", tmp_path / "store", "--format", "json", "--baseline-days", "10",
                *(part for line in authorised for part in line))  # fmt: skip
    planted = json.loads((tmp_path / "planted.json").read_text())
    assert set(_found(found.out)) == {detection for one in planted for detection in one["findings"]}


@pytest.mark.parametrize("arguments", [["--events", "10"], ["--days", "3"], []])
def test_what_no_sample_can_be_made_of_is_refused(run: Run, tmp_path: Path, arguments: list[str]) -> None:
    into = ["--into", str(tmp_path)] if arguments else []
    assert run("trail", "sample", *into, *arguments).code == 2


def test_a_sample_that_cannot_be_written(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("")
    done = run("trail", "sample", "--into", file / "sample", "--events", "2000")
    assert done.code == 2
    assert "it cannot be written" in done.err
