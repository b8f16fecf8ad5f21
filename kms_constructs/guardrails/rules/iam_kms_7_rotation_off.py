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

from kms_constructs.guardrails.control import Framework
from kms_constructs.guardrails.finding import Severity
from kms_constructs.guardrails.guarded_action import GuardedActionRule, guarded_control
from kms_constructs.guardrails.rotation import cannot_rotate
from kms_constructs.model.estate import Key

CONTROL = guarded_control(
    "IAM-KMS-7",
    title="Only authorised principals, or none, can turn rotation off",
    rationale=(
        "Rotation that anyone can turn off is a setting and not a safeguard: the key keeps working without "
        "it, so nobody notices."
    ),
    advice=(
        "Deny kms:DisableKeyRotation to everyone in the key policy; take it out of IAM policies; forbid it "
        "with an organization policy."
    ),
    references=("https://docs.aws.amazon.com/kms/latest/developerguide/rotating-keys-enable-disable.html",),
    severity=Severity.MEDIUM,
    mappings={
        Framework.SOC_2: ("CC6.1", "CC6.3"),
        Framework.NIST: ("AC-3", "AC-6", "SC-12"),
        Framework.PCI_DSS: ("3.7.4", "7.2.2"),
    },
)


class RotationOffRule(GuardedActionRule):
    """Holds R(DisableKeyRotation) against the authorised principals."""

    control = CONTROL
    verb: ClassVar[str] = "turn rotation off"
    compliant_message: ClassVar[str] = "Only authorised principals can turn rotation off."

    def exempt(self, key: Key) -> str | None:
        """Keys that do not rotate have nothing to turn off."""
        return None if key.policy_only else cannot_rotate(key)
