"""Where records come from: what every source has in common, and files of this machine.

See: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/get-and-view-cloudtrail-log-files.html
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Final, Protocol

from kms_constructs.errors import SourceError

_SUFFIXES: Final = (".json", ".json.gz", ".jsonl", ".jsonl.gz", ".ndjson", ".ndjson.gz", ".csv", ".csv.gz")
_NO_RECORDS: Final = ("CloudTrail-Digest", "CloudTrail-Insight", "CloudTrail-Aggregated")
"""What trails deliver beside log files, as folders and in the names of files."""
_SIGNATURE: Final = "result_sign.json"
"""What CloudTrail Lake delivers beside its results."""
_NAME: Final = re.compile(r"[0-9]{12}_CloudTrail_(?P<region>[a-z0-9-]+)_(?P<day>[0-9]{8})T[0-9]{4}Z_[^/]*$")


class UnreadableError(Exception):
    """Something cannot be taken; the rest can."""


class Item(Protocol):
    """A file, or what stands for one."""

    @property
    def name(self) -> str:
        """Path or address."""

    @property
    def mark(self) -> str:
        """What changes when the content does."""

    @property
    def size(self) -> int:
        """Bytes, as stored; 0 where that is not known before."""

    @property
    def is_file(self) -> bool:
        """Whether the same content under another name is the same file."""

    def read(self) -> bytes:
        """The content, as stored.

        Raises:
            UnreadableError: It cannot be read.
        """


class Source(Protocol):
    """Something that has items, and tells what it left out once they have been gone through."""

    left_out: LeftOut

    def items(self) -> Iterator[Item]:
        """The items, in an order that follows their time where that is known."""


@dataclass(slots=True)
class LeftOut:
    """What was not read because of its name.

    Args:
        other: Digests and Insights of trails, signatures of CloudTrail Lake.
        outside: Log files of other days or Regions than were asked for.
    """

    other: int = 0
    outside: int = 0


@dataclass(frozen=True, slots=True)
class Scope:
    """Which log files are asked for, by the Region and the day that their names tell.

    Files are taken whole, so that a file that is known is known for good. CloudTrail delivers an event some
    minutes after it happened: the day after `until` is read as well.

    Args:
        since: The first day, UTC; None for all.
        until: The last day.
        regions: Names of Regions; none for all.

    Example:
        >>> scope = Scope(since=date(2026, 5, 1), regions=frozenset({"eu-west-1"}))
        >>> scope.takes("111122223333_CloudTrail_eu-west-1_20260501T0005Z_a.json.gz")
        True
        >>> scope.takes("111122223333_CloudTrail_eu-west-1_20260430T2355Z_a.json.gz")
        False
    """

    since: date | None = None
    until: date | None = None
    regions: frozenset[str] = frozenset()

    @property
    def last(self) -> date | None:
        """The last day on which events of the scope may be delivered."""
        return None if self.until is None or self.until == date.max else self.until + timedelta(days=1)

    def takes(self, name: str) -> bool:
        """Whether a file of this name may hold events of the scope; of one that tells nothing, it may."""
        told = _NAME.search(name)
        if told is None:
            return True
        if self.regions and told["region"] not in self.regions:
            return False
        day = told["day"]
        return not (
            (self.since is not None and day < f"{self.since:%Y%m%d}")
            or (self.last is not None and day > f"{self.last:%Y%m%d}")
        )


def has_no_records(name: str) -> bool:
    """Whether a file holds something else than records, by its path or key.

    Example:
        >>> has_no_records("AWSLogs/111122223333/CloudTrail-Digest/eu-west-1/2026/05/01/a.json.gz")
        True
    """
    return any(part in name for part in _NO_RECORDS) or name.endswith(_SIGNATURE)


def order_of(name: str) -> tuple[str, str]:
    """Sorts names by the day that they tell: events that belong together come together."""
    told = _NAME.search(name)
    return ("" if told is None else told["day"], name)


@dataclass(frozen=True, slots=True)
class LocalFile:
    """A file of this machine.

    Args:
        path: Where it is.
        size: Bytes.
        changed: When, nanoseconds.
    """

    path: Path
    size: int
    changed: int

    @property
    def name(self) -> str:
        """Its whole path, as text: bytes of it that are none are escaped."""
        return str(self.path).encode("utf-8", "backslashreplace").decode("utf-8")

    @property
    def mark(self) -> str:
        """Size and time of the last change."""
        return f"{self.size}:{self.changed}"

    @property
    def is_file(self) -> bool:
        """It is."""
        return True

    def read(self) -> bytes:
        """The content."""
        try:
            if not self.path.is_file():
                raise UnreadableError("it is no file, or not there any more")
            return self.path.read_bytes()
        except OSError as error:
            raise UnreadableError(f"it cannot be read: {error.strerror}") from error


@dataclass(slots=True)
class LocalFiles:
    """Files, and what is in directories.

    Args:
        paths: As given: files are taken whatever they are called, of directories what ends as logs do.
        scope: Which log files are asked for.
        without: A directory that is not looked into: the store may lie among the logs.
        left_out: What was left out.
    """

    paths: tuple[Path, ...]
    scope: Scope
    without: Path | None = None
    left_out: LeftOut = field(default_factory=LeftOut)

    def items(self) -> Iterator[LocalFile]:
        """The files, by day.

        Raises:
            SourceError: There is no such file or directory.
        """
        for path in sorted(dict.fromkeys(self._files()), key=lambda one: order_of(str(one))):
            name = str(path)
            if has_no_records(name):
                self.left_out.other += 1
            elif not self.scope.takes(name):
                self.left_out.outside += 1
            else:
                yield _local(path)

    def _files(self) -> Iterator[Path]:
        without = None if self.without is None else _whole(self.without)
        for given in self.paths:
            path = _whole(given)
            if path.is_dir():
                for directory, folders, names in os.walk(path, onerror=_refuse):
                    folders[:] = [one for one in folders if Path(directory, one) != without]
                    yield from (Path(directory, name) for name in names if name.lower().endswith(_SUFFIXES))
            elif path.exists():
                yield path
            else:
                raise SourceError(
                    str(given), "there is no such file or directory",
                    "Give log files, a directory of them, s3://BUCKET/PREFIX, or lookup-events",
                )  # fmt: skip


def _whole(path: Path) -> Path:
    return Path(os.path.abspath(path))  # noqa: PTH100 - resolve() would follow links


def _local(path: Path) -> LocalFile:
    try:
        told = path.stat()
    except OSError:
        # Reading says what is wrong.
        return LocalFile(path, 0, 0)
    return LocalFile(path, told.st_size, told.st_mtime_ns)


def _refuse(error: OSError) -> None:
    raise SourceError(
        str(error.filename), f"it cannot be listed: {error.strerror}", "Check its permissions"
    ) from error
