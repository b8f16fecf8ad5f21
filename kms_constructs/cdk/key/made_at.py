"""The line of an app that made a key, or that asked something of it.

CDK's own stack traces end where Node was asked, and hold no line of Python. So the line is taken from the
frames of the interpreter, which costs no call into Node, and left beside the templates in the assembly.
"""

from __future__ import annotations

import json
import os
import sys
from functools import lru_cache
from pathlib import Path
from weakref import WeakKeyDictionary

from constructs import IConstruct

from kms_constructs.model.location import CodeLine
from kms_constructs.sources.cloudformation.made_at import MADE_AT

_PACKAGE = str(Path(__file__).resolve().parents[2])
_LIBRARIES = ("site-packages", "dist-packages")
_MADE_AT: WeakKeyDictionary[IConstruct, dict[str, CodeLine]] = WeakKeyDictionary()


def remember(root: IConstruct, path: str) -> CodeLine | None:
    """Remembers the line of the app that is making a key.

    Args:
        root: The root of the tree.
        path: Construct path of the key.

    Returns:
        The line; None where no file below the working directory is making it.
    """
    line = calling_line()
    lines = _MADE_AT.setdefault(root, {})
    if line is None or Path(line.file).is_absolute():
        return None
    lines[f"{path}/Resource"] = line
    return line


def leave_in(directory: Path, root: IConstruct | None) -> None:
    """Leaves the lines that made the keys of a tree to who reads its assembly.

    What is there already stays as it is: an assembly that changes is read again.

    Args:
        directory: The outermost directory of the assembly.
        root: The root of the tree.
    """
    lines = None if root is None else _MADE_AT.get(root)
    if lines is None:
        return
    here, there = Path.cwd().resolve(), directory.resolve()
    inside = there.is_relative_to(here)
    base = {"base": Path(os.path.relpath(here, there)).as_posix()} if inside else {}
    document = {**base, "lines": dict(sorted(lines.items()))}
    text = f"{json.dumps(document, indent=2)}\n"
    file = directory / MADE_AT
    if not file.is_file() or file.read_text("utf-8") != text:
        file.write_text(text, "utf-8")


def calling_line() -> CodeLine | None:
    """The innermost line outside of libraries: below the working directory by its relative path."""
    frame = sys._getframe(1)
    while frame is not None:
        name = frame.f_code.co_filename
        if not _is_library(name):
            return CodeLine(_shown(name, Path.cwd()), frame.f_lineno)
        if frame.f_back is None:
            break
        frame = frame.f_back
    return None


@lru_cache(maxsize=1024)
def _is_library(name: str) -> bool:
    return name.startswith((_PACKAGE, "<", sys.base_prefix)) or any(one in name for one in _LIBRARIES)


@lru_cache(maxsize=1024)
def _shown(name: str, here: Path) -> str:
    file = Path(here, name).resolve()
    try:
        return file.relative_to(here.resolve()).as_posix()
    except ValueError:
        return str(file)
