"""Ingestion: what sources have goes into a store, once."""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol

from kms_constructs.runtime.trail.manifest import File, Manifest, Quarantined, Record
from kms_constructs.runtime.trail.records import Reader
from kms_constructs.runtime.trail.sources import Item, LeftOut, Source, UnreadableError
from kms_constructs.runtime.trail.unpack import too_large, unpacked
from kms_constructs.runtime.trail.writer import BATCH_EVENTS, Writer

MAX_FILE_BYTES: Final = 256 * 1024 * 1024
"""Unpacked. CloudTrail's own files have some 50 MB at most."""
SPOOL_BYTES: Final = 64 * 1024 * 1024
"""Of files, as stored, that are read ahead."""
READ_AHEAD: Final = 16
"""Files that are read ahead at most."""


class Progress(Protocol):
    """How far a number of files is."""

    def planned(self, files: int) -> None:
        """So many more are to be read."""

    def done(self) -> None:
        """One has been."""


@dataclass(slots=True)
class Summary:
    """What a run of ingestion did.

    Args:
        files: Files taken.
        known: Files that were taken before, and were skipped.
        other: Digests and the like, skipped by their names.
        outside: Log files of other days or Regions than were asked for.
        events: Records read.
        kept: Of them, those that are in the store for it.
        unrelated: Of them, those that bear on no key.
        duplicates: Of them, those that the store had.
        quarantined: Files and records that could not be taken.
        first: Time of the first event of the store, UTC; empty without one.
        last: Of the last.
        total: Events of the store.
    """

    files: int = 0
    known: int = 0
    other: int = 0
    outside: int = 0
    events: int = 0
    kept: int = 0
    unrelated: int = 0
    duplicates: int = 0
    quarantined: list[Quarantined] = field(default_factory=list)
    first: str = ""
    last: str = ""
    total: int = 0


def ingest(
    directory: Path,
    sources: Sequence[Source],
    *,
    max_file_bytes: int = MAX_FILE_BYTES,
    batch_events: int = BATCH_EVENTS,
    progress: Progress | None = None,
) -> Summary:
    """Takes what sources have into a store, whole batches at a time.

    Whenever it ends, the store holds whole files, and the next run goes on behind them. What cannot be read
    is quarantined, and tried again by the next run.

    Args:
        directory: Of the store; made where it is missing.
        sources: Where records come from.
        max_file_bytes: What a file may have, unpacked.
        batch_events: Events that are written at once, about; memory follows it.
        progress: Told of each file.

    Raises:
        SourceError: A source or the store cannot be used at all.
    """
    reader = Reader()
    writer = Writer(directory, reader, batch_events=batch_events)
    with writer.writing() as manifest:
        run = _Run(writer, reader, manifest, max_file_bytes)
        for item, content in _fetched(run.fresh(sources, progress), max_file_bytes):
            run.take(item, content)
            if progress is not None:
                progress.done()
        run.flush()
        for source in sources:
            run.leave_out(source.left_out)
        return run.summed()


class _Run:
    """One run."""

    def __init__(self, writer: Writer, reader: Reader, manifest: Manifest, limit: int) -> None:
        self._writer = writer
        self._reader = reader
        self._manifest = manifest
        self._limit = limit
        self._marks: dict[str, str] = {}
        self._contents: set[str] = set()
        self.summary = Summary()
        self._problems: dict[str, File] = {}
        for file in manifest.files():
            if file.problem:
                self._problems[file.name] = file
                continue
            self._marks[file.name] = file.mark
            if file.sha256:
                self._contents.add(file.sha256)

    def fresh(self, sources: Iterable[Source], progress: Progress | None) -> Iterator[Item]:
        """The items that were not taken before."""
        for source in sources:
            for item in source.items():
                if self._marks.get(item.name) == item.mark:
                    self.summary.known += 1
                    continue
                if progress is not None:
                    progress.planned(1)
                yield item

    def take(self, item: Item, content: bytes | UnreadableError) -> None:
        """Takes an item, or says why not."""
        file = File(name=item.name, mark=item.mark)
        try:
            if isinstance(content, UnreadableError):
                raise content
            digest = hashlib.sha256(content).hexdigest() if item.is_file else ""
            file = File(name=item.name, mark=item.mark, sha256=digest)
            if digest in self._contents:
                self.summary.known += 1
                self._writer.note(file)
                self._marks[item.name] = item.mark
                return
            read = self._reader.read(unpacked(content, self._limit))
        except (UnreadableError, ValueError) as error:
            problem = str(error)
            self.summary.quarantined.append(Quarantined(name=item.name, problem=problem))
            file = File(name=item.name, mark=item.mark, problem=problem)
            if self._problems.get(item.name) != file:
                self._writer.note(file)
            return
        bad = tuple(Record(number=one.number, problem=one.problem) for one in read.bad)
        self._writer.add(
            File(name=item.name, mark=item.mark, sha256=digest, events=read.events, bad=bad), read
        )
        self._marks[item.name] = item.mark
        if digest:
            self._contents.add(digest)
        summary = self.summary
        summary.files += 1
        summary.events += read.events
        summary.unrelated += read.events - len(read.rows) - len(bad)
        summary.quarantined.extend(
            Quarantined(name=f"{item.name}, record {one.number}", problem=one.problem) for one in bad
        )
        if self._writer.full:
            self.flush()

    def flush(self) -> None:
        """Writes what has come together."""
        written = self._writer.finish()
        self.summary.kept += written.kept
        self.summary.duplicates += written.duplicates

    def leave_out(self, left_out: LeftOut) -> None:
        """Counts what a source left out."""
        self.summary.other += left_out.other
        self.summary.outside += left_out.outside

    def summed(self) -> Summary:
        """The summary, with what the store holds now."""
        filled = [batch for batch in self._manifest.batches if batch.events]
        self.summary.total = sum(batch.events for batch in filled)
        self.summary.first = min((batch.first for batch in filled), default="")
        self.summary.last = max((batch.last for batch in filled), default="")
        return self.summary


def _fetched(items: Iterable[Item], limit: int) -> Iterator[tuple[Item, bytes | UnreadableError]]:
    """Items with their contents, in order, some read ahead: as many as fit into the spool."""
    pending: deque[tuple[Item, Future[bytes]]] = deque()
    held = 0
    pool = ThreadPoolExecutor(max_workers=READ_AHEAD // 2, thread_name_prefix="trail")
    try:
        for item in items:
            while pending and (len(pending) >= READ_AHEAD or held + item.size > SPOOL_BYTES):
                held -= pending[0][0].size
                yield _result(*pending.popleft())
            pending.append((item, pool.submit(_read, item, limit)))
            held += item.size
        while pending:
            yield _result(*pending.popleft())
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _read(item: Item, limit: int) -> bytes:
    if item.size > limit:
        raise too_large(limit)
    return item.read()


def _result(item: Item, future: Future[bytes]) -> tuple[Item, bytes | UnreadableError]:
    try:
        return item, future.result()
    except UnreadableError as error:
        return item, error
