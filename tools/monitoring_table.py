"""What is watched, as the table in docs/monitoring.md: ``python tools/monitoring_table.py --write FILE``.

The table stands between two marks. ``--check`` says whether it is current, for tests and CI.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from kms_constructs.detections.catalogue import CHANGING, WATCHES
from kms_constructs.detections.watch import API_CALL, Callers, Result, Watch

BEGIN = "<!-- watches:begin -->"
END = "<!-- watches:end -->"


def markdown_table(watches: Iterable[Watch] = WATCHES) -> str:
    """The watches as a Markdown table, one row each."""
    rows = [
        "| Rule | What happened | Events | Level | Expected of | Guardrail |",
        "|---|---|---|---|---|---|",
    ]
    rows.extend(_row(watch) for watch in watches)
    return "\n".join(rows) + "\n"


def _row(watch: Watch) -> str:
    level = watch.level.value
    if watch.guarded and watch.expected != "nobody":
        level += "; an alert where the caller is authorised"
    cells = (
        f"`{watch.id}`",
        f"[{watch.title}]({watch.references[0]})",
        _events(watch),
        level,
        watch.expected,
        watch.control,
    )
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


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


def with_table(text: str) -> str:
    """The text with the table between its marks made current.

    Raises:
        ValueError: The marks do not stand one after the other.
    """
    begin, end = text.find(BEGIN), text.find(END)
    if begin < 0 or end < begin:
        raise ValueError(f"the marks {BEGIN} and {END} do not stand one after the other")
    return f"{text[:begin]}{BEGIN}\n{markdown_table()}{text[end:]}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Writes or checks the table; returns 0, or 1 when it is not current."""
    parser = argparse.ArgumentParser(prog="python tools/monitoring_table.py", description=__doc__)
    how = parser.add_mutually_exclusive_group(required=True)
    how.add_argument("--write", metavar="FILE", type=Path, help="make the table in FILE current")
    how.add_argument("--check", metavar="FILE", type=Path, help="exit with 1 when the table in FILE is not")
    given = parser.parse_args(arguments)
    path: Path = given.write or given.check
    text = path.read_text(encoding="utf-8")
    current = with_table(text)
    if given.write:
        path.write_text(current, encoding="utf-8")
        return 0
    if current != text:
        print(  # noqa: T201 - this is the output of a command
            f"{path}: the table of what is watched is not current: run with --write", file=sys.stderr
        )
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
