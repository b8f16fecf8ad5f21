"""The account that a key must lie in, when nobody says so.

KMS refuses a key policy under which its author could not change it again, and takes PutKeyPolicy from no
other account than the key's: so the author is in the key's account, and the policy allows PutKeyPolicy there.
A policy that can allow it in one account only tells that the key is there.

See: https://docs.aws.amazon.com/kms/latest/APIReference/API_PutKeyPolicy.html
    https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-modifying-external-accounts.html
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from kms_constructs.model.actions import action_matches
from kms_constructs.model.arn import is_account_id, parse_arn
from kms_constructs.model.policy import Effect, Policy, Principal, Statement
from kms_constructs.model.text import has_hole, has_unresolved_hole
from kms_constructs.model.unknown import is_unknown

_ACTION: Final = "kms:PutKeyPolicy"
_ANY: Final = None


def home_account(policy: Policy) -> str | None:
    """The one account whose principals the policy may allow to put a key policy; None when there may be more.

    Holds for a policy that KMS took with its lockout safety check: ask only for those.

    Example:
        >>> from kms_constructs.model.policy import parse_policy
        >>> root = {"AWS": "arn:aws:iam::111122223333:root"}
        >>> home_account(parse_policy({"Statement": {"Effect": "Allow", "Principal": root,
        ...     "Action": "kms:*", "Resource": "*"}}))
        '111122223333'
    """
    if policy.unknown is not None:
        return None
    found: set[str | None] = set()
    for statement in policy.statements:
        if statement.effect is not Effect.DENY and _may_put_policy(statement):
            found.update(_accounts(statement))
            if _ANY in found:
                return None
    return found.pop() if len(found) == 1 else None


def _may_put_policy(statement: Statement) -> bool:
    actions, excluded = statement.actions, statement.not_actions
    if isinstance(actions, tuple):
        return any(has_unresolved_hole(action) or action_matches(action, _ACTION) for action in actions)
    if actions is None and isinstance(excluded, tuple):
        return not any(not has_hole(action) and action_matches(action, _ACTION) for action in excluded)
    return True


def _accounts(statement: Statement) -> Iterator[str | None]:
    principals = statement.principals
    if principals is None or is_unknown(principals):
        yield _ANY
        return
    for principal in principals:
        if principal.type != "Service":  # no service is the author of a key policy
            yield _account(principal)


def _account(principal: Principal) -> str | None:
    if principal.type != "AWS":
        return _ANY
    if is_account_id(principal.value):
        return principal.value
    arn = parse_arn(principal.value)
    return arn.account if arn is not None and is_account_id(arn.account) else _ANY
