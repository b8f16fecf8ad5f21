"""What an Allow of a key policy opens, as a first look tells: for KMS:004."""

from __future__ import annotations

from kms_constructs.analysis.narrowing import narrowed_by
from kms_constructs.analysis.principals import Cell, account_of
from kms_constructs.analysis.reach import Contribution
from kms_constructs.model.estate import Key
from kms_constructs.model.frozen import Frozen
from kms_constructs.model.globs import globs_meet
from kms_constructs.model.limits import pins_account
from kms_constructs.model.policy import Condition, Principal, Statement
from kms_constructs.model.text import display, has_hole, has_unresolved_hole, hole, holes
from kms_constructs.model.unknown import is_unknown

EVERYTHING = frozenset({"*", "kms:*"})
_ACCOUNTS = ("aws:principalaccount", "kms:calleraccount")
ORGANIZATION = ("aws:principalorgid", "aws:principalorgpaths")
"""Keys that say of which organization the caller is."""


def is_dynamic(text: str) -> bool:
    """Whether a text is one dynamic reference and nothing else."""
    return any(
        identity.startswith("resolve:") and text == hole(kind, identity) for kind, identity in holes(text)
    )


def home_accounts(key: Key) -> frozenset[str]:
    """Accounts that count as the key's own.

    When the account is decided at deployment, the accounts of the principals whom the key itself authorises
    for administrative actions are its own too: KMS allows those actions to no other account.
    """
    if not has_hole(key.account):
        return frozenset({key.account})
    declared = (
        account_of(pattern)
        for control, patterns in key.authorised.items()
        if control.startswith("IAM-KMS-")
        for pattern in patterns
    )
    return frozenset({key.account, *(account for account in declared if account is not None)})


def has_everything(statement: Statement) -> bool:
    """Whether a statement speaks of every action, or of all but a few."""
    if statement.not_actions is not None:
        return True
    return not is_unknown(statement.actions) and any(
        action.lower() in EVERYTHING for action in statement.actions or ()
    )


def perhaps_everything(statement: Statement) -> str | None:
    """Why the actions of a statement, of which not all are known, may be all; None if they cannot."""
    if is_unknown(statement.actions):
        return statement.actions.reason
    undecided = (action for action in statement.actions or () if has_unresolved_hole(action))
    found = next((action for action in undecided if globs_meet(action.lower(), "kms:*")), None)
    return f"{display(found)} is undecided" if found is not None else None


def leaves_home(statement: Statement, home: frozenset[str]) -> bool:
    """Whether a statement may reach beyond the key's account: a quick look before the thorough one."""
    if statement.not_principals is not None:
        return True
    principals = statement.principals
    return not is_unknown(principals) and any(beyond(one, home) for one in principals or ())


def beyond(principal: Principal, home: frozenset[str]) -> bool:
    """Whether a principal may lie outside of the key's accounts."""
    if principal.type == "Service":
        return False
    return principal.value not in home and account_of(principal.value) not in home


def perhaps_somebody(condition: Condition) -> bool:
    """Whether a condition, of which the analysis makes no principals, may leave those of one account."""
    account = condition.folded_key in _ACCOUNTS and narrowed_by((condition,), _ACCOUNTS)
    return account is not False or pins_account(condition) is not False


def of_organization(conditions: tuple[Condition, ...], organization: str) -> bool:
    """Whether a condition limits callers to the organization."""
    return any(
        condition.folded_key in ORGANIZATION
        and narrowed_by((condition,), ORGANIZATION) is True
        and not is_unknown(condition.values)
        and all(value == organization or value.startswith(f"{organization}/") for value in condition.values)
        for condition in conditions
    )


class StatementAccess(Frozen, frozen=True):
    """What one statement gives, over all its actions."""

    cells: tuple[Cell, ...]
    conditions: tuple[Condition, ...]
    delegated: bool
    unresolved: str | None
    example: tuple[str, Contribution]

    def of(self, cells: tuple[Cell, ...]) -> Contribution:
        """What a witness has to show: that these get in."""
        return self.example[1].of(cells)
