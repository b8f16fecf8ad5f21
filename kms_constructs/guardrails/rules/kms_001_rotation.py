"""KMS:001: keys that can rotate do, often enough.

Anti-pattern: rotation left at KMS's default, which is off::

    {"Key": {"Type": "AWS::KMS::Key", "Properties": {"PendingWindowInDays": 30}}}

Best practice::

    {"Key": {"Type": "AWS::KMS::Key",
             "Properties": {"EnableKeyRotation": true, "RotationPeriodInDays": 365}}}
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from kms_constructs.guardrails.finding import Finding
from kms_constructs.guardrails.key_controls import KMS_001
from kms_constructs.guardrails.rule import KeyRule, property_path
from kms_constructs.model.estate import Key, KeyKind
from kms_constructs.model.key_specs import (
    DEFAULT_ROTATION_PERIOD_DAYS,
    KEY_SPECS,
    MAXIMUM_ROTATION_PERIOD_DAYS,
    MINIMUM_ROTATION_PERIOD_DAYS,
    Origin,
)
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


class RotationRule(KeyRule):
    """Looks at EnableKeyRotation and RotationPeriodInDays."""

    control = KMS_001
    compliant_message: ClassVar[str] = "The key rotates often enough."

    def judge(self, key: Key) -> Iterator[Finding]:
        """What speaks against the key's rotation."""
        reason = cannot_rotate(key)
        if reason is not None:
            yield self.not_applicable(key, reason)
            return
        if not is_unknown(key.key_spec) and key.key_spec not in KEY_SPECS:
            yield self.undetermined(
                key,
                f"Key spec {key.key_spec!r} is not one that these rules know, nor whether it rotates.",
                detail="key-spec",
                path=property_path(key, "KeySpec"),
                fix="Correct the key spec, or update kms-constructs if KMS has a new one.",
            )
            return
        path = property_path(key, "EnableKeyRotation")
        enabled = key.rotation_enabled
        undecided = next((value for value in (key.key_spec, key.origin) if is_unknown(value)), None)
        if is_unknown(enabled):
            yield self.undetermined(
                key, f"Whether the key rotates is not known: {enabled.reason}.", detail="enabled", path=path
            )
        elif enabled is not True and undecided is not None:
            yield self.undetermined(
                key,
                f"The key does not rotate, and whether it could is not known: {undecided.reason}.",
                detail="key-spec",
                path=path,
            )
        elif enabled is not True:
            yield self.violation(
                key,
                "Automatic rotation is off."
                if enabled is False
                else "Automatic rotation is not set, and KMS's default is off.",
                detail="enabled",
                path=path,
                fix="Set EnableKeyRotation to true.",
            )
        else:
            yield from self._period(key)

    def _period(self, key: Key) -> Iterator[Finding]:
        path = property_path(key, "RotationPeriodInDays")
        ceiling = self.config.rotation_period_ceiling
        period = DEFAULT_ROTATION_PERIOD_DAYS if key.rotation_period is None else key.rotation_period
        if is_unknown(period):
            yield self.undetermined(
                key, f"The rotation period is not known: {period.reason}.", detail="period", path=path
            )
        elif not MINIMUM_ROTATION_PERIOD_DAYS <= period <= MAXIMUM_ROTATION_PERIOD_DAYS:
            yield self.violation(
                key,
                f"KMS has no rotation period of {period} days.",
                detail="period",
                path=path,
                fix=f"Set RotationPeriodInDays to {MINIMUM_ROTATION_PERIOD_DAYS} to "
                f"{min(ceiling, MAXIMUM_ROTATION_PERIOD_DAYS)} days.",
            )
        elif period > ceiling:
            yield self.violation(
                key,
                f"The key rotates every {period} days; the configuration allows at most {ceiling}.",
                detail="period",
                path=path,
                fix=f"Set RotationPeriodInDays to at most {ceiling}, or raise rotation-period-ceiling.",
            )
