"""The guarded actions: what only a few principals, or none, may do with a key.

A guarded action is added here, and its control's texts in a rule file of its own. From this list come the
columns of the access matrix, the statements of key policies and organization policies, the principals that a
key's declaration authorises, and what the rules prove.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum, auto
from types import MappingProxyType

from kms_constructs.model.frozen import Frozen


class May(Enum):
    """Who may carry out a guarded action, beside the account's root user.

    The guardians of a key are its break-glass principals, or its administrators where there are none; the
    deployment principals are those who deploy the stack that it stands in.
    """

    NOBODY = auto()
    """Nobody, the root user included."""
    GUARDIANS = auto()
    """The guardians."""
    GUARDIANS_AND_DELETING_STACK = auto()
    """The guardians, and the deployment principals of a stack that may delete its key."""
    GUARDIANS_AND_DEPLOYMENT = auto()
    """The guardians and the deployment principals."""


class GuardedAction(Frozen, frozen=True, kw_only=True):
    """One action of the form "only authorised principals may do this".

    Args:
        control: Id of the control that guards it.
        action: Without the ``kms:`` prefix.
        capability: What a person calls it: the column of the access matrix.
        may: Who may do it.
        sid: Sid of the Deny in a key policy; actions of one Sid with the same principals share a statement.
        sid_with_stack: Sid where the deployment principals of a deleting stack may do it, too; else empty.
        organization_sid: Sid of the Deny in an organization policy.
        imported_material: Whether it means something for keys with imported material only.
        undo: How to take it back at once, for whoever is alarmed by it; empty where there is no way back that
            holds for every key.
    """

    control: str
    action: str
    capability: str
    may: May
    sid: str
    sid_with_stack: str = ""
    organization_sid: str
    imported_material: bool = False
    undo: str = ""

    @property
    def qualified(self) -> str:
        """The action with its prefix: ``kms:DisableKey``."""
        return f"kms:{self.action}"


GUARDED_ACTIONS: Mapping[str, GuardedAction] = MappingProxyType(
    {
        guarded.control: guarded
        for guarded in (
            GuardedAction(
                control="IAM-KMS-4",
                action="DisableKey",
                capability="disable",
                may=May.GUARDIANS,
                sid="DenyDestruction",
                organization_sid="DenyKeyDestruction",
                undo="Enable the key again: aws kms enable-key --key-id KEY",
            ),
            GuardedAction(
                control="IAM-KMS-3",
                action="ScheduleKeyDeletion",
                capability="schedule deletion",
                may=May.GUARDIANS_AND_DELETING_STACK,
                sid="DenyDestruction",
                sid_with_stack="DenyDeletion",
                organization_sid="DenyKeyDestruction",
                undo="Cancel the deletion and enable the key: aws kms cancel-key-deletion --key-id KEY; "
                "aws kms enable-key --key-id KEY",
            ),
            GuardedAction(
                control="IAM-KMS-2",
                action="DeleteImportedKeyMaterial",
                capability="delete material",
                may=May.GUARDIANS,
                sid="DenyDestruction",
                organization_sid="DenyKeyDestruction",
                imported_material=True,
                undo="Import the same key material again; no other decrypts what was encrypted under it",
            ),
            GuardedAction(
                control="IAM-KMS-5",
                action="PutKeyPolicy",
                capability="put policy",
                may=May.GUARDIANS_AND_DEPLOYMENT,
                sid="DenyPolicyChange",
                organization_sid="DenyKeyPolicyChange",
                undo="Put the policy of the last deployment back: deploy the stack of the key again, "
                "or aws kms put-key-policy",
            ),
            GuardedAction(
                control="IAM-KMS-7",
                action="DisableKeyRotation",
                capability="rotation off",
                may=May.NOBODY,
                sid="DenyRotationOff",
                organization_sid="DenyRotationOff",
                undo="Switch rotation on again: aws kms enable-key-rotation --key-id KEY",
            ),
        )
    }
)
"""Control id to its guarded action, in the order in which an access matrix shows them."""
