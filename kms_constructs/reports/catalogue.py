"""The catalogue of guardrails for terminals."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from kms_constructs.guardrails.control import Control
from kms_constructs.reports.console import Look, draw

if TYPE_CHECKING:
    from rich.console import RenderableType

_SEVERITY_STYLES = {"high": "bold red", "medium": "yellow", "low": "cyan", "warning": "dim"}


def catalogue_table(controls: Iterable[Control], look: Look | None = None) -> str:
    """One line for each control: id, severity, the compliant state."""
    look = look or Look()
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    table.add_column("control", no_wrap=True, style="bold")
    table.add_column("severity", no_wrap=True)
    table.add_column("what holds when it is met", overflow="fold")
    for control in controls:
        severity = Text(control.severity.value, style=_SEVERITY_STYLES[control.severity.value])
        table.add_row(Text(control.id), severity, Text(control.title))
    hint = Text("`kms-constructs guardrails ID` tells why, how to fix it, and which standards it serves.")
    hint.stylize("dim")
    return draw([table, Text(), hint], look)


def control_details(controls: Iterable[Control], look: Look | None = None) -> str:
    """Everything about each control."""
    look = look or Look()
    parts: list[RenderableType] = []
    for control in controls:
        heading = Text(f"{control.id}  ", style="bold underline")
        heading.append(control.title)
        parts.append(heading)
        grid = Table.grid(padding=(0, 2, 0, 0))
        grid.add_column(style="dim", no_wrap=True)
        grid.add_column(overflow="fold")
        severity = Text(control.severity.value, style=_SEVERITY_STYLES[control.severity.value])
        grid.add_row("severity", severity)
        grid.add_row("looks at", Text(", ".join(scope.value for scope in control.scope)))
        if control.actions:
            grid.add_row("actions", Text(", ".join(control.actions)))
        grid.add_row("why", Text(control.rationale))
        grid.add_row("fix", Text(control.remediation, style="green"))
        if control.preventable:
            grid.add_row("prevent", Text("kms-constructs export scp, kms-constructs export rcp"))
        for framework, requirements in control.mappings.items():
            grid.add_row("serves", Text(f"{framework.value}: {', '.join(requirements)}"))
        for reference in control.references:
            grid.add_row("see", Text(reference, style="cyan"))
        parts += [Padding(grid, (0, 0, 0, 2)), Text()]
    return draw(parts, look)
