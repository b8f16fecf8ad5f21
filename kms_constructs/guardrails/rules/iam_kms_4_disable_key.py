"""IAM-KMS-4: only authorised principals, or none, can disable a key.

Anti-pattern: the account's IAM decides, so any IAM policy may hand it out::

    {"Statement": [{"Sid": "Root", "Effect": "Allow", "Principal": {"AWS": "111122223333"},
                    "Action": "kms:*", "Resource": "*"}]}

Best practice: the key policy refuses everyone but the root user and those who are authorised::

    {"Statement": [{"Sid": "Root", "Effect": "Allow", "Principal": {"AWS": "111122223333"},
                    "Action": "kms:*", "Resource": "*"},
                   {"Sid": "DenyDisableKey", "Effect": "Deny", "Principal": "*",
                    "Action": "kms:DisableKey", "Resource": "*",
                    "Condition": {"ArnNotEquals": {"aws:PrincipalArn": "arn:aws:iam::111122223333:root"}}}]}
"""

from __future__ import annotations

from typing import ClassVar

from kms_constructs.guardrails.control import Framework
from kms_constructs.guardrails.finding import Severity
from kms_constructs.guardrails.guarded_action import GuardedActionRule, guarded_control

CONTROL = guarded_control(
    "IAM-KMS-4",
    title="Only authorised principals, or none, can disable a key",
    rationale=(
        "A disabled key decrypts nothing from the next request on, so every service that reads data under it "
        "stops. Disabling is the quickest way to take a whole application down, in test environments too."
    ),
    advice=(
        "Give kms:DisableKey to break-glass principals only and deny it to everyone else in the key policy; "
        "take it out of IAM policies; forbid it with an organization policy; alarm on the call."
    ),
    references=("https://docs.aws.amazon.com/kms/latest/developerguide/enabling-keys.html",),
    severity=Severity.HIGH,
    mappings={
        Framework.SOC_2: ("CC6.1", "CC6.3"),
        Framework.NIST: ("AC-3", "AC-6", "SC-12(1)"),
        Framework.PCI_DSS: ("3.6.1", "7.2.2"),
    },
)


class DisableKeyRule(GuardedActionRule):
    """Holds R(DisableKey) against the authorised principals."""

    control = CONTROL
    verb: ClassVar[str] = "disable the key"
    compliant_message: ClassVar[str] = "Only authorised principals can disable the key."
