"""Principals as people write them, made comparable: ARN texts, roles, users, principals.

What is no text is asked for its ARN by duck type, so that CDK objects can be named without the CDK.

See: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Protocol
from weakref import WeakKeyDictionary

from kms_constructs.errors import ArgumentError
from kms_constructs.model.arn import is_account_id
from kms_constructs.model.frozen import Frozen
from kms_constructs.policies.target import account_refused, arn_parts, is_token

_RESOURCE = re.compile(r"(role|user)/(?:[\x21-\x7e]*/)?[\w+=,.@-]{1,64}")
_EXAMPLE = "arn:aws:iam::111122223333:role/Name"


class NamedPrincipal(Frozen, frozen=True):
    """A role or user, named so that two spellings of one principal can be told to be one.

    Args:
        arn: The text for the policy; may hold CDK tokens.
        account: Twelve digits, a CDK token, or empty when the whole ARN is a token.
        identities: Texts of which two equal ones mean one principal. An IAM name is unique in its account
            whatever its path and case, so neither counts; and an account lies in one partition, so neither
            does the partition.
    """

    arn: str
    account: str
    identities: frozenset[str]

    def same_as(self, other: NamedPrincipal) -> bool:
        """Whether both are known to be one principal."""
        return not self.identities.isdisjoint(other.identities)


class RoleLike(Protocol):
    """A role: the CDK's `iam.IRole`, for one."""

    @property
    def role_arn(self) -> str:
        """ARN of the role."""
        ...


class UserLike(Protocol):
    """A user: the CDK's `iam.IUser`, for one."""

    @property
    def user_arn(self) -> str:
        """ARN of the user."""
        ...


class ArnLike(Protocol):
    """A principal with an ARN: the CDK's `iam.ArnPrincipal`, for one."""

    @property
    def arn(self) -> str:
        """ARN of the principal."""
        ...


PrincipalLike = str | RoleLike | UserLike | ArnLike
"""How an argument names one role or user."""

Principals = Sequence[PrincipalLike]
"""How arguments name roles and users."""


def named_principals(
    argument: str, values: object, *, where: str, account: str = ""
) -> tuple[NamedPrincipal, ...]:
    """The principals of one argument, in order, each once.

    Args:
        argument: Name of the argument, for errors.
        values: A sequence of ARN texts, roles, users or principals with an ARN.
        where: Construct path, for errors.
        account: Account of the key, when it is known: principals of other accounts are then refused.

    Raises:
        ArgumentError: A value is no role or user that a key policy can name.
    """
    if isinstance(values, str) or not isinstance(values, Iterable):
        raise ArgumentError(
            argument,
            values,
            "a list of principals is wanted",
            f"write {argument}=[{values!r}]" if isinstance(values, str) else f"write {argument}=[…]",
            where=where,
        )
    found: list[NamedPrincipal] = []
    for value in values:
        principal = named_principal(argument, value, where=where)
        if account and principal.account and not is_token(principal.account + account):
            _check_home(argument, principal, account, where)
        if not any(principal.same_as(other) for other in found):
            found.append(principal)
    return tuple(found)


def named_principal(argument: str, value: object, *, where: str) -> NamedPrincipal:
    """One principal.

    Raises:
        ArgumentError: The value is no role or user that a key policy can name.
    """
    if isinstance(value, NamedPrincipal):
        return value
    if isinstance(value, str):
        return _from_text(argument, value, value, where)
    known = _known(value)
    if known is not None:
        return known
    for attribute in ("role_arn", "user_arn"):
        arn = getattr(value, attribute, None)
        if isinstance(arn, str):
            return remember(value, _from_text(argument, arn, arn, where))
    if hasattr(value, "account_id"):
        raise _root_refused(argument, value, where)
    if hasattr(value, "service"):
        raise _service_refused(argument, value, where)
    arn = getattr(value, "arn", None)
    if isinstance(arn, str):
        return _from_text(argument, arn, arn, where)
    raise ArgumentError(
        argument,
        value,
        "a principal is a role or a user: its ARN as text, an iam.IRole, an iam.IUser or an iam.ArnPrincipal",
        "name each role or user by itself; federated people come in through a role",
        where=where,
    )


def overlap(
    one: Sequence[NamedPrincipal], other: Sequence[NamedPrincipal]
) -> tuple[NamedPrincipal, NamedPrincipal] | None:
    """The first principal that stands on both sides, as each side spells it; None when there is none."""
    for left in one:
        for right in other:
            if left.same_as(right):
                return left, right
    return None


