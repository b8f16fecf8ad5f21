"""Delivery of AWS Config to encrypted buckets."""

from __future__ import annotations

from kms_constructs.model.service_requirement import (
    ACCOUNT,
    PARTITION,
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

_PAGE = "https://docs.aws.amazon.com/config/latest/developerguide/s3-kms-key-policy.html"

REQUIREMENT = ServiceRequirement(
    name="config",
    title="AWS Config delivery channel",
    pages=(_PAGE,),
    callers=(
        Caller(
            who=Who.SERVICE,
            principal="config.amazonaws.com",
            actions=("Decrypt", "GenerateDataKey"),
            page=_PAGE,
            sends={
                SOURCE_ACCOUNT: ACCOUNT,
                SOURCE_ARN: f"arn:{PARTITION}:config:*:{ACCOUNT}:*",
            },
            limits=(("StringEquals", SOURCE_ACCOUNT), ("ArnLike", SOURCE_ARN)),
            only_if="Config runs under its service-linked role",
        ),
    ),
    consumers=(named_by("AWS::Config::DeliveryChannel", "S3KmsKeyArn", page=_PAGE, forms=(KeyForm.ARN,)),),
    rows=(
        Row(
            "AWS Config delivery channel",
            "config.CfnDeliveryChannel(s3_kms_key_arn=key.key_arn)",
            "config.amazonaws.com",
            "services=[ServiceAccess.config()]",
        ),
    ),
    preset=PresetText(call="ServiceAccess.config()", sid="Config"),
    asks_as=("config.amazonaws.com",),
)
