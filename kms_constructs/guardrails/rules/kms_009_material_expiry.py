"""KMS:009: imported key material expires.

A template cannot import material, so the expiry is declared beside it, in the key's metadata; SecureKmsKey
writes it. For a live key it is the expiry that KMS reports.

Anti-pattern::

    {"Key": {"Type": "AWS::KMS::Key", "Properties": {"Origin": "EXTERNAL"}}}

Best practice::

    {"Key": {"Type": "AWS::KMS::Key", "Properties": {"Origin": "EXTERNAL"},
             "Metadata": {"kms-constructs": {"materialExpires": "2027-01-01"}}}}
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import ClassVar

from kms_constructs.guardrails.finding import Finding
from kms_constructs.guardrails.key_controls import KMS_009
from kms_constructs.guardrails.rule import KeyRule, property_path
from kms_constructs.model.estate import Key
from kms_constructs.model.key_specs import Origin
from kms_constructs.model.unknown import is_unknown

_METADATA = "Metadata/kms-constructs/materialExpires"


class MaterialExpiryRule(KeyRule):
    """Looks at the expiry of imported material."""

    control = KMS_009
    compliant_message: ClassVar[str] = "The imported key material expires."

    def judge(self, key: Key) -> Iterator[Finding]:
        """That imported material stays for ever, or has expired."""
        if is_unknown(key.origin):
            yield self.undetermined(
                key,
                f"Whether the key material is imported is not known: {key.origin.reason}.",
                detail="origin",
                path=property_path(key, "Origin"),
                fix="Give the origin as a literal.",
            )
            return
        if key.origin != Origin.EXTERNAL:
            yield self.not_applicable(key, f"key material of origin {key.origin} is not imported")
            return
        path = "" if key.live else _METADATA
        expires = key.material_expires
        if is_unknown(expires):
            yield self.undetermined(
                key,
                f"The expiry of the key material is not known: {expires.reason}.",
                detail="expiry",
                path=path,
            )
            return
        if expires is None:
            yield self.violation(
                key,
                "The imported key material has no expiry."
                if key.live
                else "No expiry of the imported key material is declared.",
                detail="missing",
                path=path,
            )
            return
        try:
            day = date.fromisoformat(expires[:10])
        except ValueError:
            yield self.violation(
                key,
                f"The expiry {expires!r} is no date.",
                detail="expiry",
                path=path,
                fix="Write the date as YYYY-MM-DD.",
            )
            return
        if day < self.context.today:
            yield self.violation(
                key,
                f"The imported key material expired on {day}.",
                detail="expired",
                path=path,
                fix="Import the material again with a new expiry, and declare that one.",
            )
