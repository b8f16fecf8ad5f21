"""IAM-KMS-2: only authorised principals, or none, can delete imported key material.

Only keys of origin EXTERNAL have imported material; a key whose origin is not known is judged.

Anti-pattern: the account's IAM decides, so any IAM policy may hand it out::

    {"Statement": [{"Sid": "Root", "Effect": "Allow", "Principal": {"AWS": "111122223333"},
                    "Action": "kms:*", "Resource": "*"}]}

Best practice: the key policy refuses everyone but the root user and those who are authorised::

    {"Statement": [{"Sid": "Root", "Effect": "Allow", "Principal": {"AWS": "111122223333"},
                    "Action": "kms:*", "Resource": "*"},
                   {"Sid": "DenyDeleteImportedKeyMaterial", "Effect": "Deny", "Principal": "*",
                    "Action": "kms:DeleteImportedKeyMaterial", "Resource": "*",
                    "Condition": {"ArnNotEquals": {"aws:PrincipalArn": "arn:aws:iam::111122223333:root"}}}]}
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from msgspec.structs import replace

from kms_constructs.guardrails.control import Framework
from kms_constructs.guardrails.finding import Finding, Outcome, Severity
from kms_constructs.guardrails.guarded_action import GuardedActionRule, guarded_control
from kms_constructs.model.estate import Key
from kms_constructs.model.key_specs import Origin
from kms_constructs.model.unknown import is_unknown

CONTROL = guarded_control(
    "IAM-KMS-2",
    title="Only authorised principals, or none, can delete imported key material",
    rationale=(
        "Deleting imported material makes the key unusable at once, without a waiting period. What it "
        "encrypted stays unreadable until the very same material is imported again; if no copy of it was "
        "kept, for ever."
    ),
    advice=(
        "Give kms:DeleteImportedKeyMaterial to break-glass principals only and deny it to everyone else in "
        "the key policy; take it out of IAM policies; forbid it with an organization policy; alarm on the "
        "call."
    ),
    references=(
        "https://docs.aws.amazon.com/kms/latest/developerguide/importing-keys-delete-key-material.html",
    ),
    severity=Severity.HIGH,
    mappings={
        Framework.SOC_2: ("CC6.1", "CC6.3"),
        Framework.NIST: ("AC-3", "AC-6", "SC-12", "SC-12(1)"),
        Framework.PCI_DSS: ("3.6.1", "7.2.2"),
    },
)


class DeleteMaterialRule(GuardedActionRule):
    """Holds R(DeleteImportedKeyMaterial) against the authorised principals."""

    control = CONTROL
    verb: ClassVar[str] = "delete imported key material"
    compliant_message: ClassVar[str] = "Only authorised principals can delete the key material."

    def exempt(self, key: Key) -> str | None:
        """Keys without imported material have none to delete."""
        if key.policy_only or is_unknown(key.origin) or key.origin == Origin.EXTERNAL:
            return None
        return f"key material of origin {key.origin} is not imported and cannot be deleted alone"

    def judge(self, key: Key) -> Iterator[Finding]:
        """Everyone who may do it; of a live key whose material is perhaps not imported, if it is."""
        unsure = key.live is not None and is_unknown(key.origin)
        for finding in super().judge(key):
            if unsure and finding.outcome is Outcome.VIOLATION:
                message = f"{finding.message} Whether its key material is imported is not known."
                yield replace(finding, outcome=Outcome.UNDETERMINED, message=message)
            else:
                yield finding
