"""The preset for rules of EventBridge."""

from __future__ import annotations

from collections.abc import Sequence

from kms_constructs.model.service_requirement import ACCOUNT, SOURCE_ARN
from kms_constructs.model.services.eventbridge import REQUIREMENT
from kms_constructs.policies.services.parts import Templates, by_service, checked_sources
from kms_constructs.policies.target import check_account


def eventbridge(*, rule_arns: Sequence[str] = (), account: str = ACCOUNT) -> Templates:
    """Lets EventBridge rules send to queues that are encrypted with this key.

    For an encrypted topic let the rule use a role (the target's ``role_arn``) and name it in
    `sns_publishers`: AWS documents no source condition that EventBridge honours towards SNS.

    Args:
        rule_arns: The rules; every rule of the account in the key's Region by default.
        account: Account of the rules; the key's own by default.

    Raises:
        ArgumentError: An ARN that is no rule's, or of another account.

    See: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-key-management.html
    """
    check_account("account", account)
    arns = checked_sources("rule_arns", rule_arns, "events", account)
    return by_service(REQUIREMENT, "", {SOURCE_ARN: arns}, account)
