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

from kms_constructs.guardrails.access_controls import IAM_KMS_4
from kms_constructs.guardrails.rules.guarded_action import GuardedActionRule


class DisableKeyRule(GuardedActionRule):
    """Holds R(DisableKey) against the authorised principals."""

    control = IAM_KMS_4
    action: ClassVar[str] = "DisableKey"
    verb: ClassVar[str] = "disable the key"
    compliant_message: ClassVar[str] = "Only authorised principals can disable the key."
