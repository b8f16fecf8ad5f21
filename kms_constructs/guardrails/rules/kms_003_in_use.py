"""KMS:003: every key is used by something.

Anti-pattern: a key that no resource of the app names and that no output hands on::

    {"Key": {"Type": "AWS::KMS::Key", "Properties": {"EnableKeyRotation": true}}}

Best practice: a resource takes the key, or its ARN is an output of the stack::

    {"Key": {"Type": "AWS::KMS::Key", "Properties": {"EnableKeyRotation": true}},
     "Queue": {"Type": "AWS::SQS::Queue", "Properties": {"KmsMasterKeyId": {"Ref": "Key"}}}}
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from kms_constructs.guardrails.control import Control, Framework, Subject
from kms_constructs.guardrails.finding import Finding, Severity
from kms_constructs.guardrails.rule import KeyRule
from kms_constructs.model.estate import Key, KeyKind
from kms_constructs.model.vocabulary import Fact

CONTROL = Control(
    id="KMS:003",
    title="Every key is used by something",
    rationale=(
        "A key that nothing uses costs money every month, has a policy that somebody has to review, and is "
        "often the trace of a resource that is encrypted with another key than was meant."
    ),
    advice=(
        "Give the key to the resources that it is meant for; if others use it, {hand_on}; "
        "else remove it. Look at its last usage before a live key is deleted."
    ),
    references=(
        "https://docs.aws.amazon.com/kms/latest/developerguide/deleting-keys-determining-usage.html",
    ),
    scope=(Subject.KEY,),
    severity=Severity.WARNING,
    mappings={Framework.NIST: ("CM-7", "SC-12")},
)


class InUseRule(KeyRule):
    """Looks for resources of the estate that use the key."""

    control = CONTROL
    compliant_message: ClassVar[str] = "The key is used, or handed on to others."

    def judge(self, key: Key) -> Iterator[Finding]:
        """That nothing uses the key."""
        if not key.vocabulary.knows(Fact.USE):
            yield self.not_applicable(key, "what uses a live key is seen in its last usage, not here")
            return
        if key.kind is KeyKind.REPLICA:
            yield self.not_applicable(key, "a replica key stands by for its Region")
            return
        if key.referenced_outside or any(
            not key.vocabulary.is_kms(use.resource_type) for use in key.references
        ):
            return
        yield self.violation(key, key.vocabulary.unused, detail="unused")
