"""The JSON schema of the configuration, made of the declaration of the settings, for editors.

Types, defaults and texts come from `Settings`, bounds from `config_check`. A configuration that the schema
refuses is refused by the reader, and one that it accepts is accepted, but for what a schema of JSON does not
tell: an environment that is listed as production and as ephemeral, a setting that stands twice in two
spellings, a whole number with a decimal point, a pattern over ids that fits no control, and a day that the
calendar does not have. A date of TOML is a string here, as editors take it.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from enum import Enum
from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from kms_constructs.guardrails.catalogue import AUTHORISABLE, CATALOGUE, DECLARABLE
from kms_constructs.guardrails.config_check import BOUNDS, NAMES
from kms_constructs.guardrails.finding_id import DAY, FINGERPRINT
from kms_constructs.guardrails.settings import ANY_CONTROL, Settings

_ARGUMENT = re.compile(r"^(\w+): (.*)$")
_NOT_SETTINGS = ("source",)
_NOT_BLANK = {"pattern": r"\S"}


def config_schema() -> dict[str, Any]:
    """The JSON schema (draft 2020-12) of what stands in ``[tool.kms-constructs]``.

    Example:
        >>> config_schema()["properties"]["review-max-age"]["maximum"]
        3650
    """
    properties: dict[str, Any] = {}
    patterns: dict[str, Any] = {}
    for item, schema in settings():
        name = item.name.replace("_", "-")
        properties[name] = schema
        if name != item.name:
            # Underscores are taken as well; editors offer the name with dashes.
            patterns[f"^{item.name.replace('_', '[-_]')}$"] = {"$ref": f"#/properties/{name}"}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Configuration of kms-constructs",
        "description": "[tool.kms-constructs] of pyproject.toml, or a TOML file of its own.",
        "type": "object",
        "properties": properties,
        "patternProperties": patterns,
        "additionalProperties": False,
        "$defs": {"principal": _PRINCIPAL},
    }


def settings() -> list[tuple[Field[Any], dict[str, Any]]]:
    """Every setting and its schema, in the order of the declaration."""
    hints = get_type_hints(Settings)
    texts = documented(Settings)
    found = []
    for item in fields(Settings):
        if item.name in _NOT_SETTINGS:
            continue
        schema = {
            "description": texts.get(item.name, "").replace("``", ""),
            **_typed(hints[item.name]),
            **_default(item),
        }
        found.append((item, _refined(item.name, schema)))
    return found


def documented(declaration: type) -> dict[str, str]:
    """What the docstring of a data class says of each argument; nothing where docstrings are stripped."""
    text = inspect.cleandoc(declaration.__doc__ or "")
    _, _, part = text.partition("Args:\n")
    found: dict[str, str] = {}
    name = ""
    for line in part.partition("\n\n")[0].splitlines():
        if match := _ARGUMENT.match(line.removeprefix("    ")):
            name, found[match[1]] = match[1], match[2]
        elif name:
            found[name] += f" {line.strip()}"
    return found


def _typed(hint: Any) -> dict[str, Any]:  # noqa: ANN401 - a type hint of any form
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (UnionType, Union):
        # None is what a setting is that does not stand there: TOML has no null.
        (only,) = (one for one in arguments if one is not type(None))
        return _typed(only)
    if origin is tuple:
        return {"type": "array", "items": _typed(arguments[0])}
    if origin is not None and issubclass(origin, Mapping):
        return {"type": "object", "additionalProperties": _typed(arguments[1])}
    if is_dataclass(hint) and isinstance(hint, type):
        return _table(hint)
    if issubclass(hint, Enum):
        values = [one.value for one in hint]
        # The reader takes any case.
        return {
            "anyOf": [{"enum": values}, {"type": "string", "pattern": f"^({_any_case('|'.join(values))})$"}]
        }
    types: dict[type, str] = {bool: "boolean", int: "integer", str: "string"}
    return {"type": types[hint]}


def _table(declaration: type) -> dict[str, Any]:
    hints = get_type_hints(declaration)
    texts = documented(declaration)
    members = fields(declaration)
    return {
        "type": "object",
        "properties": {
            item.name: {"description": texts.get(item.name, "").replace("``", ""), **_typed(hints[item.name])}
            for item in members
        },
        "required": [item.name for item in members if item.default is MISSING],
        "additionalProperties": False,
    }


def _default(item: Field[Any]) -> dict[str, Any]:
    value = item.default_factory() if item.default_factory is not MISSING else item.default
    if value is None:
        return {}
    return {"default": list(value) if isinstance(value, tuple) else value}


def _refined(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    """The schema with what `config_check` demands of the values."""
    if name in BOUNDS:
        least, most = BOUNDS[name]
        return {**schema, "minimum": least, "maximum": most}
    if name in NAMES:
        return {**schema, "items": {**schema["items"], **_NOT_BLANK}}
    match name:
        case "trusted_accounts":
            return {**schema, "items": {"type": "string", "pattern": "^[0-9]{12}$"}}
        case "organization_id":
            return {**schema, "pattern": "^o-[a-z0-9]{10,32}$"}
        case "authorised" | "may_declare":
            controls = AUTHORISABLE if name == "authorised" else DECLARABLE
            principals = {"type": "array", "items": {"$ref": "#/$defs/principal"}}
            return {**schema, **_by_control((ANY_CONTROL, *controls), principals)}
        case "excluded":
            # A name of wildcards alone excludes everything.
            reasons = {"[^* ]": {"type": "string", **_NOT_BLANK}}
            return {**schema, "patternProperties": reasons, "additionalProperties": False}
        case "severities":
            return {**schema, **_by_control(tuple(CATALOGUE), schema["additionalProperties"], details=True)}
        case "disabled":
            return {**schema, **_by_control(tuple(CATALOGUE), {"type": "string", **_NOT_BLANK})}
        case "acknowledgements":
            items = schema["items"]
            members = items["properties"]
            for member in ("reason", "resource"):
                members[member] |= _NOT_BLANK
            members["id"]["pattern"] = _accepted_ids(tuple(CATALOGUE))
            members["fingerprint"]["pattern"] = rf"^(\s*{FINGERPRINT.pattern}\s*)?$"
            members["until"] |= {"format": "date", "pattern": rf"^(\s*{DAY.pattern}\s*)?$"}
            items |= _FINGERPRINT_APART
    return schema


_FINGERPRINT_APART = {
    "if": {"required": ["fingerprint"], "properties": {"fingerprint": _NOT_BLANK}},
    "then": {"properties": {"id": {"not": {"pattern": rf"[*?]|:{FINGERPRINT.pattern}\]\s*$"}}}},
}
"""A fingerprint beside an id that says already what is accepted is refused."""

_PRINCIPAL = {
    "description": "ARN of a role or user; * and ? are wildcards.",
    "type": "string",
    "pattern": r"^arn:[a-zA-Z0-9*?-]+:([iI][aA][mM]|[sS][tT][sS])::"
    r"([aA][wW][sS]|[0-9]{12}|[^:0-9][^:]*|[0-9]+[^:0-9][^:]*)?:[\s\S]+$",
    # Everyone in every account.
    "not": {"pattern": r"::[*?]*:[*?]+$"},
}
"""What `config_check` takes for the pattern of a principal."""


def _by_control(controls: tuple[str, ...], value: dict[str, Any], *, details: bool = False) -> dict[str, Any]:
    ids = _finding_ids(controls) if details else f"^({'|'.join(_any_case(one) for one in controls)})$"
    return {
        # Editors offer these.
        "properties": dict.fromkeys(controls, True),
        "patternProperties": {ids: value},
        "additionalProperties": False,
    }


def _finding_ids(controls: tuple[str, ...]) -> str:
    ids = "|".join(_any_case(one) for one in controls)
    return rf"^\s*({ids})(\[[^\[\]]+\])?\s*$"


def _accepted_ids(controls: tuple[str, ...]) -> str:
    """What `FindingId.parse` takes, but that a pattern in place of the control may fit none."""
    ids = "|".join(_any_case(one) for one in controls)
    exact = rf"({ids})(\[[^\[\]]+\])?"
    wild = r"[^\[\]]*[*?][^\[\]]*(\[[^\[\]]*\])?"
    return rf"^\s*({exact}|{wild})\s*$"


def _any_case(pattern: str) -> str:
    """A pattern that takes ids or words in both cases, for JSON schemas have no flags."""
    pattern = pattern.replace("*", r"\*")
    return re.sub(r"[A-Za-z]", lambda found: f"[{found[0].upper()}{found[0].lower()}]", pattern)
