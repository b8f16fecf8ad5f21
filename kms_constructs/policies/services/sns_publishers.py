"""The preset for who publishes to topics of SNS."""

from __future__ import annotations

from collections.abc import Sequence

from kms_constructs.model.services.sns_publishers import REQUIREMENT
from kms_constructs.policies.services.parts import Templates, through_caller


def sns_publishers(publishers: Sequence[object]) -> Templates:
    """Lets principals of the key's account publish to topics that are encrypted with this key.

    Args:
        publishers: Roles and users.

    Raises:
        ArgumentError: No principal, or a principal that is none.

    See: https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html
    """
    return through_caller(REQUIREMENT, "", publishers, argument="publishers")
