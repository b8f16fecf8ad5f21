"""Secrets that ECS hands to containers."""

from __future__ import annotations

from kms_constructs.model.service_requirement import (
    ANY_FORM,
    SECRET,
    Consumer,
    Row,
    ServiceRequirement,
    Step,
    Who,
    through_service,
)

_PAGE = "https://docs.aws.amazon.com/secretsmanager/latest/userguide/security-encryption.html"

REQUIREMENT = ServiceRequirement(
    name="ecs_secrets",
    title="ECS secret",
    pages=(_PAGE,),
    via="secretsmanager",
    callers=(
        through_service(
            "secretsmanager",
            Who.ROLE,
            ("Decrypt",),
            page=_PAGE,
            roles=((Step("AWS::ECS::TaskDefinition", ("ExecutionRoleArn",)),),),
        ),
    ),
    consumers=(
        Consumer(
            (Step("AWS::ECS::TaskDefinition", ("ContainerDefinitions/*/Secrets/*/ValueFrom",)), SECRET),
            ANY_FORM,
            _PAGE,
        ),
    ),
    rows=(
        Row(
            "ECS secret",
            "ecs.Secret.from_secrets_manager(secret)",
            "the task's execution role",
            "services=[ServiceAccess.secrets_manager([role])]",
            refused=True,
        ),
    ),
)
