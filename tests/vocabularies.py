"""Words of sources that are not CloudFormation, for tests that a rule speaks its key's source's words."""

from __future__ import annotations

from kms_constructs.model.vocabulary import Fact, Term, Vocabulary

TERRAFORM = Vocabulary(
    source="Terraform plan",
    terms={
        Fact.POLICY: Term("policy", "policy"),
        Fact.ROTATION: Term("enable_key_rotation", "enable_key_rotation"),
        Fact.ROTATION_PERIOD: Term("rotation_period_in_days", "rotation_period_in_days"),
        Fact.PENDING_WINDOW: Term("deletion_window_in_days", "deletion_window_in_days"),
        Fact.KEY_SPEC: Term("customer_master_key_spec", "customer_master_key_spec"),
        Fact.ORIGIN: Term("origin", "origin"),
        Fact.MULTI_REGION: Term("multi_region", "multi_region"),
        Fact.TAGS: Term("tags", "tags"),
        Fact.ALIAS: Term("aws_kms_alias"),
        Fact.USE: Term("a reference to the key"),
        Fact.MATERIAL_EXPIRY: Term("valid_to", "valid_to"),
        Fact.LOCKOUT_BYPASS: Term("bypass_policy_lockout_safety_check", "bypass_policy_lockout_safety_check"),
    },
    kms_types="aws_kms_",
    app="plan",
    stack="configuration",
    resolve="Give the {what} as a literal, or plan again when it is known.",
    say_account="Say which account the plan is for: --account {account}.",
    decide="Give the alias the count of the key.",
    point="Give target_key_id of the alias as a reference to the key.",
    rotate=(
        "Set enable_key_rotation to true and rotation_period_in_days to at most the configured ceiling (365 "
        "days by default)"
    ),
    keep="Set deletion_window_in_days to at least the configured minimum",
    hand_on="hand its ARN on by an output value",
    make_multi_region="Create the key with multi_region true",
    alias="an aws_kms_alias",
    record_events="Take kms.amazonaws.com out of exclude_management_event_sources",
    unused="Nothing in the plan uses the key, and no output value hands it on.",
    no_expiry="The imported key material has no valid_to.",
)

KMS_API = Vocabulary(
    source="KMS API",
    terms={
        Fact.POLICY: Term("the key policy", "GetKeyPolicy/Policy", "Call PutKeyPolicy"),
        Fact.ROTATION: Term("rotation", "GetKeyRotationStatus/KeyRotationEnabled", "Switch rotation on"),
        Fact.ROTATION_PERIOD: Term(
            "the rotation period",
            "GetKeyRotationStatus/RotationPeriodInDays",
            "Switch rotation on again with a period of {value}",
        ),
        Fact.KEY_SPEC: Term("KeySpec", "DescribeKey/KeyMetadata/KeySpec"),
        Fact.ORIGIN: Term("Origin", "DescribeKey/KeyMetadata/Origin"),
        Fact.MULTI_REGION: Term("MultiRegion", "DescribeKey/KeyMetadata/MultiRegion"),
        Fact.TAGS: Term("tags", "ListResourceTags/Tags"),
        Fact.ALIAS: Term("an alias"),
        Fact.MATERIAL_EXPIRY: Term("ValidTo"),
    },
    kms_types="kms:",
    app="account",
    stack="workload",
    resolve="Let the caller read the {what}.",
    say_account="Ask in account {account}.",
    decide="Let the caller list aliases.",
    point="Let the caller list aliases.",
    rotate="Switch rotation on, with a period of at most the configured ceiling (365 days by default)",
    keep="Delete keys with a pending window of at least the configured minimum",
    hand_on="leave it",
    make_multi_region="Create the key as a multi-Region key",
    alias="an alias",
    record_events="Let the trail record management events of kms.amazonaws.com",
    unused="Nothing has used the key.",
    no_expiry="The imported key material has no expiry.",
)
