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

from typing import ClassVar

from kms_constructs.guardrails.access_controls import IAM_KMS_2
from kms_constructs.guardrails.rules.guarded_action import GuardedActionRule
from kms_constructs.model.estate import Key
from kms_constructs.model.key_specs import Origin
from kms_constructs.model.unknown import is_unknown


class DeleteMaterialRule(GuardedActionRule):
    """Holds R(DeleteImportedKeyMaterial) against the authorised principals."""

    control = IAM_KMS_2
    action: ClassVar[str] = "DeleteImportedKeyMaterial"
    verb: ClassVar[str] = "delete imported key material"
    compliant_message: ClassVar[str] = "Only authorised principals can delete the key material."

    def exempt(self, key: Key) -> str | None:
        """Keys without imported material have none to delete."""
        if key.policy_only or is_unknown(key.origin) or key.origin == Origin.EXTERNAL:
            return None
        return f"key material of origin {key.origin} is not imported and cannot be deleted alone"
