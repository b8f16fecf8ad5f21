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

from kms_constructs.guardrails.finding import Finding
from kms_constructs.guardrails.key_controls import KMS_003
from kms_constructs.guardrails.rule import KeyRule
from kms_constructs.model.estate import Key, KeyKind

_NO_USE = frozenset({"AWS::KMS::Alias", "AWS::KMS::ReplicaKey", "AWS::KMS::Key"})
"""Resources that name a key without using it."""


class InUseRule(KeyRule):
    """Looks for resources of the estate that use the key."""

    control = KMS_003
    compliant_message: ClassVar[str] = "The key is used, or handed on to others."

    def judge(self, key: Key) -> Iterator[Finding]:
        """That nothing uses the key."""
        if key.live:
            yield self.not_applicable(key, "what uses a live key is seen in its last usage, not here")
            return
        if key.kind is KeyKind.REPLICA:
            yield self.not_applicable(key, "a replica key stands by for its Region")
            return
        if key.referenced_outside or any(use.resource_type not in _NO_USE for use in key.references):
            return
        yield self.violation(
            key,
            "Nothing in the app uses the key, and no output or parameter hands it on.",
            detail="unused",
        )
