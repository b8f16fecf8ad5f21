"""KMS:010: every key has an alias.

Anti-pattern: a key alone::

    {"Key": {"Type": "AWS::KMS::Key", "Properties": {"EnableKeyRotation": true}}}

Best practice::

    {"Key": {"Type": "AWS::KMS::Key", "Properties": {"EnableKeyRotation": true}},
     "Alias": {"Type": "AWS::KMS::Alias",
               "Properties": {"AliasName": "alias/orders", "TargetKeyId": {"Ref": "Key"}}}}
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from kms_constructs.guardrails.finding import Finding
from kms_constructs.guardrails.key_controls import KMS_010
from kms_constructs.guardrails.rule import KeyRule
from kms_constructs.model.estate import Key, KeyKind
from kms_constructs.model.text import display


class AliasRule(KeyRule):
    """Looks at the aliases that point at the key."""

    control = KMS_010
    compliant_message: ClassVar[str] = "The key has an alias."

    def judge(self, key: Key) -> Iterator[Finding]:
        """That no alias points at the key."""
        if key.aliases:
            if set(key.aliases) <= set(key.conditional_aliases):
                yield self.undetermined(
                    key,
                    f"Whether {', '.join(map(display, key.aliases))} exists is not known: a condition "
                    "decides it that is not resolved.",
                    detail="conditional",
                    fix="Give the alias the condition of the key, or the parameters that decide it "
                    "(--parameter).",
                )
            return
        loose = self.estate.unattached_aliases
        if loose:
            yield self.undetermined(
                key,
                f"No alias is seen to point at the key; where {', '.join(map(display, loose))} points is not "
                "known.",
                detail="missing",
                fix="Give TargetKeyId of the alias as a reference to the key.",
            )
            return
        what = (
            "The replica key has no alias of its own"
            if key.kind is KeyKind.REPLICA
            else "The key has no alias"
        )
        yield self.violation(key, f"{what}.", detail="missing")
