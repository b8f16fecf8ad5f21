"""Reads a catalogue of keys: schema-checked, every error with file and line, all errors at once."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker
from jsonschema.exceptions import ValidationError

from kms_constructs.errors import SourceError
from kms_constructs.model.reading import bounded_text
from kms_constructs.sources.positions import Marks, Pointer
from kms_constructs.sources.yaml_reader import NotYamlError, YamlError, read_yaml

SCHEMA_FILE = "key-catalog.schema.json"
LONGEST_MESSAGE = 200
_FIX = "Correct it; kms-constructs export catalog-schema writes the schema"


@dataclass(frozen=True, slots=True)
class CatalogEntry:
    """One key of a catalogue.

    Args:
        name: Its name in the catalogue.
        settings: Its settings, defaults filled in.
        line: Line of the file that it stands on; 0 when it came from plain data.
    """

    name: str
    settings: Mapping[str, Any]
    line: int = 0


@dataclass(frozen=True, slots=True)
class CatalogFile:
    """A catalogue as it was read.

    Args:
        source: File name, or what stands for it.
        stacks: How many stacks the keys are spread over.
        entries: The keys, in the order of the file.
    """

    source: str
    stacks: int
    entries: tuple[CatalogEntry, ...]


@lru_cache(maxsize=1)
def json_schema() -> dict[str, Any]:
    """The JSON schema of a catalogue, for editors and checks."""
    text = files("kms_constructs.cdk.fleet").joinpath("data", SCHEMA_FILE).read_text(encoding="utf-8")
    schema: dict[str, Any] = json.loads(text)
    return schema


def read_catalog(path: str | Path) -> CatalogFile:
    """Reads a catalogue from a YAML or JSON file.

    Raises:
        SourceError: The file cannot be read or is no catalogue; the message lists every error with its line.
    """
    source = str(path)
    try:
        text = bounded_text(Path(path), "utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else "it is no UTF-8 text"
        raise SourceError(source, f"it cannot be read: {reason}", "Name a readable YAML file") from error
    try:
        document = read_yaml(text)
    except YamlError as error:
        place = f"{source}:{error.position.line}" if error.position is not None else source
        problem = f"it is no YAML: {error.problem}" if isinstance(error, NotYamlError) else error.problem
        raise SourceError(place, problem, error.fix) from error
    if document.data is None:
        raise SourceError(source, "it is empty", "Write version, stacks and keys")
    return catalog_of(document.data, source=source, marks=document.marks)


def catalog_of(data: object, *, source: str, marks: Marks | None = None) -> CatalogFile:
    """Checks plain data and fills the defaults in.

    Args:
        data: The catalogue.
        source: File name, or what stands for it.
        marks: Where its values stand in the file; None when it came from plain data.

    Raises:
        SourceError: It is no catalogue; the message lists every error.
    """
    checker = Draft202012Validator(json_schema(), format_checker=FormatChecker(formats=["date"]))
    errors = sorted(checker.iter_errors(data), key=lambda error: [str(part) for part in error.absolute_path])
    if errors:
        told = "; ".join(dict.fromkeys(_told(error, marks) for error in errors))
        raise SourceError(source, told, _FIX)
    if not isinstance(data, Mapping):  # the schema has said so already
        raise SourceError(source, "it is no object", _FIX)
    defaults = data.get("defaults") or {}
    entries = tuple(
        CatalogEntry(
            str(name),
            _merged(defaults, settings or {}),
            marks.position(("keys", str(name))).line if marks else 0,
        )
        for name, settings in data["keys"].items()
    )
    return CatalogFile(source, int(data["stacks"]), entries)


def _merged(defaults: Mapping[str, Any], settings: Mapping[str, Any]) -> dict[str, Any]:
    merged = {**defaults, **settings}
    if "tags" in defaults or "tags" in settings:
        merged["tags"] = {**defaults.get("tags", {}), **settings.get("tags", {})}
    return merged


def _told(error: ValidationError, marks: Marks | None) -> str:
    while error.context:
        # Of the alternatives, the one that went furthest is the one that was meant.
        error = max(error.context, key=lambda one: len(one.absolute_path))
    path: Pointer = tuple(error.absolute_path)
    near = path
    schema = error.schema
    if (
        error.validator == "additionalProperties"
        and isinstance(schema, Mapping)
        and isinstance(error.instance, Mapping)
    ):
        extra = [name for name in error.instance if name not in schema.get("properties", {})]
        near = (*path, *extra[:1])
    place = ".".join(str(part) for part in path) or "the file"
    message = error.message if len(error.message) < LONGEST_MESSAGE else f"{error.message[:LONGEST_MESSAGE]}…"
    return f"line {marks.position(near).line}: {place}: {message}" if marks else f"{place}: {message}"
