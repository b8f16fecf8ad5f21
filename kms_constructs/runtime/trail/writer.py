"""Writes batches into a store, each as a whole or not at all."""

from __future__ import annotations

import contextlib
import secrets
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import duckdb
import msgspec

from kms_constructs.detections.relations import EVENT_COLUMNS, KEY_COLUMNS
from kms_constructs.errors import SourceError
from kms_constructs.runtime.trail.lock import locked
from kms_constructs.runtime.trail.manifest import FILES, MANIFEST, Batch, File, Manifest, synced, written
from kms_constructs.runtime.trail.records import (
    DIMENSIONS,
    FIELD,
    KIND,
    OWN,
    QUOTE,
    WHAT,
    WHO,
    Read,
    Reader,
    safe,
)
from kms_constructs.runtime.trail.store import (
    EVENT_KEYS,
    EVENTS,
    check_text,
    connected,
    listed,
    partition,
    quoted,
    telling_damage,
)

BATCH_EVENTS: Final = 200_000
BATCH_BYTES: Final = 128 * 1024 * 1024
"""Text of the events of a batch, about; beyond either bound the next file begins another."""

_STAGING: Final = "staging"
_NAMED: Final = ("key", "alias", "use")
_PATTERNS: Final = frozenset("*?[")


@dataclass(slots=True)
class Written:
    """What became of a batch.

    Args:
        kept: Events that are new.
        duplicates: Events that were there already, in the batch or in the store.
    """

    kept: int
    duplicates: int


@dataclass(slots=True)
class _Open:
    """A batch that is being filled."""

    name: str
    directory: Path
    files: list[File] = field(default_factory=list)
    ids: set[str] = field(default_factory=set)
    events: int = 0
    duplicates: int = 0
    size: int = 0


