"""The preset for event subscriptions of DMS."""

from __future__ import annotations

from kms_constructs.model.service_requirement import ACCOUNT
from kms_constructs.model.services.dms_events import REQUIREMENT
from kms_constructs.policies.services.parts import Templates, by_service
from kms_constructs.policies.target import check_account


def dms_events(*, account: str = ACCOUNT) -> Templates:
    """Lets event subscriptions of DMS notify topics that are encrypted with this key.

    AWS does not document the form of their source ARNs, so the account alone limits them.

    Args:
        account: Account of the subscriptions; the key's own by default.

    Raises:
        ArgumentError: A malformed account.

    See: https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html
    """
    check_account("account", account)
    return by_service(REQUIREMENT, "", {}, account)
