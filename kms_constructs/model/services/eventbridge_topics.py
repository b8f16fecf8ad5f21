"""Rules of EventBridge that notify encrypted topics."""

from __future__ import annotations

from kms_constructs.model.service_requirement import (
    ACCOUNT,
    ANY_FORM,
    CONTEXT,
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
    Step,
    Who,
)

_PAGE = "https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html"
_CONTEXT = f"{CONTEXT}aws:sns:topicArn"

REQUIREMENT = ServiceRequirement(
    name="eventbridge_topics",
    title="EventBridge rule with a topic as target",
    pages=(
        _PAGE,
        "https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-troubleshooting.html",
        "https://docs.aws.amazon.com/sns/latest/dg/sns-enable-encryption-for-topic.html",
    ),
    callers=(
        Caller(
            who=Who.SERVICE,
            principal="events.amazonaws.com",
            actions=("Decrypt", "GenerateDataKey"),
            page=_PAGE,
            sends={_CONTEXT: f"arn:{PARTITION}:sns:{REGION}:{ACCOUNT}:*"},
            omits=(SOURCE_ARN, SOURCE_ACCOUNT, "aws:SourceOrgID"),
            limits=(("ArnLike", _CONTEXT),),
        ),
    ),
    consumers=(Consumer((Step("AWS::Events::Rule", ("Targets/*/Arn",)), TOPIC), ANY_FORM, _PAGE),),
    rows=(
        Row(
            "EventBridge rule to SNS",
            "targets.SnsTopic(topic)",
            "events.amazonaws.com",
            "services=[ServiceAccess.eventbridge_topics()]",
            refused=True,
        ),
    ),
    asks_as=("events.amazonaws.com",),
    preset=PresetText(call="ServiceAccess.eventbridge_topics(…)", sid="EventbridgeTopics"),
    notes=(
        (
            "aws:SourceArn, aws:SourceAccount and aws:SourceOrgID are documented as unsupported:"
            " a statement that asks for one allows nothing."
        ),
        "The encryption context of a topic is documented by SNS, and not by EventBridge.",
    ),
)
