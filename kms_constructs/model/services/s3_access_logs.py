"""Server access logs of S3: no KMS key."""

from __future__ import annotations

from kms_constructs.model.service_requirement import (
    ANY_FORM,
    BUCKET,
    Consumer,
    Row,
    ServiceRequirement,
    Step,
)

_PAGE = "https://docs.aws.amazon.com/AmazonS3/latest/userguide/enable-server-access-logging.html"

REQUIREMENT = ServiceRequirement(
    name="s3_access_logs",
    title="S3 server access logs",
    pages=(
        _PAGE,
        "https://docs.aws.amazon.com/AmazonS3/latest/userguide/troubleshooting-server-access-logging.html",
    ),
    callers=(),
    consumers=(
        Consumer(
            (Step("AWS::S3::Bucket", ("LoggingConfiguration/DestinationBucketName",)), BUCKET),
            ANY_FORM,
            _PAGE,
        ),
    ),
    rows=(
        Row(
            "S3 server access logs",
            "s3.Bucket(server_access_logs_bucket=bucket)",
            "nobody",
            "none: the bucket takes SSE-S3 only",
            refused=True,
        ),
    ),
    asks_as=("logging.s3.amazonaws.com",),
    unsupported="S3 delivers server access logs to buckets with SSE-S3 only",
)
