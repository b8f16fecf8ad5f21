"""What is watched, as a table: ``python -m tools.monitoring_table --write docs/monitoring.md``."""

from __future__ import annotations

from collections.abc import Iterable

from kms_constructs.detections.catalogue import CHANGING, WATCHES
from kms_constructs.detections.watch import API_CALL, Callers, Result, Watch
from tools.generated_table import GeneratedTable, table


def markdown_table(watches: Iterable[Watch] = WATCHES) -> str:
    """The watches as a Markdown table, one row each."""
    head = ("Rule", "What happened", "Events", "Level", "Expected of", "Guardrail")
    return table(head, [_row(watch) for watch in watches])


def _row(watch: Watch) -> tuple[str, ...]:
    level = watch.level.value
    if watch.guarded and watch.expected != "nobody":
        level += "; an alert where the caller is authorised"
    return (
        f"`{watch.id}`",
        f"[{watch.title}]({watch.references[0]})",
        _events(watch),
        level,
        watch.expected,
        watch.control,
    )


def _events(watch: Watch) -> str:
    if watch.detail_type != API_CALL:
        return f"`{watch.detail_type}`"
    names = "every call that manages keys or grants"
    if watch.event_names != CHANGING:
        names = ", ".join(f"`{name}`" for name in watch.event_names)
    if watch.parameters:
        names += f" with {', '.join(f'`{name}`' for name in watch.parameters)}"
    if watch.result is Result.DENIED:
        names += ", refused"
    if watch.callers is not Callers.ANYONE:
        names += f", by {watch.callers.value}"
    return names


TABLE = GeneratedTable("watches", markdown_table)

if __name__ == "__main__":
    raise SystemExit(TABLE.main())
