"""Log files of CloudTrail trails."""

from __future__ import annotations

from kms_constructs.model.service_requirement import (
    ACCOUNT,
    CONTEXT,
    DATA_KEYS,
    PARTITION,
    REGION,
    SOURCE_ACCOUNT,
    SOURCE_ARN,
    Caller,
    PresetText,
    Row,
    ServiceRequirement,
    When,
    Who,
    named_by,
)

_PAGE = "https://docs.aws.amazon.com/awscloudtrail/latest/userguide/create-kms-key-policy-for-cloudtrail.html"
_TRAILS = f"arn:{PARTITION}:cloudtrail:{REGION}:{ACCOUNT}:trail/*"
_CONTEXT = f"{CONTEXT}aws:cloudtrail:arn"

REQUIREMENT = ServiceRequirement(
    name="cloudtrail",
    title="CloudTrail trail",
    pages=(_PAGE,),
    callers=(
        Caller(
            who=Who.SERVICE,
            principal="cloudtrail.amazonaws.com",
            actions=DATA_KEYS,
            called=("GenerateDataKey",),
            page=_PAGE,
            sends={
                SOURCE_ARN: _TRAILS,
                _CONTEXT: f"arn:{PARTITION}:cloudtrail:*:{ACCOUNT}:trail/*",
            },
            limits=(("ArnLike", SOURCE_ARN), ("StringLike", _CONTEXT)),
            sid="Encrypt",
        ),
        Caller(
            who=Who.SERVICE,
            principal="cloudtrail.amazonaws.com",
            actions=("DescribeKey",),
            page=_PAGE,
            when=When.CREATE,
            sends={SOURCE_ARN: _TRAILS},
            limits=(("ArnLike", SOURCE_ARN),),
            sid="Describe",
        ),
        Caller(
            who=Who.SERVICE,
            principal="cloudtrail.amazonaws.com",
            actions=("Decrypt",),
            page=_PAGE,
            sends={SOURCE_ARN: _TRAILS},
            limits=(("ArnLike", SOURCE_ARN),),
            only_if="the trail's bucket uses an S3 Bucket Key",
            sid="BucketKey",
        ),
        Caller(
            who=Who.READER,
            actions=("Decrypt",),
            page=_PAGE,
            sends={_CONTEXT: f"arn:{PARTITION}:cloudtrail:*:{ACCOUNT}:trail/*"},
            omits=(SOURCE_ARN, SOURCE_ACCOUNT),
            sid="Readers",
        ),
    ),
    consumers=(named_by("AWS::CloudTrail::Trail", "KMSKeyId", page=_PAGE),),
    rows=(
        Row(
            "CloudTrail trail",
            "cloudtrail.Trail(encryption_key=key)",
            "cloudtrail.amazonaws.com",
            "services=[ServiceAccess.cloudtrail()]",
        ),
    ),
    preset=PresetText(call="ServiceAccess.cloudtrail(…)", sid="CloudTrail"),
    asks_as=("cloudtrail.amazonaws.com",),
    notes=(
        "For event data stores of CloudTrail Lake, CloudTrail sends neither aws:SourceArn nor"
        " aws:SourceAccount.",
    ),
)
