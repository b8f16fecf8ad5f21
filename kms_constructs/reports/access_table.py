"""Access matrices and what changes in them, for terminals."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.text import Text

from kms_constructs.analysis.access import Access
from kms_constructs.reports.access_view import (
    LEGEND,
    MARKS,
    AccessEntry,
    access_entries,
    joined,
    key_title,
    matrix_facts,
    matrix_order,
)
from kms_constructs.reports.console import Drawn, Look, Pen, Piece, cut, draw, heading
from kms_constructs.reports.text import one_line, place

if TYPE_CHECKING:
    from rich.console import RenderableType

    from kms_constructs.analysis.access import AccessMatrix, Capability, MatrixRow
    from kms_constructs.analysis.diff import AccessChange

_PIECES = re.compile(r"[^/,:\s]*(?:[/,:]\s*|\s+|$)")
_INDENT = 2
_GAP = 2
_MARKS_INDENT = 4
"""Columns before the marks of a principal that stands above them."""

_MATRIX_PRINCIPAL_WIDTH = 34
"""Columns a principal needs to stand beside its marks; narrower, it stands above them."""


def access_table(matrices: Iterable[AccessMatrix], look: Look | None = None) -> str:
    """Who may do what with each key, and which statements say so.

    Where the width has no room for the principals beside the matrix they stand above their marks, and where
    it has none for all of the columns, these are drawn in parts. The list below names the statements and the
    conditions.
    """
    look = look or Look()
    parts: list[RenderableType] = []
    ordered = matrix_order(matrices)
    shared = _SharedRows(look)
    for matrix in ordered:
        parts += [*_access(matrix, look, shared)]
    if ordered:
        legend = Text(style="dim")
        for mark in LEGEND.values():
            legend.append(f"{look.mark(mark.symbol, mark.ascii)} {mark.word}: {mark.meaning}\n")
        legend.rstrip()
        parts.append(legend)
    return draw(parts, look)


class _SharedRows:
    """Rows as they are drawn. The keys of an estate share most of theirs: each is drawn once.

    The matrices have to be kept while it is used, for rows are told apart by their identity.
    """

    def __init__(self, look: Look) -> None:
        self.look = look
        self.pen = Pen(look)
        self._texts: dict[tuple[int, tuple[Capability, ...]], Drawn] = {}
        self._names: dict[tuple[int, int], list[str]] = {}
        self._marks: dict[tuple[int, tuple[Capability, ...], tuple[int, ...]], str] = {}

    def text(self, row: MatrixRow, matrix: AccessMatrix) -> Drawn:
        """What a principal may do, in words."""
        place = id(row), matrix.capabilities
        if place not in self._texts:
            self._texts[place] = Drawn("\n".join(_row(row, matrix, self.look, self.pen)))
        return self._texts[place]

    def name(self, row: MatrixRow, room: int) -> list[str]:
        """The principal, in lines of that width."""
        place = id(row), room
        if place not in self._names:
            self._names[place] = _broken(one_line(row.principal), room)
        return self._names[place]

    def marks(
        self, row: MatrixRow, capabilities: tuple[Capability, ...], last: str, widths: Sequence[int]
    ) -> str:
        """The last line of the principal's name, and its marks."""
        place = id(row), capabilities, tuple(widths)
        if place not in self._marks:
            cells = [(last, "")]
            for capability in capabilities:
                cell = row.cells.get(capability)
                access = Access.DENIED if cell is None else cell.access
                mark = MARKS[access]
                cells.append((self.look.mark(mark.symbol, mark.ascii), _access_style(access)))
            self._marks[place] = self.pen.row(cells, widths, indent=_INDENT)
        return self._marks[place]


def _access_style(access: Access) -> str:
    match access:
        case Access.ALLOWED:
            return "bold"
        case Access.CONDITIONAL:
            return "yellow"
        case Access.DELEGATED:
            return "cyan"
        case Access.UNKNOWN:
            return "bold magenta"
        case Access.DENIED:
            return "dim"


def _access(matrix: AccessMatrix, look: Look, shared: _SharedRows) -> Iterable[RenderableType]:
    location = matrix.key.location
    pen = shared.pen
    yield from heading(key_title(matrix.key), place(location, named=not location.construct_path), pen)
    if facts := matrix_facts(matrix):
        yield pen.paragraph(", ".join(facts), indent=0, style="dim")
    yield Drawn()
    if not matrix.rows:
        yield Text("  Nobody has access to this key.", style="bold red")
        yield Text()
        return
    yield from _matrix(matrix, look, shared)
    for row in matrix.rows:
        yield shared.text(row, matrix)
    yield Drawn()


def _matrix(matrix: AccessMatrix, look: Look, shared: _SharedRows) -> Iterable[RenderableType]:
    """The matrix, with its principals beside it where there is room for them."""
    pen = shared.pen
    headings = [capability.value.split() for capability in matrix.capabilities]
    widths = [max(map(len, heading)) for heading in headings]
    room = look.width - _INDENT - sum(widths) - _GAP * len(widths)
    if room < _MATRIX_PRINCIPAL_WIDTH:
        yield from _stacked(matrix, look, shared)
        return
    names = [shared.name(row, room) for row in matrix.rows]
    widths.insert(0, max(len("principal"), *(cell_len(line) for lines in names for line in lines)))
    lines = _head("principal", headings, widths, pen)
    for row, (*upper, last) in zip(matrix.rows, names, strict=True):
        lines += [" " * _INDENT + line for line in upper]
        lines.append(shared.marks(row, matrix.capabilities, last, widths))
    yield Drawn("\n".join(lines))
    yield Drawn()


