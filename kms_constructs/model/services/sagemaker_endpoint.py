"""Endpoints of SageMaker."""

from __future__ import annotations

from kms_constructs.model.service_requirement import (
    Caller,
    Row,
    ServiceRequirement,
    When,
    Who,
    named_by,
)

_PAGE = "https://docs.aws.amazon.com/sagemaker/latest/dg/api-permissions-reference.html"

REQUIREMENT = ServiceRequirement(
    name="sagemaker_endpoint",
    title="SageMaker endpoint",
    pages=(_PAGE,),
    callers=(Caller(who=Who.CREATOR, actions=("CreateGrant",), page=_PAGE, when=When.CREATE),),
    consumers=(named_by("AWS::SageMaker::EndpointConfig", "KmsKeyId", page=_PAGE),),
    rows=(
        Row(
            "SageMaker endpoint",
            "sagemaker.CfnEndpointConfig(kms_key_id=key.key_arn)",
            "whoever creates the endpoint",
            "key_users",
        ),
    ),
    notes=("AWS does not document the condition keys of these calls.",),
)
