"""Event subscriptions of RDS that notify encrypted topics."""

from __future__ import annotations

from kms_constructs.model.service_requirement import (
    ACCOUNT,
    ANY_FORM,
    PARTITION,
    REGION,
    SOURCE_ACCOUNT,
    SOURCE_ARN,
    TOPIC,
    Caller,
    Consumer,
    PresetText,
    Row,
    ServiceRequirement,
    Shape,
    Step,
    Who,
)

_PAGE = "https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html"

REQUIREMENT = ServiceRequirement(
    name="rds_events",
    title="RDS event subscription",
    pages=(
        _PAGE,
        "https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_Events.GrantingPermissions.html",
    ),
    callers=(
        Caller(
            who=Who.SERVICE,
            principal="events.rds.amazonaws.com",
            actions=("Decrypt", "GenerateDataKey"),
            page=_PAGE,
            sends={SOURCE_ACCOUNT: ACCOUNT, SOURCE_ARN: f"arn:{PARTITION}:rds:{REGION}:{ACCOUNT}:*"},
            limits=(
                ("StringEquals", SOURCE_ACCOUNT),
                ("ArnLike", SOURCE_ARN),
            ),
        ),
    ),
    consumers=(Consumer((Step("AWS::RDS::EventSubscription", ("SnsTopicArn",)), TOPIC), ANY_FORM, _PAGE),),
    rows=(
        Row(
            "RDS event subscription to SNS",
            "rds.CfnEventSubscription(sns_topic_arn=topic.topic_arn)",
            "events.rds.amazonaws.com",
            "services=[ServiceAccess.rds_events()]",
        ),
    ),
    preset=PresetText(
        call="ServiceAccess.rds_events(…)",
        sid="RdsEvents",
        shape=Shape.SOURCES,
        summary="Lets event subscriptions of RDS notify topics that are encrypted with this key.",
        source="rds",
        sources="ARNs of the databases, clusters or snapshots",
    ),
    asks_as=("events.rds.amazonaws.com",),
    notes=(
        (
            "AWS recommends aws:SourceAccount and aws:SourceArn for every service that publishes"
            " but EventBridge."
        ),
        "The principal is not rds.amazonaws.com.",
    ),
)
