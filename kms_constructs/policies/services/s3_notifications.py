"""The preset for event notifications of S3."""

from __future__ import annotations

from collections.abc import Sequence

from kms_constructs.model.service_requirement import ACCOUNT, SOURCE_ARN
from kms_constructs.model.services.s3_notifications import REQUIREMENT
from kms_constructs.policies.services.parts import Templates, by_service, checked_sources
from kms_constructs.policies.target import check_account


def s3_notifications(*, bucket_arns: Sequence[str] = (), account: str = ACCOUNT) -> Templates:
    """Lets S3 send event notifications to queues and topics that are encrypted with this key.

    A bucket's ARN names no account, and another account may one day own a bucket of that name: the source
    account is always required as well.

    Args:
        bucket_arns: The buckets; every bucket of the account by default.
        account: Account of the buckets; the key's own by default.

    Raises:
        ArgumentError: An ARN that is no bucket's.

    See: https://docs.aws.amazon.com/AmazonS3/latest/userguide/grant-destinations-permissions-to-s3.html
    """
    check_account("account", account)
    arns = checked_sources("bucket_arns", bucket_arns, "s3", account)
    return by_service(REQUIREMENT, "", {SOURCE_ARN: arns}, account)
