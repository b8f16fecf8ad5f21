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

from kms_constructs.guardrails.control import Control, Framework, Subject
from kms_constructs.guardrails.finding import Finding, Severity
from kms_constructs.guardrails.rule import KeyRule
from kms_constructs.model.estate import Key, KeyKind
from kms_constructs.model.text import display

CONTROL = Control(
    id="KMS:010",
    title="Every key has an alias",
    rationale=(
        "A key id tells nobody what the key is for, and code that holds it has to change when the key is "
        "replaced. An alias names the purpose and can be pointed at the successor."
    ),
    advice="Attach {alias}; a replica needs one of its own in its Region.",
    references=("https://docs.aws.amazon.com/kms/latest/developerguide/kms-alias.html",),
    scope=(Subject.KEY,),
    severity=Severity.LOW,
    mappings={Framework.NIST: ("CM-8",)},
)


class AliasRule(KeyRule):
    """Looks at the aliases that point at the key."""

    control = CONTROL
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
                    fix=key.vocabulary.decide,
                )
            return
        if key.aliases_unknown is not None:
            yield self.undetermined(
                key,
                f"Which aliases the key has is not known: {key.aliases_unknown.reason}.",
                detail="missing",
                fix=key.vocabulary.point,
            )
            return
        loose = self.estate.unattached_aliases
        if loose:
            yield self.undetermined(
                key,
                f"No alias is seen to point at the key; where {', '.join(map(display, loose))} points is not "
                "known.",
                detail="missing",
                fix=key.vocabulary.point,
            )
            return
        what = (
            "The replica key has no alias of its own"
            if key.kind is KeyKind.REPLICA
            else "The key has no alias"
        )
        yield self.violation(key, f"{what}.", detail="missing")
