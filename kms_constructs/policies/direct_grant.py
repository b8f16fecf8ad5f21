"""`DirectGrant`: a grant that people make themselves, declared before they do.

CloudFormation has no grant resource, and a custom resource that makes grants is one more program that holds
CreateGrant. So nothing is made here: the declaration allows exactly this grant in the key policy, takes it
out of the Deny on direct grants, and tells the guardrails, which report it. Whoever `created_by` names then
makes it, with ``aws kms create-grant`` and the same operations and constraints.

See: https://docs.aws.amazon.com/kms/latest/developerguide/grants.html
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from typing import Any

from kms_constructs.analysis.evaluate import is_service_linked
from kms_constructs.errors import ArgumentError
from kms_constructs.model.actions import ACTIONS, KeyUsage
from kms_constructs.model.frozen import Frozen
from kms_constructs.model.key_specs import KEY_SPECS, using_actions
from kms_constructs.policies.declared_grant import DeclaredGrant
from kms_constructs.policies.principals import (
    NamedPrincipal,
    PrincipalLike,
    named_principal,
    named_principals,
)
from kms_constructs.policies.target import PolicyTarget, is_token

MAXIMUM_CONTEXT_PAIRS = 8
MAXIMUM_CONTEXT_VALUE_LENGTH = 384
_NAME = re.compile(r"[A-Za-z0-9:/_-]{1,256}")
_ALWAYS = ("DescribeKey", "RetireGrant")


@dataclass(frozen=True, slots=True)
class DirectGrant:
    """A grant that people make, and everything that it may hold.

    Args:
        grantee: The role or user who gets the use of the key; neither manages the key.
        operations: Grant operations: ``("Decrypt", "DescribeKey")``. CreateGrant is refused, for the grantee
            could pass the use on; but not for a service-linked role, which its service alone has. Such a role
            may lie in another account, as EC2 Auto Scaling's does: then so does whoever makes the grant.
        created_by: The roles and users who may make the grant; none of them manages the key.
        encryption_context_equals: The whole encryption context that requests have to carry: at most 8 pairs,
            values of at most 384 characters. Symmetric encryption keys only.
        encryption_context_subset: Pairs that the encryption context has to contain, instead.
        retiring_principal: The role or user who may retire the grant; by default nobody is named, and an
            administrator revokes it.
        name: Name of the grant. A policy cannot require it; it is there for the audit.

    Example:
        >>> DirectGrant(
        ...     "arn:aws:iam::111122223333:role/Report",
        ...     ["Decrypt"],
        ...     created_by=["arn:aws:iam::111122223333:role/ReportSetup"],
        ...     encryption_context_subset={"Department": "Finance"},
        ... ).operations
        ['Decrypt']
    """

    grantee: PrincipalLike
    operations: Sequence[str]
    _: KW_ONLY
    created_by: Sequence[PrincipalLike]
    encryption_context_equals: Mapping[str, str] = field(default_factory=dict)
    encryption_context_subset: Mapping[str, str] = field(default_factory=dict)
    retiring_principal: PrincipalLike | None = None
    name: str | None = None


class CheckedGrants(Frozen, frozen=True):
    """The direct grants of one key, checked.

    Args:
        declared: As the key policy writes them.
        principals: Everyone who gets something by them; none of them may manage the key.
    """

    declared: tuple[DeclaredGrant, ...]
    principals: tuple[NamedPrincipal, ...]


def checked_grants(value: object, target: PolicyTarget) -> CheckedGrants:
    """Checks the argument ``direct_grants`` for one key.

    Raises:
        ArgumentError: A grant could not be made on this key, or would hand out more than use.
    """
    where = target.where
    if isinstance(value, str | DirectGrant) or not isinstance(value, Iterable):
        raise ArgumentError(
            "direct_grants", value, "a list of DirectGrant is wanted", "write direct_grants=[…]", where=where
        )
    declared: list[DeclaredGrant] = []
    people: list[NamedPrincipal] = []
    for position, one in enumerate(value):
        argument = f"direct_grants[{position}]"
        if not isinstance(one, DirectGrant):
            raise ArgumentError(
                argument,
                one,
                "a DirectGrant is wanted",
                "write DirectGrant(grantee, operations, created_by=[…])",
                where=where,
            )
        grantee = named_principal(f"{argument}.grantee", one.grantee, where=where)
        creators = named_principals(f"{argument}.created_by", one.created_by, where=where)
        if not creators:
            raise ArgumentError(
                f"{argument}.created_by",
                one.created_by,
                "nobody could make the grant",
                "name who makes it, or take the declaration out",
                where=where,
            )
        linked = is_service_linked(grantee.arn)
        for person in creators if linked else (grantee, *creators):
            # The service-linked role of another account gets its grant from a principal of that account.
            home = grantee.account if linked else target.account
            _check_home(argument, person, home, target, linked=linked)
        retiring = one.retiring_principal
        declared.append(
            DeclaredGrant(
                grantee=grantee.arn,
                operations=_operations(f"{argument}.operations", one.operations, target, linked=linked),
                created_by=tuple(creator.arn for creator in creators),
                constraints=_constraints(argument, one, target),
                retiring=None
                if retiring is None
                else named_principal(f"{argument}.retiring_principal", retiring, where=where).arn,
                name=_name(f"{argument}.name", one.name, where),
            )
        )
        people += [grantee, *creators]
    return CheckedGrants(tuple(declared), tuple(people))


def _check_home(
    argument: str, person: NamedPrincipal, home: str, target: PolicyTarget, *, linked: bool
) -> None:
    known = person.account and not is_token(person.account + home)
    if known and person.account != home:
        raise ArgumentError(
            argument,
            person.arn,
            f"it lies in account {person.account} and the {'grantee' if linked else 'key'} in {home}",
            "name who makes the grant over there"
            if linked
            else "declare it with external_access=[ExternalAccess(…)], which puts conditions on it",
            where=target.where,
        )


def _operations(
    argument: str,
    value: Any,  # noqa: ANN401 - unchecked
    target: PolicyTarget,
    *,
    linked: bool,
) -> tuple[str, ...]:
    where = target.where
    fitting = {
        name
        for name in (*using_actions(target.key_spec, target.key_usage), *_ALWAYS)
        if ACTIONS[name].grantable
    } | ({"CreateGrant"} if linked else set())
    allowed = ", ".join(sorted(fitting))
    if isinstance(value, str) or not isinstance(value, Iterable):
        raise ArgumentError(
            argument, value, "a list of grant operations is wanted", f"some of {allowed}", where=where
        )
    found: list[str] = []
    for one in value:
        name = str(one).removeprefix("kms:")
        if name == "CreateGrant" and not linked:
            raise ArgumentError(
                argument,
                one,
                "the grantee could pass the use of the key on, to anybody",
                "declare a further DirectGrant for whoever needs one",
                where=where,
            )
        if name not in fitting:
            raise ArgumentError(
                argument,
                one,
                f"a grant on a {target.key_spec} key for {target.key_usage.value} has no such operation",
                f"some of {allowed}",
                where=where,
            )
        if name not in found:
            found.append(name)
    if not set(found) - set(_ALWAYS):
        raise ArgumentError(
            argument,
            list(value),
            "the grant would give no use of the key",
            f"name at least one operation: {allowed}",
            where=where,
        )
    return tuple(sorted(found))


def _constraints(
    argument: str, grant: DirectGrant, target: PolicyTarget
) -> tuple[str, tuple[tuple[str, str], ...]] | None:
    given = {
        "EncryptionContextEquals": ("encryption_context_equals", grant.encryption_context_equals),
        "EncryptionContextSubset": ("encryption_context_subset", grant.encryption_context_subset),
    }
    used = {kind: one for kind, one in given.items() if one[1]}
    if not used:
        return None
    if len(used) > 1:
        raise ArgumentError(
            f"{argument}.encryption_context_subset",
            dict(grant.encryption_context_subset),
            "encryption_context_equals is given, too, and the subset adds nothing to it",
            "give one of the two",
            where=target.where,
        )
    ((kind, (name, pairs)),) = used.items()
    argument = f"{argument}.{name}"
    symmetric = target.key_usage is KeyUsage.ENCRYPT_DECRYPT and KEY_SPECS[target.key_spec].data_keys
    if not symmetric:
        raise ArgumentError(
            argument,
            dict(pairs),
            f"a {target.key_spec} key knows no encryption context",
            "leave it out; limit the grant by its operations",
            where=target.where,
        )
    texts = all(isinstance(one, str) and one for pair in pairs.items() for one in pair)
    longest = max((len(str(value)) for value in pairs.values() if not is_token(str(value))), default=0)
    if not texts or len(pairs) > MAXIMUM_CONTEXT_PAIRS or longest > MAXIMUM_CONTEXT_VALUE_LENGTH:
        raise ArgumentError(
            argument,
            dict(pairs),
            f"a grant constraint has at most {MAXIMUM_CONTEXT_PAIRS} pairs of texts, with values of at most"
            f" {MAXIMUM_CONTEXT_VALUE_LENGTH} characters",
            "keep the pairs that matter: {'Department': 'Finance'}",
            where=target.where,
        )
    return kind, tuple(sorted(pairs.items()))


def _name(argument: str, value: object, where: str) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str) or not (is_token(value) or _NAME.fullmatch(value)):
        raise ArgumentError(
            argument,
            value,
            "the name of a grant is letters, digits, :, /, _ and -, at most 256",
            "write it like 'finance-reports'",
            where=where,
        )
    return value
