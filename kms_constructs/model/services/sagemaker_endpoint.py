"""Endpoints of SageMaker."""

from __future__ import annotations

from kms_constructs.model.service_requirement import (
    VIA_SERVICE_PAGE,
    PresetText,
    Row,
    ServiceRequirement,
    Shape,
    When,
    Who,
    named_by,
    through_service,
)

_PAGE = "https://docs.aws.amazon.com/sagemaker/latest/dg/api-permissions-reference.html"

REQUIREMENT = ServiceRequirement(
    name="sagemaker_endpoint",
    title="SageMaker endpoint",
    pages=(_PAGE, VIA_SERVICE_PAGE),
    via="sagemaker",
    callers=(through_service("sagemaker", Who.CREATOR, ("CreateGrant",), page=_PAGE, when=When.CREATE),),
    consumers=(named_by("AWS::SageMaker::EndpointConfig", "KmsKeyId", page=_PAGE),),
    rows=(
        Row(
            "SageMaker endpoint",
            "sagemaker.CfnEndpointConfig(kms_key_id=key.key_arn)",
            "whoever creates the endpoint",
            "services=[ServiceAccess.sagemaker_endpoint([…])], or key_users",
        ),
    ),
    preset=PresetText(
        call="ServiceAccess.sagemaker_endpoint([…])",
        sid="SagemakerEndpoint",
        shape=Shape.PRINCIPALS,
        summary="Lets principals of the key's account create endpoints whose volumes this key encrypts.",
        principals="Roles and users who create them.",
    ),
    undocumented=("The operations of the grant, and the encryption context.",),
)
