"""Whether KMS would take the policy from whoever deploys it.

KMS refuses a key policy under which the principal that sets it could not set it again. Stacks are deployed by
a role, never by the account's root user: a policy that only the root user may change cannot be deployed.

See: https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html and
https://docs.aws.amazon.com/kms/latest/APIReference/API_PutKeyPolicy.html
"""

from __future__ import annotations

from collections.abc import Iterator

from kms_constructs.analysis.principals import PrincipalKind
from kms_constructs.analysis.within import EstateAccess
from kms_constructs.guardrails.lint.remark import Remark
from kms_constructs.model.estate import Key
from kms_constructs.model.unknown import is_unknown
from kms_constructs.model.vocabulary import Fact

_ACTION = "PutKeyPolicy"


def lockout_remarks(key: Key, access: EstateAccess) -> Iterator[Remark]:
    """That nobody but the root user may change the policy."""
    if not key.vocabulary.knows(Fact.LOCKOUT_BYPASS) or is_unknown(key.policy.unknown):
        return  # a policy by itself may be set by anyone, the root user included
    if key.bypass_lockout_check is not False:
        return  # told of as such
    cells = access.reach(key, _ACTION).cells
    if any(cell.kind in (PrincipalKind.ROLE, PrincipalKind.USER, PrincipalKind.FEDERATED) for cell in cells):
        return
    who = "Nobody" if not cells else "Nobody but the account's root user"
    yield Remark(
        "lockout",
        f"{who} may call kms:PutKeyPolicy, and nothing is deployed by the root user: KMS refuses the policy, "
        "since whoever deploys it could not change it again.",
        "Allow kms:PutKeyPolicy to the role that deploys the key, and exempt that role by ArnNotEquals "
        "aws:PrincipalArn from every Deny on kms:PutKeyPolicy.",
        key.policy.path,
    )
