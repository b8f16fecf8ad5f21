"""Use that a key leaves to the IAM policies of its account because its owner decided so.

`RootAccess.FULL_DELEGATION` writes a root statement with ``kms:*`` and declares it: the account manages use
by IAM alone. What follows from that very statement is told as a warning. What the construct keeps even then
is not given up: where IAM policies could hand out the key policy itself, or grants for others than AWS
services, it fails as ever, and so does delegation by any other statement or to any other account.

See: https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec.structs import replace

from kms_constructs.analysis.key_names import home_partition
from kms_constructs.analysis.principals import root_arn
from kms_constructs.analysis.separation import CREATE_GRANT, POLICY_ACTION, Gives, Overlap
from kms_constructs.guardrails.wording import DELEGATION
from kms_constructs.model.arn import canonical
from kms_constructs.model.declaration import DELEGATION_CONTROL
from kms_constructs.model.estate import Key
from kms_constructs.model.policy import Statement

DECLARED_DELEGATION = "declared delegation"
_WRITING = "IAM-KMS-5"
"""The control that guards who writes the key policy."""


def declared_apart(found: Iterable[Overlap], key: Key) -> list[Overlap]:
    """The overlaps, those that follow from a declared root statement known by their way.

    Args:
        found: Overlaps of the key.
        key: The key; it declares its account's root principal for IAM-KMS-8, or nothing changes.
    """
    if not _declares(key):
        return list(found)
    return [replace(one, through=DECLARED_DELEGATION) if _follows(one, key) else one for one in found]


def _declares(key: Key) -> bool:
    root = canonical(root_arn(key.account, home_partition(key)))
    return any(canonical(name) == root for name in key.authorised.get(DELEGATION_CONTROL, ()))


def _follows(one: Overlap, key: Key) -> bool:
    return (
        one.through == DELEGATION
        and one.unresolved is None
        and CREATE_GRANT not in one.uses
        and bool(one.pairs)
        and all(_from_root(user, key) and not _hands_policy(manager, key) for manager, user in one.pairs)
    )


def _hands_policy(manager: Gives, key: Key) -> bool:
    """Whether an IAM policy gives the key policy itself to others than who is declared for that."""
    if not manager.part.delegated or POLICY_ACTION not in manager.actions:
        return False
    root = root_arn(key.account, home_partition(key))
    writers = (root, *key.authorised.get(_WRITING, ()))
    return not all(cell.within(writers) for cell in manager.part.cells)


def _from_root(user: Gives, key: Key) -> bool:
    statement = user.part.statement
    return user.part.delegated and statement is not None and _is_root_statement(statement, key)


def _is_root_statement(statement: Statement, key: Key) -> bool:
    principals = statement.principals
    if not isinstance(principals, tuple) or not principals:
        return False
    root = canonical(root_arn(key.account, home_partition(key)))
    own = {root, key.account}
    return all(one.type == "AWS" and canonical(one.value) in own for one in principals)
