"""Encrypted topics of SNS, and who publishes to them."""

from __future__ import annotations

from kms_constructs.model.service_requirement import (
    ACCOUNT,
    PARTITION,
    REGION,
    PresetText,
    Row,
    ServiceRequirement,
    Who,
    named_by,
    through_service,
)

_PAGE = "https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html"

REQUIREMENT = ServiceRequirement(
    name="sns_publishers",
    title="SNS topic",
    pages=(_PAGE,),
    via="sns",
    callers=(
        through_service(
            "sns",
            Who.WRITER,
            ("Decrypt", "GenerateDataKey"),
            page=_PAGE,
            context={"aws:sns:topicArn": f"arn:{PARTITION}:sns:{REGION}:{ACCOUNT}:*"},
        ),
    ),
    consumers=(named_by("AWS::SNS::Topic", "KmsMasterKeyId", page=_PAGE),),
    rows=(
        Row(
            "SNS topic",
            "sns.Topic(master_key=key)",
            "whoever publishes",
            "services=[ServiceAccess.sns_publishers([…])], or key_users",
        ),
    ),
    preset=PresetText(call="ServiceAccess.sns_publishers([…])", sid="SnsPublishers"),
    asks_through=("sns",),
    notes=("Subscribers need no key: SNS decrypts before it delivers.",),
)
