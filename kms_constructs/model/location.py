"""Where a resource stands."""

from __future__ import annotations

from typing import NamedTuple

from kms_constructs.model.frozen import Frozen, told_apart_without
from kms_constructs.model.position import Origin, Position


class CodeLine(NamedTuple):
    """A line of a program.

    Args:
        file: As somebody in the working directory would name it.
        line: Counted from 1.

    Example:
        >>> str(CodeLine("stacks/data.py", 12))
        'stacks/data.py:12'
    """

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


@told_apart_without("origin", "made_at", "alias")
class Location(Frozen, frozen=True):
    """Where a resource was found.

    Args:
        source: File, or what stands for it (``arn:…`` for a live key).
        stack: Name of the stack, or empty.
        logical_id: Logical id in the template, or the key id.
        construct_path: CDK construct path, when the template tells it.
        origin: Knows the lines of its parts; None where there is no text. It does not tell locations apart.
        made_at: The line of the program that made it, where that is known. Nor does it tell locations apart.
        alias: What people call a live key, or empty. It does not tell locations apart either: an alias moves.

    Example:
        >>> Location("app.json", logical_id="Key").position("Properties/KeyPolicy") is None
        True
    """

    source: str
    stack: str = ""
    logical_id: str = ""
    construct_path: str | None = None
    origin: Origin | None = None
    made_at: CodeLine | None = None
    alias: str = ""

    @property
    def title(self) -> str:
        """What people call it: its construct path, its alias with its id, its logical id, its source.

        Example:
            >>> Location("111122223333/eu-west-1", logical_id="1234abcd", alias="alias/orders").title
            'alias/orders (1234abcd)'
        """
        if self.construct_path:
            return self.construct_path
        if self.alias and self.logical_id:
            return f"{self.alias} ({self.logical_id})"
        return self.logical_id or self.source

    def position(self, path: str = "") -> Position | None:
        """Where a part of the resource begins in `source`, as it was read; None where there is no text.

        Args:
            path: Path within the resource, as findings give it; empty for the resource itself. Of what is
                not written out the position is that of the part which holds it.
        """
        return None if self.origin is None else self.origin.position(path)

    @property
    def line(self) -> int | None:
        """The line that the resource begins on, counted from 1; None where there is no text."""
        position = self.position()
        return None if position is None else position.line

    @property
    def order(self) -> tuple[str, str, str]:
        """What resources are sorted by in reports: source, stack, name."""
        return self.source, self.stack, self.construct_path or self.logical_id

    def lies_in(self, construct_path: str) -> bool | None:
        """Whether it is this construct or lies in it; None where the template tells no construct path."""
        if self.construct_path is None:
            return None
        return self.construct_path == construct_path or self.construct_path.startswith(f"{construct_path}/")

    def __str__(self) -> str:
        name = self.construct_path or self.logical_id
        return f"{self.source}: {name}" if name and name != self.source else self.source
