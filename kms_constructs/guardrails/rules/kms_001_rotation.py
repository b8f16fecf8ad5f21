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

from kms_constructs.guardrails.control import Control, Framework, Subject
from kms_constructs.guardrails.finding import Finding, Severity
from kms_constructs.guardrails.rotation import cannot_rotate
from kms_constructs.guardrails.rule import KeyRule
from kms_constructs.model.estate import Key
from kms_constructs.model.key_specs import (
    DEFAULT_ROTATION_PERIOD_DAYS,
    KEY_SPECS,
    MAXIMUM_ROTATION_PERIOD_DAYS,
    MINIMUM_ROTATION_PERIOD_DAYS,
)
from kms_constructs.model.unknown import is_unknown
from kms_constructs.model.vocabulary import Fact

CONTROL = Control(
    id="KMS:001",
    title="Keys that can rotate do, often enough",
    rationale=(
        "Rotation bounds how much data one generation of key material protects. It costs nothing in "
        "operation: the key keeps its id, and old data stays readable."
    ),
    advice=("{rotate}."),
    references=("https://docs.aws.amazon.com/kms/latest/developerguide/rotate-keys.html",),
    scope=(Subject.KEY,),
    severity=Severity.MEDIUM,
    mappings={
        Framework.CIS_5: ("3.6",),
        Framework.CIS_7: ("4.6",),
        Framework.SOC_2: ("CC6.1",),
        Framework.SECURITY_HUB: ("KMS.4",),
        Framework.NIST: ("SC-12", "SC-12(2)", "SC-28(3)"),
        Framework.PCI_DSS: ("3.7.4",),
    },
)


class RotationRule(KeyRule):
    """Looks at rotation and its period."""

    control = CONTROL
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
                path=key.vocabulary.path(Fact.KEY_SPEC),
                fix="Correct the key spec, or update kms-constructs if KMS has a new one.",
            )
            return
        path = key.vocabulary.path(Fact.ROTATION)
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
                fix=f"{key.vocabulary.remedy(Fact.ROTATION, 'true')}.",
            )
        else:
            yield from self._period(key)

    def _period(self, key: Key) -> Iterator[Finding]:
        path = key.vocabulary.path(Fact.ROTATION_PERIOD)
        ceiling = self.config.rotation_period_ceiling
        allowed = f"{MINIMUM_ROTATION_PERIOD_DAYS} to {min(ceiling, MAXIMUM_ROTATION_PERIOD_DAYS)}"
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
                fix=f"{key.vocabulary.remedy(Fact.ROTATION_PERIOD, allowed)} days.",
            )
        elif period > ceiling:
            yield self.violation(
                key,
                f"The key rotates every {period} days; the configuration allows at most {ceiling}.",
                detail="period",
                path=path,
                fix=f"{key.vocabulary.remedy(Fact.ROTATION_PERIOD, f'at most {ceiling}')}, or raise "
                "rotation-period-ceiling.",
            )
