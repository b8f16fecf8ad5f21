"""Volumes that ECS attaches to tasks."""

from __future__ import annotations

from kms_constructs.model.service_requirement import (
    DATA_KEYS,
    KeyForm,
    Row,
    ServiceRequirement,
    Step,
    Who,
    named_by,
    through_service,
)

_PAGE = "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ebs-kms-encryption.html"

REQUIREMENT = ServiceRequirement(
    name="ecs_managed_ebs",
    title="ECS managed EBS volume",
    pages=(_PAGE,),
    via="ec2",
    callers=(
        through_service(
            "ec2",
            Who.ROLE,
            (*DATA_KEYS, "DescribeKey", "ReEncryptFrom", "ReEncryptTo", "CreateGrant"),
            page=_PAGE,
            context={"aws:ebs:id": "*"},
            called=("DescribeKey", "GenerateDataKeyWithoutPlaintext", "CreateGrant"),
            roles=((Step("AWS::ECS::Service", ("VolumeConfigurations/*/ManagedEBSVolume/RoleArn",)),),),
        ),
    ),
    consumers=(
        named_by("AWS::ECS::Service", "VolumeConfigurations/*/ManagedEBSVolume/KmsKeyId", page=_PAGE),
        named_by(
            "AWS::ECS::Cluster",
            "Configuration/ManagedStorageConfiguration/KmsKeyId",
            page=_PAGE,
            forms=(
                KeyForm.ARN,
                KeyForm.ID,
            ),
        ),
    ),
    rows=(
        Row(
            "ECS managed EBS volume",
            "ecs.CfnService(volume_configurations=…key.key_arn…)",
            "the infrastructure role",
            "services=[ServiceAccess.ebs([role])], or key_users",
        ),
    ),
)
