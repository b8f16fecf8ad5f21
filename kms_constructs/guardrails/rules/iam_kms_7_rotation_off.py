"""IAM-KMS-7: only authorised principals, or none, can turn rotation off.

Anti-pattern: the account's IAM decides, so any IAM policy may hand it out::

    {"Statement": [{"Sid": "Root", "Effect": "Allow", "Principal": {"AWS": "111122223333"},
                    "Action": "kms:*", "Resource": "*"}]}

Best practice: the key policy refuses everyone but the root user and those who are authorised::

    {"Statement": [{"Sid": "Root", "Effect": "Allow", "Principal": {"AWS": "111122223333"},
                    "Action": "kms:*", "Resource": "*"},
                   {"Sid": "DenyDisableKeyRotation", "Effect": "Deny", "Principal": "*",
                    "Action": "kms:DisableKeyRotation", "Resource": "*",
                    "Condition": {"ArnNotEquals": {"aws:PrincipalArn": "arn:aws:iam::111122223333:root"}}}]}
"""

from __future__ import annotations

from typing import ClassVar

from kms_constructs.guardrails.access_controls import IAM_KMS_7
from kms_constructs.guardrails.rules.guarded_action import GuardedActionRule
from kms_constructs.guardrails.rules.kms_001_rotation import cannot_rotate
from kms_constructs.model.estate import Key


class RotationOffRule(GuardedActionRule):
    """Holds R(DisableKeyRotation) against the authorised principals."""

    control = IAM_KMS_7
    action: ClassVar[str] = "DisableKeyRotation"
    verb: ClassVar[str] = "turn rotation off"
    compliant_message: ClassVar[str] = "Only authorised principals can turn rotation off."

    def exempt(self, key: Key) -> str | None:
        """Keys that do not rotate have nothing to turn off."""
        return None if key.policy_only else cannot_rotate(key)
