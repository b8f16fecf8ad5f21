"""IAM-KMS-3: only authorised principals, or none, can schedule a key for deletion.

Anti-pattern: the account's IAM decides, so any IAM policy may hand it out::

    {"Statement": [{"Sid": "Root", "Effect": "Allow", "Principal": {"AWS": "111122223333"},
                    "Action": "kms:*", "Resource": "*"}]}

Best practice: the key policy refuses everyone but the root user and those who are authorised::

    {"Statement": [{"Sid": "Root", "Effect": "Allow", "Principal": {"AWS": "111122223333"},
                    "Action": "kms:*", "Resource": "*"},
                   {"Sid": "DenyScheduleKeyDeletion", "Effect": "Deny", "Principal": "*",
                    "Action": "kms:ScheduleKeyDeletion", "Resource": "*",
                    "Condition": {"ArnNotEquals": {"aws:PrincipalArn": "arn:aws:iam::111122223333:root"}}}]}
"""

from __future__ import annotations

from typing import ClassVar

from kms_constructs.guardrails.access_controls import IAM_KMS_3
from kms_constructs.guardrails.rules.guarded_action import GuardedActionRule


class ScheduleDeletionRule(GuardedActionRule):
    """Holds R(ScheduleKeyDeletion) against the authorised principals."""

    control = IAM_KMS_3
    action: ClassVar[str] = "ScheduleKeyDeletion"
    verb: ClassVar[str] = "schedule the key for deletion"
    compliant_message: ClassVar[str] = "Only authorised principals can schedule the key for deletion."
