"""Functions that read encrypted queues and streams."""

from __future__ import annotations

from kms_constructs.model.service_requirement import (
    ANY_FORM,
    QUEUE,
    Caller,
    Consumer,
    Row,
    ServiceRequirement,
    Step,
    Who,
)

_PAGE = "https://docs.aws.amazon.com/streams/latest/dev/permissions-user-key-KMS.html"

REQUIREMENT = ServiceRequirement(
    name="lambda_event_sources",
    title="Lambda event source",
    pages=(
        _PAGE,
        "https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-key-management.html",
    ),
    callers=(
        Caller(
            who=Who.ROLE,
            actions=("Decrypt",),
            page=_PAGE,
            roles=(
                (
                    Step("AWS::Lambda::EventSourceMapping", ("FunctionName",)),
                    Step("AWS::Lambda::Function", ("Role",)),
                ),
            ),
        ),
    ),
    consumers=(
        Consumer((Step("AWS::Lambda::EventSourceMapping", ("EventSourceArn",)), QUEUE), ANY_FORM, _PAGE),
        Consumer(
            (
                Step("AWS::Lambda::EventSourceMapping", ("EventSourceArn",)),
                Step("AWS::Kinesis::Stream", ("StreamEncryption/KeyId",)),
            ),
            ANY_FORM,
            _PAGE,
        ),
    ),
    rows=(
        Row(
            "Lambda event source",
            "lambda_event_sources.SqsEventSource(queue)",
            "the function's role, which it is granted to",
            (
                "nothing for a role of the same stack; services=[ServiceAccess.sqs(consumers=[role])]"
                " or kinesis([role]) for others"
            ),
        ),
    ),
)
