"""The catalogue as the table in README: ``python tools/guardrail_table.py --write README.md``.

The table stands between two marks. ``--check`` says whether it is current, for tests and CI.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from kms_constructs.guardrails.catalogue import CATALOGUE
from kms_constructs.guardrails.control import Control, Framework

BEGIN = "<!-- guardrails:begin -->"
END = "<!-- guardrails:end -->"


def markdown_table(controls: Iterable[Control] | None = None) -> str:
    """The controls as a Markdown table, one row each.

    Args:
        controls: The controls; None for the whole catalogue.
    """
    rows = ["| Control | What holds | Looks at | Severity | Serves |", "|---|---|---|---|---|"]
    rows.extend(_row(control) for control in (CATALOGUE.values() if controls is None else controls))
    return "\n".join(rows) + "\n"


def _row(control: Control) -> str:
    serves = "; ".join(
        f"{framework.value}: {', '.join(control.mappings[framework])}"
        for framework in Framework
        if framework in control.mappings
    )
    title = control.title
    if control.actions:
        title += f" ({', '.join(f'`{action}`' for action in control.actions)})"
    cells = (
        f"[{control.id}]({control.references[0]})",
        title,
        ", ".join(scope.value for scope in control.scope),
        control.severity.value,
        serves,
    )
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def with_table(text: str) -> str:
    """The text with the table between its marks made current; put at the end when it has no marks.

    Raises:
        ValueError: Only one of the marks is there, or they stand the wrong way round.
    """
    block = f"{BEGIN}\n{markdown_table()}{END}"
    begin, end = text.find(BEGIN), text.find(END)
    if begin < 0 and end < 0:
        return f"{text.rstrip()}\n\n{block}\n"
    if begin < 0 or end < begin:
        raise ValueError(f"the marks {BEGIN} and {END} do not stand one after the other")
    return text[:begin] + block + text[end + len(END) :]


def main(arguments: Sequence[str] | None = None) -> int:
    """Writes or checks the table; returns 0, or 1 when it is not current."""
    parser = argparse.ArgumentParser(prog="python tools/guardrail_table.py", description=__doc__)
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
            f"{path}: the table of guardrails is not current: run with --write", file=sys.stderr
        )
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
