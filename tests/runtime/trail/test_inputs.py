"""What ingestion makes of good and bad files."""

from __future__ import annotations

import gzip
import json
import os
from pathlib import Path

import pytest

from kms_constructs.errors import SourceError
from kms_constructs.runtime.trail.ingest import Summary, ingest
from kms_constructs.runtime.trail.sources import LocalFiles, Scope
from kms_constructs.runtime.trail.store import TrailStore
from tests.runtime.trail.samples import deliver, log, record


def compact(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def lake(*records: dict[str, object]) -> bytes:
    """What CloudTrail Lake delivers to a bucket: CSV, all quoted."""
    rows = ['"eventJson"', *('"' + json.dumps(one).replace('"', '""') + '"' for one in records)]
    return "\n".join(rows).encode()


GOOD = {
    "log": log([record(1), record(2)]),
    "log-gz": gzip.compress(log([record(1), record(2)])),
    "log-in-two-members": gzip.compress(log([record(1), record(2)])[:700])
    + gzip.compress(log([record(1), record(2)])[700:]),
    "log-padded": gzip.compress(log([record(1), record(2)])) + bytes(512),
    "log-for-readers": json.dumps({"Records": [record(1), record(2)]}, indent=2).encode(),
    "log-with-mark": b"\xef\xbb\xbf" + log([record(1), record(2)]),
    "lines": b"\n".join(compact(record(n)) for n in (1, 2)) + b"\n",
    "lines-gz": gzip.compress(b"\n\n".join(json.dumps(record(n)).encode() for n in (1, 2))),
    "lines-of-logs": b"\n".join(log([record(n)]) for n in (1, 2)),
    "list": json.dumps([record(1), record(2)]).encode(),
    "lookup-events": json.dumps(
        {"Events": [{"EventId": "e", "CloudTrailEvent": json.dumps(record(n))} for n in (1, 2)]},
        indent=4,
    ).encode(),
    "lookup-events-compact": compact(
        {"Events": [{"CloudTrailEvent": json.dumps(record(n))} for n in (1, 2)], "NextToken": "t"}
    ),
    "lake-csv": lake(record(1), record(2)),
    "lake-csv-gz": gzip.compress(lake(record(1), record(2))),
    "lake-answer": compact({"QueryResultRows": [[{"eventJson": json.dumps(record(n))}] for n in (1, 2)]}),
    "lake-lines": b"\n".join(compact({"eventJson": json.dumps(record(n))}) for n in (1, 2)),
}


@pytest.mark.parametrize("name", GOOD)
def test_every_form_brings_its_events(name: str, tmp_path: Path) -> None:
    summary, events = taken(tmp_path, GOOD[name])
    assert (summary.events, summary.kept, summary.quarantined, events) == (2, 2, [], ["e-1", "e-2"])


NO_LOG = (
    "it is no trail log: it has neither Records, as log files have, nor Events, as LookupEvents answers, "
    "nor a column eventJson, as an export of CloudTrail Lake needs"
)
WHOLE = log([record(1), record(2)])
BAD = {
    "empty": (b"", "it is empty"),
    "blank": (b" \n", "it is empty"),
    "torn": (WHOLE[:900], "it is not JSON, or breaks off: "),
    "torn-gzip": (gzip.compress(WHOLE)[:-20], "its gzip breaks off"),
    "torn-head": (gzip.compress(WHOLE)[:5], "its gzip breaks off"),
    "damaged-gzip": (gzip.compress(WHOLE)[:-8] + bytes(8), "its gzip is damaged"),
    "gzip-and-more": (gzip.compress(WHOLE) + b"more", "its gzip is damaged"),
    "empty-gzip": (gzip.compress(b""), "it is empty"),
    "no-text": (b'{"Records":[{"a":"\xff"}]}', "it is not UTF-8 text (byte 18)"),
    "no-text-where-nobody-looks": (
        WHOLE.replace(b'"eventID"', b'"eventCategor\xff":1,"eventID"', 1),
        "it is not UTF-8 text (byte ",
    ),
    "no-log": (b'{"Resources": {}}', NO_LOG),
    "a-number": (b"{}", NO_LOG),
    "prose": (b"hello", NO_LOG),
    "csv-without-records": (b'"eventName","eventTime"\n"a","b"\n', NO_LOG),
    "torn-csv": (lake(record(1))[:-9], "it is no CSV, or breaks off: unexpected end of data"),
    "torn-line": (compact(record(1)) + b"\n" + compact(record(2))[:50], "line 2 is not JSON, or breaks off"),
    "deep": (b'{"Records":' + b"[" * 100_000, "it is nested too deeply to be read"),
    "no-value": (b'{"Records":[{"a":NaN}]}', "NaN is no JSON value"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_file_is_quarantined_and_the_rest_goes_on(name: str, tmp_path: Path) -> None:
    content, problem = BAD[name]
    (tmp_path / "good.json").write_bytes(log([record(3)]))
    summary, events = taken(tmp_path, content)
    assert [(Path(one.name).name, one.problem[: len(problem)]) for one in summary.quarantined] == [
        ("file", problem)
    ]
    assert events == ["e-3"]
    assert TrailStore(tmp_path / "store").quarantined() == tuple(summary.quarantined)
    # It is tried again, and the store forgets about it once it is good.
    (tmp_path / "file").write_bytes(log([record(1)]))
    assert ingest(tmp_path / "store", sources(tmp_path)).quarantined == []
    assert TrailStore(tmp_path / "store").quarantined() == ()


BAD_RECORDS = {
    "no-id": {**record(1), "eventID": None},
    "empty-id": {**record(1), "eventID": ""},
    "no-source": {name: value for name, value in record(1).items() if name != "eventSource"},
    "no-name": {**record(1), "eventName": ""},
    "no-time": {**record(1), "eventTime": "yesterday"},
    "no-such-day": {**record(1), "eventTime": "2026-02-30T00:00:00Z"},
    "no-such-hour": {**record(1), "eventTime": "2026-02-20T24:00:00Z"},
    "two-times": {**record(1), "eventTime": "2026-02-20T23:00:00Z 2026-02-20T23:00:00Z"},
    "forever": {**record(1), "eventTime": "infinity"},
    "no-object": ["e-1"],
    "nothing": None,
}


@pytest.mark.parametrize("name", BAD_RECORDS)
def test_a_bad_record_is_quarantined_and_the_file_goes_on(name: str, tmp_path: Path) -> None:
    content = gzip.compress(compact({"Records": [record(0), BAD_RECORDS[name], record(2)]}))
    summary, events = taken(tmp_path, content)
    assert [Path(one.name).name for one in summary.quarantined] == ["file, record 2"]
    assert (summary.events, summary.kept, summary.unrelated, events) == (3, 2, 0, ["e-0", "e-2"])
    assert TrailStore(tmp_path / "store").quarantined() == tuple(summary.quarantined)
    again = ingest(tmp_path / "store", sources(tmp_path))
    assert (again.known, again.total) == (1, 2)


def test_a_bomb_is_not_unpacked(tmp_path: Path) -> None:
    bomb = gzip.compress(bytes(64 * 2**20))
    (tmp_path / "file").write_bytes(bomb)
    summary = ingest(tmp_path / "store", sources(tmp_path), max_file_bytes=2**20)
    assert [one.problem for one in summary.quarantined] == [
        "it is larger than 1 MB, unpacked: if that is right, give --max-file-size"
    ]
    (tmp_path / "file").write_bytes(bytes(2**20 + 1))
    assert ingest(tmp_path / "store", sources(tmp_path), max_file_bytes=2**20).quarantined
    padded = log([record(1)]).ljust(2**20 + 1)
    (tmp_path / "file").write_bytes(gzip.compress(padded))
    assert ingest(tmp_path / "store", sources(tmp_path), max_file_bytes=2**20).quarantined
    assert ingest(tmp_path / "store", sources(tmp_path), max_file_bytes=2**20 + 1).kept == 1


def test_events_that_bear_on_no_key_are_counted_and_left_out(tmp_path: Path) -> None:
    other = record(1, eventSource="ec2.amazonaws.com", requestParameters={"a": 1}, resources=[])
    storage = record(2, eventSource="s3.amazonaws.com")
    trail = record(3, eventSource="cloudtrail.amazonaws.com", requestParameters=None, resources=None)
    summary, events = taken(tmp_path, log([other, storage, trail]))
    assert (summary.events, summary.kept, summary.unrelated) == (3, 2, 1)
    assert events == ["e-2", "e-3"]


def test_what_is_no_log_file_by_its_name_is_counted(tmp_path: Path) -> None:
    logs = tmp_path / "logs"
    deliver(logs / "CloudTrail", range(10))
    deliver(logs / "CloudTrail-Digest", range(10))
    (logs / "result_sign.json").write_text("{}")
    (logs / "notes.txt").write_text("not looked at")
    summary = ingest(tmp_path / "store", [LocalFiles((logs,), Scope())])
    assert (summary.files, summary.other, summary.kept, summary.quarantined) == (1, 2, 10, [])


def test_the_store_may_lie_among_the_logs(tmp_path: Path) -> None:
    deliver(tmp_path, range(10))
    for known in (0, 1):
        source = LocalFiles((tmp_path,), Scope(), tmp_path / "store")
        summary = ingest(tmp_path / "store", [source])
        assert (summary.known, summary.total, summary.quarantined) == (known, 10, [])
    assert (tmp_path / "store").stat().st_mode & 0o077 == 0


def test_what_is_no_file_is_quarantined(tmp_path: Path) -> None:
    (tmp_path / "gone.json").symlink_to(tmp_path / "nowhere")
    os.mkfifo(tmp_path / "pipe.json")
    summary = ingest(tmp_path / "store", [LocalFiles((tmp_path,), Scope(), tmp_path / "store")])
    assert [(Path(one.name).name, one.problem) for one in summary.quarantined] == [
        ("gone.json", "it is no file, or not there any more"),
        ("pipe.json", "it is no file, or not there any more"),
    ]


def test_names_tell_days_and_regions(tmp_path: Path) -> None:
    from datetime import date

    logs = tmp_path / "logs"
    for region in ("eu-central-1", "us-east-1"):
        for day in range(4):
            deliver(logs / region, range(day * 1440, day * 1440 + 1), region=region)
    (logs / "other.json").write_bytes(log([record(9)]))
    scope = Scope(date(2026, 5, 2), date(2026, 5, 2), frozenset({"us-east-1"}))
    summary = ingest(tmp_path / "store", [LocalFiles((logs,), scope)])
    # That day, the day after, for CloudTrail delivers late, and the file whose name tells nothing.
    assert (summary.files, summary.outside) == (3, 6)


def test_a_store_is_told_from_another_directory(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years")
    with pytest.raises(SourceError, match="something that is no store"):
        ingest(tmp_path / "mine", [])
    with pytest.raises(SourceError, match="kms-constructs trail ingest"):
        TrailStore(tmp_path / "mine")
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["thesis.txt"]
    with pytest.raises(SourceError, match="takes for a pattern"):
        ingest(tmp_path / "a[b]", [])


def test_an_empty_store_has_its_views(tmp_path: Path) -> None:
    assert ingest(tmp_path / "a=b" / "store", []).total == 0
    store = TrailStore(tmp_path / "a=b" / "store")
    assert (store.span, store.events, store.quarantined()) == (None, 0, ())
    with store.connect(threads=1) as connection:
        found = connection.execute("SELECT * FROM calls JOIN event_keys USING (event_id)").fetchall()
    assert found == []


def sources(directory: Path) -> list[LocalFiles]:
    return [LocalFiles((directory / "file",), Scope())]


def taken(directory: Path, content: bytes) -> tuple[Summary, list[str]]:
    """Takes a file, and whatever else is good, and tells which events the store has."""
    (directory / "file").write_bytes(content)
    paths = (directory / "file", *directory.glob("good.json"))
    summary = ingest(directory / "store", [LocalFiles(paths, Scope())])
    with TrailStore(directory / "store").connect(threads=1) as connection:
        return summary, [str(row[0]) for row in connection.table("events").order("event_id").fetchall()]
