"""Findings of IAM Access Analyzer on keys."""

from __future__ import annotations

from kms_constructs.model.service_requirement import (
    ACCOUNT,
    PARTITION,
    Caller,
    ServiceRequirement,
    Who,
)

_PAGE = "https://docs.aws.amazon.com/IAM/latest/UserGuide/access-analyzer-resources.html"

REQUIREMENT = ServiceRequirement(
    name="access_analyzer",
    title="IAM Access Analyzer",
    pages=(_PAGE,),
    callers=(
        Caller(
            who=Who.LINKED_ROLE,
            principal=f"arn:{PARTITION}:iam::{ACCOUNT}:role/aws-service-role/access-analyzer.amazonaws.com/AWSServiceRoleForAccessAnalyzer",
            actions=("DescribeKey", "GetKeyPolicy", "ListGrants", "ListKeyPolicies"),
            page=_PAGE,
        ),
    ),
    notes=(
        (
            "Where the root statement leaves reading to IAM, as it does by default, the role's"
            " own policy is enough."
        ),
        "It asks for no cryptographic action.",
    ),
)
