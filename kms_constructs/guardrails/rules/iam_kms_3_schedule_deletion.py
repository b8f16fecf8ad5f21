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

from kms_constructs.guardrails.control import Framework
from kms_constructs.guardrails.finding import Severity
from kms_constructs.guardrails.guarded_action import GuardedActionRule, guarded_control

CONTROL = guarded_control(
    "IAM-KMS-3",
    title="Only authorised principals, or none, can schedule a key for deletion",
    rationale=(
        "A deleted key takes with it all data that it encrypted: nobody can bring it back, AWS included. The "
        "waiting period helps only those who notice in time that it runs."
    ),
    advice=(
        "Give kms:ScheduleKeyDeletion to break-glass principals only and deny it to everyone else in the key "
        "policy; take it out of IAM policies; forbid it with an organization policy; alarm on the call."
    ),
    references=(
        "https://docs.aws.amazon.com/kms/latest/developerguide/deleting-keys.html",
        "https://docs.aws.amazon.com/kms/latest/APIReference/API_ScheduleKeyDeletion.html",
    ),
    severity=Severity.HIGH,
    mappings={
        Framework.SOC_2: ("CC6.1", "CC6.3"),
        Framework.NIST: ("AC-3", "AC-6", "SC-12", "SC-12(1)"),
        Framework.PCI_DSS: ("3.6.1", "7.2.2"),
    },
)


class ScheduleDeletionRule(GuardedActionRule):
    """Holds R(ScheduleKeyDeletion) against the authorised principals."""

    control = CONTROL
    verb: ClassVar[str] = "schedule the key for deletion"
    compliant_message: ClassVar[str] = "Only authorised principals can schedule the key for deletion."
