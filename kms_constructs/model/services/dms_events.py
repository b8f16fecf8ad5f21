"""Event subscriptions of DMS that notify encrypted topics."""

from __future__ import annotations

from kms_constructs.model.service_requirement import (
    ACCOUNT,
    ANY_FORM,
    SOURCE_ACCOUNT,
    TOPIC,
    Caller,
    Consumer,
    PresetText,
    Row,
    ServiceRequirement,
    Step,
    Who,
)

_PAGE = "https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html"

REQUIREMENT = ServiceRequirement(
    name="dms_events",
    title="DMS event subscription",
    pages=(_PAGE,),
    callers=(
        Caller(
            who=Who.SERVICE,
            principal="dms.amazonaws.com",
            actions=("Decrypt", "GenerateDataKey"),
            page=_PAGE,
            sends={SOURCE_ACCOUNT: ACCOUNT},
            limits=(("StringEquals", SOURCE_ACCOUNT),),
        ),
    ),
    consumers=(Consumer((Step("AWS::DMS::EventSubscription", ("SnsTopicArn",)), TOPIC), ANY_FORM, _PAGE),),
    rows=(
        Row(
            "DMS event subscription to SNS",
            "dms.CfnEventSubscription(sns_topic_arn=topic.topic_arn)",
            "dms.amazonaws.com",
            "services=[ServiceAccess.dms_events()]",
        ),
    ),
    preset=PresetText(call="ServiceAccess.dms_events()", sid="DmsEvents"),
    asks_as=("dms.amazonaws.com",),
    notes=(
        (
            "AWS recommends aws:SourceAccount and aws:SourceArn for every service that publishes"
            " but EventBridge."
        ),
    ),
    undocumented=("The form of the source ARN.",),
)
