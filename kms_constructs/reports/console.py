"""Where the terminal reports are drawn: a rich console that writes into text.

A report is drawn for a width and a number of colours that the caller decides, so that the same call always
gives the same text, whatever terminal it runs in.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable
from dataclasses import dataclass
from io import StringIO

from rich.cells import cell_len
from rich.color import ColorSystem
from rich.console import Console, RenderableType
from rich.style import Style
from rich.text import Text


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


class Drawn(str):
    """Lines that are drawn already."""

    __slots__ = ()


class Pen:
    """Draws indented paragraphs as rich would, without its cost: reports have tens of thousands of them."""

    def __init__(self, look: Look) -> None:
        self._look = look
        self._styles: dict[str, Style] = {}
        self._lines: dict[tuple[str, int], list[str]] = {}

    def line(self, indent: int, *pieces: tuple[str, str]) -> Drawn:
        """Pieces of text, each with its style, on one line; wrapped when the line is too long."""
        plain = "".join(text for text, _ in pieces)
        if indent + cell_len(plain) <= self._look.width:
            return Drawn(" " * indent + "".join(self._styled(text, style) for text, style in pieces))
        return self.paragraph(plain, indent=indent, style=pieces[0][1] if pieces else "")

    def paragraph(self, text: str, *, indent: int, style: str = "", label: str = "") -> Drawn:
        """A text wrapped to the width, with a label in front of its first line.

        Args:
            text: What to draw; on one line.
            indent: Columns before each line; before the label, when there is one.
            style: Of the text.
            label: At most three characters.
        """
        hang = indent + _LABEL_WIDTH if label else indent
        lines = self._wrapped(text, self._look.width - hang)
        first = " " * indent + self._styled(label, "dim") + " " * (hang - indent - len(label))
        return Drawn(
            "\n".join(
                (first if number == 0 else " " * hang) + self._styled(line, style)
                for number, line in enumerate(lines)
            )
        )

    def _wrapped(self, text: str, width: int) -> list[str]:
        known = self._lines.get((text, width))
        if known is None:
            known = self._lines[text, width] = _wrap(text, width)
        return known

    def _styled(self, text: str, style: str) -> str:
        if not style or not text or not self._look.colour:
            return text
        known = self._styles.get(style)
        if known is None:
            known = self._styles[style] = Style.parse(style)
        return known.render(text, color_system=ColorSystem.STANDARD)


_LABEL_WIDTH = 4


def _wrap(text: str, width: int) -> list[str]:
    if text.isascii():
        return [text] if len(text) <= width else textwrap.wrap(text, width, break_on_hyphens=False) or [""]
    # Characters may be two columns wide, or none: rich knows.
    lines = Text(text).wrap(Console(file=StringIO(), width=width, _environ={}), width, overflow="fold")
    return [line.plain.rstrip() for line in lines] or [""]


def draw(parts: Iterable[RenderableType], look: Look) -> str:
    """The text of some renderables, each starting on a line of its own, without trailing spaces.

    What a `Pen` has drawn is taken as it is.
    """
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
    for part in parts:
        if isinstance(part, Drawn):
            file.write(f"{part}\n")
        else:
            console.print(part)
    return "".join(f"{line.rstrip()}\n" for line in file.getvalue().splitlines())


class _AsciiText(StringIO):
    """Text whose encoding makes rich draw its lines in ASCII."""

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return "ascii"
