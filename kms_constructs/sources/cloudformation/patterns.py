"""The texts that a pattern takes, when they are few: ``^(dev|prod)$``.

``AllowedPattern`` of a parameter is a regular expression that the whole value has to match.

See: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/parameters-section-structure.html
"""

from __future__ import annotations

from itertools import product
from typing import Final

MAX_TEXTS: Final = 32
"""Texts that a pattern may stand for and still count as a list of them."""
_SPECIAL: Final = frozenset("^$.*+?()[]{}|\\")
_MAX_LENGTH: Final = 1_000


def texts_of(pattern: str) -> tuple[str, ...] | None:
    """Every text that a pattern matches as a whole; None when they are many, or it is not understood.

    Understood are alternatives, groups, ``?``, sets of single characters, and escaped punctuation.

    Example:
        >>> texts_of("^(dev|prod)(-eu)?$"), texts_of("[ab]1"), texts_of("[a-z]+")
        (('dev', 'dev-eu', 'prod', 'prod-eu'), ('a1', 'b1'), None)
    """
    if len(pattern) > _MAX_LENGTH:
        return None
    reader = _Pattern(pattern)
    try:
        found = reader.alternatives(0)
    except _ManyError:
        return None
    return tuple(dict.fromkeys(found)) if reader.at == len(pattern) else None


class _ManyError(Exception):
    """The pattern takes more texts than are looked at, or says what is not understood here."""


class _Pattern:
    def __init__(self, text: str) -> None:
        self._text = text
        self.at = 0

    def _next(self) -> str:
        return self._text[self.at : self.at + 1]

    def alternatives(self, depth: int) -> list[str]:
        if depth > 10:
            raise _ManyError
        found = self._sequence(depth)
        while self._next() == "|":
            self.at += 1
            found = found + self._sequence(depth)
        if len(found) > MAX_TEXTS:
            raise _ManyError
        return found

    def _sequence(self, depth: int) -> list[str]:
        start, found = self.at, [""]
        while (character := self._next()) and character not in "|)":
            if character == "^" and self.at == start:
                self.at += 1  # the whole value is matched anyway
                continue
            if character == "$" and self._text[self.at + 1 : self.at + 2] in ("", "|", ")"):
                self.at += 1
                continue
            part = self._part(character, depth)
            if self._next() == "?":
                self.at += 1
                if self._next() in ("?", "+"):
                    raise _ManyError
                part = ["", *part]
            if len(found) * len(part) > MAX_TEXTS:
                raise _ManyError
            found = [one + other for one, other in product(found, part)]
        return found

    def _part(self, character: str, depth: int) -> list[str]:
        self.at += 1
        if character == "(":
            if self._text.startswith("?:", self.at):
                self.at += 2
            elif self._next() == "?":
                raise _ManyError
            inner = self.alternatives(depth + 1)
            if self._next() != ")":
                raise _ManyError
            self.at += 1
            return inner
        if character == "[":
            end = self._text.find("]", self.at)
            members = self._text[self.at : end]
            if end < 0 or not members or any(one in "^-\\[&" for one in members):
                raise _ManyError
            self.at = end + 1
            return list(members)
        if character == "\\":
            escaped = self._next()
            self.at += 1
            if not escaped or escaped.isalnum():
                raise _ManyError
            return [escaped]
        if character in _SPECIAL:
            raise _ManyError
        return [character]
