"""Buckets: what is listed and fetched, and what becomes of objects that are not handed out."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from kms_constructs.cli.main import main
from kms_constructs.errors import SourceError
from kms_constructs.runtime.trail.ingest import ingest
from kms_constructs.runtime.trail.lookup import Lookups
from kms_constructs.runtime.trail.places import sources_of
from kms_constructs.runtime.trail.s3 import S3Prefix
from kms_constructs.runtime.trail.sources import Scope
from kms_constructs.runtime.trail.store import TrailStore
from tests.runtime.trail.samples import ACCOUNT, log, record

BUCKET = "trail-logs"
OTHER = "444455556666"
ORGANIZATION = "o/AWSLogs/o-a1b2c3d4e5/"
"""Trails of an organization have its id above the accounts."""
DAYS = ("2026/04/30", "2026/05/01", "2026/05/02", "2026/05/03", "2026/05/04")

pytestmark = pytest.mark.emulator


class Watched:
    """A client that says what it was asked for."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self.fetched: list[str] = []
        self.listed: list[str] = []
        self.keys = 0

    def list_objects_v2(self, **request: Any) -> Any:
        answer = self._client.list_objects_v2(**{**request, "MaxKeys": min(3, request.get("MaxKeys", 3))})
        self.listed.append(request["Prefix"])
        self.keys += len(answer.get("Contents", ()))
        return answer

    def get_object(self, **request: Any) -> Any:
        self.fetched.append(request["Key"])
        return self._client.get_object(**request)


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> Iterator[Watched]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    with mock_aws():
        made = boto3.client("s3", region_name="us-east-1")
        made.create_bucket(Bucket=BUCKET)
        yield Watched(made)


def key(account: str, region: str, day: str, number: int = 0, *, root: str = "") -> str:
    name = f"{account}_CloudTrail_{region}_{day.replace('/', '')}T0005Z_{number:016}.json.gz"
    return f"{above(root)}{account}/CloudTrail/{region}/{day}/{name}"


def above(root: str) -> str:
    return root if root == ORGANIZATION else f"{root}AWSLogs/"


def put(client: Watched, name: str, content: bytes) -> None:
    client._client.put_object(Bucket=BUCKET, Key=name, Body=content)


def fill(client: Watched, *, root: str = "") -> list[str]:
    """A log file for each account, Region and day, and what else lies there."""
    made = []
    number = 0
    for account in (ACCOUNT, OTHER):
        for region in ("eu-central-1", "us-east-1"):
            for day in DAYS:
                number += 1
                made.append(key(account, region, day, root=root))
                put(client, made[-1], gzip.compress(log([record(number)])))
        put(client, f"{above(root)}{account}/CloudTrail-Digest/us-east-1/2026/05/01/a.json.gz", b"-")
        put(client, f"{above(root)}{account}/vpcflowlogs/us-east-1/2026/05/01/a.log.gz", b"-")
    put(client, f"{root}elb/access.log", b"-")
    return made


@pytest.mark.parametrize("root", ["", "logs/", ORGANIZATION])
@pytest.mark.parametrize("prefix", ["", "AWSLogs", "AWSLogs/", "AWSLogs/1", f"AWSLogs/{ACCOUNT}/"])
def test_only_the_days_and_regions_asked_for_are_listed_and_fetched(
    root: str, prefix: str, client: Watched, tmp_path: Path
) -> None:
    made = fill(client, root=root)
    if root == ORGANIZATION and prefix:
        given = f"{root}{prefix.removeprefix('AWSLogs').lstrip('/')}"
    else:
        given = "o/" if root == ORGANIZATION else f"{root}{prefix}"
    scope = Scope(date(2026, 5, 1), date(2026, 5, 2), frozenset({"us-east-1"}))
    source = S3Prefix(client, BUCKET, given, scope)
    summary = ingest(tmp_path / "store", [source])
    accounts = (ACCOUNT,) if "1" in prefix else (ACCOUNT, OTHER)
    # The last day and the one after it, for CloudTrail delivers late.
    expected = [
        name
        for name in made
        if "us-east-1" in name
        and any(day in name for day in DAYS[1:4])
        and any(f"/{one}/" in f"/{name}" for one in accounts)
    ]
    assert sorted(client.fetched) == sorted(expected)
    assert (summary.files, summary.quarantined) == (len(expected), [])
    assert not any(
        "Digest/" in name or "flowlogs/" in name or "eu-central-1" in name for name in client.listed
    )
    # Of each account at most a page behind the last day.
    assert client.keys <= len(expected) + 3 * len(accounts) + 2


