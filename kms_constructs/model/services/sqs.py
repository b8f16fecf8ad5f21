"""Encrypted queues of SQS, and who sends and receives."""

from __future__ import annotations

from kms_constructs.model.service_requirement import (
    PresetText,
    Row,
    ServiceRequirement,
    Who,
    named_by,
    through_service,
)

_PAGE = "https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-key-management.html"

REQUIREMENT = ServiceRequirement(
    name="sqs",
    title="SQS queue",
    pages=(_PAGE,),
    via="sqs",
    callers=(
        through_service("sqs", Who.WRITER, ("Decrypt", "GenerateDataKey"), page=_PAGE, sid="Producers"),
        through_service("sqs", Who.READER, ("Decrypt",), page=_PAGE, sid="Consumers"),
    ),
    consumers=(named_by("AWS::SQS::Queue", "KmsMasterKeyId", page=_PAGE),),
    rows=(
        Row(
            "SQS queue",
            "sqs.Queue(encryption_master_key=key)",
            "whoever sends and receives",
            "services=[ServiceAccess.sqs(producers=[…], consumers=[…])], key_users, or"
            " queue.grant_send_messages(role)",
        ),
    ),
    preset=PresetText(call="ServiceAccess.sqs(producers=[…], consumers=[…])", sid="Sqs"),
    asks_through=("sqs",),
    notes=("Whoever consumes a dead-letter queue needs Decrypt on the keys of its source queues too.",),
    undocumented=("The encryption context of a queue.",),
)
