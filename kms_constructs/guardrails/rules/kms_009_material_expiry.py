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

from kms_constructs.guardrails.control import Control, Framework, Subject
from kms_constructs.guardrails.finding import Finding, Severity
from kms_constructs.guardrails.rule import KeyRule
from kms_constructs.model.estate import Key
from kms_constructs.model.key_specs import Origin
from kms_constructs.model.unknown import is_unknown
from kms_constructs.model.vocabulary import Fact

CONTROL = Control(
    id="KMS:009",
    title="Imported key material expires",
    rationale=(
        "KMS does not rotate imported material by itself. An expiry makes its owner bring new material, or "
        "the same again, deliberately, and prove that the copy outside AWS still exists."
    ),
    advice=(
        "Import the material with an expiry (ValidTo, at most 365 days ahead), declare it on the key, and "
        "alarm on SecondsUntilKeyMaterialExpiration."
    ),
    references=(
        "https://docs.aws.amazon.com/kms/latest/developerguide/importing-keys-import-key-material.html",
    ),
    scope=(Subject.KEY,),
    actions=("kms:ImportKeyMaterial",),
    severity=Severity.MEDIUM,
    mappings={
        Framework.SOC_2: ("CC6.1",),
        Framework.NIST: ("SC-12", "SC-12(2)"),
        Framework.PCI_DSS: ("3.7.4",),
    },
)


class MaterialExpiryRule(KeyRule):
    """Looks at the expiry of imported material."""

    control = CONTROL
    compliant_message: ClassVar[str] = "The imported key material expires."

    def judge(self, key: Key) -> Iterator[Finding]:
        """That imported material stays for ever, or has expired."""
        if is_unknown(key.origin):
            yield self.undetermined(
                key,
                f"Whether the key material is imported is not known: {key.origin.reason}.",
                detail="origin",
                path=key.vocabulary.path(Fact.ORIGIN),
                fix="Give the origin as a literal.",
            )
            return
        if key.origin != Origin.EXTERNAL:
            yield self.not_applicable(key, f"key material of origin {key.origin} is not imported")
            return
        path = key.vocabulary.path(Fact.MATERIAL_EXPIRY)
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
                key.vocabulary.no_expiry,
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
