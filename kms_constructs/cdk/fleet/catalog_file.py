"""Reads a catalogue of keys: schema-checked, every error with file and line, all errors at once."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator, FormatChecker
from jsonschema.exceptions import ValidationError

from kms_constructs.errors import SourceError

SCHEMA_FILE = "key-catalog.schema.json"
LONGEST_MESSAGE = 200
_FIX = "Correct it; kms-constructs export catalog-schema writes the schema"

_Place = tuple[str | int, ...]


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
        text = Path(path).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else "it is no UTF-8 text"
        raise SourceError(source, f"it cannot be read: {reason}", "Name a readable YAML file") from error
    lines: dict[_Place, int] = {}
    try:
        data = _Loader(text, source, lines).data()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f"{source}:{mark.line + 1}" if mark is not None else source
        raise SourceError(place, f"it is no YAML: {error.problem or error.context}", "Correct it") from error
    except yaml.YAMLError as error:
        raise SourceError(source, "it is no YAML", "Correct it") from error
    except RecursionError as error:
        raise SourceError(source, "it is nested too deeply", "Flatten it") from error
    return catalog_of(data, source=source, lines=lines)


def catalog_of(data: object, *, source: str, lines: Mapping[_Place, int] | None = None) -> CatalogFile:
    """Checks plain data and fills the defaults in.

    Raises:
        SourceError: It is no catalogue; the message lists every error.
    """
    known = lines or {}
    checker = Draft202012Validator(json_schema(), format_checker=FormatChecker(formats=["date"]))
    errors = sorted(checker.iter_errors(data), key=lambda error: [str(part) for part in error.absolute_path])
    if errors:
        told = "; ".join(dict.fromkeys(_told(error, known) for error in errors))
        raise SourceError(source, told, _FIX)
    if not isinstance(data, Mapping):  # the schema has said so already
        raise SourceError(source, "it is no object", _FIX)
    defaults = data.get("defaults") or {}
    entries = tuple(
        CatalogEntry(str(name), _merged(defaults, settings or {}), known.get(("keys", name), 0))
        for name, settings in data["keys"].items()
    )
    return CatalogFile(source, int(data["stacks"]), entries)


def _merged(defaults: Mapping[str, Any], settings: Mapping[str, Any]) -> dict[str, Any]:
    merged = {**defaults, **settings}
    if "tags" in defaults or "tags" in settings:
        merged["tags"] = {**defaults.get("tags", {}), **settings.get("tags", {})}
    return merged


def _told(error: ValidationError, lines: Mapping[_Place, int]) -> str:
    while error.context:
        # Of the alternatives, the one that went furthest is the one that was meant.
        error = max(error.context, key=lambda one: len(one.absolute_path))
    path: _Place = tuple(error.absolute_path)
    near = path
    schema = error.schema
    if (
        error.validator == "additionalProperties"
        and isinstance(schema, Mapping)
        and isinstance(error.instance, Mapping)
    ):
        extra = [name for name in error.instance if name not in schema.get("properties", {})]
        near = (*path, *extra[:1])
    while near and near not in lines:
        near = near[:-1]
    line = lines.get(near)
    place = ".".join(str(part) for part in path) or "the file"
    message = error.message if len(error.message) < LONGEST_MESSAGE else f"{error.message[:LONGEST_MESSAGE]}…"
    return f"line {line}: {place}: {message}" if line else f"{place}: {message}"


class _Loader:
    """Builds plain data from YAML and notes the line of every key; a key that stands twice is refused."""

    def __init__(self, text: str, source: str, lines: dict[_Place, int]) -> None:
        self._text = text
        self._source = source
        self._lines = lines
        self._constructor = yaml.SafeLoader("")

    def data(self) -> object:
        """The document as plain data."""
        node = yaml.compose(self._text, Loader=yaml.SafeLoader)
        if node is None:
            raise SourceError(self._source, "it is empty", "Write version, stacks and keys")
        return self._value(node, (), frozenset())

    def _value(self, node: yaml.Node, path: _Place, above: frozenset[int]) -> object:
        if id(node) in above:
            raise SourceError(
                f"{self._source}:{node.start_mark.line + 1}", "an alias points into itself", "Write it out"
            )
        self._lines.setdefault(path, node.start_mark.line + 1)
        inside = above | {id(node)}
        if isinstance(node, yaml.MappingNode):
            return dict(self._members(node, path, inside))
        if isinstance(node, yaml.SequenceNode):
            return [self._value(one, (*path, index), inside) for index, one in enumerate(node.value)]
        if isinstance(node, yaml.ScalarNode) and node.tag == "tag:yaml.org,2002:timestamp":
            return node.value  # a date stays the text that it is
        return self._constructor.construct_object(node)

    def _members(
        self, node: yaml.MappingNode, path: _Place, inside: frozenset[int]
    ) -> Iterator[tuple[str, object]]:
        seen: dict[str, int] = {}
        for key_node, value_node in node.value:
            key = str(key_node.value)
            line = key_node.start_mark.line + 1
            if key in seen:
                raise SourceError(
                    f"{self._source}:{line}",
                    f"{'.'.join(str(part) for part in (*path, key))} stands on line {seen[key]} already",
                    "Keep one of them",
                )
            seen[key] = line
            self._lines[*path, key] = line
            yield key, self._value(value_node, (*path, key), inside)
