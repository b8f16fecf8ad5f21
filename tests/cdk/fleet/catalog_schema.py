"""The schema of catalogues, as far as it follows from the arguments of `SecureKmsKey`.

Each argument is a setting, and its type says what a file may hold. What the file says in words is kept, for
people who write YAML want other words than people who write Python; a new argument starts with those of
`KeyArguments`. After a change there: ``python -m tests.cdk.fleet.catalog_schema``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import date
from pathlib import Path
from typing import Any, get_type_hints

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_kms as kms

import kms_constructs
from kms_constructs.cdk.fleet.key_catalog import _REMOVAL, _ROOT
from kms_constructs.cdk.key.arguments import MAXIMUM_DESCRIPTION_LENGTH
from kms_constructs.cdk.key.key_arguments import ARGUMENTS, KeyArguments, described
from kms_constructs.cdk.key.replica_plan import ReplicaConfig
from kms_constructs.model.actions import KeyUsage
from kms_constructs.model.key_specs import (
    MAXIMUM_PENDING_WINDOW_DAYS,
    MAXIMUM_ROTATION_PERIOD_DAYS,
    MINIMUM_PENDING_WINDOW_DAYS,
    MINIMUM_ROTATION_PERIOD_DAYS,
    Origin,
)
from kms_constructs.policies.direct_grant import DirectGrant
from kms_constructs.policies.principals import Principals
from kms_constructs.policies.root_access import RootAccess
from kms_constructs.policies.target import StatementSource

FILE = Path(kms_constructs.__file__).parent / "cdk" / "fleet" / "data" / "key-catalog.schema.json"
NOT_IN_FILES = frozenset({"outputs", "logical_id"})
"""Matters of one template; a catalogue places its keys itself."""
OF_FILES = frozenset({"stack"})
"""Settings that are no argument."""
OF_REPLICAS = frozenset({"region", "aliases"})
"""What a `ReplicaConfig` has beside arguments, and a file may say."""

TEXT = {"type": "string", "minLength": 1}
TEXTS = {"type": "array", "items": TEXT, "uniqueItems": True}
DATE = {**TEXT, "format": "date"}
DAYS = {"type": "integer"}
SHAPES: list[tuple[Any, dict[str, Any]]] = [
    (str, TEXT),
    (bool, {"type": "boolean"}),
    (Principals, TEXTS),
    (Sequence[str], TEXTS),
    (Sequence[DirectGrant], {"type": "array", "items": {"$ref": "#/$defs/direct_grant"}}),
    (Sequence[StatementSource], {"type": "array"}),
    (
        Sequence[str | ReplicaConfig],
        {"type": "array", "items": {"anyOf": [TEXT, {"$ref": "#/$defs/replica"}]}, "uniqueItems": True},
    ),
    (Mapping[str, str], {"type": "object", "additionalProperties": {"type": "string"}}),
    (date | str, DATE),
    (int | Duration, DAYS),
    (kms.KeySpec | str, TEXT),
    (kms.KeyUsage | KeyUsage | str, {"enum": [usage.value for usage in KeyUsage]}),
    (Origin | str, {"enum": [Origin.AWS_KMS.value, Origin.EXTERNAL.value]}),
    (RemovalPolicy, {"enum": list(_REMOVAL)}),
    (RootAccess, {"enum": list(_ROOT)}),
]
"""What a file may hold for each type of argument; None is left to those who leave the setting out."""
NARROWER: dict[str, dict[str, Any]] = {
    "description": {"maxLength": MAXIMUM_DESCRIPTION_LENGTH},
    "key_administrators": {"minItems": 1},
    "services": {"items": {"$ref": "#/$defs/service"}},
    "external_access": {"items": {"$ref": "#/$defs/external"}},
    "rotation_period": {"minimum": MINIMUM_ROTATION_PERIOD_DAYS, "maximum": MAXIMUM_ROTATION_PERIOD_DAYS},
    "pending_window": {"minimum": MINIMUM_PENDING_WINDOW_DAYS, "maximum": MAXIMUM_PENDING_WINDOW_DAYS},
}
"""What of that the type does not say."""


def shape(name: str, kind: Any) -> dict[str, Any]:
    """What a file may hold for an argument of this type."""
    for known, found in SHAPES:
        if kind in (known, known | None):
            return {**found, **NARROWER.get(name, {})}
    raise TypeError(f"SHAPES does not say what a catalogue holds for {name}: {kind}")


def made() -> dict[str, Any]:
    """The schema as the arguments want it."""
    schema: dict[str, Any] = json.loads(FILE.read_text("utf-8"))
    settings, replica = (schema["$defs"][one]["properties"] for one in ("settings", "replica"))
    schema["$defs"]["settings"]["properties"] = _properties(
        settings, {name: kind for name, kind in ARGUMENTS.items() if name not in NOT_IN_FILES}, OF_FILES
    )
    types = get_type_hints(ReplicaConfig)
    own = {one.name: types[one.name] for one in fields(ReplicaConfig) if one.name in ARGUMENTS}
    schema["$defs"]["replica"]["properties"] = _properties(replica, own, OF_REPLICAS)
    return schema


def _properties(
    there: Mapping[str, dict[str, Any]], wanted: Mapping[str, Any], others: frozenset[str]
) -> dict[str, Any]:
    documents = described(KeyArguments)
    names = [*(name for name in there if name in wanted or name in others), *(set(wanted) - set(there))]
    return {
        name: there[name]
        if name in others
        else {
            **shape(name, wanted[name]),
            "description": there.get(name, {}).get("description", documents[name]),
        }
        for name in names
    }


def main() -> None:
    """Writes the schema into its file."""
    FILE.write_text(json.dumps(made(), indent=2, ensure_ascii=False) + "\n", "utf-8")


if __name__ == "__main__":
    main()
