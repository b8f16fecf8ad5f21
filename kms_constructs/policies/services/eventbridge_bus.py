"""The preset for event buses of EventBridge."""

from __future__ import annotations

from collections.abc import Sequence

from kms_constructs.model.service_requirement import ACCOUNT, CONTEXT, SOURCE_ARN
from kms_constructs.model.services.eventbridge_bus import REQUIREMENT
from kms_constructs.policies.services.parts import Templates, by_service, checked_sources
from kms_constructs.policies.target import check_account


def eventbridge_bus(*, bus_arns: Sequence[str] = (), account: str = ACCOUNT) -> Templates:
    """Lets EventBridge encrypt the events on a bus.

    AWS's example leaves DescribeKey without a condition; here it is limited to the source account.

    Args:
        bus_arns: The event buses; every bus of the account in the key's Region by default.
        account: Account of the buses; the key's own by default.

    Raises:
        ArgumentError: An ARN that is no event bus's, or of another account.

    See: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-encryption-event-bus-cmkey.html
    """
    check_account("account", account)
    arns = checked_sources("bus_arns", bus_arns, "events", account)
    sources = {SOURCE_ARN: arns, f"{CONTEXT}aws:events:event-bus:arn": arns}
    return (
        *by_service(REQUIREMENT, "", sources, account),
        *by_service(REQUIREMENT, "Describe", {}, account),
    )
