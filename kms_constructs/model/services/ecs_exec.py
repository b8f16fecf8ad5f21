"""Sessions of ECS Exec."""

from __future__ import annotations

from kms_constructs.model.service_requirement import (
    Caller,
    Row,
    ServiceRequirement,
    Step,
    Who,
    named_by,
)

_PAGE = "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs-exec.html"

REQUIREMENT = ServiceRequirement(
    name="ecs_exec",
    title="ECS Exec",
    pages=(_PAGE,),
    callers=(
        Caller(
            who=Who.ROLE,
            actions=("Decrypt",),
            page=_PAGE,
            roles=((Step("AWS::ECS::TaskDefinition", ("TaskRoleArn",)),),),
        ),
        Caller(
            who=Who.WRITER, actions=("GenerateDataKey",), page=_PAGE, note="Whoever calls ExecuteCommand."
        ),
    ),
    consumers=(
        named_by("AWS::ECS::Cluster", "Configuration/ExecuteCommandConfiguration/KmsKeyId", page=_PAGE),
    ),
    rows=(
        Row(
            "ECS Exec",
            "ecs.CfnCluster(configuration=…execute_command_configuration…)",
            "the task's role, and whoever calls ExecuteCommand",
            "key_users, or decrypt_only_users for the task's role",
        ),
    ),
    undocumented=("The encryption context, and whether kms:ViaService is sent.",),
)
