"""Words of sources that are not CloudFormation, for tests that a rule speaks its key's source's words."""

from __future__ import annotations

from kms_constructs.model.vocabulary import Fact, Term, Vocabulary
from kms_constructs.sources.terraform.vocabulary import TERRAFORM

__all__ = ["KMS_API", "TERRAFORM"]

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
