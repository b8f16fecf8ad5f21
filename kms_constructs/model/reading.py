"""Files and JSON texts, read within the limits of `ceilings`."""

from __future__ import annotations

import errno
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, NoReturn

from kms_constructs.model.ceilings import MAX_DIGITS, MAX_FILE_BYTES, MAX_NESTING, MAX_VALUES

_DEEP: Final = f"it is nested more than {MAX_NESTING} levels deep"
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
    most = sum(map(text.count, _BEGIN_VALUES))
    if most > MAX_VALUES:
        raise ValueError(f"it holds more than {MAX_VALUES:,} values, the most that are read")
    try:
        found = json.loads(
            text, object_pairs_hook=object_pairs_hook, parse_constant=parse_constant, parse_int=_integer
        )
    except RecursionError:
        raise ValueError(_DEEP) from None
    if most > MAX_NESTING and _levels_beyond(found):
        raise ValueError(_DEEP)
    return found


def _integer(text: str) -> int:
    return int(text) if len(text) <= MAX_DIGITS else _too_long(text)


def _too_long(text: str) -> NoReturn:
    raise ValueError(f"it holds a number of {len(text):,} digits, and no more than {MAX_DIGITS:,} are read")


def _levels_beyond(document: object) -> bool:
    """Whether it is nested too deeply; level by level, for recursion is what it protects from."""
    level = [document]
    for _ in range(MAX_NESTING):
        level = [
            member
            for one in level
            for member in (one.values() if isinstance(one, dict) else one if isinstance(one, list) else ())
            if isinstance(member, dict | list)
        ]
        if not level:
            return False
    return True
