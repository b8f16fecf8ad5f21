"""Where the terminal reports are drawn: a rich console that writes into text.

A report is drawn for a width and a number of colours that the caller decides, so that the same call always
gives the same text, whatever terminal it runs in.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from io import StringIO

from rich.console import Console, RenderableType


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """How a terminal report is drawn.

    Args:
        width: Columns; at least 40.
        colour: Whether to use the terminal's colours.
        unicode: Whether to use characters beyond ASCII for lines and marks.
    """

    width: int = 100
    colour: bool = False
    unicode: bool = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "width", max(self.width, MINIMUM_WIDTH))

    def mark(self, symbol: str, ascii_symbol: str) -> str:
        """The symbol, or what stands for it in ASCII."""
        return symbol if self.unicode else ascii_symbol


MINIMUM_WIDTH = 40
"""Columns below which a report is no longer readable; it is then drawn wider than the terminal."""


def draw(renderables: Iterable[RenderableType], look: Look) -> str:
    """The text of some renderables, each starting on a line of its own, without trailing spaces."""
    file = StringIO() if look.unicode else _AsciiText()
    console = Console(
        file=file,
        width=look.width,
        force_terminal=look.colour,
        color_system="standard" if look.colour else None,
        no_color=not look.colour,
        force_interactive=False,
        legacy_windows=False,
        emoji=False,
        markup=False,
        highlight=False,
        # Never ask the environment: what is drawn depends on the arguments alone.
        _environ={},
    )
    for renderable in renderables:
        console.print(renderable)
    return "".join(f"{line.rstrip()}\n" for line in file.getvalue().splitlines())


class _AsciiText(StringIO):
    """Text whose encoding makes rich draw its lines in ASCII."""

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return "ascii"
