"""The forms that records of CloudTrail are kept in, whatever tool wrote them.

See: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/query-results.html
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping
from typing import Final, NoReturn

LAKE_COLUMN: Final = "eventJson"
"""The column of CloudTrail Lake that holds a whole record; others hold parts, in a form of their own."""
_NO_LOG: Final = (
    "it is no trail log: it has neither Records, as log files have, nor Events, as LookupEvents answers, "
    f"nor a column {LAKE_COLUMN}, as an export of CloudTrail Lake needs"
)
_FIELD_BYTES: Final = 64 * 1024 * 1024


def records_of(document: bytes) -> Iterator[object]:
    """The records of a document, in order; what stands where a record should stand is given as it is.

    Args:
        document: JSON, JSON lines, or CSV with a header and a column ``eventJson``: UTF-8.

    Raises:
        ValueError: It is none of these, or breaks off.

    Example:
        >>> list(records_of(b'{"Events": [{"CloudTrailEvent": "{}"}]}'))
        [{}]
    """
    try:
        text = document.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"it is not UTF-8 text (byte {error.start})") from error
    if not text.strip():
        raise ValueError("it is empty")
    if text.lstrip()[0] not in "{[":
        yield from _of_csv(text)
        return
    try:
        whole = _json(text)
    except json.JSONDecodeError as error:
        if error.msg != "Extra data":
            raise ValueError(
                f"it is not JSON, or breaks off: {error.msg} at line {error.lineno}, column {error.colno}"
            ) from error
        yield from _of_lines(text)
        return
    yield from _within(whole)


def _of_lines(text: str) -> Iterator[object]:
    # Not splitlines(): JSON may hold other line breaks of Unicode as they are.
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            found = _json(line)
        except json.JSONDecodeError as error:
            raise ValueError(f"line {number} is not JSON, or breaks off: {error.msg}") from error
        yield from _within(found)


def _of_csv(text: str) -> Iterator[object]:
    previous = csv.field_size_limit(_FIELD_BYTES)
    try:
        rows = csv.DictReader(io.StringIO(text, newline=""), strict=True)
        column = next((name for name in rows.fieldnames or () if name.lower() == LAKE_COLUMN.lower()), None)
        if column is None:
            raise ValueError(_NO_LOG)
        for row in rows:
            yield _inner(row[column])
    except csv.Error as error:
        raise ValueError(f"it is no CSV, or breaks off: {error}") from error
    finally:
        csv.field_size_limit(previous)


def _within(value: object) -> Iterator[object]:
    if isinstance(value, list):
        yield from value
        return
    if not isinstance(value, Mapping):
        raise ValueError(_NO_LOG)
    for name, inner in (("Records", None), ("Events", "CloudTrailEvent"), ("QueryResultRows", LAKE_COLUMN)):
        if isinstance(found := value.get(name), list):
            for one in found:
                yield one if inner is None else _inner(_field(one, inner))
            return
    if LAKE_COLUMN in value:
        yield _inner(value[LAKE_COLUMN])
    elif "eventID" in value or "eventName" in value:
        yield value
    else:
        raise ValueError(_NO_LOG)


def _field(row: object, name: str) -> object:
    """A field of a row: an object, or a list of objects with one name each, as GetQueryResults answers."""
    for part in row if isinstance(row, list) else (row,):
        if isinstance(part, Mapping) and name in part:
            return part[name]
    return None


def _inner(text: object) -> object:
    """The record in a text; the text itself where it holds none, which is then no record."""
    if not isinstance(text, str):
        return text
    try:
        return _json(text)
    except ValueError:
        return text


def _json(text: str) -> object:
    try:
        found: object = json.loads(text, parse_constant=_no_value)
    except RecursionError as error:
        raise ValueError("it is nested too deeply to be read") from error
    return found


def _no_value(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON value")
