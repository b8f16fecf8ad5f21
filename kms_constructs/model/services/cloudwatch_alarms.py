"""Alarms of CloudWatch that notify encrypted topics."""

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
    Shape,
    Step,
    Who,
)

_PAGE = "https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html"

REQUIREMENT = ServiceRequirement(
    name="cloudwatch_alarms",
    title="CloudWatch alarm",
    pages=(_PAGE,),
    callers=(
        Caller(
            who=Who.SERVICE,
            principal="cloudwatch.amazonaws.com",
            actions=("Decrypt", "GenerateDataKey"),
            page=_PAGE,
            sends={
                SOURCE_ACCOUNT: ACCOUNT,
                SOURCE_ARN: f"arn:{PARTITION}:cloudwatch:{REGION}:{ACCOUNT}:alarm:*",
                f"{CONTEXT}aws:sns:topicArn": f"arn:{PARTITION}:sns:{REGION}:{ACCOUNT}:*",
            },
            limits=(
                ("StringEquals", SOURCE_ACCOUNT),
                ("ArnLike", SOURCE_ARN),
            ),
        ),
    ),
    consumers=(
        Consumer(
            (
                Step(
                    "AWS::CloudWatch::Alarm",
                    (
                        "AlarmActions/*",
                        "OKActions/*",
                        "InsufficientDataActions/*",
                    ),
                ),
                TOPIC,
            ),
            ANY_FORM,
            _PAGE,
        ),
        Consumer(
            (
                Step(
                    "AWS::CloudWatch::CompositeAlarm",
                    (
                        "AlarmActions/*",
                        "OKActions/*",
                        "InsufficientDataActions/*",
                    ),
                ),
                TOPIC,
            ),
            ANY_FORM,
            _PAGE,
        ),
    ),
    rows=(
        Row(
            "CloudWatch alarm to SNS",
            "alarm.add_alarm_action(cloudwatch_actions.SnsAction(topic))",
            "cloudwatch.amazonaws.com",
            "services=[ServiceAccess.cloudwatch_alarms()]",
        ),
    ),
    preset=PresetText(
        call="ServiceAccess.cloudwatch_alarms(…)",
        sid="CloudWatchAlarms",
        shape=Shape.SOURCES,
        summary="Lets CloudWatch alarms notify topics that are encrypted with this key.",
        detail=(
            "Without it an alarm fires and says nothing: the failure stands in the alarm's history alone."
        ),
        source="cloudwatch",
        sources="ARNs of the alarms",
    ),
    asks_as=("cloudwatch.amazonaws.com",),
    notes=(
        (
            "AWS recommends aws:SourceAccount and aws:SourceArn for every service that publishes"
            " but EventBridge."
        ),
    ),
)
