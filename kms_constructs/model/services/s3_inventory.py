"""Inventory reports of S3."""

from __future__ import annotations

from kms_constructs.model.service_requirement import (
    ACCOUNT,
    ANY_FORM,
    BUCKET,
    PARTITION,
    SOURCE_ACCOUNT,
    SOURCE_ARN,
    Caller,
    Consumer,
    PresetText,
    Row,
    ServiceRequirement,
    Shape,
    Step,
    Who,
)

_PAGE = "https://docs.aws.amazon.com/AmazonS3/latest/userguide/configure-inventory.html"

REQUIREMENT = ServiceRequirement(
    name="s3_inventory",
    title="S3 Inventory",
    pages=(_PAGE,),
    callers=(
        Caller(
            who=Who.SERVICE,
            principal="s3.amazonaws.com",
            actions=("GenerateDataKey",),
            page=_PAGE,
            sends={SOURCE_ACCOUNT: ACCOUNT, SOURCE_ARN: f"arn:{PARTITION}:s3:::*"},
            limits=(
                ("StringEquals", SOURCE_ACCOUNT),
                ("ArnLike", SOURCE_ARN),
            ),
        ),
    ),
    consumers=(
        Consumer(
            (Step("AWS::S3::Bucket", ("InventoryConfigurations/*/Destination/BucketArn",)), BUCKET),
            ANY_FORM,
            _PAGE,
        ),
    ),
    rows=(
        Row(
            "S3 Inventory",
            "source.add_inventory(destination=s3.InventoryDestination(bucket=bucket))",
            "s3.amazonaws.com",
            "services=[ServiceAccess.s3_inventory()]",
        ),
    ),
    asks_as=("s3.amazonaws.com",),
    preset=PresetText(
        call="ServiceAccess.s3_inventory(…)",
        sid="S3Inventory",
        shape=Shape.SOURCES,
        summary="Lets S3 write inventory reports to buckets that are encrypted with this key.",
        detail="A bucket's ARN names no account: the source account is always required as well.",
        source="s3",
        sources="ARNs of the buckets that are listed",
    ),
    undocumented=("Whether an S3 Bucket Key needs Decrypt besides.",),
)