def _from_text(argument: str, text: str, shown: object, where: str) -> NamedPrincipal:
    if "*" in text or "?" in text:
        raise wildcard_refused(argument, shown, where)
    if re.fullmatch(r"\d+", text):
        if not is_account_id(text):
            raise account_refused(argument, shown, where)
        raise _root_refused(argument, shown, where)
    if re.fullmatch(r"[a-z0-9.-]+\.amazonaws\.com(\.cn)?", text):
        raise _service_refused(argument, shown, where)
    parts = arn_parts(text)
    if parts is None:
        if is_token(text):
            return NamedPrincipal(text, "", frozenset({text}))
        raise _malformed(argument, shown, where)
    partition, service, region, account, resource = parts
    if service == "sts":
        role = resource.split("/")[1] if resource.startswith("assumed-role/") else "NAME"
        raise ArgumentError(
            argument,
            shown,
            "this is a session; it ends, and aws:PrincipalArn is never a session's ARN",
            f"name the role behind it: arn:{partition}:iam::{account}:role/{role} (with its path, if"
            " it has one)",
            where=where,
        )
    if not is_token(account) and not is_account_id(account):
        raise account_refused(argument, shown, where)
    if resource == "root":
        raise _root_refused(argument, shown, where)
    if service == "iam" and resource.startswith("group/"):
        raise ArgumentError(
            argument,
            shown,
            "an IAM group is no principal: no policy can name it",
            "name the role that its members assume",
            where=where,
        )
    if service != "iam" or region or not (is_token(resource) or _RESOURCE.fullmatch(resource)):
        raise _malformed(argument, shown, where)
    return NamedPrincipal(text, account, frozenset({text, identity(account, resource)}))


def identity(account: str, resource: str) -> str:
    """What makes two names one principal: account, kind and name, without path and case."""
    kind, _, rest = resource.partition("/")
    name = rest.rpartition("/")[2]
    return f"{account}:{kind}/{name if is_token(name) else name.lower()}"


_KNOWN: WeakKeyDictionary[object, NamedPrincipal] = WeakKeyDictionary()
"""Roles and users that were named before: reading the ARN of a CDK object costs a call into Node."""


def remember(value: object, principal: NamedPrincipal) -> NamedPrincipal:
    """Keeps what an object is called, for as long as it lives."""
    if type(value).__weakrefoffset__ and type(value).__hash__ is not None:
        _KNOWN[value] = principal
    return principal


def _known(value: object) -> NamedPrincipal | None:
    hashable = type(value).__weakrefoffset__ and type(value).__hash__ is not None
    return _KNOWN.get(value) if hashable else None


def _check_home(argument: str, principal: NamedPrincipal, account: str, where: str) -> None:
    if principal.account == account:
        return
    if argument in {"key_users", "encrypt_only_users", "decrypt_only_users"}:
        raise ArgumentError(
            argument,
            principal.arn,
            f"it lies in account {principal.account} and the key in {account}",
            "declare it with external_access=[ExternalAccess(…)], which puts conditions on it",
            where=where,
        )
    raise ArgumentError(
        argument,
        principal.arn,
        f"it lies in account {principal.account} and the key in {account}, and KMS lets no other account"
        " administer a key",
        f"name a role of account {account} that people of the other account may assume",
        where=where,
    )


def _malformed(argument: str, shown: object, where: str) -> ArgumentError:
    return ArgumentError(
        argument,
        shown,
        "a principal is the ARN of one role or user",
        f"write it like {_EXAMPLE}",
        where=where,
    )


def _root_refused(argument: str, shown: object, where: str) -> ArgumentError:
    return ArgumentError(
        argument,
        shown,
        "the account root principal stands for every principal that an IAM policy of the account allows",
        "name roles or users; recovery by the root user is always there, and root_access says what"
        " it delegates",
        where=where,
    )


def _service_refused(argument: str, shown: object, where: str) -> ArgumentError:
    return ArgumentError(
        argument,
        shown,
        "an AWS service is no key user: without source conditions it acts for anybody's resources",
        "declare it with services=[ServiceAccess.…], which puts the service's conditions on it",
        where=where,
    )


def wildcard_refused(argument: str, shown: object, where: str) -> ArgumentError:
    """The error for what stands for everybody."""
    return ArgumentError(
        argument,
        shown,
        "a wildcard is not allowed: in a key policy * means everybody, and a pattern inside an ARN nobody",
        "name each role or user by itself",
        where=where,
    )
