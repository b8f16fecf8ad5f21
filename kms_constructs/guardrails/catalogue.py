"""The guardrail catalogue: one source for rules, packs, organization policies, reports and the README.

Example:
    >>> find_control("iam-kms-8").title
    'No principal both manages the key and uses it'
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from kms_constructs.guardrails.access_controls import ACCESS_CONTROLS
from kms_constructs.guardrails.control import Control, Framework, Subject
from kms_constructs.guardrails.key_controls import KEY_CONTROLS

__all__ = [
    "CATALOGUE",
    "GUARDED_ACTIONS",
    "IAM_KMS_PACK",
    "KMS_REQUIREMENTS_PACK",
    "Control",
    "Framework",
    "Subject",
    "find_control",
]

CATALOGUE: Mapping[str, Control] = MappingProxyType(
    {control.id: control for control in (*ACCESS_CONTROLS, *KEY_CONTROLS)}
)
"""Every control by id, in the order of the catalogue."""

IAM_KMS_PACK: tuple[str, ...] = tuple(control.id for control in ACCESS_CONTROLS)
"""Controls of the pack `IamKmsGuardrails`."""

KMS_REQUIREMENTS_PACK: tuple[str, ...] = tuple(control.id for control in KEY_CONTROLS)
"""Controls of the pack `KmsRequirements`."""

GUARDED_ACTIONS: Mapping[str, str] = MappingProxyType(
    {
        "IAM-KMS-2": "DeleteImportedKeyMaterial",
        "IAM-KMS-3": "ScheduleKeyDeletion",
        "IAM-KMS-4": "DisableKey",
        "IAM-KMS-5": "PutKeyPolicy",
        "IAM-KMS-7": "DisableKeyRotation",
    }
)
"""Controls of the form "only authorised principals may do this", and the action, without prefix."""

_BY_FOLDED = {name.lower(): control for name, control in CATALOGUE.items()}


def find_control(control_id: str) -> Control | None:
    """The control of this id in any case, or None when the catalogue has none."""
    return _BY_FOLDED.get(control_id.lower())
