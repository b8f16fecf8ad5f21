"""IAM-KMS-5: only authorised principals, or none, can replace the key policy.

Anti-pattern: the account's IAM decides, so any IAM policy may hand it out::

    {"Statement": [{"Sid": "Root", "Effect": "Allow", "Principal": {"AWS": "111122223333"},
                    "Action": "kms:*", "Resource": "*"}]}

Best practice: the key policy refuses everyone but the root user and those who are authorised::

    {"Statement": [{"Sid": "Root", "Effect": "Allow", "Principal": {"AWS": "111122223333"},
                    "Action": "kms:*", "Resource": "*"},
                   {"Sid": "DenyPutKeyPolicy", "Effect": "Deny", "Principal": "*",
                    "Action": "kms:PutKeyPolicy", "Resource": "*",
                    "Condition": {"ArnNotEquals": {"aws:PrincipalArn": "arn:aws:iam::111122223333:root"}}}]}
"""

from __future__ import annotations

from typing import ClassVar

from kms_constructs.guardrails.access_controls import IAM_KMS_5
from kms_constructs.guardrails.rules.guarded_action import GuardedActionRule


class PutPolicyRule(GuardedActionRule):
    """Holds R(PutKeyPolicy) against the authorised principals."""

    control = IAM_KMS_5
    action: ClassVar[str] = "PutKeyPolicy"
    verb: ClassVar[str] = "replace the key policy"
    compliant_message: ClassVar[str] = "Only authorised principals can replace the key policy."
