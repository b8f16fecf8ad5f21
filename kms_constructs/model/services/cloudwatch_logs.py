"""Log groups of CloudWatch Logs."""

from __future__ import annotations

from kms_constructs.model.service_requirement import (
    ACCOUNT,
    ALL_SYMMETRIC,
    CONTEXT,
    PARTITION,
    REGION,
    SUFFIX,
    Caller,
    KeyForm,
    PresetText,
    Row,
    ServiceRequirement,
    Who,
    named_by,
)

_PAGE = "https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html"
_CONTEXT = f"{CONTEXT}aws:logs:arn"

REQUIREMENT = ServiceRequirement(
    name="cloudwatch_logs",
    title="CloudWatch Logs group",
    pages=(_PAGE,),
    callers=(
        Caller(
            who=Who.SERVICE,
            principal=f"logs.{REGION}.{SUFFIX}",
            actions=ALL_SYMMETRIC,
            page=_PAGE,
            sends={_CONTEXT: f"arn:{PARTITION}:logs:{REGION}:{ACCOUNT}:log-group:*"},
            limits=(("ArnLike", _CONTEXT),),
        ),
    ),
    consumers=(named_by("AWS::Logs::LogGroup", "KmsKeyId", page=_PAGE, forms=(KeyForm.ARN,)),),
    rows=(
        Row(
            "CloudWatch Logs group",
            "logs.LogGroup(encryption_key=key)",
            "logs.<region>.amazonaws.com",
            "services=[ServiceAccess.cloudwatch_logs()]",
        ),
    ),
    preset=PresetText(call="ServiceAccess.cloudwatch_logs(…)", sid="CloudWatchLogs"),
    asks_as=(f"logs.{REGION}.{SUFFIX}",),
)
