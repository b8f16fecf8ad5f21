"""The preset for rules of EventBridge that notify topics."""

from __future__ import annotations

from collections.abc import Sequence

from kms_constructs.model.service_requirement import ACCOUNT, CONTEXT
from kms_constructs.model.services.eventbridge_topics import REQUIREMENT
from kms_constructs.policies.services.parts import Templates, by_service, checked_sources
from kms_constructs.policies.target import check_account


def eventbridge_topics(*, topic_arns: Sequence[str] = (), account: str = ACCOUNT) -> Templates:
    """Lets EventBridge rules notify topics that are encrypted with this key.

    Towards SNS, EventBridge supports none of the conditions on its source: with one, the rule would notify
    nobody. What limits the statement is the topic, by the encryption context that SNS sends: a stranger's
    rule reaches KMS only where the topic's policy lets it publish.

    Args:
        topic_arns: The topics; every topic of the account in the key's Region by default.
        account: Account of the topics; the key's own by default.

    Raises:
        ArgumentError: An ARN that is no topic's, or of another account.

    See: https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html
    """
    check_account("account", account)
    arns = checked_sources("topic_arns", topic_arns, "sns", account)
    return by_service(REQUIREMENT, "", {f"{CONTEXT}aws:sns:topicArn": arns}, account)
