"""Files and JSON texts, read within the limits of `ceilings`."""

from __future__ import annotations

import errno
import json
import os
import re
from collections.abc import Callable
from itertools import chain
from pathlib import Path
from typing import Any, Final

import msgspec

from kms_constructs.model.ceilings import MAX_DIGITS, MAX_FILE_BYTES, MAX_NESTING, MAX_VALUES

_DEEP: Final = f"it is nested more than {MAX_NESTING} levels deep"
_DIGITS: Final = re.compile(rf"[0-9]{{{MAX_DIGITS + 1}}}")
_BEGIN_VALUES: Final = "[{,:"
"""Before each value of JSON but the first stands one of these; texts may hold more of them."""


def bounded_bytes(path: Path) -> bytes:
    """The content of a file, and no more than is ever read of one: a device has no end.

    Raises:
        OSError: It cannot be read, or is too large.
    """
    with path.open("rb") as file:
        # Room is made for all that is asked for: so ask for what is there, and one byte that is not.
        wanted = min(os.fstat(file.fileno()).st_size, MAX_FILE_BYTES) + 1
        content = file.read(wanted)
        if len(content) == wanted:  # it is, for a device tells no size, and a file may grow
            content += file.read(MAX_FILE_BYTES + 1 - wanted)
    if len(content) > MAX_FILE_BYTES:
        raise OSError(errno.EFBIG, f"it is larger than {MAX_FILE_BYTES // 2**20} MB, the most that is read")
    return content


def bounded_text(path: Path, encoding: str = "utf-8") -> str:
    """The text of a file.

    Raises:
        OSError: It cannot be read, or is too large.
        UnicodeDecodeError: It is no text in that encoding.
    """
    return bounded_bytes(path).decode(encoding)


def parsed_json(
    text: str | bytes,
    *,
    object_pairs_hook: Callable[[list[tuple[str, Any]]], Any] | None = None,
    parse_constant: Callable[[str], Any] | None = None,
) -> Any:  # noqa: ANN401 - plain data of any shape
    """The document that a JSON text holds, none of it nested too deeply to be followed.

    Args:
        text: The text.
        object_pairs_hook: Makes objects, as `json.loads` takes it. Those in which each key stands once it has
            to make as they are: it is not asked where there are no others.
        parse_constant: Makes what is no JSON of NaN and infinities.

    Raises:
        ValueError: It is no JSON, or goes beyond a limit.

    Example:
        >>> parsed_json("[" * 1000 + "]" * 1000)
        Traceback (most recent call last):
        ValueError: it is nested more than 200 levels deep
    """
    if isinstance(text, bytes):
        text = text.decode("utf-8")
    most = len(text)
    if most > MAX_VALUES:
        most = sum(map(text.count, _BEGIN_VALUES))
    if most > MAX_VALUES:
        raise ValueError(f"it holds more than {MAX_VALUES:,} values, the most that are read")
    found = _loaded(text, None, parse_constant)
    if most <= MAX_NESTING and object_pairs_hook is None:
        return found
    kept = _kept(found)
    if kept is None:
        raise ValueError(_DEEP)
    if object_pairs_hook is None or kept == _written(text):
        return found
    return _loaded(text, object_pairs_hook, parse_constant)


def _loaded(
    text: str,
    object_pairs_hook: Callable[[list[tuple[str, Any]]], Any] | None,
    parse_constant: Callable[[str], Any] | None,
) -> Any:  # noqa: ANN401 - plain data of any shape
    if object_pairs_hook is None:
        try:
            return msgspec.json.decode(text)  # half the time, and the same values to the last bit
        except (msgspec.MsgspecError, UnicodeEncodeError, RecursionError):
            pass  # what only the standard library takes, and what it says of the rest in words for people
    try:
        return json.loads(text, object_pairs_hook=object_pairs_hook, parse_constant=parse_constant)
    except RecursionError:
        raise ValueError(_DEEP) from None
    except ValueError as error:
        if type(error) is ValueError and _DIGITS.search(text):  # in Python's words, for programmers
            raise ValueError(f"it holds a number of more than {MAX_DIGITS:,} digits") from None
        raise


def _written(text: str) -> int:
    """How many texts a JSON text holds, keys included; -1 where that is not told without looking closer.

    A quote within a text stands behind a backslash, which is another matter where backslashes stand behind
    each other.
    """
    quotes = text.count('"')
    if "\\" in text:
        quotes = -1 if "\\\\" in text else quotes - text.count('\\"')
    return quotes // 2


def _kept(document: object) -> int | None:
    """How many texts are left of those of a JSON text; None where it is nested too deeply.

    There are fewer than it holds where a key stands twice in an object. Level by level, for recursion is what
    it protects from.
    """
    inside: list[object] = [document]
    found = 0
    for _ in range(MAX_NESTING + 1):
        rest = [one for one in inside if type(one) is not str]
        found += len(inside) - len(rest)
        objects = [one for one in rest if type(one) is dict]
        lists = [one for one in rest if type(one) is list]
        if not objects and not lists:
            return found
        found += sum(map(len, objects))
        inside = [*chain.from_iterable(map(dict.values, objects)), *chain.from_iterable(lists)]
    return None
