"""What only trails tell: ``python -m tools.trail_detections_table --write docs/trail-detections.md``."""

from __future__ import annotations

from collections.abc import Iterable

from kms_constructs.detections.trail.catalogue import DETECTIONS
from kms_constructs.detections.trail.detection import Detection
from tools.generated_table import GeneratedTable, table


def markdown_table(detections: Iterable[Detection] = DETECTIONS) -> str:
    """The detections as a Markdown table, one row each."""
    head = ("Detection", "What happened", "Events", "Level", "Expected of", "Guardrail")
    return table(head, [_row(one) for one in detections])


def _row(one: Detection) -> tuple[str, ...]:
    title = f"[{one.title}]({one.references[0]})"
    return f"`{one.id}`", title, one.events, one.level.value, one.expected, one.control


TABLE = GeneratedTable("trail-detections", markdown_table)

if __name__ == "__main__":
    raise SystemExit(TABLE.main())
