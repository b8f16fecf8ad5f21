from __future__ import annotations

import json
import tracemalloc
from pathlib import Path

import pytest

from kms_constructs.detections.relations import EVENT_COLUMNS, KEY_COLUMNS
from kms_constructs.runtime.trail import writer
from kms_constructs.runtime.trail.ingest import Summary, ingest
from kms_constructs.runtime.trail.sources import LocalFiles, Scope
from kms_constructs.runtime.trail.store import TrailStore
from tests.runtime.trail.samples import KEY, ROLE, deliver, log, record


def take(store: Path, *paths: Path, **more: object) -> Summary:
    return ingest(store, [LocalFiles(paths, Scope())], **more)  # type: ignore[arg-type]


def ids(store: Path) -> list[str]:
    with TrailStore(store).connect(threads=1) as connection:
        return [one for (one,) in connection.execute("SELECT event_id FROM events ORDER BY ALL").fetchall()]


def test_a_store_has_the_views_that_reports_ask(tmp_path: Path) -> None:
    deliver(tmp_path / "logs", range(120))
    summary = take(tmp_path / "store", tmp_path / "logs")
    assert (summary.files, summary.events, summary.kept, summary.total) == (3, 120, 120, 120)
    with TrailStore(tmp_path / "store").connect(threads=1) as connection:
        for view, columns in (("events", EVENT_COLUMNS), ("event_keys", KEY_COLUMNS)):
            told = connection.execute(f"DESCRIBE {view}").fetchall()
            assert {name: kind for name, kind, *_ in told} == {**columns, "event_date": "DATE"}
        assert connection.execute(
            "SELECT caller, key, use, event_date::VARCHAR, count(*) FROM events JOIN event_keys USING "
            "(event_id, event_date) GROUP BY ALL"
        ).fetchall() == [(ROLE, KEY, "key", "2026-05-01", 120)]


def test_a_call_across_accounts_is_one_call(tmp_path: Path) -> None:
    file = tmp_path / "a.json"
    owner = record(1, recipientAccountId="111122223333", sharedEventID="s", eventID="b-owner")
    caller = record(1, recipientAccountId="444455556666", sharedEventID="s", eventID="a-caller")
    hidden = record(
        1, recipientAccountId="777788889999", sharedEventID="s", eventID="0-hidden",
        userIdentity={"type": "AWSAccount", "accountId": "444455556666"},
    )  # fmt: skip
    alone = record(2, sharedEventID="t", eventID="alone")
    file.write_bytes(log([hidden, caller, owner, alone, record(3)]))
    take(tmp_path / "store", file)
    assert ids(tmp_path / "store") == ["0-hidden", "a-caller", "alone", "b-owner", "e-3"]
    with TrailStore(tmp_path / "store").connect(threads=1) as connection:
        found = connection.execute("SELECT event_id FROM calls ORDER BY ALL").fetchall()
    assert found == [("alone",), ("b-owner",), ("e-3",)]


def test_what_was_taken_is_skipped_and_what_is_new_is_added(tmp_path: Path) -> None:
    store, logs = tmp_path / "store", tmp_path / "logs"
    deliver(logs, range(100))
    take(store, logs)
    deliver(logs, range(100, 150))
    summary = take(store, logs)
    assert (summary.known, summary.files, summary.kept, summary.total) == (2, 1, 50, 150)
    assert take(store, logs).known == 3


def test_memory_follows_the_batch_and_not_the_trail(tmp_path: Path) -> None:
    peaks = []
    for files in (10, 60):
        deliver(tmp_path / f"logs-{files}", range(files * 100), per_file=100)
        tracemalloc.start()
        take(tmp_path / f"store-{files}", tmp_path / f"logs-{files}", batch_events=500)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.3 * peaks[0]


@pytest.mark.parametrize("form", ["fast", "general"])
def test_a_batch_ends_when_enough_text_has_come_together(
    form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "BATCH_BYTES", 50_000)
    for number in range(10):
        long = record(number, requestParameters={"keyId": KEY, "policy": str(number) * 20_000})
        if form == "general":
            long["readOnly"] = "yes"
        (tmp_path / f"{number}.json").write_bytes(log([long]))
    take(tmp_path / "store", *sorted(tmp_path.glob("*.json")))
    assert [batch.events for batch in TrailStore(tmp_path / "store").manifest.batches] == [3, 3, 3, 1]


def test_one_event_in_two_files_counts_once_in_one_run_and_over_runs(tmp_path: Path) -> None:
    store = tmp_path / "store"
    first, second = tmp_path / "first.json", tmp_path / "second.jsonl"
    first.write_bytes(log([record(1), record(2), record(2)]))
    second.write_text("\n".join(json.dumps(record(n)) for n in (2, 3)))
    summary = take(store, first, second)
    assert (summary.events, summary.kept, summary.duplicates) == (5, 3, 2)
    third = tmp_path / "third.json"
    third.write_bytes(log([record(1), record(3), record(4)]))
    summary = take(store, third)
    assert (summary.events, summary.kept, summary.duplicates, summary.total) == (3, 1, 2, 4)
    assert ids(store) == ["e-1", "e-2", "e-3", "e-4"]
