"""Distributions of CloudFront that read encrypted buckets."""

from __future__ import annotations

from kms_constructs.model.service_requirement import (
    ACCOUNT,
    ANY_FORM,
    BUCKET,
    DATA_KEYS,
    PARTITION,
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

_PAGE = "https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/private-content-restricting-access-to-s3.html"

REQUIREMENT = ServiceRequirement(
    name="cloudfront",
    title="CloudFront origin access control",
    pages=(_PAGE,),
    callers=(
        Caller(
            who=Who.SERVICE,
            principal="cloudfront.amazonaws.com",
            actions=("Decrypt", "Encrypt", *DATA_KEYS),
            page=_PAGE,
            sends={SOURCE_ARN: f"arn:{PARTITION}:cloudfront::{ACCOUNT}:distribution/*"},
            limits=(("ArnLike", SOURCE_ARN),),
            called=("Decrypt",),
            note="Encrypt and data keys are for uploads through the distribution.",
        ),
    ),
    consumers=(
        Consumer(
            (
                Step(
                    "AWS::CloudFront::Distribution",
                    ("DistributionConfig/Origins/*/DomainName",),
                    {"DistributionConfig/Origins/*/OriginAccessControlId": "*"},
                ),
                BUCKET,
            ),
            ANY_FORM,
            _PAGE,
        ),
    ),
    rows=(
        Row(
            "CloudFront distribution of a bucket",
            "cloudfront_origins.S3BucketOrigin.with_origin_access_control(bucket)",
            "cloudfront.amazonaws.com",
            "services=[ServiceAccess.cloudfront()]",
            refused=True,
        ),
    ),
    preset=PresetText(
        call="ServiceAccess.cloudfront(…)",
        sid="CloudFront",
        shape=Shape.SOURCES,
        summary="Lets CloudFront read, by origin access control, buckets that are encrypted with this key.",
        detail="An origin access identity, the older way, cannot read such buckets.",
        source="cloudfront",
        sources="ARNs of the distributions",
    ),
    asks_as=("cloudfront.amazonaws.com",),
    notes=(
        (
            "The id of a distribution that stands in the key policy of its own bucket makes a"
            " circle in CloudFormation."
        ),
    ),
)
