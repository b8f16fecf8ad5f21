"""Topics of SNS that deliver to encrypted queues."""

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

_PAGE = (
    "https://docs.aws.amazon.com/sns/latest/dg/sns-enable-encryption-for-topic-sqs-queue-subscriptions.html"
)
_DEAD_LETTERS = "https://docs.aws.amazon.com/sns/latest/dg/sns-dead-letter-queues.html"
_SQS = "https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-key-management.html"

REQUIREMENT = ServiceRequirement(
    name="sns",
    title="SNS topic that delivers to a queue",
    pages=(_SQS, _PAGE),
    callers=(
        Caller(
            who=Who.SERVICE,
            principal="sns.amazonaws.com",
            actions=("Decrypt", "GenerateDataKey"),
            page=_PAGE,
            sends={SOURCE_ARN: f"arn:{PARTITION}:sns:{REGION}:{ACCOUNT}:*", SOURCE_ACCOUNT: ACCOUNT},
            limits=(("ArnLike", SOURCE_ARN),),
        ),
    ),
    consumers=(
        Consumer(
            (Step("AWS::SNS::Subscription", ("Endpoint",), {"Protocol": "sqs"}), QUEUE), ANY_FORM, _PAGE
        ),
        Consumer(
            (
                Step("AWS::SNS::Topic", ("Subscription/*/Endpoint",), {"Subscription/*/Protocol": "sqs"}),
                QUEUE,
            ),
            ANY_FORM,
            _PAGE,
        ),
        Consumer(
            (Step("AWS::SNS::Subscription", ("RedrivePolicy/deadLetterTargetArn",)), QUEUE),
            ANY_FORM,
            _DEAD_LETTERS,
        ),
    ),
    rows=(
        Row(
            "SNS subscription of an SQS queue",
            "topic.add_subscription(subs.SqsSubscription(queue))",
            "sns.amazonaws.com",
            "services=[ServiceAccess.sns()]",
            refused=True,
        ),
    ),
    preset=PresetText(call="ServiceAccess.sns(…)", sid="Sns"),
    asks_as=("sns.amazonaws.com",),
    undocumented=("For a dead-letter queue: whether the source ARN is the topic's or the subscription's.",),
)
