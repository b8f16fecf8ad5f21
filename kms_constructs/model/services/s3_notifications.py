"""Event notifications of S3 to encrypted queues and topics."""

from __future__ import annotations

from kms_constructs.model.service_requirement import (
    ACCOUNT,
    ANY_FORM,
    PARTITION,
    QUEUE,
    SOURCE_ACCOUNT,
    SOURCE_ARN,
    TOPIC,
    Caller,
    Consumer,
    PresetText,
    Row,
    ServiceRequirement,
    Step,
    When,
    Who,
)

_PAGE = "https://docs.aws.amazon.com/AmazonS3/latest/userguide/grant-destinations-permissions-to-s3.html"

REQUIREMENT = ServiceRequirement(
    name="s3_notifications",
    title="S3 event notification",
    pages=(_PAGE,),
    callers=(
        Caller(
            who=Who.SERVICE,
            principal="s3.amazonaws.com",
            actions=("Decrypt", "GenerateDataKey"),
            page=_PAGE,
            when=When.CREATE,
            sends={SOURCE_ACCOUNT: ACCOUNT, SOURCE_ARN: f"arn:{PARTITION}:s3:::*"},
            limits=(("StringEquals", SOURCE_ACCOUNT), ("ArnLike", SOURCE_ARN)),
            note="S3 sends a test message when the notification is set.",
        ),
    ),
    consumers=tuple(
        Consumer((Step(resource, (f"NotificationConfiguration/{path}",)), holder), ANY_FORM, _PAGE)
        for resource, path, holder in (
            ("AWS::S3::Bucket", "QueueConfigurations/*/Queue", QUEUE),
            ("AWS::S3::Bucket", "TopicConfigurations/*/Topic", TOPIC),
            ("Custom::S3BucketNotifications", "QueueConfigurations/*/QueueArn", QUEUE),
            ("Custom::S3BucketNotifications", "TopicConfigurations/*/TopicArn", TOPIC),
        )
    ),
    rows=(
        Row(
            "S3 notification to SQS",
            "bucket.add_event_notification(…, s3n.SqsDestination(queue))",
            "s3.amazonaws.com",
            "services=[ServiceAccess.s3_notifications()]",
            refused=True,
        ),
    ),
    preset=PresetText(call="ServiceAccess.s3_notifications(…)", sid="S3Notifications"),
    asks_as=("s3.amazonaws.com",),
)
