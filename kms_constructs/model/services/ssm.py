"""SecureString parameters of Systems Manager."""

from __future__ import annotations

from kms_constructs.model.service_requirement import (
    ACCOUNT,
    PARTITION,
    REGION,
    PresetText,
    ServiceRequirement,
    Shape,
    Who,
    through_service,
)

_PAGE = "https://docs.aws.amazon.com/kms/latest/developerguide/services-parameter-store.html"

REQUIREMENT = ServiceRequirement(
    name="ssm",
    title="SSM SecureString parameter",
    pages=(_PAGE,),
    via="ssm",
    callers=(
        through_service(
            "ssm",
            Who.WRITER,
            ("Encrypt",),
            page=_PAGE,
            context={"PARAMETER_ARN": f"arn:{PARTITION}:ssm:{REGION}:{ACCOUNT}:parameter/*"},
            note="Of the standard tier.",
        ),
        through_service(
            "ssm",
            Who.WRITER,
            ("GenerateDataKey",),
            page=_PAGE,
            context={"PARAMETER_ARN": f"arn:{PARTITION}:ssm:{REGION}:{ACCOUNT}:parameter/*"},
            only_if="the parameter is of the advanced tier",
        ),
        through_service(
            "ssm",
            Who.READER,
            ("Decrypt",),
            page=_PAGE,
            context={"PARAMETER_ARN": f"arn:{PARTITION}:ssm:{REGION}:{ACCOUNT}:parameter/*"},
        ),
    ),
    preset=PresetText(
        call="ServiceAccess.ssm([…])",
        sid="Ssm",
        shape=Shape.PRINCIPALS,
        summary=(
            "Lets principals of the key's account write and read SecureString parameters that are"
            " encrypted with this key."
        ),
        principals="Roles and users who write and read parameters.",
    ),
    asks_through=("ssm",),
    notes=(
        (
            "CloudFormation cannot make SecureString parameters. ECS reads them by the task's"
            " execution role, a dynamic reference by the deployment's."
        ),
        "The encryption context is PARAMETER_ARN, without a prefix.",
    ),
)
