"""Positions of the values of a document, by the keys and indexes that lead to them.

JSON is looked through again when the first position is asked for, from the same text that was decoded, and no
further than the pointer goes: reading pays nothing for positions that nobody wants. YAML's come from its
parser.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from typing import Final, Protocol

from msgspec import Struct, field

from kms_constructs.model.position import Position
from kms_constructs.model.reading import parsed_json

Pointer = tuple[str | int, ...]
"""Keys of objects and indexes of lists, from the root of a document."""

START: Final[Pointer] = ()
"""The document itself."""


class Marks(Protocol):
    """The positions of one document."""

    def position(self, pointer: Pointer) -> Position:
        """Where a value begins, for a member its key; of what is not there, the deepest on the way to it."""
        ...

    def within(self, pointer: Pointer, inner: Position) -> Position | None:
        """Where a place in a text value stands; None when the file does not hold the text line by line."""
        ...


_SPACE: Final = re.compile(r"[ \t\n\r]*")
_BREAK: Final = re.compile(r"\r\n?|\n")


class JsonMarks:
    """Positions in a JSON text.

    Args:
        text: What was decoded; it is known to be JSON.

    Example:
        >>> JsonMarks('{"a": [1, 2]}').position(("a", 1))
        Position(line=1, column=11)
    """

    def __init__(self, text: str) -> None:
        self._text = text
        self._breaks: list[int] | None = None
        self._members: dict[int, dict[str | int, tuple[int, int]]] = {}
        self._decode = json.JSONDecoder().raw_decode

    def position(self, pointer: Pointer) -> Position:
        """Where a value begins, for a member its key; of what is not there, the deepest on the way to it."""
        place = value = self._after_space(0)
        for step in pointer:
            found = self._members_at(value).get(step)
            if found is None:
                break
            place, value = found
        return self._at(place)

    def within(self, pointer: Pointer, inner: Position) -> Position | None:
        """None: a text of JSON stands on one line, its line breaks escaped."""
        return None

    def _at(self, offset: int) -> Position:
        if self._breaks is None:
            self._breaks = [0, *(found.end() for found in _BREAK.finditer(self._text))]
        line = bisect_right(self._breaks, offset)
        return Position(line, offset - self._breaks[line - 1] + 1)

    def _after_space(self, offset: int) -> int:
        found = _SPACE.match(self._text, offset)
        return found.end() if found else offset

    def _members_at(self, offset: int) -> dict[str | int, tuple[int, int]]:
        """Where the members of a container begin, and their values; a value is passed over by the decoder."""
        known = self._members.get(offset)
        if known is None:
            known = self._members[offset] = {}
            try:
                self._find_members(offset, known)
            except (ValueError, IndexError, RecursionError):
                # The text was decoded once, so this is a stack that is nearly full: what was found is right.
                return known
        return known

    def _find_members(self, offset: int, found: dict[str | int, tuple[int, int]]) -> None:
        is_object = self._text[offset] == "{"
        if not is_object and self._text[offset] != "[":
            return
        place = self._after_space(offset + 1)
        while self._text[place] not in "}]":
            key: str | int = len(found)
            value = place
            if is_object:
                key, end = self._decode(self._text, place)
                value = self._after_space(self._after_space(end) + 1)  # behind the colon
            _, end = self._decode(self._text, value)
            found[key] = place, value
            place = self._after_space(end)
            if self._text[place] == ",":
                place = self._after_space(place + 1)


def at(node: object, pointer: Pointer) -> object:
    """The value that a pointer leads to."""
    for key in pointer:
        node = node[key]  # type: ignore[index]  # pointers are made from the document itself
    return node


def step(node: object, parts: Sequence[str]) -> tuple[Pointer, int] | None:
    """What the first parts of a path lead to, and how many parts that takes; None for no member.

    A key may hold slashes itself, the elements of a policy differ in case, and the one element of a list may
    stand without the list: paths have the usual spelling.
    """
    index = int(parts[0]) if parts[0].isascii() and parts[0].isdigit() else -1
    if isinstance(node, list):
        return ((index,), 1) if 0 <= index < len(node) else None
    if isinstance(node, Mapping):
        for count in range(len(parts), 0, -1):
            key = "/".join(parts[:count])
            if key in node:
                return (key,), count
        folded = parts[0].lower()
        for name in node:
            if str(name).lower() == folded:
                return (name,), 1
    return (START, 1) if index == 0 else None


class DocumentOrigin(Struct):
    """Positions in a document that nothing has to be resolved in: see `Origin`.

    Args:
        document: The document as plain data.
        marks: Its positions.
        root: Where paths begin.
    """

    document: object
    marks: Marks
    root: Pointer = START
    _known: dict[str, Position] = field(default_factory=dict)

    def position(self, path: str) -> Position | None:
        """Where a part of the document begins, or what holds it."""
        if path not in self._known:
            parts = [part for part in path.split("/") if part]
            self._known[path] = position_below(self.marks, self.root, at(self.document, self.root), parts)
        return self._known[path]


def position_below(marks: Marks, pointer: Pointer, node: object, parts: Sequence[str]) -> Position:
    """Where the part of a plain value begins that a path leads to; a text is looked into when it is JSON.

    Args:
        marks: Positions of the document.
        pointer: Where the value stands.
        node: The value.
        parts: The path from there.
    """
    while parts:
        if isinstance(node, str):
            inner = _in_text(node, parts)
            return (marks.within(pointer, inner) if inner else None) or marks.position(pointer)
        taken = step(node, parts)
        if taken is None:
            break
        key, count = taken
        node, pointer, parts = at(node, key), (*pointer, *key), parts[count:]
    return marks.position(pointer)


def _in_text(text: str, parts: Sequence[str]) -> Position | None:
    """The position within a text of JSON; None when it is a text like any other."""
    try:
        node = parsed_json(text)
    except ValueError:
        return None
    return position_below(JsonMarks(text), START, node, parts) if isinstance(node, dict) else None
