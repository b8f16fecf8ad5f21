"""The preset for EC2 Auto Scaling."""

from __future__ import annotations

import re

from kms_constructs.errors import ArgumentError
from kms_constructs.model.services.auto_scaling import REQUIREMENT
from kms_constructs.policies.services.parts import Templates, by_service


def auto_scaling(*, custom_suffix: str = "") -> Templates:
    """Lets EC2 Auto Scaling of the key's account launch instances with encrypted volumes.

    The principal is the account's service-linked role, which has to exist before the key is deployed: KMS
    refuses a policy that names a role which does not.

    Args:
        custom_suffix: Suffix of a service-linked role made with one: ``AWSServiceRoleForAutoScaling_x``.

    Raises:
        ArgumentError: A malformed suffix.

    See: https://docs.aws.amazon.com/autoscaling/ec2/userguide/key-policy-requirements-EBS-encryption.html
    """
    if custom_suffix and not re.fullmatch(r"[\w+=,.@-]{1,36}", custom_suffix):
        raise ArgumentError(
            "custom_suffix",
            custom_suffix,
            "a suffix of a service-linked role is 1 to 36 letters, digits and + = , . @ - _",
            "give what stands after AWSServiceRoleForAutoScaling_",
        )
    return by_service(REQUIREMENT, "", {}, role_suffix=f"_{custom_suffix}" if custom_suffix else "")
