"""The preset for AWS Config."""

from __future__ import annotations

from kms_constructs.model.service_requirement import ACCOUNT
from kms_constructs.model.services.config import REQUIREMENT
from kms_constructs.policies.services.parts import Templates, by_service
from kms_constructs.policies.target import check_account


def config(*, account: str = ACCOUNT) -> Templates:
    """Lets AWS Config deliver to a bucket that is encrypted with this key.

    Config delivers as service principal when it runs under its service-linked role. Its source ARN is
    always ``arn:aws:config:REGION:ACCOUNT:*``.

    Args:
        account: Account that Config records; the key's own by default.

    Raises:
        ArgumentError: A malformed account.

    See: https://docs.aws.amazon.com/config/latest/developerguide/s3-kms-key-policy.html
    """
    check_account("account", account)
    return by_service(REQUIREMENT, "", {}, account)
