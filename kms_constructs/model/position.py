"""Where something stands in the text that it was read from."""

from __future__ import annotations

from typing import NamedTuple, Protocol


class Position(NamedTuple):
    """A place in a text.

    Args:
        line: Counted from 1.
        column: Counted from 1, in characters.
    """

    line: int
    column: int


class Origin(Protocol):
    """Knows where the parts of one resource stand in the text that was read.

    A source hands it along with what it reads, so that nobody reads a file twice: a file that has changed
    since gives no other lines, and standard input has lines as well.
    """

    def position(self, path: str) -> Position | None:
        """Where a part of the resource begins: of what is not written out, the part that holds it.

        Args:
            path: As findings give it: ``Properties/KeyPolicy/Statement/1``; empty for the resource itself.

        Returns:
            The position, or None where the source has no text.
        """
        ...
