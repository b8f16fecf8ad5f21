"""Event filters of Lambda."""

from __future__ import annotations

from kms_constructs.model.service_requirement import (
    ACCOUNT,
    CONTEXT,
    PARTITION,
    REGION,
    SOURCE_ARN,
    Caller,
    KeyForm,
    PresetText,
    Row,
    ServiceRequirement,
    Shape,
    When,
    Who,
    named_by,
    through_service,
)

_PAGE = "https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventfiltering.html"
_CONTEXT = f"{CONTEXT}aws:lambda:FunctionArn"

REQUIREMENT = ServiceRequirement(
    name="lambda_event_filters",
    title="Lambda event filter",
    pages=(_PAGE,),
    via="lambda",
    callers=(
        Caller(
            who=Who.SERVICE,
            principal=f"lambda.{REGION}.amazonaws.com",
            actions=("Decrypt",),
            page=_PAGE,
            sends={
                SOURCE_ARN: f"arn:{PARTITION}:lambda:{REGION}:{ACCOUNT}:event-source-mapping:*",
                _CONTEXT: f"arn:{PARTITION}:lambda:{REGION}:{ACCOUNT}:function:*",
            },
            limits=(
                ("ArnLike", SOURCE_ARN),
                ("ArnLike", _CONTEXT),
            ),
        ),
        through_service(
            "lambda",
            Who.CREATOR,
            ("Decrypt", "DescribeKey", "GenerateDataKey"),
            page=_PAGE,
            when=When.CREATE,
            context={"aws:lambda:FunctionArn": f"arn:{PARTITION}:lambda:{REGION}:{ACCOUNT}:function:*"},
        ),
    ),
    consumers=(named_by("AWS::Lambda::EventSourceMapping", "KmsKeyArn", page=_PAGE, forms=(KeyForm.ARN,)),),
    rows=(
        Row(
            "Lambda event filter",
            "lambda_.EventSourceMapping(filter_encryption=key)",
            "lambda.<region>.amazonaws.com, and whoever creates the mapping",
            "services=[ServiceAccess.lambda_event_filters()], and key_users",
            refused=True,
        ),
    ),
    preset=PresetText(
        call="ServiceAccess.lambda_event_filters(…)",
        sid="LambdaEventFilters",
        shape=Shape.SOURCES,
        summary=(
            "Lets Lambda decrypt the filters of event source mappings that are encrypted with this key."
        ),
        detail="Whoever creates a mapping needs Decrypt, DescribeKey and GenerateDataKey besides.",
        source="lambda",
        sources="ARNs of the mappings",
    ),
    asks_as=("lambda.amazonaws.com",),
)
