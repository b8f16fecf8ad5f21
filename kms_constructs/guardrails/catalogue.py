"""The guardrail catalogue, made of the rules: one source for packs, reports and the documentation.

Example:
    >>> find_control("iam-kms-8").title
    'No principal both manages the key and uses it'
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from kms_constructs.guardrails.control import Control, Framework, Subject
from kms_constructs.guardrails.registry import RULES
from kms_constructs.model.declaration import DELEGATION_CONTROL
from kms_constructs.model.guarded_actions import GUARDED_ACTIONS

__all__ = [
    "AUTHORISABLE",
    "CATALOGUE",
    "DECLARABLE",
    "IAM_KMS_PACK",
    "KMS_REQUIREMENTS_PACK",
    "Control",
    "Framework",
    "Subject",
    "find_control",
]

CATALOGUE: Mapping[str, Control] = MappingProxyType({rule.control.id: rule.control for rule in RULES})
"""Every control by id, in the order of the catalogue."""

IAM_KMS_PACK: tuple[str, ...] = tuple(name for name in CATALOGUE if name.startswith("IAM-KMS-"))
"""Controls of the pack `IamKmsGuardrails`."""

KMS_REQUIREMENTS_PACK: tuple[str, ...] = tuple(name for name in CATALOGUE if name.startswith("KMS:"))
"""Controls of the pack `KmsRequirements`."""

AUTHORISABLE: tuple[str, ...] = tuple(
    sorted(
        (control.id for control in CATALOGUE.values() if control.authorisable),
        key=lambda control_id: control_id not in GUARDED_ACTIONS,
    )
)
"""Controls that principals can be authorised for, guarded actions first: IAM-KMS-6 means direct grants,
KMS:004 IAM policies that decrypt on all keys."""

DECLARABLE: tuple[str, ...] = (*AUTHORISABLE, DELEGATION_CONTROL)
"""Controls of which keys declare something: those, and that IAM policies of the account give use."""

_BY_FOLDED = {name.lower(): control for name, control in CATALOGUE.items()}


def find_control(control_id: str) -> Control | None:
    """The control of this id in any case, or None when the catalogue has none."""
    return _BY_FOLDED.get(control_id.lower())
