"""Mail that SES receives into S3."""

from __future__ import annotations

from kms_constructs.model.service_requirement import (
    ACCOUNT,
    DATA_KEYS,
    PARTITION,
    REGION,
    SOURCE_ACCOUNT,
    SOURCE_ARN,
    Caller,
    KeyForm,
    PresetText,
    Row,
    ServiceRequirement,
    Who,
    named_by,
)

_PAGE = "https://docs.aws.amazon.com/ses/latest/dg/receiving-email-permissions.html"

REQUIREMENT = ServiceRequirement(
    name="ses",
    title="SES receipt rule",
    pages=(_PAGE,),
    callers=(
        Caller(
            who=Who.SERVICE,
            principal="ses.amazonaws.com",
            actions=DATA_KEYS,
            called=("GenerateDataKey",),
            page=_PAGE,
            sends={
                SOURCE_ACCOUNT: ACCOUNT,
                SOURCE_ARN: f"arn:{PARTITION}:ses:{REGION}:{ACCOUNT}:receipt-rule-set/*",
            },
            limits=(("StringEquals", SOURCE_ACCOUNT), ("ArnLike", SOURCE_ARN)),
        ),
    ),
    consumers=(
        named_by(
            "AWS::SES::ReceiptRule",
            "Rule/Actions/*/S3Action/KmsKeyArn",
            page=_PAGE,
            forms=(KeyForm.ARN, KeyForm.ALIAS),
        ),
    ),
    rows=(
        Row(
            "SES receipt rule",
            "ses_actions.S3(bucket=bucket, kms_key=key)",
            "ses.amazonaws.com",
            "services=[ServiceAccess.ses()]",
            refused=True,
        ),
    ),
    preset=PresetText(call="ServiceAccess.ses(…)", sid="Ses"),
    asks_as=("ses.amazonaws.com",),
)
