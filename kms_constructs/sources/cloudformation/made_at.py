"""Which lines of an app made its keys: what `SecureKmsKey` leaves in the assembly beside the templates.

What CDK itself writes down of a construct's creation ends where Node was asked: it holds no line of Python.
In a template such a line would be a change at each edit of the app, so it stands in a file of its own::

    {"base": "..", "lines": {"Data/Key/Resource": ["stacks/data.py", 12]}}

Files are relative to the directory that the app was run in, and ``base`` leads there from the assembly, where
the assembly lies within it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from kms_constructs.model.estate import SourceProblem
from kms_constructs.model.location import CodeLine

MADE_AT: Final = "kms-constructs-lines.json"
"""Name of the file in the outermost directory of an assembly."""


def made_at(directory: Path, problems: list[SourceProblem]) -> dict[str, CodeLine]:
    """The lines that made the keys of an assembly, by construct path of their resources.

    Args:
        directory: The outermost directory of the assembly.
        problems: Where is added that the file is broken.
    """
    file = directory / MADE_AT
    if not file.is_file():
        return {}
    try:
        found = json.loads(file.read_text("utf-8"))
    except (OSError, ValueError) as error:
        problems.append(SourceProblem(str(file), f"it is no JSON: {error}", "Synthesize again"))
        return {}
    if not isinstance(found, Mapping):
        return {}
    base, lines = found.get("base"), found.get("lines")
    within = str(directory / base) if isinstance(base, str) and "\0" not in base else None
    return {
        str(path): CodeLine(_seen_from_here(entry[0], within), entry[1])
        for path, entry in (lines.items() if isinstance(lines, Mapping) else ())
        if isinstance(entry, list) and len(entry) == 2 and isinstance(entry[0], str) and type(entry[1]) is int
    }


def _seen_from_here(file: str, within: str | None) -> str:
    return file if within is None else Path(os.path.relpath(Path(within, file))).as_posix()
