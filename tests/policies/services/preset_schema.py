"""The presets of `ServiceAccess` as a catalogue of keys writes them: JSON schema, made from their signatures.

``SCHEMA_UPDATE=1 pytest tests/policies/services/test_preset_schema.py`` writes it into the schema file.
"""

from __future__ import annotations

import inspect
import re
from typing import Any

from kms_constructs.policies.services.service_access import ServiceAccess, presets

TEXT: dict[str, Any] = {"type": "string", "minLength": 1}
TEXTS: dict[str, Any] = {"type": "array", "items": TEXT, "minItems": 1}
TYPES: dict[str, dict[str, Any]] = {
    "str": TEXT,
    "str | None": TEXT,
    "object": TEXT,
    "bool": {"type": "boolean"},
    "Sequence[object]": TEXTS,
    "Sequence[str]": TEXTS,
    "Sequence[str] | Mapping[str, Sequence[str]]": {
        "anyOf": [TEXTS, {"type": "object", "minProperties": 1, "additionalProperties": TEXTS}]
    },
    "Mapping[str, Mapping[str, str | Sequence[str]]] | None": {
        "type": "object",
        "additionalProperties": {"type": "object", "additionalProperties": {"anyOf": [TEXT, TEXTS]}},
    },
}
"""By annotation. One that is not here is a KeyError: say how a catalogue writes it."""


def descriptions(documentation: str) -> dict[str, str]:
    """What the section ``Args`` of a docstring says of each argument."""
    section = documentation.partition("Args:\n")[2].partition("\n\n")[0]
    found = re.findall(r"^ {4}(\w+): ((?:.|\n {6,})*)", section, re.MULTILINE)
    return {name: re.sub(r"\s+", " ", text).strip() for name, text in found}


def arguments(name: str) -> dict[str, Any]:
    """The schema of one preset's arguments."""
    preset = getattr(ServiceAccess, name)
    said = descriptions(inspect.getdoc(preset) or "")
    parameters = inspect.signature(preset).parameters
    required = [one.name for one in parameters.values() if one.default is one.empty]
    return {
        "type": "object",
        "additionalProperties": False,
        **({"required": required} if required else {}),
        "properties": {
            one.name: {**TYPES[one.annotation], "description": said[one.name]} for one in parameters.values()
        },
    }


def service_schema() -> dict[str, Any]:
    """What may stand for one service: the name of a preset, or its name with arguments."""
    names = sorted(presets())
    return {
        "anyOf": [
            {"enum": names},
            {
                "type": "object",
                "minProperties": 1,
                "maxProperties": 1,
                "propertyNames": {"enum": names},
                "additionalProperties": False,
                "properties": {name: arguments(name) for name in names},
            },
        ]
    }
