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

from kms_constructs.guardrails.control import Framework
from kms_constructs.guardrails.finding import Severity
from kms_constructs.guardrails.guarded_action import GuardedActionRule, guarded_control

CONTROL = guarded_control(
    "IAM-KMS-5",
    title="Only authorised principals, or none, can replace the key policy",
    rationale=(
        "Whoever can put a key policy can write any key policy: it can give itself use of the key, shut "
        "others out, and take every other guardrail away. The permission is worth all the others together."
    ),
    advice=(
        "Give kms:PutKeyPolicy to break-glass principals and to the role that deploys the {stack}, and deny "
        "it to everyone else but the root user; take it out of IAM policies; alarm on the call."
    ),
    references=(
        "https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-modifying.html",
        "https://docs.aws.amazon.com/kms/latest/APIReference/API_PutKeyPolicy.html",
    ),
    severity=Severity.HIGH,
    mappings={
        Framework.SOC_2: ("CC6.1", "CC6.3"),
        Framework.NIST: ("AC-3", "AC-3(7)", "AC-6", "SC-12"),
        Framework.PCI_DSS: ("3.6.1", "7.2.2"),
    },
)


class PutPolicyRule(GuardedActionRule):
    """Holds R(PutKeyPolicy) against the authorised principals."""

    control = CONTROL
    verb: ClassVar[str] = "replace the key policy"
    compliant_message: ClassVar[str] = "Only authorised principals can replace the key policy."
