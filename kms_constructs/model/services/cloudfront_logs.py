"""Standard logs of CloudFront in encrypted buckets."""

from __future__ import annotations

from kms_constructs.model.service_requirement import (
    ANY_FORM,
    BUCKET,
    Caller,
    Consumer,
    Row,
    ServiceRequirement,
    Step,
    Who,
)

_PAGE = "https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/standard-logging-legacy-s3.html"

REQUIREMENT = ServiceRequirement(
    name="cloudfront_logs",
    title="CloudFront standard logs",
    pages=(_PAGE,),
    callers=(
        Caller(
            who=Who.SERVICE,
            principal="delivery.logs.amazonaws.com",
            actions=("GenerateDataKey",),
            page=_PAGE,
            note="With an S3 Bucket Key Decrypt, too. AWS's statement has no condition.",
        ),
    ),
    consumers=(
        Consumer(
            (Step("AWS::CloudFront::Distribution", ("DistributionConfig/Logging/Bucket",)), BUCKET),
            ANY_FORM,
            _PAGE,
        ),
    ),
    rows=(
        Row(
            "CloudFront standard logs",
            "cloudfront.Distribution(log_bucket=bucket)",
            "delivery.logs.amazonaws.com",
            ("services=[ServiceAccess.log_delivery()], whose condition AWS does not document for these logs"),
        ),
    ),
    undocumented=("A condition key that these calls carry.",),
)
