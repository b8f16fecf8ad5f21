"""The preset for SQS."""

from __future__ import annotations

from collections.abc import Sequence

from kms_constructs.model.services.sqs import REQUIREMENT
from kms_constructs.policies.services.parts import Templates, through_caller
from kms_constructs.policies.target import check_list


def sqs(*, producers: Sequence[object] = (), consumers: Sequence[object] = ()) -> Templates:
    """Lets principals of the key's account send to and receive from queues encrypted with this key.

    SQS calls KMS with the identity of whoever sends or receives. A service that sends (SNS, S3,
    EventBridge) has its own preset.

    Args:
        producers: Roles and users who send messages.
        consumers: Roles and users who receive them.

    Raises:
        ArgumentError: Nobody named, or a principal that is none.

    See: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-key-management.html
    """
    made: Templates = ()
    if producers:
        made += through_caller(REQUIREMENT, "Producers", producers, argument="producers")
    if consumers:
        made += through_caller(REQUIREMENT, "Consumers", consumers, argument="consumers")
    if not made:
        check_list("producers", producers)
    return made
