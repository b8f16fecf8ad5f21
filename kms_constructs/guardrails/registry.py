"""Which rule judges which control. Every control of the catalogue has exactly one."""

from __future__ import annotations

from kms_constructs.guardrails.rule import Rule
from kms_constructs.guardrails.rules.kms_001_rotation import RotationRule
from kms_constructs.guardrails.rules.kms_002_retention import RetentionRule
from kms_constructs.guardrails.rules.kms_003_in_use import InUseRule
from kms_constructs.guardrails.rules.kms_005_trail import TrailRule
from kms_constructs.guardrails.rules.kms_006_one_purpose import OnePurposeRule
from kms_constructs.guardrails.rules.kms_007_multi_region import MultiRegionRule
from kms_constructs.guardrails.rules.kms_008_review_date import ReviewDateRule
from kms_constructs.guardrails.rules.kms_009_material_expiry import MaterialExpiryRule
from kms_constructs.guardrails.rules.kms_010_alias import AliasRule

RULES: tuple[type[Rule], ...] = (
    RotationRule,
    RetentionRule,
    InUseRule,
    TrailRule,
    OnePurposeRule,
    MultiRegionRule,
    ReviewDateRule,
    MaterialExpiryRule,
    AliasRule,
)
"""Every rule, in the order of the catalogue."""
