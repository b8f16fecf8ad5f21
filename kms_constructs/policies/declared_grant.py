"""Grants that people make themselves, as the key policy lets them.

See: https://docs.aws.amazon.com/kms/latest/developerguide/grants.html
"""

from __future__ import annotations

from kms_constructs.model.estate import Grant
from kms_constructs.model.frozen import Frozen
from kms_constructs.policies.statements import Condition


class DeclaredGrant(Frozen, frozen=True, kw_only=True):
    """A grant that people make themselves, checked and as text; see `DirectGrant`.

    Args:
        grantee: ARN of the grantee principal.
        operations: Grant operations, sorted.
        created_by: ARNs of those who may make it.
        constraints: Kind of constraint and its pairs, or None.
        retiring: ARN of the retiring principal, or None.
        name: Name of the grant, or None.
    """

    grantee: str
    operations: tuple[str, ...]
    created_by: tuple[str, ...]
    constraints: tuple[str, tuple[tuple[str, str], ...]] | None = None
    retiring: str | None = None
    name: str | None = None

    @property
    def grant(self) -> Grant:
        """The grant as the guardrails know it."""
        constraints = {} if self.constraints is None else {self.constraints[0]: dict(self.constraints[1])}
        return Grant(
            grantee=self.grantee,
            operations=self.operations,
            retiring=self.retiring,
            constraints=constraints,
            name=self.name,
            created_by=self.created_by,
        )


def allowing(grant: DeclaredGrant) -> Condition:
    """The condition under which this grant can be made, and no other."""
    equal: dict[str, object] = {"kms:GranteePrincipal": grant.grantee}
    null = {"kms:GrantOperations": "false"}
    every: dict[str, object] = {"kms:GrantOperations": list(grant.operations)}
    if grant.retiring is None:
        null["kms:RetiringPrincipal"] = "true"
    else:
        equal["kms:RetiringPrincipal"] = grant.retiring
    if grant.constraints is not None:
        kind, pairs = grant.constraints
        equal["kms:GrantConstraintType"] = kind
        equal |= {f"kms:EncryptionContext:{name}": value for name, value in pairs}
        every["kms:EncryptionContextKeys"] = [name for name, _ in pairs]
    return {"StringEquals": equal, "Null": null, "ForAllValues:StringEquals": every}
