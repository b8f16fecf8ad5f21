"""The preset for SES."""

from __future__ import annotations

from collections.abc import Sequence

from kms_constructs.model.service_requirement import ACCOUNT, SOURCE_ARN
from kms_constructs.model.services.ses import REQUIREMENT
from kms_constructs.policies.services.parts import Templates, by_service, checked_sources
from kms_constructs.policies.target import check_account


def ses(*, receipt_rule_arns: Sequence[str] = (), account: str = ACCOUNT) -> Templates:
    """Lets SES encrypt the mail it receives before it stores it in S3.

    Args:
        receipt_rule_arns: The receipt rules; every one of the account in the key's Region by default.
        account: Account of the receipt rules; the key's own by default.

    Raises:
        ArgumentError: An ARN that is no receipt rule's, or of another account.

    See: https://docs.aws.amazon.com/ses/latest/dg/receiving-email-permissions.html
    """
    check_account("account", account)
    arns = checked_sources("receipt_rule_arns", receipt_rule_arns, "ses", account)
    return by_service(REQUIREMENT, "", {SOURCE_ARN: arns}, account)
