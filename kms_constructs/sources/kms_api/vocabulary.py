"""The words of the KMS API: which answer holds a fact of a live key, and how it is changed."""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

from kms_constructs.model.vocabulary import Fact, Term, Vocabulary

POLICY_PATH: Final = "GetKeyPolicy/Policy"

KMS_API: Final = Vocabulary(
    source="KMS API",
    terms=MappingProxyType(
        {
            Fact.POLICY: Term("the key policy", POLICY_PATH, "Put a key policy with {value}"),
            Fact.ROTATION: Term("rotation", "GetKeyRotationStatus/KeyRotationEnabled", "Switch rotation on"),
            Fact.ROTATION_PERIOD: Term(
                "the rotation period",
                "GetKeyRotationStatus/RotationPeriodInDays",
                "Switch rotation on again with a period of {value}",
            ),
            Fact.KEY_SPEC: Term("KeySpec", "DescribeKey/KeyMetadata/KeySpec"),
            Fact.ORIGIN: Term("Origin", "DescribeKey/KeyMetadata/Origin"),
            Fact.MULTI_REGION: Term("MultiRegion", "DescribeKey/KeyMetadata/MultiRegion"),
            Fact.TAGS: Term("tags", "ListResourceTags/Tags", "Tag the key with {value}"),
            Fact.ALIAS: Term("an alias", "ListAliases/Aliases"),
            Fact.MATERIAL_EXPIRY: Term("ValidTo", "DescribeKey/KeyMetadata/ValidTo"),
            Fact.DESCRIPTION: Term("Description", "DescribeKey/KeyMetadata/Description"),
            Fact.ENABLED: Term("KeyState", "DescribeKey/KeyMetadata/KeyState"),
            Fact.REPLICAS: Term("replicas", "DescribeKey/KeyMetadata/MultiRegionConfiguration/ReplicaKeys"),
        }
    ),
    kms_types="kms:",
    app="account",
    stack="workload",
    resolve="Let the caller read the {what}, and audit again.",
    say_account="Audit the account {account}.",
    decide="Let the caller call kms:ListAliases, and audit again.",
    point="Let the caller call kms:ListAliases, and audit again.",
    rotate="Switch rotation on, with a period of at most the configured ceiling (365 days by default)",
    keep="Delete keys with a pending window of at least the configured minimum",
    hand_on="leave it",
    make_multi_region="Create a new key as a multi-Region key",
    alias="an alias (CreateAlias)",
    record_events=(
        "Take kms.amazonaws.com out of what the event selectors of the trail exclude (PutEventSelectors)"
    ),
    unused="Nothing has used the key.",
    no_expiry="The imported key material does not expire.",
    updates_replace_keys=False,
)
"""A live key: facts stand in answers. What no API tells has no term: nobody can ask for a pending window."""
