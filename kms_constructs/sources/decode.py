"""Text of files as plain data: JSON with the standard library, YAML with cfn-lint's decoder.

Everything that is wrong with a file is one `SourceError` that says where and what to do. A file is never half
read: duplicate keys, which parsers resolve each in their own way, are refused.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Final, NoReturn

from kms_constructs.errors import SourceError

MAX_BYTES: Final = 64 * 1024 * 1024
"""Size of a file that is read; CloudFormation's limit for a template is 1 MB."""

MAX_NESTING: Final = 200
"""Levels of nesting of a YAML document; JSON's are bounded by the parser, and where they are resolved."""

_YAML_SUFFIXES: Final = (".yaml", ".yml", ".template", ".txt")


def read_text(path: Path, source: str) -> str:
    """Text of a file.

    Raises:
        SourceError: It cannot be read, is no UTF-8 text, is empty, or is far too large.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise SourceError(
                source, f"the file is larger than {MAX_BYTES // 2**20} MB", "Give the template itself"
            )
        content = path.read_bytes()
    except (OSError, ValueError) as error:
        problem = getattr(error, "strerror", None) or str(error)
        raise SourceError(
            source, f"it cannot be read: {problem}", "Check the path and its permissions"
        ) from error
    try:
        # A byte order mark, which some editors write, is no part of the text.
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise SourceError(
            source, f"it is not UTF-8 text (byte {error.start})", "Save the file as UTF-8"
        ) from error
    if not text.strip():
        raise SourceError(source, "the file is empty", "Give a template, an assembly or a key policy")
    return text


def decode(text: str, source: str) -> object:
    """The document that a text holds, as plain data.

    Args:
        text: JSON or YAML.
        source: File name: its ending decides what an unclear text is tried as.

    Raises:
        SourceError: The text is neither, or holds what CloudFormation does not accept.
    """
    suffix = Path(source).suffix.lower()
    if suffix == ".json" or (suffix not in _YAML_SUFFIXES and text.lstrip()[:1] in ("{", "[")):
        document = _json(text, source)
    elif text.lstrip()[:1] in ("{", "["):
        try:
            document = _json(text, source)
        except SourceError as error:
            if isinstance(error.__cause__, json.JSONDecodeError):
                document = _yaml(text, source)  # YAML's flow style
            else:
                raise
    else:
        document = _yaml(text, source)
    return document


class _DuplicateKeyError(ValueError):
    """A key stands twice in one object."""


class _ConstantError(ValueError):
    """NaN or an infinity."""


def _json(text: str, source: str) -> object:
    try:
        document: object = json.loads(text, object_pairs_hook=_object, parse_constant=_constant)
    except json.JSONDecodeError as error:
        raise SourceError(
            source,
            f"it is not JSON: {error.msg} at line {error.lineno}, column {error.colno}",
            "Correct the file there",
        ) from error
    except _DuplicateKeyError as error:
        raise SourceError(
            source, f"the key {error.args[0]!r} stands twice in one object", "Keep one of the two"
        ) from error
    except _ConstantError as error:
        raise SourceError(
            source, f"{error.args[0]} is no JSON value", "Write a number or leave it out"
        ) from error
    except (RecursionError, ValueError) as error:
        raise _too_deep_or_long(source, error) from error
    return document


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise _DuplicateKeyError(key)
            seen.add(key)
    return found


def _constant(name: str) -> NoReturn:
    raise _ConstantError(name)


def _yaml(text: str, source: str) -> object:
    try:
        # Slow to import (seconds), so only for YAML.
        from cfnlint.decode import cfn_yaml
        from yaml import YAMLError
    except ImportError as error:
        raise SourceError(
            source,
            "YAML cannot be read without cfn-lint",
            "Install kms-constructs[yaml], or give the template as JSON",
        ) from error
    try:
        document = _plain(cfn_yaml.loads(text, source), 0)
    except YAMLError as error:
        if isinstance(error.__cause__ or error.__context__, RecursionError):
            raise _too_deep_or_long(source, RecursionError()) from error
        raise SourceError(
            source, f"it is not YAML: {_yaml_problem(error)}", "Correct the file there"
        ) from error
    except RecursionError as error:
        raise _too_deep_or_long(source, error) from error
    except (ArithmeticError, AssertionError, AttributeError, LookupError, TypeError, ValueError) as error:
        raise SourceError(source, f"it is not YAML that can be read: {error}", "Correct the file") from error
    return document


def _yaml_problem(error: Exception) -> str:
    matches = getattr(error, "matches", None)
    if matches:
        return "; ".join(dict.fromkeys(str(match.message) for match in matches))
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or str(error).replace("\n", " ")
    return f"{problem} at line {mark.line + 1}, column {mark.column + 1}" if mark else str(problem)


def _too_deep_or_long(source: str, error: Exception) -> SourceError:
    if isinstance(error, RecursionError):
        return SourceError(
            source, "it is nested too deeply to be read", "Give a template that CloudFormation accepts"
        )
    return SourceError(source, f"it holds a value that cannot be read: {error}", "Correct the file")


def _plain(node: object, depth: int) -> object:
    """Plain dicts, lists and scalars instead of cfn-lint's, which carry positions; a date as its text."""
    if depth > MAX_NESTING:
        raise RecursionError
    if isinstance(node, Mapping):
        return {_key(key): _plain(value, depth + 1) for key, value in node.items()}
    if isinstance(node, list | tuple):
        return [_plain(value, depth + 1) for value in node]
    if isinstance(node, str):
        return str(node)
    if isinstance(node, date):
        return node.isoformat()
    if node is None or isinstance(node, bool | int | float):
        return node
    return str(node)


def _key(key: object) -> str:
    if isinstance(key, bool):
        return "true" if key else "false"
    return key.isoformat() if isinstance(key, date) else str(key)
