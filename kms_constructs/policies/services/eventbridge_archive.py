"""The preset for archives of EventBridge."""

from __future__ import annotations

from collections.abc import Sequence

from kms_constructs.model.service_requirement import ACCOUNT, CONTEXT
from kms_constructs.model.services.eventbridge_archive import REQUIREMENT
from kms_constructs.policies.services.parts import Templates, by_service, checked_sources
from kms_constructs.policies.target import check_account


def eventbridge_archive(*, bus_arns: Sequence[str] = (), account: str = ACCOUNT) -> Templates:
    """Lets EventBridge encrypt archives of the events of a bus.

    DescribeKey, which tells metadata alone, has no condition: AWS documents none that EventBridge sends.

    Args:
        bus_arns: The event buses whose events are archived; every bus of the account in the key's Region by
            default.
        account: Account of the buses; the key's own by default.

    Raises:
        ArgumentError: An ARN that is no event bus's, or of another account.

    See: https://docs.aws.amazon.com/eventbridge/latest/userguide/encryption-archives.html
    """
    check_account("account", account)
    arns = checked_sources("bus_arns", bus_arns, "events", account)
    return (
        *by_service(REQUIREMENT, "", {f"{CONTEXT}aws:events:event-bus:arn": arns}, account),
        *by_service(REQUIREMENT, "Describe", {}, account),
    )
