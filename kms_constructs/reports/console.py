"""Where the terminal reports are drawn: a rich console that writes into text.

A report is drawn for a width and a number of colours that the caller decides, so that the same call always
gives the same text, whatever terminal it runs in.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from io import StringIO

from msgspec.structs import force_setattr
from rich.cells import cell_len
from rich.color import ColorSystem
from rich.console import Console, RenderableType
from rich.style import Style
from rich.text import Text

from kms_constructs.model.frozen import Frozen
from kms_constructs.reports.text import without_commands


class Look(Frozen, frozen=True, kw_only=True):
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
        force_setattr(self, "width", max(self.width, MINIMUM_WIDTH))

    def mark(self, symbol: str, ascii_symbol: str) -> str:
        """The symbol, or what stands for it in ASCII."""
        return symbol if self.unicode else ascii_symbol


MINIMUM_WIDTH = 40
"""Columns below which a report is no longer readable; it is then drawn wider than the terminal."""


class Drawn(str):
    """Lines that are drawn already."""

    __slots__ = ()


Piece = tuple[str, str]
"""A text and its style."""

_WORDS = re.compile(r"\s+|\S+")


class Pen:
    """Draws indented paragraphs as rich would, without its cost: reports have tens of thousands of them."""

    def __init__(self, look: Look) -> None:
        self._look = look
        self._styles: dict[str, Style] = {}
        self._lines: dict[tuple[str, int], list[str]] = {}

    def line(self, indent: int, *pieces: Piece) -> Drawn:
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

    def flow(self, head: Sequence[Piece], width: int, body: Sequence[Piece], *, indent: int) -> Drawn:
        """A body in several styles, wrapped, that hangs beside a head.

        Args:
            head: Stands before the first line of the body.
            width: Columns that the head is given.
            body: Wrapped at spaces; two or more of them keep it apart from what follows.
            indent: Columns before each line.
        """
        room = max(self._look.width - indent - width, 1)
        margin = " " * (indent + width)
        used = sum(cell_len(text) for text, _ in head)
        first = " " * indent + "".join(self._styled(text, style) for text, style in head)
        lines = list(_fill(body, room)) or [[]]
        return Drawn(
            "\n".join(
                (first + " " * max(width - used, 1) if number == 0 else margin)
                + "".join(self._styled(text, style) for text, style in line)
                for number, line in enumerate(lines)
            )
        )

    def row(self, cells: Sequence[Piece], widths: Sequence[int], *, indent: int) -> str:
        """One line of a grid: the first cell to the left, the others centred, two columns apart.

        Args:
            cells: What stands in the columns; none is wider than its column.
            widths: Of the columns.
            indent: Columns before the line.
        """
        drawn = []
        for number, ((text, style), width) in enumerate(zip(cells, widths, strict=True)):
            spare = width - cell_len(text)
            left = spare // 2 if number else 0
            drawn.append(" " * left + self._styled(text, style) + " " * (spare - left))
        return " " * indent + "  ".join(drawn)

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


def _fill(pieces: Iterable[Piece], width: int) -> Iterator[list[Piece]]:
    """Lines no wider than the width; spaces at a break are dropped, and a word that is too long is cut."""
    line: list[Piece] = []
    used = 0
    for text, style in pieces:
        for word in _WORDS.findall(text):
            columns = cell_len(word)
            if used and used + columns > width:
                yield line
                line, used = [], 0
            if word.isspace() and not used:
                continue
            *whole, rest = cut(word, width) if columns > width else (word,)
            yield from ([(part, style)] for part in whole)
            line.append((rest, style))
            used += cell_len(rest)
    if line:
        yield line


def cut(word: str, width: int) -> list[str]:
    """A word in parts no wider than the width."""
    parts = [""]
    used = 0
    for character in word:
        columns = cell_len(character)
        if used and used + columns > width:
            parts.append("")
            used = 0
        parts[-1] += character
        used += columns
    return parts


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
    return without_commands("".join(f"{line.rstrip()}\n" for line in file.getvalue().splitlines()))


class _AsciiText(StringIO):
    """Text whose encoding makes rich draw its lines in ASCII."""

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return "ascii"


def heading(title: str, place: str, pen: Pen) -> Iterable[RenderableType]:
    """What a part of a report is about, and where that is, unless the two are the same."""
    yield pen.paragraph(title, indent=0, style="bold underline")
    if place and place != title:
        yield pen.paragraph(place, indent=0, style="dim")
