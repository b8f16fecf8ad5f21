"""The preset for event data stores of CloudTrail Lake."""

from __future__ import annotations

from collections.abc import Sequence

from kms_constructs.model.services.cloudtrail_lake import REQUIREMENT
from kms_constructs.policies.services.parts import Templates, by_service, through_caller


def cloudtrail_lake(principals: Sequence[object]) -> Templates:
    """Lets CloudTrail encrypt an event data store, and principals create and query it through CloudTrail.

    For event data stores CloudTrail sends no source and AWS documents nothing else that limits its own calls,
    so its statement has no condition: a store of any account could name this key. IAM-KMS-6 reports that;
    acknowledge it there with the reason, and give such a key to nothing else.

    Args:
        principals: Roles and users who create the store or query it.

    Raises:
        ArgumentError: No principal, or a principal that is none.

    See: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/create-kms-key-policy-for-cloudtrail.html
    """
    return (
        *by_service(REQUIREMENT, "", {}),
        *through_caller(REQUIREMENT, "Principals", principals),
    )