def _stacked(matrix: AccessMatrix, look: Look, shared: _SharedRows) -> Iterable[RenderableType]:
    """The matrix with each principal above its marks, in as many parts as the width asks for."""
    pen = shared.pen
    for part in _parts(matrix.capabilities, look.width - _MARKS_INDENT):
        headings = [capability.value.split() for capability in part]
        # Nothing stands to the left of the marks but their indent.
        widths = [_MARKS_INDENT - _INDENT - _GAP, *(max(map(len, heading)) for heading in headings)]
        lines = _head("", headings, widths, pen)
        for row in matrix.rows:
            lines += [" " * _INDENT + line for line in shared.name(row, look.width - _INDENT)]
            lines.append(shared.marks(row, part, "", widths))
        yield Drawn("\n".join(lines))
        yield Drawn()


def _parts(capabilities: Sequence[Capability], room: int) -> list[tuple[Capability, ...]]:
    """The columns in as few parts as fit the room, none of them much shorter than the others."""
    for number in range(1, len(capabilities) + 1):
        size = -(-len(capabilities) // number)
        parts = [tuple(capabilities[at : at + size]) for at in range(0, len(capabilities), size)]
        if all(_columns(part) <= room for part in parts):
            return parts
    return [(capability,) for capability in capabilities]


def _columns(capabilities: Sequence[Capability]) -> int:
    heads = [max(map(len, capability.value.split())) for capability in capabilities]
    return sum(heads) + _GAP * (len(heads) - 1)


def _head(first: str, headings: Sequence[Sequence[str]], widths: Sequence[int], pen: Pen) -> list[str]:
    """The lines of the headings, each word on a line of its own."""
    height = max(map(len, headings), default=1)
    return [
        pen.row(
            [
                (first if level == height - 1 else "", "dim"),
                *((([""] * (height - len(heading)) + list(heading))[level], "dim") for heading in headings),
            ],
            widths,
            indent=_INDENT,
        )
        for level in range(height)
    ]


def _broken(name: str, width: int) -> list[str]:
    """The name in lines no longer than the width, broken where a person would: after a slash, a comma."""
    lines = [""]
    for piece in _PIECES.findall(name):
        for part in cut(piece, width):
            if lines[-1] and cell_len(lines[-1]) + cell_len(part.rstrip()) > width:
                lines.append("")
            lines[-1] += part
    return [line.rstrip() for line in lines]


def _row(row: MatrixRow, matrix: AccessMatrix, look: Look, pen: Pen) -> Iterable[Drawn]:
    yield pen.paragraph(one_line(row.principal), indent=2, style="bold")
    entries = access_entries(row, matrix.capabilities)
    if not entries:
        yield pen.line(4, ("no access", "dim"))
    for entry in entries:
        mark = MARKS[entry.access]
        style = _access_style(entry.access)
        head = [(f"{look.mark(mark.symbol, mark.ascii)} {mark.word}", style)]
        yield pen.flow(head, _ENTRY_WIDTH, _entry(entry), indent=4)


_ENTRY_WIDTH = 3 + max(len(mark.word) for mark in MARKS.values())


def _entry(entry: AccessEntry) -> list[Piece]:
    pieces = [(entry.labels, "")]
    if entry.statements:
        pieces.append((f"  by {'; '.join(map(one_line, entry.statements))}", "dim"))
    if entry.alternatives:
        pieces.append((f"  {entry.proviso} {joined(entry.alternatives)}", "yellow"))
    return pieces


def diff_table(changes: Iterable[AccessChange], look: Look | None = None) -> str:
    """Who gains and who loses what, key by key."""
    look = look or Look()
    by_key: dict[str, dict[str, list[AccessChange]]] = {}
    for change in changes:
        by_key.setdefault(change.key, {}).setdefault(change.principal, []).append(change)
    if not by_key:
        return draw([Text("No change of access.", style="bold green")], look)
    parts: list[RenderableType] = []
    pen = Pen(look)
    for key, principals in sorted(by_key.items()):
        parts.append(pen.paragraph(one_line(key), indent=0, style="bold underline"))
        for principal, members in sorted(principals.items()):
            parts.append(pen.paragraph(one_line(principal), indent=2, style="bold"))
            width = 3 + max(len(change.capability.value) for change in members)
            parts += [
                pen.flow([_gained(change, look)], width, _change(change, look), indent=4)
                for change in members
            ]
        parts.append(Drawn())
    return draw(parts, look)


def _gained(change: AccessChange, look: Look) -> Piece:
    sign = "+" if change.gains else look.mark("\N{MINUS SIGN}", "-")
    return f"{sign} {change.capability.value}", "bold red" if change.gains else "green"


def _change(change: AccessChange, look: Look) -> list[Piece]:
    arrow = look.mark("→", "->")
    before, after = MARKS[change.before].word, MARKS[change.after].word
    pieces = [(f"{before} {arrow} {after}" if before != after else f"{after} under other conditions", "")]
    if change.world:
        pieces.append((f"  with {one_line(change.world)}", ""))
    if change.statements:
        pieces.append((f"  by {'; '.join(map(one_line, change.statements))}", "dim"))
    if change.alternatives:
        pieces.append((f"  if {joined(change.alternatives)}", "yellow"))
    return pieces
