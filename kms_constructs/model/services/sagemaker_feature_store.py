"""Online stores of SageMaker feature groups."""

from __future__ import annotations

from kms_constructs.model.service_requirement import (
    PresetText,
    Row,
    ServiceRequirement,
    Shape,
    When,
    Who,
    named_by,
    through_service,
)

_PAGE = "https://docs.aws.amazon.com/sagemaker/latest/dg/feature-store-security.html"

REQUIREMENT = ServiceRequirement(
    name="sagemaker_feature_store",
    title="SageMaker feature group",
    pages=(_PAGE,),
    via="sagemaker",
    callers=(
        through_service(
            "sagemaker",
            Who.CREATOR,
            (
                "Decrypt",
                "DescribeKey",
                "Encrypt",
                "GenerateDataKey",
                "ReEncryptFrom",
                "ReEncryptTo",
                "CreateGrant",
            ),
            page=_PAGE,
            when=When.CREATE,
        ),
    ),
    consumers=(
        named_by("AWS::SageMaker::FeatureGroup", "OnlineStoreConfig/SecurityConfig/KmsKeyId", page=_PAGE),
    ),
    rows=(
        Row(
            "SageMaker feature group, online store",
            "sagemaker.CfnFeatureGroup(online_store_config=…key.key_arn…)",
            "whoever creates the feature group",
            "services=[ServiceAccess.sagemaker_feature_store([…])], or key_users",
        ),
    ),
    preset=PresetText(
        call="ServiceAccess.sagemaker_feature_store([…])",
        sid="SagemakerFeatureStore",
        shape=Shape.PRINCIPALS,
        summary=(
            "Lets principals of the key's account create feature groups whose online store this key encrypts."
        ),
        detail=(
            "They also need `kms:RetireGrant` and `kms:ListAliases`, which only an IAM policy can"
            " give. The key of the offline store is used by the feature group's role, through S3."
        ),
        principals="Roles and users who create feature groups.",
    ),
    asks_through=("sagemaker",),
    notes=("AWS lists kms:ListGrants, too, which a key user of a sealed key has.",),
)
