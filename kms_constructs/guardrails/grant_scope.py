"""Grants that IAM-KMS-6 lets off: those of services, and those that a key declares."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

from kms_constructs.analysis.narrowing import VIA_SERVICE, narrowed_by, narrows
from kms_constructs.analysis.principals import PrincipalKind, all_within
from kms_constructs.analysis.reach import Contribution
from kms_constructs.model.actions import ACTIONS
from kms_constructs.model.arn import canonical
from kms_constructs.model.estate import Grant, Key
from kms_constructs.model.limits import source_keys
from kms_constructs.model.service_requirement import FOR_AWS_RESOURCE
from kms_constructs.model.services import requirements
from kms_constructs.model.unknown import is_unknown

GRANTEE = "kms:granteeprincipal"
_OPERATIONS = "kms:grantoperations"


def scoped_service(part: Contribution) -> bool:
    """Whether only services make the grants, for somebody's own resources and of listed operations.

    The service decides to whom it grants, and AWS documents some that do so without the flag.
    """
    if not all(cell.kind is PrincipalKind.SERVICE for cell in part.cells):
        return False
    keys = source_keys(name for cell in part.cells for name in cell.include)
    grantable = {name for name, action in ACTIONS.items() if action.grantable} - {"CreateGrant"}
    return narrowed_by(part.conditions, keys) is True and _operations_within(part, grantable)


@cache
def _services_without_flag() -> frozenset[str]:
    """The services whose grants in the name of a principal do not carry the flag, as AWS documents."""
    return frozenset(
        one.via
        for one in requirements().values()
        for caller in one.callers
        if one.via and caller.grants and FOR_AWS_RESOURCE in caller.omits
    )


def grants_without_flag(vias: Iterable[str]) -> bool:
    """Whether all values of ``kms:ViaService`` are of services whose grants do not carry the flag."""
    return all(via.partition(".")[0] in _services_without_flag() for via in vias)


def through_service(part: Contribution) -> bool:
    """Whether principals of known accounts make the grants through services alone that do not flag theirs.

    The service decides to whom it grants, as it does where it flags the grant.
    """
    if any(cell.account is None for cell in part.cells):
        return False
    return any(
        condition.folded_key == VIA_SERVICE
        and narrows(condition) is True
        and not is_unknown(condition.values)
        and grants_without_flag(condition.values)
        for condition in part.conditions
    )


def by_service(part: Contribution) -> bool:
    """Whether an AWS service made the grant, for its own use."""
    return part.grant is not None and part.grant.for_aws_service


def declared(part: Contribution, key: Key) -> bool:
    """Whether the statement only allows grants that the key declares: their grantees, their operations."""
    grants = [
        (canonical(grant.grantee), grant.operations)
        for grant in key.grants
        if not grant.live
        and not is_unknown(grant.grantee)
        and not is_unknown(grant.operations)
        and _made_by(grant, part)
    ]
    grantees: set[str] = set()
    for condition in part.conditions:
        if (
            condition.folded_key == GRANTEE
            and narrows(condition) is True
            and not is_unknown(condition.values)
        ):
            grantees = {canonical(value) for value in condition.values}
    listed = {name for grantee, names in grants if grantee in grantees for name in names}
    return bool(grantees) and grantees <= {grantee for grantee, _ in grants} and _only(part, listed)


def _made_by(grant: Grant, part: Contribution) -> bool:
    """Whether only those make the grant of whom its declaration says so, if it says."""
    return grant.created_by is None or all_within(part.cells, grant.created_by)


def _only(part: Contribution, operations: set[str]) -> bool:
    """Whether the statement allows grants of these operations alone.

    ``ForAllValues`` holds for an empty set, too; so the operations have to be there, by a Null condition.
    """
    there = any(
        one.folded_key == _OPERATIONS
        and one.base == "null"
        and not is_unknown(one.values)
        and set(one.values) == {"false"}
        for one in part.conditions
    )
    return there and _operations_within(part, operations)


def _operations_within(part: Contribution, operations: set[str]) -> bool:
    return any(
        one.folded_key == _OPERATIONS
        and one.qualifier == "forallvalues"
        and one.base == "stringequals"
        and not is_unknown(one.values)
        and set(one.values) <= operations
        for one in part.conditions
    )