class Writer:
    """The one writer of a store: takes documents, and writes a batch whenever enough has come together.

    Args:
        directory: Of the store; made where it is missing.
        reader: Whose rows are written.
        batch_events: Events of a batch, about.

    Raises:
        SourceError: The directory holds something else, or another process writes to it.
    """

    def __init__(self, directory: Path, reader: Reader, *, batch_events: int = BATCH_EVENTS) -> None:
        self.directory = directory
        self._reader = reader
        self._batch_events = batch_events
        self._open: _Open | None = None

    @contextlib.contextmanager
    def writing(self) -> Iterator[Manifest]:
        """Holds the lock of the store, and removes first what an earlier run left unfinished."""
        _prepare(self.directory)
        with locked(self.directory / "lock"):
            self.manifest = Manifest(self.directory)
            self.manifest.mend()
            written(self.directory / MANIFEST, b"", "ab")
            self._sweep()
            try:
                yield self.manifest
            finally:
                shutil.rmtree(self.directory / _STAGING, ignore_errors=True)

    def add(self, file: File, read: Read) -> None:
        """Takes the records of a file into the batch. Those that the batch has already count once."""
        with self._telling():
            self._add(file, read)

    def _add(self, file: File, read: Read) -> None:
        batch = self._batch()
        rows, ids = read.rows, set(read.ids)
        if len(ids) < len(rows) or not batch.ids.isdisjoint(ids):
            new = {
                id_: row
                for id_, row in zip(reversed(read.ids), reversed(rows), strict=True)
                if id_ not in batch.ids
            }
            rows, ids = list(new.values()), set(new)
        batch.ids |= ids
        batch.duplicates += len(read.rows) - len(rows)
        batch.events += len(rows)
        batch.files.append(msgspec.structs.replace(file, kept=len(rows)))
        if rows:
            with (batch.directory / "events.txt").open("ab") as stream:
                batch.size += stream.write(_lines(rows))

    def note(self, file: File) -> None:
        """Takes note of a file that brings nothing: it could not be read, or is known under another name."""
        with self._telling():
            self._batch().files.append(file)

    @property
    def full(self) -> bool:
        """Whether enough has come together."""
        batch = self._open
        return batch is not None and (
            batch.events >= self._batch_events
            or batch.size + self._reader.size >= BATCH_BYTES
            or len(batch.files) >= self._batch_events
        )

    def finish(self) -> Written:
        """Writes the batch; from then on it counts.

        Raises:
            SourceError: It cannot be written.
        """
        with self._telling():
            return self._finish()

    def _finish(self) -> Written:
        batch, self._open = self._open, None
        if batch is None:
            return Written(0, 0)
        again = 0
        months: Sequence[tuple[str, int, datetime, datetime]] = ()
        keyed: Sequence[str] = ()
        if batch.events:
            with contextlib.closing(connected(threads=1, spill=batch.directory / "spill")) as connection:
                self._load(connection, batch)
                again = self._drop_known(connection)
                months = _summed(connection)
                names = [month for month, *_ in months]
                self._copy(connection, batch, EVENTS, _EVENTS, names)
                keyed = self._copy(connection, batch, EVENT_KEYS, _KEYS, names)
            self._publish(batch, [(EVENTS, one) for one in names] + [(EVENT_KEYS, one) for one in keyed])
        self.manifest.add(
            Batch(
                batch=batch.name,
                at=datetime.now(UTC).isoformat(timespec="seconds"),
                events=sum(events for _, events, _, _ in months),
                months=tuple(month for month, *_ in months),
                keyed=tuple(keyed),
                first=min((_iso(first) for *_, first, _ in months), default=""),
                last=max((_iso(last) for *_, last in months), default=""),
                quarantined=sum(bool(file.problem) + len(file.bad) for file in batch.files),
            ),
            batch.files,
        )
        shutil.rmtree(batch.directory, ignore_errors=True)
        self._reader.start()
        return Written(batch.events - again, batch.duplicates + again)

    @contextlib.contextmanager
    def _telling(self) -> Iterator[None]:
        try:
            yield
        except (OSError, duckdb.IOException, duckdb.OutOfMemoryException) as error:
            problem = getattr(error, "strerror", None) or str(error).partition("\n")[0]
            raise SourceError(
                str(self.directory), f"it cannot be written: {problem}",
                "Check permissions and free space; what was taken before is whole, call again to go on",
            ) from error  # fmt: skip

    def _batch(self) -> _Open:
        if self._open is None:
            now = datetime.now(UTC)
            name = f"{now:%Y%m%dT%H%M%S}-{secrets.token_hex(6)}"
            directory = self.directory / _STAGING / name
            directory.mkdir(parents=True)
            self._open = _Open(name, directory)
        return self._open

    def _load(self, connection: duckdb.DuckDBPyConnection, batch: _Open) -> None:
        reader = self._reader
        text = dict.fromkeys((*OWN, *KIND, *WHO, *WHAT, *_NAMED), "VARCHAR") | {
            "event_time": "TIMESTAMP", "read_only": "BOOLEAN"
        }  # fmt: skip
        numbers = dict.fromkeys(DIMENSIONS, "INTEGER")
        _read_into(
            connection, "own", batch.directory / "events.txt", {name: text[name] for name in OWN} | numbers
        )
        for table, columns, shared in (
            ("kinds", KIND, _numbered(reader.kinds)),
            ("whos", WHO, _numbered(reader.callers)),
            ("whats", WHAT, _numbered(reader.requests)),
            ("keys", _NAMED, _named(reader)),
        ):  # fmt: skip
            file = batch.directory / f"{table}.txt"
            file.write_bytes(_lines(shared))
            types = {"number": "INTEGER"} | {name: text[name] for name in columns}
            _read_into(connection, table, file, types)

    def _drop_known(self, connection: duckdb.DuckDBPyConnection) -> int:
        """Drops what the store has already: a second delivery has the time and the account of the first."""
        bounds = connection.execute(
            "SELECT min(event_time), max(event_time), min(account), max(account), count(*) - count(account) "
            "FROM own JOIN kinds ON kind = number"
        ).fetchone()
        assert bounds is not None  # noqa: S101 - an aggregate has a row
        first, last, *_ = bounds
        known = [
            partition(self.directory, EVENTS, month) / f"{batch.batch}.parquet"
            for batch in self.manifest.batches
            if batch.first <= _iso(last) and batch.last >= _iso(first)
            for month in batch.months
            if f"{first:%Y-%m}" <= month <= f"{last:%Y-%m}"
        ]
        if not known:
            return 0
        with telling_damage(self.directory, {EVENTS: known}):
            return self._drop(connection, known, bounds)

    @staticmethod
    def _drop(connection: duckdb.DuckDBPyConnection, known: Sequence[Path], bounds: tuple[Any, ...]) -> int:
        """Drops events that these files have."""
        first, last, least, most, without = bounds
        accounts = "" if without else "AND account BETWEEN $least AND $most"
        parameters = {"first": first, "last": last} | ({} if without else {"least": least, "most": most})
        connection.execute(
            f"CREATE TABLE known AS SELECT DISTINCT event_id FROM read_parquet({listed(known)}) "
            f"WHERE event_time BETWEEN $first AND $last {accounts} "
            "AND event_id IN (SELECT event_id FROM own)",
            parameters,
        )
        found = connection.execute(
            "DELETE FROM own WHERE event_id IN (SELECT event_id FROM known)"
        ).fetchone()
        return int(found[0]) if found else 0

    def _copy(
        self,
        connection: duckdb.DuckDBPyConnection,
        batch: _Open,
        relation: str,
        query: str,
        months: Sequence[str],
    ) -> list[str]:
        """Writes a file a month, and tells for which months there was anything."""
        made = []
        for month in months:
            target = batch.directory / f"{relation}-{month}.parquet"
            bounds = f"event_time >= DATE '{month}-01' AND event_time < DATE '{month}-01' + INTERVAL 1 MONTH"
            result = connection.execute(
                f"COPY ({query.format(bounds=bounds)}) TO {quoted(str(target))} "
                "(FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1)"
            ).fetchone()
            if result and result[0]:
                synced(target)
                made.append(month)
        return made

    def _publish(self, batch: _Open, moves: Sequence[tuple[str, str]]) -> None:
        """Moves what was written to its place, where the manifest's line is all that is missing."""
        changed = set()
        for relation, month in moves:
            target = partition(self.directory, relation, month)
            target.mkdir(parents=True, exist_ok=True)
            (batch.directory / f"{relation}-{month}.parquet").rename(target / f"{batch.name}.parquet")
            changed.update({target, target.parent})
        for directory in sorted(changed):
            synced(directory)

    def _sweep(self) -> None:
        """Removes what no line of the manifest tells of."""
        shutil.rmtree(self.directory / _STAGING, ignore_errors=True)
        known = {batch.batch for batch in self.manifest.batches}
        for relation in (EVENTS, EVENT_KEYS):
            for file in (self.directory / relation).glob("month=*/*.parquet"):
                if file.stem not in known:
                    file.unlink()
        for file in (self.directory / FILES).glob("*.jsonl"):
            if file.stem not in known:
                file.unlink()


