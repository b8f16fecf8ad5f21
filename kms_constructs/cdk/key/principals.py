"""Turns the CDK's roles, users and principals into plain named principals, before anything calls down.

`kms_constructs.policies` asks for ARNs by duck type. What it cannot see that way is known here: that a role
of this app has a name, though its ARN is a token, and which principals of the CDK stand for everybody.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from weakref import WeakKeyDictionary

from aws_cdk import aws_iam as iam

from kms_constructs.policies import principals as plain
from kms_constructs.policies.direct_grant import DirectGrant
from kms_constructs.policies.principals import NamedPrincipal
from kms_constructs.policies.target import is_token


def named_principals(
    argument: str, values: object, *, where: str, account: str = ""
) -> tuple[NamedPrincipal, ...]:
    """As `kms_constructs.policies.principals.named_principals`, for CDK objects as well as for texts.

    Raises:
        ArgumentError: A value is no role or user that a key policy can name.
    """
    given = values
    if isinstance(values, Iterable) and not isinstance(values, str):
        given = [named_principal(argument, value, where=where) for value in values]
    return plain.named_principals(argument, given, where=where, account=account)


def named_principal(argument: str, value: object, *, where: str) -> NamedPrincipal:
    """As `kms_constructs.policies.principals.named_principal`, for CDK objects as well as for texts.

    Raises:
        ArgumentError: The value is no role or user that a key policy can name.
    """
    if isinstance(value, iam.StarPrincipal):
        raise plain.wildcard_refused(argument, value, where)
    named = _MADE.get(value) if isinstance(value, iam.Role | iam.User) else None
    if named is None:
        named = plain.named_principal(argument, value, where=where)
        if isinstance(value, iam.Role | iam.User):
            named = _MADE[value] = _with_its_name(value, named)
    return named


def named_grants(value: object, *, where: str) -> object:
    """The argument ``direct_grants`` with plain principals; what is no list of grants is left as it is.

    Raises:
        ArgumentError: A principal is no role or user that a key policy can name.
    """
    if isinstance(value, str | DirectGrant) or not isinstance(value, Iterable):
        return value
    return [
        _named_grant(f"direct_grants[{position}]", one, where) if isinstance(one, DirectGrant) else one
        for position, one in enumerate(value)
    ]


def is_person(principal: object) -> bool:
    """Whether it is a role or user, made in this app or imported."""
    return hasattr(principal, "role_arn") or hasattr(principal, "user_arn")


def arns(principals: Sequence[NamedPrincipal]) -> tuple[str, ...]:
    """Their ARNs, in order."""
    return tuple(one.arn for one in principals)


def _named_grant(argument: str, grant: DirectGrant, where: str) -> DirectGrant:
    creators: object = grant.created_by
    if isinstance(creators, Iterable) and not isinstance(creators, str):
        creators = [named_principal(f"{argument}.created_by", one, where=where) for one in creators]
    retiring = grant.retiring_principal
    return replace(
        grant,
        grantee=named_principal(f"{argument}.grantee", grant.grantee, where=where),
        created_by=creators,  # type: ignore[arg-type]  # what is no list is refused when the grant is checked
        retiring_principal=None
        if retiring is None
        else named_principal(f"{argument}.retiring_principal", retiring, where=where),
    )


def _with_its_name(value: iam.Role | iam.User, named: NamedPrincipal) -> NamedPrincipal:
    """Made in this app: the ARN is a token, and the name is known only when it was given."""
    kind = "role" if isinstance(value, iam.Role) else "user"
    name = getattr(value.node.default_child, f"{kind}_name", None)
    account = value.env.account
    identities = named.identities
    if isinstance(name, str) and not is_token(name):
        identities |= {plain.identity(account, f"{kind}/{name}")}
    return replace(named, account=account, identities=identities)


_MADE: WeakKeyDictionary[iam.Role | iam.User, NamedPrincipal] = WeakKeyDictionary()
"""Roles and users of this app that were named before; asking the CDK costs calls into Node."""
