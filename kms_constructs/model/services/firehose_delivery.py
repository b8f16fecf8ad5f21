"""Streams of Firehose that deliver to encrypted buckets."""

from __future__ import annotations

from kms_constructs.model.service_requirement import (
    ANY_FORM,
    BUCKET,
    PARTITION,
    Consumer,
    KeyForm,
    Row,
    ServiceRequirement,
    Step,
    Who,
    named_by,
    through_service,
)

_PAGE = "https://docs.aws.amazon.com/firehose/latest/dev/controlling-access.html"
_STREAM = "AWS::KinesisFirehose::DeliveryStream"
_DESTINATIONS = ("ExtendedS3DestinationConfiguration", "S3DestinationConfiguration")

REQUIREMENT = ServiceRequirement(
    name="firehose_delivery",
    title="Firehose delivery to S3",
    pages=(_PAGE,),
    via="s3",
    callers=(
        through_service(
            "s3",
            Who.ROLE,
            ("Decrypt", "GenerateDataKey"),
            page=_PAGE,
            context={"aws:s3:arn": f"arn:{PARTITION}:s3:::*"},
            roles=((Step(_STREAM, tuple(f"{one}/RoleARN" for one in _DESTINATIONS)),),),
        ),
    ),
    consumers=(
        *(
            named_by(
                _STREAM,
                f"{one}/EncryptionConfiguration/KMSEncryptionConfig/AWSKMSKeyARN",
                page=_PAGE,
                forms=(KeyForm.ARN,),
            )
            for one in _DESTINATIONS
        ),
        *(Consumer((Step(_STREAM, (f"{one}/BucketARN",)), BUCKET), ANY_FORM, _PAGE) for one in _DESTINATIONS),
    ),
    rows=(
        Row(
            "Firehose delivery to S3",
            "firehose.S3Bucket(bucket, encryption_key=key)",
            "the delivery role, which it is granted to",
            "nothing for a role of the same stack; services=[ServiceAccess.s3([role])] for others",
        ),
    ),
)
