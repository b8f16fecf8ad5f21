"""A store of what trails recorded: Parquet, partitioned by month, and the views that reports ask.

::

    DIR/manifest.jsonl                           a line for each batch: what is not here is not there
    DIR/files/BATCH.jsonl                        the files of the batch
    DIR/events/month=2026-05/BATCH.parquet       rows of `EventRow`
    DIR/event_keys/month=2026-05/BATCH.parquet   rows of `KeyRow`
    DIR/staging/                                 what a run is writing

`TrailStore.connect` gives three views:

- ``events``: the columns of `EVENT_COLUMNS` and ``event_date`` (DATE), a row for each record: ``event_id`` is
  unique, however often and in however many files a record was delivered.
- ``event_keys``: the columns of `KEY_COLUMNS` and ``event_date``, a row for each event and key that it names.
- ``calls``: as ``events``, a row for each *call*. CloudTrail records a call across accounts in each of them,
  with an ``event_id`` of each and one ``shared_event_id``; whoever counts calls asks this view, and whoever
  asks what an account saw asks ``events``. Of several records the one that tells most stands for the call:
  it knows the caller, has the request, has the response, is of the account that a named key lies in; then
  the lesser id. Its rows in ``event_keys`` are found by its ``event_id``. Engines without the view count
  ``count(distinct coalesce(shared_event_id, event_id))``.

``request``, ``response`` and ``additional`` are JSON as it was recorded, or with names sorted: parse them.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final

import duckdb

from kms_constructs.detections.relations import EVENT_COLUMNS, KEY_COLUMNS
from kms_constructs.errors import SourceError
from kms_constructs.runtime.trail.manifest import MANIFEST, Manifest, Quarantined
from kms_constructs.runtime.trail.times import ImpossibleTimeError

EVENTS: Final = "events"
EVENT_KEYS: Final = "event_keys"
MEMORY_LIMIT: Final = "2GB"

_MALFORMED: Final = "Malformed JSON"
"""How DuckDB says of a text that it is no JSON."""
_COLUMNS: Final = {EVENTS: EVENT_COLUMNS, EVENT_KEYS: KEY_COLUMNS}

_CALLS: Final = """
CREATE VIEW calls AS
SELECT * FROM events WHERE shared_event_id IS NULL
UNION ALL
SELECT * FROM (
    SELECT e.* FROM events AS e WHERE e.shared_event_id IS NOT NULL
    QUALIFY row_number() OVER (
        PARTITION BY e.shared_event_id
        ORDER BY
            e.caller IS NULL,
            e.request IS NULL,
            e.response IS NULL,
            NOT EXISTS (
                SELECT 1 FROM event_keys AS k
                WHERE k.event_id = e.event_id AND split_part(k.key, ':', 5) = e.account
            ),
            e.event_id
    ) = 1
)
"""


class TrailStore:
    """A store of what trails recorded.

    Args:
        directory: Where it is.

    Raises:
        SourceError: There is no store, or it cannot be read.
    """

    def __init__(self, directory: Path) -> None:
        if not (directory / MANIFEST).is_file():
            raise SourceError(
                str(directory), "it is no store of a trail",
                f"Fill one first: kms-constructs trail ingest SOURCE... --into {directory}",
            )  # fmt: skip
        check_text(directory)
        self.directory = directory
        self.manifest = Manifest(directory)

    @property
    def events(self) -> int:
        """Number of events in it."""
        return sum(batch.events for batch in self.manifest.batches)

    @property
    def span(self) -> tuple[str, str] | None:
        """Times of the first and the last event, UTC, ISO 8601; None when there are none."""
        filled = [batch for batch in self.manifest.batches if batch.events]
        if not filled:
            return None
        return min(batch.first for batch in filled), max(batch.last for batch in filled)

    def quarantined(self) -> tuple[Quarantined, ...]:
        """What was given to ingestion and is not in the store: no report over the store knows of it."""
        return self.manifest.quarantined()

    def parquet(self, relation: str) -> tuple[Path, ...]:
        """The Parquet files of a relation that count.

        Args:
            relation: ``events`` or ``event_keys``.
        """
        return tuple(
            partition(self.directory, relation, month) / f"{batch.batch}.parquet"
            for batch in self.manifest.batches
            for month in (batch.months if relation == EVENTS else batch.keyed)
        )

    @contextlib.contextmanager
    def opened(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """What `connect` gives, closed at the end.

        Raises:
            SourceError: A file of the store is missing or damaged.
        """
        with telling_damage(self.directory, {one: self.parquet(one) for one in _COLUMNS}):
            connection = self.connect()
            try:
                yield connection
            finally:
                connection.close()

    def connect(
        self, *, memory_limit: str = MEMORY_LIMIT, threads: int | None = None
    ) -> duckdb.DuckDBPyConnection:
        """A connection with the views ``events``, ``event_keys`` and ``calls`` of what is there now.

        Args:
            memory_limit: Above it DuckDB goes to the disk: ``2GB``.
            threads: None for one a core.
        """
        connection = connected(memory_limit=memory_limit, threads=threads)
        for relation, columns in _COLUMNS.items():
            connection.execute(f"CREATE VIEW {relation} AS {_select(self.parquet(relation), columns)}")
        connection.execute(_CALLS)
        return connection


def connected(
    *, memory_limit: str = MEMORY_LIMIT, threads: int | None = None, spill: Path | None = None
) -> duckdb.DuckDBPyConnection:
    """A connection to an empty database in memory, in UTC, that spills to the disk above a limit.

    Args:
        memory_limit: Of DuckDB's own memory.
        threads: None for one a core.
        spill: Where to; None for a directory of its own that ends with the process.
    """
    if spill is None:
        spill = Path(tempfile.mkdtemp(prefix="kms-constructs-trail-"))
        atexit.register(shutil.rmtree, spill, ignore_errors=True)
    config: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": memory_limit,
        "temp_directory": str(spill),
        "preserve_insertion_order": False,
        # Nothing is fetched from anybody: JSON and Parquet are in the wheel.
        "autoinstall_known_extensions": False,
    }
    if threads is not None:
        config["threads"] = threads
    connection = duckdb.connect(":memory:", config=config)
    connection.execute("SET TimeZone = 'UTC'")
    return connection


@contextlib.contextmanager
def telling_damage(directory: Path, files: Mapping[str, Iterable[Path]]) -> Iterator[None]:
    """Names the file that is missing or damaged, when DuckDB fails for that.

    Files are looked at then alone: to read all of a store first takes as long as to ask it.

    Args:
        directory: Of the store.
        files: The Parquet files that are read, by relation.

    Raises:
        SourceError: One of them is not what was written.
    """
    fix = "The store is damaged: ingest the trail anew into another directory"
    try:
        yield
    except (duckdb.Error, UnicodeDecodeError, json.JSONDecodeError, ImpossibleTimeError) as error:
        for relation, paths in files.items():
            for path in paths:
                if problem := _damage(path, _COLUMNS[relation]):
                    raise SourceError(str(path), f"it cannot be read: {problem}", fix) from error
        if type(error) is duckdb.Error or isinstance(error, duckdb.IOException):
            # Filters of a file that only some queries look into; what a query did wrong is of other types.
            problem = str(error).partition("\n")[0]
            raise SourceError(str(directory), f"a file of it cannot be read: {problem}", fix) from error
        if isinstance(error, ImpossibleTimeError):
            raise SourceError(str(directory), f"{error}, which no record has", fix) from error
        if isinstance(error, json.JSONDecodeError) or _MALFORMED in str(error):
            raise SourceError(str(directory), "a record in it is no JSON", fix) from error
        raise


def _damage(file: Path, columns: Mapping[str, str]) -> str:
    """What is wrong with a Parquet file of a store; nothing when all of it can be read."""
    if not file.is_file():
        return "there is no such file"
    with contextlib.closing(duckdb.connect(":memory:")) as connection:
        try:
            connection.execute(f"CREATE VIEW one AS {_select((file,), columns)}")
            told = {name: kind for name, kind, *_ in connection.execute("DESCRIBE one").fetchall()}
            connection.execute("SELECT bit_xor(hash(COLUMNS(*))) FROM one").fetchall()
        except (duckdb.Error, UnicodeDecodeError) as error:
            return str(error).partition("\n")[0]
    wrong = [name for name, kind in columns.items() if told[name] != kind]
    return f"its column {wrong[0]} is of another type" if wrong else ""


def check_text(directory: Path) -> None:
    """Refuses a path that DuckDB cannot be told.

    Raises:
        SourceError: Its bytes are no UTF-8.
    """
    try:
        str(directory.resolve()).encode("utf-8")
    except UnicodeEncodeError:
        raise SourceError(
            str(directory), "the path is no UTF-8 text, and DuckDB takes no other",
            "Give another directory",
        ) from None  # fmt: skip


def partition(directory: Path, relation: str, month: str) -> Path:
    """Directory of a month of a relation."""
    return directory / relation / f"month={month}"


def listed(files: Iterable[Path]) -> str:
    """Files as a list of SQL."""
    return "[" + ", ".join(quoted(str(file)) for file in files) + "]"


def quoted(text: str) -> str:
    """A text as a literal of SQL."""
    return "'" + text.replace("'", "''") + "'"


def _select(files: tuple[Path, ...], columns: Mapping[str, str]) -> str:
    if not files:
        typed = (f"CAST(NULL AS {kind}) AS {name}" for name, kind in columns.items())
        return f"SELECT {', '.join(typed)}, CAST(NULL AS DATE) AS event_date WHERE false"
    # What stands in the path is not read: the directory of the store may be called anything.
    read = f"read_parquet({listed(files)}, hive_partitioning = false)"
    return f"SELECT {', '.join(columns)}, event_date FROM {read}"
