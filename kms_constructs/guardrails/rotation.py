"""Which keys KMS rotates at all: asked by the rule on rotation and by the one on turning it off."""

from __future__ import annotations

from kms_constructs.model.estate import Key, KeyKind
from kms_constructs.model.key_specs import KEY_SPECS, Origin
from kms_constructs.model.unknown import is_unknown


def cannot_rotate(key: Key) -> str | None:
    """Why KMS does not rotate such a key automatically, as a phrase; None when it does or may."""
    if key.kind is KeyKind.REPLICA:
        return "a replica key rotates with its primary key, where rotation is set"
    if not is_unknown(key.origin) and key.origin != Origin.AWS_KMS:
        return f"KMS does not rotate key material of origin {key.origin} automatically"
    if not is_unknown(key.key_spec) and key.key_spec in KEY_SPECS and not KEY_SPECS[key.key_spec].rotates:
        return f"KMS does not rotate {key.key_spec} keys automatically"
    return None
