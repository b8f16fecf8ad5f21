"""What a store has taken: a line for each batch, which alone makes the batch count.

``manifest.jsonl`` has a line a batch, and is all that a reader of the store needs. ``files/BATCH.jsonl`` has
a line for each file of the batch, for the next run of ingestion. A line is written after everything that it
tells of is on the disk; a batch without a line was not finished and is removed by the next run.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import msgspec

from kms_constructs.errors import SourceError

MANIFEST: Final = "manifest.jsonl"
FILES: Final = "files"
VERSION: Final = 1
"""Of the layout of the store: one that is newer is refused."""
_NO_LINE: Final = (msgspec.MsgspecError, UnicodeDecodeError)
"""What a line raises that was not written here."""


class Batch(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What was written at once.

    Args:
        batch: Its id; its files in the store are named after it.
        at: When, UTC.
        events: Events kept.
        months: Months (``2026-05``) that it has events of.
        keyed: Months that it has names of keys of.
        first: Time of its first event, UTC, ISO 8601; empty without one.
        last: Of its last.
        quarantined: Files and records of it that could not be taken.
        version: Of the layout.
    """

    batch: str
    at: str
    events: int = 0
    months: tuple[str, ...] = ()
    keyed: tuple[str, ...] = ()
    first: str = ""
    last: str = ""
    quarantined: int = 0
    version: int = VERSION


class Record(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A record that was not taken.

    Args:
        number: Its place in the file, from 1.
        problem: What is wrong with it.
    """

    number: int
    problem: str


class File(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A file, or what stands for one.

    Args:
        name: Path or address.
        mark: What changes when its content does: size and time, ETag.
        sha256: Of its content as stored, where it was read.
        events: Records in it.
        kept: Those of them that are in the store for its sake.
        problem: Why it was not taken; empty when it was.
        bad: Records of it that were not taken.
    """

    name: str
    mark: str
    sha256: str = ""
    events: int = 0
    kept: int = 0
    problem: str = ""
    bad: tuple[Record, ...] = ()


class Quarantined(msgspec.Struct, frozen=True, kw_only=True):
    """Something that was not taken.

    Args:
        name: Of the file; with the number of the record, where it is one.
        problem: Why.
    """

    name: str
    problem: str


class Manifest:
    """The batches of a store.

    Args:
        directory: Of the store.

    Raises:
        SourceError: The manifest cannot be read.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._file = directory / MANIFEST
        self.batches: list[Batch] = list(self._read())

    def _read(self) -> Iterator[Batch]:
        try:
            content = self._file.read_bytes()
        except FileNotFoundError:
            return
        except OSError as error:
            raise SourceError(
                str(self._file), f"it cannot be read: {error.strerror}", "Check its permissions"
            ) from error
        # What stands behind the last line break was being written when the run ended.
        lines = content[: content.rfind(b"\n") + 1].splitlines()
        decoder = msgspec.json.Decoder(Batch)
        for number, line in enumerate(lines, start=1):
            try:
                batch = decoder.decode(line)
            except _NO_LINE as error:
                raise SourceError(
                    str(self._file), f"line {number} is no batch of a store ({error})",
                    "Give the directory of a store, or ingest into another one",
                ) from error  # fmt: skip
            if batch.version > VERSION:
                raise SourceError(
                    str(self._file), f"the store is of version {batch.version}, newer than this tool",
                    "Update kms-constructs",
                )  # fmt: skip
            yield batch

    def files(self) -> Iterator[File]:
        """The files of every batch, in the order in which they were taken.

        Raises:
            SourceError: A list of files is missing or damaged.
        """
        decoder = msgspec.json.Decoder(File)
        for batch in self.batches:
            file = self.files_of(batch.batch)
            try:
                yield from decoder.decode_lines(file.read_bytes())
            except (OSError, *_NO_LINE) as error:
                raise SourceError(
                    str(file), f"it cannot be read: {error}", "Ingest into another directory"
                ) from error

    def files_of(self, batch: str) -> Path:
        """The list of files of a batch."""
        return self._directory / FILES / f"{batch}.jsonl"

    def add(self, batch: Batch, files: Sequence[File]) -> None:
        """Makes a batch count. What it tells of is on the disk already."""
        target = self.files_of(batch.batch)
        target.parent.mkdir(exist_ok=True)
        encoder = msgspec.json.Encoder()
        written(target, encoder.encode_lines(files), "wb")
        synced(target.parent)
        written(self._file, encoder.encode(batch) + b"\n", "ab")
        synced(self._directory)
        self.batches.append(batch)

    def mend(self) -> None:
        """Takes away a line that was being written when a run ended."""
        with contextlib.suppress(FileNotFoundError):
            content = self._file.read_bytes()
            if whole := len(content) - (content.rfind(b"\n") + 1):
                os.truncate(self._file, len(content) - whole)

    def quarantined(self) -> tuple[Quarantined, ...]:
        """What was not taken, and was not taken later under the same name either."""
        found: dict[str, tuple[Quarantined, ...]] = {}
        for file in self.files():
            found.pop(file.name, None)
            problems = (
                (Quarantined(name=file.name, problem=file.problem),)
                if file.problem
                else tuple(
                    Quarantined(name=f"{file.name}, record {one.number}", problem=one.problem)
                    for one in file.bad
                )
            )
            if problems:
                found[file.name] = problems
        return tuple(one for many in found.values() for one in many)


def written(file: Path, content: bytes, mode: str) -> None:
    """Writes to a file, and waits until the disk has it."""
    with file.open(mode) as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())


def synced(path: Path) -> None:
    """Waits until the disk has a file, or the names in a directory, where the system can."""
    try:
        handle = os.open(path, os.O_RDONLY)
    except PermissionError:  # a directory, on Windows
        return
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
