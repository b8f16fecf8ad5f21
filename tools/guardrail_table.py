"""The catalogue as a table: ``python -m tools.guardrail_table --write docs/reference/guardrails.md``."""

from __future__ import annotations

from collections.abc import Iterable

from kms_constructs.guardrails.catalogue import CATALOGUE
from kms_constructs.guardrails.control import Control, Framework
from tools.generated_table import GeneratedTable, table


def markdown_table(controls: Iterable[Control] | None = None) -> str:
    """The controls as a Markdown table, one row each.

    Args:
        controls: The controls; None for the whole catalogue.
    """
    head = ("Control", "What holds", "Looks at", "Severity", "Serves")
    return table(head, [_row(one) for one in (CATALOGUE.values() if controls is None else controls)])


def _row(control: Control) -> tuple[str, ...]:
    serves = "; ".join(
        f"{framework.value}: {', '.join(control.mappings[framework])}"
        for framework in Framework
        if framework in control.mappings
    )
    title = control.title
    if control.actions:
        title += f" ({', '.join(f'`{action}`' for action in control.actions)})"
    return (
        f"[{control.id}]({control.references[0]})",
        title,
        ", ".join(scope.value for scope in control.scope),
        control.severity.value,
        serves,
    )


TABLE = GeneratedTable("guardrails", markdown_table)

if __name__ == "__main__":
    raise SystemExit(TABLE.main())
