"""Text that is safe and readable in a report, whatever a template put into it."""

from __future__ import annotations

import json
import re
from functools import cache, lru_cache

from kms_constructs.model.estate import Location
from kms_constructs.model.text import display

_WORDS = re.compile(r"\S+")
_LATIN = re.compile("[A-Za-z]")
_COMMAND = re.compile(r"^(\s*):(?=:)", re.MULTILINE)
_SPACES = re.compile(r"\s+")


# These are made when a text needs one of them: most hold nothing but plain ASCII.
@cache
def _unprintable() -> re.Pattern[str]:
    # Terminal escapes, what XML 1.0 forbids, marks that turn the direction of text around, what is invisible
    # and spaces beyond ASCII: a Sid or a role name from a template must not be able to clear a screen, break
    # a JUnit file or show something else than it says. Nor may it pass for a hole, nor start a command in a
    # log of Azure Pipelines or of an old runner of GitHub Actions.
    return re.compile(
        "[\x00-\x08\x0b-\x1f\x7f-\xa0\xad\u034f\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u115f\u1160\u1680"
        "\u17b4\u17b5\u180b-\u180f\u2000-\u200f\u2028-\u202f\u205f-\u206f\u3000\u3164\ud800-\uf8ff\ufdd0-\ufdef"
        "\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\ufffe\uffff\U000110bd\U000110cd\U00013430-\U0001343f"
        "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U0010ffff]|(?<=#)#(?=\\[|vso\\[)"
    )


@cache
def _alike() -> re.Pattern[str]:
    """Letters, digits and signs that are taken for ones of ASCII: alone in a word they are its own script."""
    return re.compile(
        "[\u0131\u017f\u01c0-\u01c3\u0250-\u02ff\u0370-\u058f\u05c3\u0660-\u066d\u06f0-\u06f9\u13a0-\u13ff\u1c80-\u1c8f\u1d00-\u1dbf"
        "\u1f00-\u1fff\u2010-\u2012\u2024\u2044\u204e\u2100-\u218f\u2212\u2215-\u2217\u2236\u2460-\u24ff\u29f8\u2c60-\u2cff"
        "\u2de0-\u2dff\ua4d0-\ua4ff\ua640-\ua69f\ua720-\ua7ff\uab30-\uabbf\uff0a\uff0f-\uff1a\uff1f\uff21-\uff3a\uff41-\uff5a\U0001d400-\U0001d7ff]"
    )


@cache
def _outside_arns() -> re.Pattern[str]:
    return re.compile("[^\x00-\x7f…→]")


@lru_cache(maxsize=16384)
def printable(text: str) -> str:
    r"""The text with holes shown as ``${…}``, and as its escape what is unprintable or looks like another.

    A letter that only looks like one of ASCII is shown as its escape where it stands in a word with letters
    of ASCII, and so is all but ASCII in an ARN: no AWS name has it. Words of other scripts stay as they are.

    Example:
        >>> printable("admin\x1b[2J")
        'admin\\x1b[2J'
        >>> print(printable("role/\N{CYRILLIC CAPITAL LETTER A}dmin"))
        role/\u0410dmin
    """
    if text.isascii() and text.isprintable() and "##" not in text:
        return text
    shown = _unprintable().sub(_escaped, display(text))
    return shown if shown.isascii() else _WORDS.sub(_told_apart, shown)


def json_text(value: object, *, indent: int | None = None, compact: bool = False) -> str:
    r"""The value as JSON that says exactly the same, with what `printable` would not show as it is escaped.

    For what another program takes in, where a text must stay what it is.

    Args:
        value: Plain data.
        indent: Columns by which a level is indented; None for one line.
        compact: Whether to leave out spaces.

    Example:
        >>> print(json_text({"Sid": "a\x7f\N{RIGHT-TO-LEFT OVERRIDE}"}))
        {"Sid": "a\u007f\u202e"}
    """
    text = json.dumps(value, indent=indent, ensure_ascii=False, separators=(",", ":") if compact else None)
    return _unprintable().sub(
        lambda found: found.group(0) if found.group(0) in "\r\n#" else _unit(found), text
    )


def _unit(match: re.Match[str]) -> str:
    units = match.group(0).encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2))


def without_commands(text: str) -> str:
    r"""Text for a terminal, none of whose lines begins as the commands do that GitHub takes from a log.

    Example:
        >>> print(without_commands("  ::error::no key"))
          \x3a:error::no key
    """
    return _COMMAND.sub(r"\1\\x3a", text) if "::" in text else text


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


def _told_apart(match: re.Match[str]) -> str:
    word = match.group(0)
    if word.isascii():
        return word
    if "arn:" in word.lower():
        return _outside_arns().sub(_escaped, word)
    return _alike().sub(_escaped, word) if _LATIN.search(word) else word


def _escaped(match: re.Match[str]) -> str:
    found = match.group(0)
    return r"\x23" if found == "#" else found.encode("unicode_escape").decode("ascii")
