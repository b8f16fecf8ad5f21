"""Text of files as plain data with positions: JSON with the standard library, YAML with `yaml_reader`.

Everything that is wrong with a file is one `SourceError` that says where and what to do. A file is never half
read: duplicate keys, which parsers resolve each in their own way, are refused.
"""

from __future__ import annotations

import codecs
import errno
import json
from pathlib import Path
from typing import Final, NoReturn

from kms_constructs.errors import SourceError
from kms_constructs.model.ceilings import MAX_YAML_BYTES
from kms_constructs.model.estate import SourceProblem
from kms_constructs.model.frozen import Frozen
from kms_constructs.model.reading import bounded_bytes, parsed_json
from kms_constructs.sources.positions import JsonMarks, Marks

_YAML_SUFFIXES: Final = (".yaml", ".yml", ".template", ".txt")


def read_text(path: Path, source: str) -> str:
    """Text of a file.

    Raises:
        SourceError: It cannot be read, is no UTF-8 text, is empty, or is far too large.
    """
    try:
        content = bounded_bytes(path)
    except (OSError, ValueError) as error:
        problem = getattr(error, "strerror", None) or str(error)
        fix = "Check the path and its permissions"
        if getattr(error, "errno", None) == errno.EFBIG:
            fix = "Give a smaller file: what deploys templates takes no more than 1 MB of each"
        raise SourceError(source, f"it cannot be read: {problem}", fix) from error
    # A byte order mark, which some editors write, is no part of the text.
    start = len(codecs.BOM_UTF8) if content.startswith(codecs.BOM_UTF8) else 0
    try:
        text = (content[start:] if start else content).decode("utf-8")
    except UnicodeDecodeError as error:
        raise SourceError(
            source, f"it is not UTF-8 text (byte {start + error.start})", "Save the file as UTF-8"
        ) from error
    if "\0" in text:
        # UTF-16 without its mark is UTF-8 to the letter, and looks like nothing.
        raise SourceError(
            source, "it is not UTF-8 text (it holds a null character)", "Save the file as UTF-8"
        )
    if not text or text.isspace():
        raise SourceError(source, "the file is empty", "Give a template, an assembly or a key policy")
    return text


class Document(Frozen, frozen=True):
    """A text as plain data.

    Args:
        data: Objects, lists, texts, numbers, booleans and None.
        marks: Where its values stand in the text.
        problems: What can be read, but hardly as its author meant it.
    """

    data: object
    marks: Marks
    problems: tuple[SourceProblem, ...] = ()


def decode(text: str, source: str) -> object:
    """The document that a text holds, as plain data: see `decode_document`."""
    return decode_document(text, source).data


def decode_document(text: str, source: str) -> Document:
    """The document that a text holds, with the positions of its values.

    Args:
        text: JSON or YAML.
        source: File name: its ending decides what an unclear text is tried as.

    Raises:
        SourceError: The text is neither, or holds what CloudFormation does not accept.

    Example:
        >>> decode_document('{"Resources": {}}', "app.json").marks.position(("Resources",))
        Position(line=1, column=2)
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


def _json(text: str, source: str) -> Document:
    try:
        document: object = parsed_json(text, object_pairs_hook=_object, parse_constant=_constant)
    except json.JSONDecodeError as error:
        raise SourceError(
            source,
            f"it is not JSON: {error.msg} at line {error.lineno}, column {error.colno}",
            "Correct the file there",
            ends_early=error.pos >= len(text.rstrip()) or error.msg.startswith("Unterminated"),
        ) from error
    except _DuplicateKeyError as error:
        raise SourceError(
            source, f"the key {error.args[0]!r} stands twice in one object", "Keep one of the two"
        ) from error
    except _ConstantError as error:
        raise SourceError(
            source, f"{error.args[0]} is no JSON value", "Write a number or leave it out"
        ) from error
    except ValueError as error:
        raise SourceError(source, str(error), "Give a document that CloudFormation accepts") from error
    return Document(document, JsonMarks(text))


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


def _yaml(text: str, source: str) -> Document:
    # Only where it is needed: templates that CDK synthesizes are JSON.
    from kms_constructs.sources.yaml_reader import NotYamlError, YamlError, read_yaml

    if len(text) > MAX_YAML_BYTES:
        raise SourceError(
            source,
            f"it is larger than {MAX_YAML_BYTES // 2**20} MB, the most that is read as YAML",
            "Give a smaller file, or write it as JSON",
        )
    try:
        found = read_yaml(text)
    except YamlError as error:
        place = f" at line {error.position.line}, column {error.position.column}" if error.position else ""
        problem = f"it is not YAML: {error.problem}" if isinstance(error, NotYamlError) else error.problem
        raise SourceError(source, f"{problem}{place}", error.fix) from error
    problems = tuple(
        SourceProblem(
            source,
            f"line {one.position.line}: {one.text} is octal to YAML, and so the number {one.value}",
            f'Quote it: "{one.text}"',
        )
        for one in found.misread
    )
    return Document(found.data, found.marks, problems)
