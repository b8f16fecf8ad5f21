"""Domains of SageMaker."""

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
    name="sagemaker_domain",
    title="SageMaker domain",
    pages=(_PAGE,),
    callers=(
        Caller(
            who=Who.CREATOR,
            actions=("CreateGrant", "Decrypt", "DescribeKey", "GenerateDataKeyWithoutPlaintext"),
            page=_PAGE,
            when=When.CREATE,
        ),
    ),
    consumers=(named_by("AWS::SageMaker::Domain", "KmsKeyId", page=_PAGE),),
    rows=(
        Row(
            "SageMaker domain",
            "sagemaker.CfnDomain(kms_key_id=key.key_arn)",
            "whoever creates the domain",
            "key_users",
        ),
    ),
    undocumented=("Through which service these calls come: SageMaker, or EFS, which holds the data.",),
)
