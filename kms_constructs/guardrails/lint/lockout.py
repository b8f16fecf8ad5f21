"""Whether KMS would take the policy from whoever deploys it.

KMS refuses a key policy under which the principal that sets it could not set it again. Stacks are deployed by
a role, never by the account's root user: a policy that only the root user may change cannot be deployed.

See: https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html and
https://docs.aws.amazon.com/kms/latest/APIReference/API_PutKeyPolicy.html
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from kms_constructs.analysis.principals import Cell, PrincipalKind, any_meet
from kms_constructs.analysis.within import EstateAccess
from kms_constructs.guardrails.lint.remark import Remark
from kms_constructs.model.estate import Key
from kms_constructs.model.text import has_hole
from kms_constructs.model.unknown import is_unknown
from kms_constructs.model.vocabulary import Fact

_ACTION = "PutKeyPolicy"
_WRITING = "IAM-KMS-5"
"""The control that guards who calls it."""


def lockout_remarks(key: Key, access: EstateAccess) -> Iterator[Remark]:
    """That nobody but the root user may change the policy, or not the role that deploys it."""
    if not key.vocabulary.knows(Fact.LOCKOUT_BYPASS) or is_unknown(key.policy.unknown):
        return  # a policy by itself may be set by anyone, the root user included
    if key.bypass_lockout_check is not False:
        return  # told of as such
    cells = access.reach(key, _ACTION).cells
    if any(cell.kind in (PrincipalKind.ROLE, PrincipalKind.USER, PrincipalKind.FEDERATED) for cell in cells):
        yield from _without_deployer(key, cells)
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


def _without_deployer(key: Key, cells: Sequence[Cell]) -> Iterator[Remark]:
    """That the execution role of the stack may not, whatever IAM policies say."""
    deployer = key.deployer
    if deployer is None or has_hole(deployer) or key.authorised.get(_WRITING):
        return  # a key that declares who writes its policy is deployed by one of those
    if any_meet((Cell(PrincipalKind.ROLE, (deployer,)),), cells):
        return
    yield Remark(
        "lockout",
        f"{deployer}, which CloudFormation deploys the stack with, may not call kms:PutKeyPolicy: KMS "
        "refuses the policy, since whoever deploys it could not change it again.",
        f"Allow kms:PutKeyPolicy to {deployer}, and exempt it by ArnNotEquals aws:PrincipalArn from every "
        "Deny on kms:PutKeyPolicy.",
        key.policy.path,
    )
