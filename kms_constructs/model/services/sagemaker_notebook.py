"""Notebook instances of SageMaker."""

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
    name="sagemaker_notebook",
    title="SageMaker notebook instance",
    pages=(_PAGE, VIA_SERVICE_PAGE),
    via="sagemaker",
    callers=(
        through_service(
            "sagemaker", Who.CREATOR, ("DescribeKey", "CreateGrant"), page=_PAGE, when=When.CREATE
        ),
    ),
    consumers=(named_by("AWS::SageMaker::NotebookInstance", "KmsKeyId", page=_PAGE),),
    rows=(
        Row(
            "SageMaker notebook instance",
            "sagemaker.CfnNotebookInstance(kms_key_id=key.key_arn)",
            "whoever creates the notebook instance",
            "services=[ServiceAccess.sagemaker_notebook([…])], or key_users",
        ),
    ),
    preset=PresetText(
        call="ServiceAccess.sagemaker_notebook([…])",
        sid="SagemakerNotebook",
        shape=Shape.PRINCIPALS,
        summary="Lets principals of the key's account create notebook instances that this key encrypts.",
        principals="Roles and users who create them.",
    ),
    undocumented=("The operations of the grant, and the encryption context.",),
)
