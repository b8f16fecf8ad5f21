"""The settings as the table in README: ``python tools/settings_table.py --write README.md``.

The table stands between two marks. ``--check`` says whether it is current, for tests and CI.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from kms_constructs.guardrails.config_schema import settings

BEGIN = "<!-- settings:begin -->"
END = "<!-- settings:end -->"


def markdown_table() -> str:
    """Every setting: its name, what it takes, its default, what it means."""
    rows = ["| Setting | Takes | Default | Meaning |", "|---|---|---|---|"]
    for item, schema in settings():
        cells = (f"`{item.name.replace('_', '-')}`", _kind(schema), _default(schema), schema["description"])
        rows.append(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |")
    return "\n".join(rows) + "\n"


def _kind(schema: Mapping[str, Any]) -> str:
    match schema["type"]:
        case "integer":
            return f"days, {schema['minimum']} to {schema['maximum']}"
        case "boolean":
            return "true or false"
        case "string":
            return "text"
        case "object":
            return "table"
    return "tables" if schema["items"].get("type") == "object" else "list of texts"


def _default(schema: Mapping[str, Any]) -> str:
    value = schema.get("default")
    return f"`{json.dumps(value)}`" if value or isinstance(value, bool) else "none"


def with_table(text: str) -> str:
    """The text with the table between its marks made current.

    Raises:
        ValueError: The marks do not stand there one after the other.
    """
    begin, end = text.find(BEGIN), text.find(END)
    if begin < 0 or end < begin:
        raise ValueError(f"the marks {BEGIN} and {END} do not stand one after the other")
    return f"{text[:begin]}{BEGIN}\n{markdown_table()}{text[end:]}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Writes or checks the table; returns 0, or 1 when it is not current."""
    parser = argparse.ArgumentParser(prog="python tools/settings_table.py", description=__doc__)
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
            f"{path}: the table of settings is not current: run with --write", file=sys.stderr
        )
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
