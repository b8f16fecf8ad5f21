"""Whatever ends a run and whenever: whole files, nothing twice, nothing lost."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from kms_constructs.errors import SourceError
from kms_constructs.runtime.trail import manifest, writer
from kms_constructs.runtime.trail.ingest import Summary, ingest
from kms_constructs.runtime.trail.lock import locked
from kms_constructs.runtime.trail.sources import LocalFiles, Scope
from kms_constructs.runtime.trail.store import EVENT_KEYS, EVENTS, TrailStore
from tests.conftest import REPOSITORY
from tests.runtime.trail.samples import deliver

PER_FILE = 20
_RUN = """
import sys
from pathlib import Path
from kms_constructs.runtime.trail.ingest import ingest
from kms_constructs.runtime.trail.sources import LocalFiles, Scope
print("begun", flush=True)
ingest(Path(sys.argv[2]), [LocalFiles((Path(sys.argv[1]),), Scope())], batch_events=100)
"""

Totals = list[tuple[object, ...]]


def take(store: Path, logs: Path) -> Summary:
    return ingest(store, [LocalFiles((logs,), Scope())], batch_events=100)


def totals(store: Path) -> Totals:
    """Events, events that differ, and keys of each file."""
    with TrailStore(store).connect(threads=1) as connection:
        return connection.execute(
            "SELECT split_part(event_id, '-', 2)::INT // $size AS file, count(*), count(DISTINCT event_id), "
            "(SELECT count(*) FROM event_keys AS k "
            "WHERE split_part(k.event_id, '-', 2)::INT // $size = file) "
            "FROM events GROUP BY ALL ORDER BY ALL",
            {"size": PER_FILE},
        ).fetchall()


def of_files(files: int) -> Totals:
    return [(file, PER_FILE, PER_FILE, PER_FILE) for file in range(files)]


def strangers(store: Path) -> set[Path]:
    """What lies in a store and does not belong to it."""
    known = TrailStore(store)
    there = {path for path in store.rglob("*") if path.is_file()}
    lists = {known.manifest.files_of(batch.batch) for batch in known.manifest.batches}
    return there - {*known.parquet(EVENTS), *known.parquet(EVENT_KEYS), *lists} - {
        store / "lock", store / "manifest.jsonl"
    }  # fmt: skip


@pytest.mark.slow
def test_runs_that_are_killed_at_any_moment_lose_nothing_and_keep_nothing_twice(tmp_path: Path) -> None:
    logs, files = tmp_path / "logs", 60
    deliver(logs, range(files * PER_FILE), per_file=PER_FILE)
    rng = random.Random(13)  # noqa: S311 - when to kill is no secret
    killed: set[int] = set()
    for turn in range(3):
        store = tmp_path / f"store-{turn}"
        for _ in range(30):
            if run_and_kill(logs, store, rng.uniform(0.0, 0.5)):
                break
            if (store / "manifest.jsonl").is_file():
                found = totals(store)
                assert set(found) <= set(of_files(files))
                killed.add(len(found))
        take(store, logs)
        assert totals(store) == of_files(files)
        assert strangers(store) == set()
    # Runs were killed in more places than at the begin and at the end.
    assert len(killed) > 2


def run_and_kill(logs: Path, store: Path, seconds: float) -> bool:
    """Begins a run and kills it after some time; whether it had ended by then."""
    with subprocess.Popen(
        [sys.executable, "-c", _RUN, str(logs), str(store)], stdout=subprocess.PIPE, cwd=REPOSITORY
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"begun\n"
        time.sleep(seconds)
        ended = process.poll() is not None
        process.kill()
        process.wait()
    assert not ended or process.returncode == 0
    return ended


class KilledError(BaseException):
    """The process is gone."""


STEPS: dict[str, tuple[object, str]] = {
    "a file is moved": (Path, "rename"),
    "a file is written": (writer, "synced"),
    "the manifest is written": (manifest, "written"),
    "the manifest is on the disk": (manifest, "synced"),
}


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("at", range(1, 5))
def test_a_run_that_ends_at_a_step_is_made_up_for(
    step: str, at: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    logs, store = tmp_path / "logs", tmp_path / "store"
    deliver(logs, range(10 * PER_FILE), per_file=PER_FILE)
    owner, name = STEPS[step]
    real: Callable[..., object] = getattr(owner, name)
    left = at

    def step_of(*arguments: object) -> object:
        nonlocal left
        left -= 1
        if not left:
            raise KilledError
        return real(*arguments)

    with monkeypatch.context() as patched:
        patched.setattr(owner, name, step_of)
        with pytest.raises(KilledError):
            take(store, logs)
    assert set(totals(store)) <= set(of_files(10))
    take(store, logs)
    assert totals(store) == of_files(10)
    assert strangers(store) == set()


def test_a_line_of_the_manifest_that_was_being_written_does_not_count(tmp_path: Path) -> None:
    logs, store = tmp_path / "logs", tmp_path / "store"
    deliver(logs, range(10 * PER_FILE), per_file=PER_FILE)
    take(store, logs)
    file = store / "manifest.jsonl"
    content = file.read_bytes()
    assert content.count(b"\n") == 2
    for cut in (1, 20, 60):
        file.write_bytes(content[:-cut])
        assert totals(store) == of_files(5)
        take(store, logs)
        assert totals(store) == of_files(10)
        assert strangers(store) == set()


def test_a_manifest_that_is_damaged_or_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    store = tmp_path / "store"
    take(store, deliver(tmp_path / "logs", range(PER_FILE))[0])
    file = store / "manifest.jsonl"
    content = file.read_text()
    file.write_text("{}\n" + content)
    with pytest.raises(SourceError, match="line 1 is no batch of a store"):
        TrailStore(store)
    file.write_text(content.replace("{", '{"version":2,', 1))
    with pytest.raises(SourceError, match="newer than this tool"):
        TrailStore(store)


def test_two_runs_do_not_write_at_once(tmp_path: Path) -> None:
    store = tmp_path / "store"
    logs = deliver(tmp_path / "logs", range(PER_FILE))[0]
    take(store, logs)
    with locked(store / "lock"), pytest.raises(SourceError, match="another run writes to this store"):
        take(store, logs)
    assert take(store, logs).known == 1


def test_a_store_that_cannot_be_written_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    logs, store = tmp_path / "logs", tmp_path / "store"
    deliver(logs, range(PER_FILE))
    with monkeypatch.context() as patched:
        patched.setattr(writer, "synced", full)
        with pytest.raises(SourceError, match="it cannot be written: No space left on device"):
            take(store, logs)
    assert take(store, logs).kept == PER_FILE
