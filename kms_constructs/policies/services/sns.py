"""The preset for SNS that delivers to queues."""

from __future__ import annotations

from collections.abc import Sequence

from kms_constructs.model.service_requirement import ACCOUNT, SOURCE_ARN
from kms_constructs.model.services.sns import REQUIREMENT
from kms_constructs.policies.services.parts import Templates, by_service, checked_sources
from kms_constructs.policies.target import check_account


def sns(*, topic_arns: Sequence[str] = (), account: str = ACCOUNT) -> Templates:
    """Lets SNS topics deliver to queues that are encrypted with this key.

    Whoever publishes to a topic that is itself encrypted with the key needs access of its own: a service
    by its preset, a role through `sns_publishers`.

    Args:
        topic_arns: The topics; every topic of the account in the key's Region by default.
        account: Account of the topics; the key's own by default.

    Raises:
        ArgumentError: An ARN that is no topic's, or of another account.

    See: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-key-management.html
    """
    check_account("account", account)
    arns = checked_sources("topic_arns", topic_arns, "sns", account)
    return by_service(REQUIREMENT, "", {SOURCE_ARN: arns}, account)
