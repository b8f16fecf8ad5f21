"""The preset for Bedrock."""

from __future__ import annotations

from collections.abc import Sequence

from kms_constructs.model.services.bedrock import REQUIREMENT
from kms_constructs.policies.services.parts import Templates, through_caller


def bedrock(principals: Sequence[object], *, invokers: Sequence[object] = ()) -> Templates:
    """Lets principals of the key's account customise and invoke Bedrock models under this key.

    Args:
        principals: Roles that create model customisation jobs, custom models and guardrails.
        invokers: Roles that only invoke them.

    Raises:
        ArgumentError: No principal, or a principal that is none.

    See: https://docs.aws.amazon.com/bedrock/latest/userguide/encryption-custom-job.html
    """
    made = through_caller(REQUIREMENT, "", principals)
    if invokers:
        made += through_caller(REQUIREMENT, "Invokers", invokers, argument="invokers")
    return made
