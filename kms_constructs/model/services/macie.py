"""Discovery results of Macie."""

from __future__ import annotations

from kms_constructs.model.service_requirement import (
    ACCOUNT,
    PARTITION,
    REGION,
    SOURCE_ACCOUNT,
    SOURCE_ARN,
    Caller,
    PresetText,
    ServiceRequirement,
    Shape,
    Who,
)

_PAGE = "https://docs.aws.amazon.com/macie/latest/user/discovery-results-repository-s3.html"

REQUIREMENT = ServiceRequirement(
    name="macie",
    title="Macie discovery results",
    pages=(_PAGE,),
    callers=(
        Caller(
            who=Who.SERVICE,
            principal="macie.amazonaws.com",
            actions=("Encrypt", "GenerateDataKey"),
            page=_PAGE,
            sends={
                SOURCE_ACCOUNT: ACCOUNT,
                SOURCE_ARN: (
                    f"arn:{PARTITION}:macie2:{REGION}:{ACCOUNT}:export-configuration:*",
                    f"arn:{PARTITION}:macie2:{REGION}:{ACCOUNT}:classification-job/*",
                ),
            },
            limits=(
                ("StringEquals", SOURCE_ACCOUNT),
                ("ArnLike", SOURCE_ARN),
            ),
        ),
    ),
    preset=PresetText(
        call="ServiceAccess.macie(…)",
        sid="Macie",
        shape=Shape.SOURCES,
        summary="Lets Macie encrypt the discovery results that it exports.",
        source="macie2",
        sources="ARNs of the export configuration and the classification jobs",
    ),
    asks_as=("macie.amazonaws.com",),
    notes=("CloudFormation has no resource for the export.",),
)
