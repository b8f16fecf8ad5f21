"""What IAM policies allow on KMS keys.

See: https://docs.aws.amazon.com/kms/latest/developerguide/iam-policies.html
"""

from __future__ import annotations

from collections.abc import Iterable

from kms_constructs.analysis.key_names import KeyName
from kms_constructs.analysis.principals import Cell, account_cells, everyone, principal_cells
from kms_constructs.analysis.reach import applies_to_action
from kms_constructs.analysis.statements import PERHAPS_THERE
from kms_constructs.model.estate import IdentityPolicy, IdentityPolicyKind, Key
from kms_constructs.model.frozen import Frozen
from kms_constructs.model.globs import glob_covers, globs_meet, has_wildcard, without_variables
from kms_constructs.model.policy import Condition, Effect, Principal, Statement
from kms_constructs.model.text import display, has_hole
from kms_constructs.model.unknown import Unknown, is_unknown


class IdentityGrant(Frozen, frozen=True):
    """One action that a statement of an IAM policy allows.

    Args:
        policy: The policy.
        statement: The statement; None when the policy as a whole is not known.
        action: Name of the action, without ``kms:``.
        resources: Resource patterns of the statement, an asterisk for each policy variable; ``("*",)`` also
            for what cannot be resolved.
        principals: Who has it: the roles and users it is attached to, and anyone of the account for a policy
            that can be attached to others.
        conditions: Its conditions; unknown when they cannot be read.
        unresolved: Why it is here only because something is not known, or None.
    """

    policy: IdentityPolicy
    statement: Statement | None
    action: str
    resources: tuple[str, ...]
    principals: tuple[Cell, ...]
    conditions: tuple[Condition, ...] | Unknown = ()
    unresolved: str | None = None

    @property
    def all_keys(self) -> bool:
        """Whether it reaches keys beyond any list: ``*``, ``…:key/*``, or a key pattern with a wildcard."""
        return any(has_wildcard(pattern) for pattern in self.resources)

    @property
    def label(self) -> str:
        """The policy and the statement, for messages."""
        statement = f", {self.statement.label}" if self.statement is not None else ""
        return f"{self.policy.kind} '{self.policy.name}'{statement}"


def attached_cells(policy: IdentityPolicy) -> tuple[Cell, ...]:
    """The principals that the estate attaches an IAM policy to; everyone when that is not known.

    Who else may get it later is not the estate's doing; `holders` counts them.
    """
    if isinstance(policy.attached_to, Unknown):
        return everyone()
    return tuple(cell for arn in policy.attached_to for cell in principal_cells(Principal("AWS", arn)).cells)


def holders(policy: IdentityPolicy) -> tuple[Cell, ...]:
    """Who has an IAM policy: everyone whom it is attached to, or may be, never too few."""
    cells = list(attached_cells(policy))
    if policy.attachable:
        cells.extend(account_cells(policy.account))
    return tuple(dict.fromkeys(cells))


def identity_grants(policy: IdentityPolicy, actions: Iterable[str]) -> tuple[IdentityGrant, ...]:
    """What an IAM policy allows of the given KMS actions, never too little.

    An unconditional Deny in the same policy that covers the resources takes the action off again.

    Args:
        policy: The policy. A permissions boundary allows nothing by itself.
        actions: Names without ``kms:``.
    """
    if policy.kind is IdentityPolicyKind.BOUNDARY:
        return ()
    wanted = tuple(actions)
    principals = holders(policy)
    if is_unknown(policy.policy.unknown):
        reason = policy.policy.unknown.reason
        return tuple(IdentityGrant(policy, None, action, ("*",), principals, (), reason) for action in wanted)
    found: list[IdentityGrant] = []
    for action in wanted:
        denied = tuple(
            pattern
            for statement in policy.policy.statements
            if _denies_outright(statement, action) and not is_unknown(statement.resources)
            for pattern in statement.resources or ()
        )
        for statement in policy.policy.statements:
            if statement.effect is Effect.DENY or not applies_to_action(statement, action, certainly=False):
                continue
            resources, unresolved = _resources(statement)
            left = tuple(
                pattern for pattern in resources if not any(glob_covers(deny, pattern) for deny in denied)
            )
            if not left:
                continue
            unresolved = unresolved or _undecided(statement, action)
            found.append(
                IdentityGrant(policy, statement, action, left, principals, statement.conditions, unresolved)
            )
    return tuple(found)


def _undecided(statement: Statement, action: str) -> str | None:
    """Why it is not known whether a statement allows an action that it may allow; None when it does."""
    for element in (statement.effect, statement.actions, statement.not_actions):
        if isinstance(element, Unknown):
            return element.reason
    if not statement.certain:
        return PERHAPS_THERE
    if applies_to_action(statement, action, certainly=True):
        return None
    texts = (*(statement.actions or ()), *(statement.not_actions or ()))
    return f"{display(next(filter(has_hole, texts)))} is undecided"


def _denies_outright(statement: Statement, action: str) -> bool:
    return (
        statement.effect is Effect.DENY
        and statement.certain
        and statement.conditions == ()
        and applies_to_action(statement, action, certainly=True)
    )


# An alias ARN as a resource gives rights on the alias, and none on the key behind it.
_KEY_SHAPE = "arn:*:kms:*:*:key/*"


def _resources(statement: Statement) -> tuple[tuple[str, ...], str | None]:
    """The resource patterns that can mean a key, and why they are not known when they are not."""
    if isinstance(statement.resources, Unknown):
        return ("*",), statement.resources.reason
    if statement.resources is not None:
        patterns = map(without_variables, statement.resources)
        return tuple(pattern for pattern in patterns if globs_meet(pattern, _KEY_SHAPE)), None
    # NotResource names what is left out: every other key is in.
    return ("*",), None


def may_reach(grant: IdentityGrant, key: Key) -> bool:
    """Whether an IAM grant's resources take in a key, or may: what is not known counts."""
    covered = reaches(grant, key)
    return isinstance(covered, Unknown) or covered


def reaches(grant: IdentityGrant, key: Key) -> bool | Unknown:
    """Whether an IAM grant's resources take in a key.

    Args:
        grant: What the IAM policy allows.
        key: The key.

    Returns:
        True or False; unknown when an undecided part of a resource or of the key's ARN decides: a template
        does not tell the id of the key that it makes, and a policy that names a key by its id may mean it.
    """
    name = KeyName.of(key)
    statement = grant.statement
    if statement is not None and statement.not_resources is not None:
        left_out = statement.not_resources
        if isinstance(left_out, Unknown):
            return left_out
        return not any(name.names(pattern) is True for pattern in left_out)
    found = {pattern: name.names(pattern) for pattern in grant.resources}
    if True in found.values():
        return True
    doubtful = next((pattern for pattern, answer in found.items() if answer is None), None)
    if doubtful is None:
        return False
    return Unknown(f"whether {display(doubtful)} is this key is decided at deployment")
