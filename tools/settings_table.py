"""The settings as a table: ``python -m tools.settings_table --write docs/reference/configuration.md``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from kms_constructs.guardrails.config_schema import settings
from tools.generated_table import GeneratedTable, table


def markdown_table() -> str:
    """Every setting: its name, what it takes, its default, what it means."""
    rows = [
        (f"`{item.name.replace('_', '-')}`", _kind(schema), _default(schema), schema["description"])
        for item, schema in settings()
    ]
    return table(("Setting", "Takes", "Default", "Meaning"), rows)


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


TABLE = GeneratedTable("settings", markdown_table)

if __name__ == "__main__":
    raise SystemExit(TABLE.main())
