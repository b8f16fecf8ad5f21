"""Rotation functions of secrets."""

from __future__ import annotations

from kms_constructs.model.service_requirement import (
    ACCOUNT,
    ANY_FORM,
    PARTITION,
    REGION,
    SECRET,
    Consumer,
    Row,
    ServiceRequirement,
    Step,
    Who,
    through_service,
)

_PAGE = "https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotating-secrets-required-permissions-function.html"

REQUIREMENT = ServiceRequirement(
    name="secret_rotation",
    title="Rotation of a secret",
    pages=(_PAGE,),
    via="secretsmanager",
    callers=(
        through_service(
            "secretsmanager",
            Who.ROLE,
            ("Decrypt", "GenerateDataKey"),
            page=_PAGE,
            context={"SecretARN": f"arn:{PARTITION}:secretsmanager:{REGION}:{ACCOUNT}:secret:*"},
            unseen=("HostedRotationLambda",),
            roles=(
                (
                    Step("AWS::SecretsManager::RotationSchedule", ("RotationLambdaARN",)),
                    Step("AWS::Lambda::Function", ("Role",)),
                ),
            ),
        ),
    ),
    consumers=(
        Consumer((Step("AWS::SecretsManager::RotationSchedule", ("SecretId",)), SECRET), ANY_FORM, _PAGE),
    ),
    rows=(
        Row(
            "Rotation of a secret",
            "secretsmanager.RotationSchedule(rotation_lambda=function)",
            "the function's role",
            "services=[ServiceAccess.secrets_manager([role])]",
            refused=True,
        ),
    ),
    notes=(("The role of hosted rotation is made by an application of its own and stands in no template."),),
)
