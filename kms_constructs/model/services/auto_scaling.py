"""Encrypted volumes of EC2 Auto Scaling groups."""

from __future__ import annotations

from kms_constructs.model.service_requirement import (
    ACCOUNT,
    ALL_SYMMETRIC,
    ANY_FORM,
    FOR_AWS_RESOURCE,
    LAUNCH_TEMPLATE,
    PARTITION,
    Caller,
    Consumer,
    PresetText,
    Row,
    ServiceRequirement,
    Step,
    Who,
)

_PAGE = "https://docs.aws.amazon.com/autoscaling/ec2/userguide/key-policy-requirements-EBS-encryption.html"

REQUIREMENT = ServiceRequirement(
    name="auto_scaling",
    title="EC2 Auto Scaling group with encrypted volumes",
    pages=(_PAGE,),
    callers=(
        Caller(
            who=Who.LINKED_ROLE,
            principal=f"arn:{PARTITION}:iam::{ACCOUNT}:role/aws-service-role/autoscaling.amazonaws.com/"
            "AWSServiceRoleForAutoScaling",
            actions=(*ALL_SYMMETRIC, "DescribeKey", "CreateGrant"),
            page=_PAGE,
            sends={FOR_AWS_RESOURCE: "true"},
            note="The role has to exist before the key policy names it.",
        ),
    ),
    consumers=tuple(
        Consumer(
            (
                Step("AWS::AutoScaling::AutoScalingGroup", (path,)),
                LAUNCH_TEMPLATE,
            ),
            ANY_FORM,
            _PAGE,
        )
        for path in (
            "LaunchTemplate/LaunchTemplateId",
            "MixedInstancesPolicy/LaunchTemplate/LaunchTemplateSpecification/LaunchTemplateId",
        )
    ),
    rows=(
        Row(
            "EC2 Auto Scaling group",
            "autoscaling.AutoScalingGroup(launch_template=…, whose volumes have the key)",
            "the role AWSServiceRoleForAutoScaling",
            "services=[ServiceAccess.auto_scaling()]",
        ),
    ),
    preset=PresetText(call="ServiceAccess.auto_scaling()", sid="AutoScaling"),
)
