"""`trail report` from the command line: over a store, over log files, by Athena; and what it refuses."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from kms_constructs.runtime.trail.catalogue import reports
from tests.cli.conftest import Run
from tests.runtime.trail.records import HOME, KEYS
from tests.runtime.trail.test_reports import record

DAYS = ("2026-03-01", "2026-03-02", "2026-03-03")


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three days of a trail as CloudTrail delivers them."""
    root = tmp_path_factory.mktemp("logs")
    for number, day in enumerate(DAYS):
        folder = root / "AWSLogs" / HOME / "CloudTrail" / "eu-central-1" / day.replace("-", "/")
        folder.mkdir(parents=True)
        records = [
            record(
                number * 10 + one,
                eventTime=f"{day}T1{one}:00:00Z",
                requestParameters={"keyId": KEYS[one % 2]},
                **({"errorCode": "AccessDenied"} if one == 3 else {}),
            )
            for one in range(number + 3)
        ]
        name = f"{HOME}_CloudTrail_eu-central-1_{day.replace('-', '')}T0005Z_a.json.gz"
        (folder / name).write_bytes(gzip.compress(json.dumps({"Records": records}).encode()))
    return root


@pytest.fixture(scope="module")
def store(logs: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    from kms_constructs.runtime.trail.ingest import ingest
    from kms_constructs.runtime.trail.sources import LocalFiles, Scope

    directory = tmp_path_factory.mktemp("store")
    ingest(directory, [LocalFiles((logs,), Scope())])
    return directory


def told(run: Run, *arguments: object) -> dict[str, Any]:
    done = run("trail", "report", *map(str, arguments), "-f", "json")
    assert done.code == 0, done.err
    read: dict[str, Any] = json.loads(done.out)
    return read


def test_a_store_and_the_files_it_was_made_of_tell_the_same(run: Run, store: Path, logs: Path) -> None:
    of_store, of_logs = told(run, store), told(run, logs)
    assert of_store["reports"] == of_logs["reports"]
    assert [one["name"] for one in of_store["reports"]] == list(reports())
    assert of_store["reports"][0]["rows"][0]["calls"] == 12
    assert (of_store["since"], of_store["until"]) == (DAYS[0], DAYS[2])


def test_days_and_a_key_are_those_asked_for(run: Run, store: Path) -> None:
    asked = told(
        run, store, "--since", DAYS[1], "--until", DAYS[1], "--key", KEYS[1],
        "--report", "by-key", "--report", "totals",
    )  # fmt: skip
    assert [one["name"] for one in asked["reports"]] == ["totals", "by-key"]
    assert asked["reports"][0]["rows"][0]["calls"] == 2
    assert [(row["key"], row["errors"]) for row in asked["reports"][1]["rows"]] == [(KEYS[1], 1)]
    assert (asked["since"], asked["until"], asked["key"]) == (DAYS[1], DAYS[1], KEYS[1])


def test_files_are_written_in_the_formats_of_their_endings(run: Run, store: Path, tmp_path: Path) -> None:
    files = [tmp_path / f"out.{ending}" for ending in ("txt", "json", "csv", "html")]
    done = run("trail", "report", str(store), *(part for file in files for part in ("-o", str(file))))
    assert (done.code, done.out) == (0, "")
    text, data, table, page = (file.read_text("utf-8") for file in files)
    assert "Calls by event" in text
    assert json.loads(data)["report"] == "trail-report"
    assert table.startswith("report,calls,")
    assert page.startswith("<!doctype html>")


def test_reports_are_listed_with_what_they_answer(run: Run, store: Path) -> None:
    done = run("trail", "report", str(store), "--report", "list")
    assert done.code == 0
    assert [line.split("  ")[0] for line in done.out.splitlines()] == list(reports())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--report", "by-nobody"], "--report by-nobody: there is no such report. Fix: use totals, by-event"),
        (["--since", "yesterday"], "'yesterday' does not match the format '%Y-%m-%d'"),
        (["--since", "2026-03-02", "--until", "2026-03-01"], "--since is after --until"),
        (["--since", "2027-01-01"], "the trail is of 2026-03-01 to 2026-03-03: nothing lies from 2027-01-01"),
        (["--key", "orders"], "--key orders: it is no ARN or id of a key"),
        (["--max-bytes", "much"], "'much' is no size: write it as 100GB"),
        (["--engine", "athena"], "Athena charges for what it reads. Fix: say the first day with --since"),
        (["--engine", "athena", "--since", "2026-03-01"], "is no place in S3. Fix: give what stands before"),
        (["--dry-run"], "--dry-run is for --engine athena alone"),
        (["--region", "eu-central-1"], "--region is for --engine athena alone"),
    ],
)
def test_what_cannot_be_asked_is_one_error(run: Run, store: Path, arguments: list[str], message: str) -> None:
    done = run("trail", "report", str(store), *arguments)
    assert (done.code, done.out) == (2, "")
    assert message in " ".join(done.err.split())
    assert "Traceback" not in done.err


def test_a_store_that_is_not_there_and_one_without_events_are_named(run: Run, tmp_path: Path) -> None:
    done = run("trail", "report", str(tmp_path / "none"))
    assert (done.code, done.out) == (2, "")
    assert "there is no store and no log file. Fix: Fill a store first" in done.err
    (tmp_path / "log.json").write_text('{"Records": []}', "utf-8")
    done = run("trail", "report", str(tmp_path))
    assert (done.code, done.out) == (2, "")
    assert "it holds no event that bears on a key" in done.err


@pytest.fixture
def bucket(logs: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "none")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    with mock_aws():
        s3 = boto3.client("s3")
        s3.create_bucket(
            Bucket="trail-of-ours", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"}
        )
        for file in logs.rglob("*.gz"):
            s3.upload_file(str(file), "trail-of-ours", str(file.relative_to(logs)))
        yield "s3://trail-of-ours"


def test_a_dry_run_prints_all_that_would_be_run_and_what_it_would_read(run: Run, bucket: str) -> None:
    done = run(
        "trail", "report", bucket, "--engine", "athena", "--since", DAYS[0], "--until", DAYS[0],
        "--report", "by-key", "--price-per-tb", "6.75", "--dry-run",
    )  # fmt: skip
    assert done.code == 0, done.err
    first, *_ = done.out.splitlines()
    assert first.startswith("-- 1 query over 2 files of ")
    assert first.endswith("about 10 MB to read, $0.00 at $6.75 a TB (assumed).")
    assert "CREATE EXTERNAL TABLE IF NOT EXISTS" in done.out
    assert f"'projection.account.values' = '{HOME}'" in done.out
    assert "day BETWEEN '2026/03/01' AND '2026/03/02'" in done.out


def test_a_profile_that_is_not_there_is_one_error(run: Run, bucket: str) -> None:
    done = run("trail", "report", bucket, "--engine", "athena", "--since", DAYS[0], "--profile", "nobody")
    assert (done.code, done.out) == (2, "")
    assert "there is no way to ask it: The config profile (nobody) could not be found. Fix: Set" in done.err


def test_more_than_may_be_read_is_refused_before_it_runs(run: Run, bucket: str) -> None:
    done = run("trail", "report", bucket, "--engine", "athena", "--since", DAYS[0], "--max-bytes", "1MB")
    assert (done.code, done.out) == (2, "")
    assert "14 queries over 3 files of" in done.err
    assert "the queries would read 140 MB, and --max-bytes allows 1 MB" in " ".join(done.err.split())