def test_what_was_taken_is_not_fetched_again_and_what_has_changed_is(client: Watched, tmp_path: Path) -> None:
    made = fill(client)
    for _ in range(2):
        summary = ingest(tmp_path / "store", [S3Prefix(client, BUCKET, "AWSLogs/", Scope())])
    assert (summary.known, summary.files, len(client.fetched)) == (20, 0, 20)
    put(client, made[0], gzip.compress(log([record(1), record(99)])))
    summary = ingest(tmp_path / "store", [S3Prefix(client, BUCKET, "AWSLogs/", Scope())])
    assert (summary.known, summary.files, summary.kept, summary.duplicates) == (19, 1, 1, 1)


def test_a_layout_of_ones_own_is_taken_by_the_names_of_files(client: Watched, tmp_path: Path) -> None:
    for day in DAYS:
        put(client, f"mine/{key(ACCOUNT, 'us-east-1', day).rpartition('/')[2]}", log([record(int(day[-1]))]))
    put(client, "mine/export.json", log([record(99)]))
    source = S3Prefix(client, BUCKET, "mine/", Scope(since=date(2026, 5, 3)))
    summary = ingest(tmp_path / "store", [source])
    assert (summary.files, summary.outside, summary.kept) == (3, 3, 3)


def test_an_object_that_is_not_handed_out_is_quarantined_and_tried_again(
    client: Watched, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = fill(client)
    denied = {"Error": {"Code": "AccessDenied", "Message": "no kms:Decrypt on the key"}}
    real = client.get_object

    def get_object(**request: Any) -> Any:
        if request["Key"] == made[3]:
            raise ClientError(denied, "GetObject")  # type: ignore[arg-type]
        return real(**request)

    with monkeypatch.context() as patched:
        patched.setattr(client, "get_object", get_object)
        summary = ingest(tmp_path / "store", [S3Prefix(client, BUCKET, "", Scope())])
    assert [(one.name, one.problem) for one in summary.quarantined] == [
        (f"s3://{BUCKET}/{made[3]}", "S3 does not hand it out: AccessDenied: no kms:Decrypt on the key")
    ]
    assert summary.files == 19
    summary = ingest(tmp_path / "store", [S3Prefix(client, BUCKET, "", Scope())])
    assert (summary.files, summary.known, summary.quarantined) == (1, 19, [])
    assert TrailStore(tmp_path / "store").quarantined() == ()


def test_words_of_the_command_line_mean_sources(
    client: Watched, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    fill(client)
    (tmp_path / "more.json").write_bytes(log([record(999)]))
    with pytest.raises(SystemExit) as ended:
        main(
            [
                "trail",
                "ingest",
                f"s3://{BUCKET}/AWSLogs/",
                "more.json",
                "--into",
                "store",
                "--since",
                "2026-05-03",
            ]
        )
    assert ended.value.code == 0
    assert "  new in the store                     9\n" in capsys.readouterr().out
    scope = Scope(regions=frozenset({"eu-west-1", "us-east-1"}))
    (lookups,) = sources_of(["lookup-events"], scope)
    assert isinstance(lookups, Lookups)
    assert [(account, region) for account, region, _ in lookups.places] == [
        ("123456789012", "eu-west-1"), ("123456789012", "us-east-1"),
    ]  # fmt: skip


def test_an_object_beyond_the_limit_is_not_fetched(client: Watched, tmp_path: Path) -> None:
    put(client, "a.json", bytes(2**20 + 1))
    summary = ingest(tmp_path / "store", [S3Prefix(client, BUCKET, "", Scope())], max_file_bytes=2**20)
    assert (client.fetched, len(summary.quarantined)) == ([], 1)


@pytest.mark.parametrize(
    ("bucket", "prefix", "problem"),
    [
        ("no-such-bucket", "", "it cannot be listed .NoSuchBucket"),
        (BUCKET, "nothing/", "there is nothing under this prefix"),
    ],
)
def test_a_bucket_or_a_prefix_that_is_not_there(
    bucket: str, prefix: str, problem: str, client: Watched, tmp_path: Path
) -> None:
    with pytest.raises(SourceError, match=problem):
        ingest(tmp_path / "store", [S3Prefix(client, bucket, prefix, Scope())])
