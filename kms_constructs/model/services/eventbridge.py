"""Rules of EventBridge that send to encrypted queues."""

from __future__ import annotations

from kms_constructs.model.service_requirement import (
    ACCOUNT,
    ANY_FORM,
    PARTITION,
    QUEUE,
    REGION,
    SOURCE_ACCOUNT,
    SOURCE_ARN,
    Caller,
    Consumer,
    PresetText,
    Row,
    ServiceRequirement,
    Step,
    Who,
)

_PAGE = "https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-troubleshooting.html"
_SQS = "https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-key-management.html"

REQUIREMENT = ServiceRequirement(
    name="eventbridge",
    title="EventBridge rule with a queue as target",
    pages=(_SQS, _PAGE),
    callers=(
        Caller(
            who=Who.SERVICE,
            principal="events.amazonaws.com",
            actions=("Decrypt", "GenerateDataKey"),
            page=_PAGE,
            sends={
                SOURCE_ARN: f"arn:{PARTITION}:events:{REGION}:{ACCOUNT}:rule/*",
                SOURCE_ACCOUNT: ACCOUNT,
            },
            limits=(("ArnLike", SOURCE_ARN),),
        ),
    ),
    consumers=(
        Consumer(
            (Step("AWS::Events::Rule", ("Targets/*/Arn", "Targets/*/DeadLetterConfig/Arn")), QUEUE),
            ANY_FORM,
            _PAGE,
        ),
    ),
    rows=(
        Row(
            "EventBridge rule to SQS",
            "targets.SqsQueue(queue)",
            "events.amazonaws.com",
            "services=[ServiceAccess.eventbridge()]",
            refused=True,
        ),
    ),
    preset=PresetText(call="ServiceAccess.eventbridge(…)", sid="Eventbridge"),
    asks_as=("events.amazonaws.com",),
    notes=("The source ARN of a rule on a bus of its own is rule/BUS/RULE.",),
)
