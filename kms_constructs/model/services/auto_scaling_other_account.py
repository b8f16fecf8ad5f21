"""EC2 Auto Scaling groups with a key of another account."""

from __future__ import annotations

from kms_constructs.model.service_requirement import (
    ALL_SYMMETRIC,
    FOR_AWS_RESOURCE,
    Caller,
    Row,
    ServiceRequirement,
    Who,
)

_PAGE = "https://docs.aws.amazon.com/autoscaling/ec2/userguide/key-policy-requirements-EBS-encryption.html"

REQUIREMENT = ServiceRequirement(
    name="auto_scaling_other_account",
    title="EC2 Auto Scaling in another account",
    pages=(_PAGE,),
    callers=(
        Caller(
            who=Who.CREATOR,
            actions=(*ALL_SYMMETRIC, "DescribeKey", "CreateGrant"),
            page=_PAGE,
            omits=(FOR_AWS_RESOURCE,),
            operations=(*ALL_SYMMETRIC, "DescribeKey", "CreateGrant"),
            note=(
                "A user of the other account makes the grant for the service-linked role there: it is"
                " none for an AWS resource."
            ),
        ),
    ),
    rows=(
        Row(
            "EC2 Auto Scaling group in another account",
            "autoscaling.CfnAutoScalingGroup(launch_template=…, there)",
            "a user there, who makes a grant for the service-linked role there",
            "direct_grants=[DirectGrant(…)] for that role, and the account under trusted-accounts",
        ),
    ),
    notes=(
        "CloudFormation has no resource for a grant: a user of the other account makes it there.",
        "Its operations hold CreateGrant: the service-linked role makes grants for the volumes in turn.",
    ),
)
