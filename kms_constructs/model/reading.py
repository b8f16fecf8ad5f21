"""Files and JSON texts, read within the limits of `ceilings`."""

from __future__ import annotations

import errno
import json
import re
from collections.abc import Callable
from itertools import chain
from pathlib import Path
from typing import Any, Final, cast

from kms_constructs.model.ceilings import MAX_DIGITS, MAX_FILE_BYTES, MAX_NESTING, MAX_VALUES

_DEEP: Final = f"it is nested more than {MAX_NESTING} levels deep"
_CONTAINERS: Final = frozenset({dict, list})
_DIGITS: Final = re.compile(rf"[0-9]{{{MAX_DIGITS + 1}}}")
_BEGIN_VALUES: Final = "[{,:"
"""Before each value of JSON but the first stands one of these; texts may hold more of them."""


def bounded_bytes(path: Path) -> bytes:
    """The content of a file, and no more than is ever read of one: a device has no end.

    Raises:
        OSError: It cannot be read, or is too large.
    """
    with path.open("rb") as file:
        content = file.read(MAX_FILE_BYTES + 1)
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
        object_pairs_hook: Makes objects, as `json.loads` takes it.
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
    try:
        found = json.loads(text, object_pairs_hook=object_pairs_hook, parse_constant=parse_constant)
    except RecursionError:
        raise ValueError(_DEEP) from None
    except ValueError as error:
        if type(error) is ValueError and _DIGITS.search(text):  # in Python's words, for programmers
            raise ValueError(f"it holds a number of more than {MAX_DIGITS:,} digits") from None
        raise
    if most > MAX_NESTING and _levels_beyond(found):
        raise ValueError(_DEEP)
    return found


def _levels_beyond(document: object) -> bool:
    """Whether it is nested too deeply; level by level, for recursion is what it protects from."""
    level = [document] if type(document) in _CONTAINERS else []
    for _ in range(MAX_NESTING):
        inside = [one.values() if type(one) is dict else cast("list[object]", one) for one in level]
        level = [one for one in chain.from_iterable(inside) if type(one) in _CONTAINERS]
        if not level:
            return False
    return True
