"""Ephemeral storage of Fargate tasks."""

from __future__ import annotations

from kms_constructs.model.service_requirement import (
    ACCOUNT,
    CONTEXT,
    Caller,
    KeyForm,
    PresetText,
    Row,
    ServiceRequirement,
    When,
    Who,
    named_by,
)

_PAGE = "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-create-storage-key.html"
_ACCOUNT = f"{CONTEXT}aws:ecs:clusterAccount"
_CLUSTER = f"{CONTEXT}aws:ecs:clusterName"
_OPERATIONS = "kms:GrantOperations"

REQUIREMENT = ServiceRequirement(
    name="fargate_ephemeral_storage",
    title="Fargate ephemeral storage",
    pages=(_PAGE,),
    callers=(
        Caller(
            who=Who.SERVICE,
            principal="fargate.amazonaws.com",
            actions=("GenerateDataKeyWithoutPlaintext",),
            page=_PAGE,
            sends={_ACCOUNT: ACCOUNT, _CLUSTER: "*"},
            by_name=(_CLUSTER,),
            limits=(
                ("StringEquals", _ACCOUNT),
                ("StringLike", _CLUSTER),
            ),
        ),
        Caller(
            who=Who.SERVICE,
            principal="fargate.amazonaws.com",
            actions=("CreateGrant",),
            page=_PAGE,
            sends={_ACCOUNT: ACCOUNT, _CLUSTER: "*", _OPERATIONS: "Decrypt"},
            by_name=(_CLUSTER,),
            limits=(
                ("StringEquals", _ACCOUNT),
                ("StringLike", _CLUSTER),
                ("ForAllValues:StringEquals", _OPERATIONS),
            ),
            operations=("Decrypt",),
            sid="Task",
        ),
        Caller(who=Who.CREATOR, actions=("DescribeKey",), page=_PAGE, when=When.CREATE),
    ),
    consumers=(
        named_by(
            "AWS::ECS::Cluster",
            "Configuration/ManagedStorageConfiguration/FargateEphemeralStorageKmsKeyId",
            page=_PAGE,
            forms=(
                KeyForm.ARN,
                KeyForm.ID,
            ),
        ),
    ),
    rows=(
        Row(
            "Fargate ephemeral storage",
            "ecs.CfnCluster(configuration=…managed_storage_configuration…)",
            "fargate.amazonaws.com",
            "services=[ServiceAccess.fargate_ephemeral_storage()]",
        ),
    ),
    preset=PresetText(call="ServiceAccess.fargate_ephemeral_storage(…)", sid="FargateEphemeralStorage"),
    undocumented=("Whether a source or kms:GrantIsForAWSResource is sent: AWS scopes by the cluster alone.",),
    notes=(
        "A generated cluster name in the key policy makes a circle in CloudFormation.",
        "Multi-Region keys and aliases are not supported.",
    ),
)
