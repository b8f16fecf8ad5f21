"""Which rule judges which control. Every control of the catalogue has exactly one."""

from __future__ import annotations

from kms_constructs.guardrails.rule import Rule
from kms_constructs.guardrails.rules.iam_kms_1_root_can_restore import RootCanRestoreRule
from kms_constructs.guardrails.rules.iam_kms_2_delete_material import DeleteMaterialRule
from kms_constructs.guardrails.rules.iam_kms_3_schedule_deletion import ScheduleDeletionRule
from kms_constructs.guardrails.rules.iam_kms_4_disable_key import DisableKeyRule
from kms_constructs.guardrails.rules.iam_kms_5_put_policy import PutPolicyRule
from kms_constructs.guardrails.rules.iam_kms_6_service_scope import ServiceScopeRule
from kms_constructs.guardrails.rules.iam_kms_7_rotation_off import RotationOffRule
from kms_constructs.guardrails.rules.iam_kms_8_separation_of_duties import SeparationRule
from kms_constructs.guardrails.rules.kms_001_rotation import RotationRule
from kms_constructs.guardrails.rules.kms_002_retention import RetentionRule
from kms_constructs.guardrails.rules.kms_003_in_use import InUseRule
from kms_constructs.guardrails.rules.kms_004_least_privilege import LeastPrivilegeRule
from kms_constructs.guardrails.rules.kms_005_trail import TrailRule
from kms_constructs.guardrails.rules.kms_006_one_purpose import OnePurposeRule
from kms_constructs.guardrails.rules.kms_007_multi_region import MultiRegionRule
from kms_constructs.guardrails.rules.kms_008_review_date import ReviewDateRule
from kms_constructs.guardrails.rules.kms_009_material_expiry import MaterialExpiryRule
from kms_constructs.guardrails.rules.kms_010_alias import AliasRule
from kms_constructs.guardrails.rules.kms_lint import LintRule

RULES: tuple[type[Rule], ...] = (
    RootCanRestoreRule,
    DeleteMaterialRule,
    ScheduleDeletionRule,
    DisableKeyRule,
    PutPolicyRule,
    ServiceScopeRule,
    RotationOffRule,
    SeparationRule,
    RotationRule,
    RetentionRule,
    InUseRule,
    LeastPrivilegeRule,
    TrailRule,
    OnePurposeRule,
    MultiRegionRule,
    ReviewDateRule,
    MaterialExpiryRule,
    AliasRule,
    LintRule,
)
"""Every rule, in the order of the catalogue."""
