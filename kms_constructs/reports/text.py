"""Text that is safe and readable in a report, whatever a template put into it."""

from __future__ import annotations

import re
from functools import lru_cache

from kms_constructs.model.estate import Location
from kms_constructs.model.text import display

# Terminal escapes, what XML 1.0 forbids, and the marks that turn the direction of text around: a Sid or a
# role name from a template must not be able to clear a screen, break a JUnit file or show something else than
# it says. Nor may it pass for a hole.
_UNPRINTABLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ud800-\udfff\ufeff\ufffe\uffff\ue000\ue001]"
)
_SPACES = re.compile(r"\s+")


@lru_cache(maxsize=16384)
def printable(text: str) -> str:
    r"""The text with holes shown as ``${…}`` and every unprintable character shown as its escape.

    Example:
        >>> printable("admin\x1b[2J")
        'admin\\x1b[2J'
    """
    return _UNPRINTABLE.sub(_escaped, display(text))


@lru_cache(maxsize=16384)
def one_line(text: str) -> str:
    """The printable text on one line, for places where a line break would change the meaning."""
    return _SPACES.sub(" ", printable(text)).strip()


def place_of(location: Location, path: str = "") -> str:
    """File and line of a resource or of a part of it: ``template.yaml:57``; the file alone without a line.

    Args:
        location: The resource.
        path: Path of the part within it.
    """
    position = location.position(path)
    source = one_line(location.source)
    return source if position is None else f"{source}:{position.line}"


def counted(number: int, noun: str, plural: str = "") -> str:
    """A number with its noun: ``1 key``, ``2 keys``.

    Args:
        number: How many.
        noun: In the singular.
        plural: When it is not the singular with an s.
    """
    return f"{number:,} {noun if number == 1 else plural or f'{noun}s'}"


def place(location: Location, *, named: bool = False, with_line: bool = False) -> str:
    """Where a resource stands: source, logical id, stack.

    Args:
        location: The place.
        named: Whether its logical id stands above already.
        with_line: Whether to say at which line it begins.
    """
    parts = [place_of(location) if with_line and location.logical_id else one_line(location.source)]
    if location.logical_id and not named:
        parts.append(one_line(location.logical_id))
    if location.stack:
        parts.append(f"stack {one_line(location.stack)}")
    if location.made_at is not None:
        parts.append(f"made at {one_line(str(location.made_at))}")
    return ", ".join(parts)


def to_open(location: Location, path: str = "") -> tuple[str, int | None, int | None]:
    """File, line and column to open for a resource: of the program that made it, else of its text.

    Args:
        location: The resource.
        path: Path of the part within it.
    """
    if location.made_at is not None:
        return one_line(location.made_at.file), location.made_at.line, None
    position = location.position(path)
    line, column = (None, None) if position is None else position
    return one_line(location.source), line, column


def _escaped(match: re.Match[str]) -> str:
    return match.group(0).encode("unicode_escape").decode("ascii")
