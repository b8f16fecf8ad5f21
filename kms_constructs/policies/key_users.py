"""Who uses a key, as the statements of its policy tell."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence

from kms_constructs.model.actions import USING, expand
from kms_constructs.policies.statements import PolicyStatementJson

_USES = frozenset((*USING, "CreateGrant"))


def key_users_of(
    statements: Iterable[PolicyStatementJson], grantees: Iterable[str] = (), *, but: Collection[str] = ()
) -> tuple[str, ...]:
    """ARNs of the roles and users who use a key, each once, in the order in which they are named.

    Told by the statements, so that whoever brings one takes part: arguments, services, other accounts, grants
    made later. An account that is named as a whole is left out: the key's own manages the key, and
    KMS takes no managing call from another, whatever policies say.

    Args:
        statements: Statements of the key policy; a Deny gives nothing.
        grantees: ARNs of those who use it by a grant.
        but: ARNs of those who are left out: they manage the key.

    Example:
        >>> key_users_of([{"Effect": "Allow", "Action": "kms:GenerateDataKey*", "Resource": "*",
        ...     "Principal": {"AWS": "arn:aws:iam::111122223333:role/App"}}])
        ('arn:aws:iam::111122223333:role/App',)

    See: https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-modifying-external-accounts.html
    """
    named = [arn for one in statements if _gives_use(one) for arn in _people(one.get("Principal"))]
    return tuple(dict.fromkeys(arn for arn in (*named, *grantees) if arn not in but))


def _gives_use(statement: PolicyStatementJson) -> bool:
    return statement["Effect"] == "Allow" and not _USES.isdisjoint(_names(statement.get("Action", ())))


def _names(actions: str | Sequence[str]) -> Iterator[str]:
    for pattern in [actions] if isinstance(actions, str) else actions:
        yield from expand(pattern)


def _people(principal: object) -> list[str]:
    found = principal.get("AWS", ()) if isinstance(principal, dict) else ()
    return [arn for arn in ([found] if isinstance(found, str) else found) if not arn.endswith(":root")]
