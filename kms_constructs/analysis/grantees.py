"""A request that a grant lets through: its grantee, one of its operations, the context that it is bound to.

See: https://docs.aws.amazon.com/kms/latest/developerguide/grants.html
"""

from __future__ import annotations

from kms_constructs.analysis.within import EstateAccess
from kms_constructs.analysis.witness import Witness, witness
from kms_constructs.model.actions import ACTIONS
from kms_constructs.model.estate import Grant, Key, Organization
from kms_constructs.model.limits import ENCRYPTION_CONTEXT
from kms_constructs.model.unknown import is_unknown


def grantee_witness(
    grant: Grant, key: Key, access: EstateAccess, organization: Organization
) -> Witness | None:
    """A call that the grantee may make by the grant.

    Args:
        grant: A grant on the key.
        key: The key.
        access: What is asked of the estate.
        organization: The organization's policies in force.

    Returns:
        The witness, which `evaluate` allows; None when none was found: operations that are not known show
        nothing, and what the key policy denies no grant gives.
    """
    if is_unknown(grant.operations):
        return None
    bound = {
        f"{ENCRYPTION_CONTEXT}{name.lower()}": value
        for pairs in grant.constraints.values()
        for name, value in pairs.items()
    }
    for action in grant.operations:
        if action not in ACTIONS:  # an operation of KMS that this version does not know
            continue
        for part in access.reach(key, action).contributions:
            if part.grant is grant:
                found = witness(part, key, action, organization=organization, known=bound)
                if found is not None:
                    return found
    return None
