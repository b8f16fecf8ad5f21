"""The reports of a trail: one SQL file each, in DuckDB's dialect, whose head says what it answers.

They are written over two relations that stand in ``queries/relations``: ``calls``, a row a call, and
``call_keys``, a row a call and key. These in turn are written over ``events`` and ``event_keys``, the flat
rows of `kms_constructs.detections.relations`, each with the day of its event as ``event_date``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from importlib.resources.abc import Traversable

from kms_constructs.model.actions import USING

CRYPTOGRAPHIC_EVENTS: tuple[str, ...] = tuple(
    sorted({*(name for name in USING if not name.startswith("ReEncrypt")), "ReEncrypt"})
)
"""Names of the events that use key material. The two halves of ReEncrypt are recorded as one.

See: https://docs.aws.amazon.com/kms/latest/developerguide/kms-cryptography.html#cryptographic-operations
"""

_ORDER = (
    "totals",
    "by-event",
    "by-principal",
    "by-key",
    "by-alias",
    "by-service",
    "by-source",
    "by-user-agent",
    "by-error",
    "by-encryption-context",
    "timeline",
    "hours",
    "last-use",
    "top-talkers",
)
_HEAD = re.compile(r"^-- (title|answers|column (\w+)): (\S.*)$")


@dataclass(frozen=True, slots=True)
class Query:
    """A file of SQL.

    Args:
        name: Of the file, without its ending: ``by-event``.
        title: What it is called.
        answers: The question that it answers, in one sentence.
        columns: Name and meaning of its columns, in their order; none for a relation.
        sql: DuckDB's dialect.
    """

    name: str
    title: str
    answers: str
    columns: Mapping[str, str]
    sql: str

    @property
    def file(self) -> str:
        """Name of its file, for messages."""
        return f"{self.name}.sql"


def read(name: str, text: str) -> Query:
    """A file of SQL as a query.

    Raises:
        ValueError: Its head does not say what it is.

    Example:
        >>> head = ["-- title: One", "-- answers: What one is.", "-- column one: It."]
        >>> read("one", chr(10).join([*head, "select 1 as one"])).columns
        {'one': 'It.'}
    """
    said: dict[str, str] = {}
    columns: dict[str, str] = {}
    lines = text.splitlines(keepends=True)
    for number, line in enumerate(lines):
        found = _HEAD.match(line)
        if found is None:
            sql = "".join(lines[number:])
            break
        if found[2]:
            columns[found[2]] = found[3]
        else:
            said[found[1]] = found[3]
    if not said.keys() >= {"title", "answers"}:
        raise ValueError(f"{name}.sql: its head says no title or not what it answers")
    return Query(name, said["title"], said["answers"], columns, sql)


@lru_cache(maxsize=1)
def reports() -> Mapping[str, Query]:
    """Every report by name, in the order in which they are shown."""
    return {name: _read_file(_folder().joinpath(f"{name}.sql"), name) for name in _ORDER}


@lru_cache(maxsize=1)
def relations() -> Mapping[str, Query]:
    """What the reports are written over, by name."""
    return _files("relations")


@lru_cache(maxsize=1)
def athena_relations() -> Mapping[str, Query]:
    """``events`` and ``event_keys`` over the files that CloudTrail delivers, by name."""
    return _files("athena")


def _files(folder: str) -> dict[str, Query]:
    found = _folder().joinpath(folder)
    names = sorted(one.name.removesuffix(".sql") for one in found.iterdir() if one.name.endswith(".sql"))
    return {name: _read_file(found.joinpath(f"{name}.sql"), name) for name in names}


def _folder() -> Traversable:
    return resources.files("kms_constructs.runtime.trail").joinpath("queries")


def _read_file(file: Traversable, name: str) -> Query:
    return read(name, file.read_text("utf-8"))