_EVENTS: Final = (
    f"SELECT {', '.join(EVENT_COLUMNS)}, event_time::DATE AS event_date FROM own "
    "JOIN kinds ON kind = kinds.number JOIN whos ON who = whos.number JOIN whats ON what = whats.number "
    "WHERE {bounds}"
)
_KEYS: Final = (
    f"SELECT {', '.join(KEY_COLUMNS)}, event_time::DATE AS event_date FROM own "
    "JOIN keys ON named = keys.number WHERE {bounds}"
)


def _prepare(directory: Path) -> None:
    check_text(directory)
    fix = "Give a directory that is empty, a store, or a name that does not exist yet"
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        there = {path.name for path in directory.iterdir()}
    except OSError as error:
        raise SourceError(str(directory), f"no store can be made there: {error.strerror}", fix) from error
    if there - {"lock", _STAGING} and MANIFEST not in there:
        raise SourceError(str(directory), "the directory holds something that is no store of a trail", fix)
    if _PATTERNS & set(str(directory.resolve())):
        raise SourceError(
            str(directory), "the path holds one of * ? [, which DuckDB takes for a pattern",
            "Give another directory",
        )  # fmt: skip


def _summed(connection: duckdb.DuckDBPyConnection) -> Sequence[tuple[str, int, datetime, datetime]]:
    """For each month of a batch: events, the first and the last."""
    rows: list[tuple[str, int, datetime, datetime]] = connection.execute(
        "SELECT strftime(event_time, '%Y-%m'), count(*), min(event_time), max(event_time) FROM own "
        "GROUP BY ALL ORDER BY ALL"
    ).fetchall()
    return rows


def _numbered(texts: Iterable[str]) -> list[str]:
    return [f"{number}{FIELD}{text}" for number, text in enumerate(texts)]


def _named(reader: Reader) -> list[str]:
    return [
        FIELD.join((str(number), safe(key), safe(alias or ""), safe(use)))
        for number, keys in enumerate(reader.keys)
        for key, alias, use in keys
    ]


def _iso(moment: datetime) -> str:
    """Texts that sort as their times do."""
    return f"{moment.isoformat(timespec='microseconds')}Z"


def _lines(rows: Sequence[str]) -> bytes:
    # A surrogate alone is no text of UTF-8: it is shown as its escape, which in JSON means the same.
    return ("\n".join(rows) + "\n").encode("utf-8", "backslashreplace") if rows else b""


def _read_into(
    connection: duckdb.DuckDBPyConnection, table: str, file: Path, columns: Mapping[str, str]
) -> None:
    types = ", ".join(f"'{name}': '{kind}'" for name, kind in columns.items())
    if not file.exists() or not file.stat().st_size:
        made = ", ".join(f"{name} {kind}" for name, kind in columns.items())
        connection.execute(f"CREATE TABLE {table} ({made})")
        return
    connection.execute(
        f"CREATE TABLE {table} AS SELECT * FROM read_csv({quoted(str(file))}, columns = {{{types}}}, "
        "header = false, auto_detect = false, parallel = false, new_line = '\\n', max_line_size = 268435456, "
        f"delim = '{FIELD}', quote = '{QUOTE}', escape = '{QUOTE}')"
    )
