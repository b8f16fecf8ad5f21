"""R(X): everyone who may call an action on a key, whatever IAM policies exist or will exist.

``R(X) = MayAllow(X) minus MustDeny(X)``. What allows is counted generously: a condition that cannot be
decided holds, an account principal stands for its whole account, a principal that cannot be resolved is
anyone, a grant counts as written. What denies is counted only where it certainly applies. So a region is
never too small, and "only A may do X" is proven when the region lies within A.

See: https://docs.aws.amazon.com/kms/latest/developerguide/policy-evaluation.html
"""

from __future__ import annotations

import re
import weakref
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from kms_constructs.analysis.conditions import (
    GRANT_ACTIONS,
    Atom,
    RequestContext,
    decide,
    everywhere,
    names_other_partition,
    principal_atom,
)
from kms_constructs.analysis.principals import (
    IAM_KINDS,
    Cell,
    PrincipalCells,
    PrincipalKind,
    account_of,
    account_pattern,
    describe_cells,
    everyone,
    is_session,
    principal_cells,
)
from kms_constructs.errors import ArgumentError
from kms_constructs.model.actions import ACTIONS, expand, find_action
from kms_constructs.model.estate import Grant, Key
from kms_constructs.model.globs import glob_covers, globs_meet
from kms_constructs.model.policy import Condition, Effect, Policy, Principal, Statement
from kms_constructs.model.text import display, has_hole
from kms_constructs.model.unknown import Unknown, is_unknown

KEY_POLICY = "key policy"
GRANT = "grant"
UNBOUND_BY_RCP = frozenset({"RetireGrant"})
"""Actions that no resource control policy takes away, even with ``*`` as its action."""

_MOST_CELLS = 2000
"""Denies that would cut a region into more pieces are left out, so that no policy makes it slow."""


@dataclass(frozen=True, slots=True)
class Contribution:
    """One reason why principals are in a region.

    Args:
        cells: The principals that are left after all Denies.
        statement: The statement of the key policy that allows it; None for a grant.
        source: ``key policy`` or ``grant``.
        delegated: Whether IAM policies of the principals' account decide.
        unresolved: Why it is here only because something is not known, or None.
        conditions: Conditions that were assumed to hold (those that say nothing of the principal).
        grant: The grant, when it comes from one.
    """

    cells: tuple[Cell, ...]
    statement: Statement | None
    source: str = KEY_POLICY
    delegated: bool = False
    unresolved: str | None = None
    conditions: tuple[Condition, ...] = ()
    grant: Grant | None = None

    def of(self, cells: tuple[Cell, ...]) -> Contribution:
        """The same reason for other principals."""
        if cells is self.cells:
            return self
        return Contribution(
            cells,
            self.statement,
            self.source,
            self.delegated,
            self.unresolved,
            self.conditions,
            self.grant,
        )

    @property
    def principals(self) -> str:
        """The principals as a person reads them."""
        return describe_cells(self.cells)

    @property
    def label(self) -> str:
        """What allows it: ``statement 'RootAccount'`` or ``grant 'reports'``."""
        if self.statement is not None:
            return f"statement '{self.statement.label}'" if self.statement.sid else self.statement.label
        return f"grant '{self.grant.name}'" if self.grant is not None and self.grant.name else "a grant"

    def describe(self) -> str:
        """How the access comes about, in one line."""
        text = self.label
        if self.delegated:
            accounts = sorted({display(account) for cell in self.cells if (account := cell.account)})
            where = f"account {', '.join(accounts)}" if accounts else "any account"
            text += f" → delegates to the IAM policies of {where}"
        else:
            text += f" → {self.principals}"
        return text + (f" (not resolved: {self.unresolved})" if self.unresolved else "")


@dataclass(frozen=True, slots=True)
class Reach:
    """R(X) for one action on one key.

    Args:
        action: Name of the action, without ``kms:``.
        contributions: Why principals are in it; empty when nobody is.
    """

    action: str
    contributions: tuple[Contribution, ...]

    def escapes(self, authorised: Iterable[str]) -> tuple[Contribution, ...]:
        """What is not covered by the authorised ARN patterns: empty proves "only these may do it".

        Args:
            authorised: ARN patterns with ``*`` and ``?``.
        """
        patterns = tuple(authorised)
        found: list[Contribution] = []
        for contribution in self.contributions:
            cells = tuple(cell for cell in contribution.cells if not cell.within(patterns))
            if cells:
                found.append(contribution.of(cells))
        return tuple(found)

    @property
    def cells(self) -> tuple[Cell, ...]:
        """Every cell of every contribution, each once."""
        return tuple(dict.fromkeys(cell for part in self.contributions for cell in part.cells))

    @property
    def undetermined(self) -> bool:
        """Whether all of it is there only because something is not known."""
        return bool(self.contributions) and all(part.unresolved for part in self.contributions)


def reach_of(
    key: Key,
    action: str,
    *,
    context: RequestContext | None = None,
    scps: Sequence[Policy] = (),
    rcps: Sequence[Policy] = (),
) -> Reach:
    """Everyone who may call `action` on `key`.

    Args:
        key: The key.
        action: Name of the action, with or without ``kms:``.
        context: What is known of the request: folded condition key to value, or None for a key that the
            request does not carry. Conditions on other keys stay open.
        scps: Service control policies in force for the key's account (their Allow lists are taken to be
            ``*``; they bind neither service-linked roles, nor services, nor other accounts).
        rcps: Resource control policies in force for the key's account.

    Returns:
        The region; never too small. Two rights are outside of it: to retire a grant, which the grant gives
        to its retiring principal, and what a grant that is made later will give (see `separation`).

    Raises:
        ArgumentError: KMS has no such action.

    Example:
        >>> from kms_constructs.model.estate import Key, Location
        >>> from kms_constructs.model.policy import parse_policy
        >>> policy = parse_policy({"Statement": {"Effect": "Allow", "Action": "kms:Decrypt",
        ...     "Resource": "*", "Principal": {"AWS": "arn:aws:iam::111122223333:role/App"}}})
        >>> key = Key(id="k", location=Location("k"), policy=policy, account="111122223333",
        ...     region="us-east-1")
        >>> [part.principals for part in reach_of(key, "Decrypt").contributions]
        ['arn:aws:iam::111122223333:role/App']
        >>> reach_of(key, "PutKeyPolicy").contributions
        ()
    """
    return _compiled(key).reach(action_name(action), context or {}, tuple(scps), tuple(rcps))


def action_name(action: str) -> str:
    """Name of a KMS action in AWS's spelling.

    Args:
        action: With or without ``kms:``, in any case.

    Raises:
        ArgumentError: KMS has no such action. That nobody has it would be no answer.
    """
    if action in ACTIONS:
        return action
    found = find_action(action)
    if found is None:
        raise ArgumentError("action", action, "KMS has no such action", "name one such as 'Decrypt'")
    return found.name


def shared_reaches(
    key: Key,
    actions: Iterable[str],
    *,
    context: RequestContext | None = None,
    scps: Sequence[Policy] = (),
    rcps: Sequence[Policy] = (),
) -> tuple[tuple[tuple[str, ...], tuple[Contribution, ...]], ...]:
    """The regions of many actions, those together that the same statements and grants decide.

    Args:
        key: The key.
        actions: Names of KMS actions, without ``kms:``.
        context: As for `reach_of`.
        scps: As for `reach_of`.
        rcps: As for `reach_of`.

    Returns:
        Names of actions and the contributions to the region of each of them.
    """
    groups: dict[int, tuple[list[str], tuple[Contribution, ...]]] = {}
    compiled = _compiled(key)
    for names in compiled.alike(actions, (*scps, *rcps)):
        parts = compiled.reach(names[0], context or {}, tuple(scps), tuple(rcps)).contributions
        groups.setdefault(id(parts), ([], parts))[0].extend(names)
    return tuple((tuple(names), parts) for names, parts in groups.values())


_cache: dict[int, tuple[weakref.ref[Key], _KeyAccess]] = {}


def _compiled(key: Key) -> _KeyAccess:
    found = _cache.get(id(key))
    if found is not None and found[0]() is key:
        return found[1]
    identity = id(key)
    made = _KeyAccess(key)
    _cache[identity] = (weakref.ref(key, lambda _: _cache.pop(identity, None)), made)
    return made


class _KeyAccess:
    """A key policy cut into allows and denies once, asked for many actions."""

    def __init__(self, key: Key) -> None:
        self._policy = key.policy
        self._key = key.arn_pattern, key.partition
        self._account = key.account
        self._grants = key.grants
        self._statements = key.policy.statements
        self._speaking = _speaking(
            tuple(
                (
                    denies := statement.effect == Effect.DENY,
                    statement_actions(statement.actions, statement.not_actions, denies)
                    if statement.certain or not denies
                    else _NO_ACTIONS,
                )
                for statement in key.policy.statements
            )
        )
        # What a statement gives or takes depends on the action only where a condition key belongs to grants.
        self._found: dict[object, tuple[Contribution, ...]] = {}
        self._given: dict[object, tuple[Contribution, ...]] = {}
        self._taken: dict[object, tuple[Atom, ...] | None] = {}

    def reach(
        self, action: str, context: RequestContext, scps: tuple[Policy, ...], rcps: tuple[Policy, ...]
    ) -> Reach:
        """Actions that the same statements speak of share one result: a policy has few kinds of action."""
        if is_unknown(self._policy.unknown):
            reason = self._policy.unknown.reason
            return Reach(action, (Contribution(everyone(), None, KEY_POLICY, unresolved=reason),))
        allows, denies = self._speaking[action]
        grants = tuple([grant for grant in self._grants if _carries(grant, action)]) if self._grants else ()
        circumstances = (action in GRANT_ACTIONS, tuple(sorted(context.items())) if context else ())
        signature = (circumstances, allows, denies, tuple(map(id, grants)))
        if not (scps or rcps) and signature in self._found:
            return Reach(action, self._found[signature])
        parts = [
            part for position in allows for part in self._gives(position, action, context, circumstances)
        ]
        parts.extend(_granted(grant) for grant in grants)
        denials = [
            atoms
            for position in denies
            if (atoms := self._takes(position, action, context, circumstances)) is not None
        ]
        if scps or rcps:
            denials.extend(self._organization(action, context, scps, rcps))
        contributions: list[Contribution] = []
        denied = tuple(denials)
        for part in parts:
            cells = _without(part.cells, denied)
            if cells:
                contributions.append(part.of(cells))
        found = tuple(contributions)
        if not (scps or rcps):
            self._found[signature] = found
        return Reach(action, found)

    def alike(self, actions: Iterable[str], organization: Sequence[Policy] = ()) -> Iterable[list[str]]:
        """The actions in groups that one region serves."""
        groups: dict[object, list[str]] = {}
        for action in actions:
            grants = tuple([_carries(grant, action) for grant in self._grants]) if self._grants else ()
            spoken_of = tuple(
                applies_to_action(statement, action, certainly=True)
                for policy in organization
                for statement in policy.statements
            )
            bound = (spoken_of, action in UNBOUND_BY_RCP)
            sort = (self._speaking[action], grants, action in GRANT_ACTIONS, bound)
            groups.setdefault(sort, []).append(action)
        return groups.values()

    def _gives(
        self, position: int, action: str, context: RequestContext, circumstances: object
    ) -> tuple[Contribution, ...]:
        place = (position, circumstances)
        if place not in self._given:
            self._given[place] = _allowed(self._statements[position], action, context, self._key)
        return self._given[place]

    def _takes(
        self, position: int, action: str, context: RequestContext, circumstances: object
    ) -> tuple[Atom, ...] | None:
        place = (position, circumstances)
        if place not in self._taken:
            statement = self._statements[position]
            self._taken[place] = _denial(statement, action, context, self._key, in_key_policy=True)
        return self._taken[place]

    def _organization(
        self, action: str, context: RequestContext, scps: Sequence[Policy], rcps: Sequence[Policy]
    ) -> Iterable[tuple[Atom, ...]]:
        """What the organization's policies take, within the bounds that each kind has."""
        binding_rcps = () if action in UNBOUND_BY_RCP else rcps
        for policies, scope in ((scps, _scp_scope(self._account)), (binding_rcps, _rcp_scope())):
            for policy in policies:
                for statement in policy.statements:
                    if statement.effect != Effect.DENY or not statement.certain:
                        continue
                    if not applies_to_action(statement, action, certainly=True):
                        continue
                    atoms = _denial(statement, action, context, self._key, in_key_policy=False)
                    if atoms is not None:
                        yield (*scope, *atoms)


_NO_ACTIONS: frozenset[str] = frozenset()


@lru_cache(maxsize=4096)
def _speaking(
    statements: tuple[tuple[bool, frozenset[str]], ...],
) -> dict[str, tuple[tuple[int, ...], tuple[int, ...]]]:
    """For each action the positions of the Allows and of the Denies that speak of it.

    Policies of one shape share it: keys that are made alike differ in their principals only.
    """
    return {
        action: (
            tuple(at for at, (denies, names) in enumerate(statements) if not denies and action in names),
            tuple(at for at, (denies, names) in enumerate(statements) if denies and action in names),
        )
        for action in ACTIONS
    }


_SERVICE_NAME = re.compile(r"[a-z0-9.-]+\.amazonaws\.com(?:\.cn)?|[a-z0-9-]+\.amazon\.com")


def _carries(grant: Grant, action: str) -> bool:
    if is_unknown(grant.operations):
        return ACTIONS[action].grantable
    return action in grant.operations


def _granted(grant: Grant) -> Contribution:
    reason = grant.operations.reason if is_unknown(grant.operations) else None
    if is_unknown(grant.grantee):
        return Contribution(everyone(), None, GRANT, False, grant.grantee.reason, (), grant)
    kind = "Service" if _SERVICE_NAME.fullmatch(grant.grantee) else "AWS"
    found = principal_cells(Principal(kind, grant.grantee))
    # A grant names whom it serves: an account principal there is the account itself, not its IAM.
    return Contribution(found.cells, None, GRANT, found.delegated, found.unresolved or reason, (), grant)


@lru_cache(maxsize=256)
def _scp_scope(account: str) -> tuple[Atom, ...]:
    own = tuple((kind, (account_pattern(kind, account),)) for kind in IAM_KINDS)
    return (Atom(own, missing=False), *_rcp_scope(), Atom(everywhere(("*",)), missing=False))


def _rcp_scope() -> tuple[Atom, ...]:
    return (
        Atom(
            ((PrincipalKind.ROLE, ("arn:aws:iam::*:role/aws-service-role/*",)),), negated=True, missing=True
        ),
    )


def applies_to_action(statement: Statement, action: str, *, certainly: bool) -> bool:
    """Whether the statement speaks of the action.

    Args:
        statement: The statement.
        action: Name of a KMS action, without ``kms:``.
        certainly: Whether an unknown element counts as no (for a Deny) or as yes (for an Allow).
    """
    return action in statement_actions(statement.actions, statement.not_actions, certainly)


_ALL_ACTIONS = frozenset(ACTIONS)


@lru_cache(maxsize=8192)
def statement_actions(
    actions: tuple[str, ...] | Unknown | None, not_actions: tuple[str, ...] | Unknown | None, certainly: bool
) -> frozenset[str]:
    """Names of the KMS actions that an Action or NotAction element speaks of.

    Args:
        actions: The Action element.
        not_actions: The NotAction element.
        certainly: Whether what is unknown counts as no (for a Deny) or as yes (for an Allow).
    """
    if actions is not None:
        if isinstance(actions, Unknown):
            return frozenset() if certainly else _ALL_ACTIONS
        return frozenset().union(*(_action_names(pattern, certainly) for pattern in actions))
    if not_actions is not None:
        if isinstance(not_actions, Unknown):
            return frozenset() if certainly else _ALL_ACTIONS
        return _ALL_ACTIONS.difference(*(_action_names(pattern, not certainly) for pattern in not_actions))
    return frozenset()


@lru_cache(maxsize=8192)
def _action_names(pattern: str, certainly: bool) -> frozenset[str]:
    if not has_hole(pattern):
        return frozenset(expand(pattern))
    if certainly:
        return frozenset()
    return frozenset(name for name in ACTIONS if globs_meet(pattern.lower(), f"kms:{name}".lower()))


def _resource_applies(statement: Statement, key_arn: str, *, certainly: bool) -> bool:
    """Whether the statement speaks of the key. A statement without a Resource has no effect at all."""
    decides = glob_covers if certainly else globs_meet
    if statement.resources is not None:
        if isinstance(statement.resources, Unknown):
            return not certainly
        # Nearly every statement of a key policy says "*", and every key has an ARN of its own.
        return "*" in statement.resources or any(decides(one, key_arn) for one in statement.resources)
    if statement.not_resources is not None:
        if isinstance(statement.not_resources, Unknown):
            return not certainly
        excluded = globs_meet if certainly else glob_covers
        return not any(excluded(pattern, key_arn) for pattern in statement.not_resources)
    return False


def _allowed(
    statement: Statement, action: str, context: RequestContext, key: tuple[str, str]
) -> tuple[Contribution, ...]:
    key_arn, partition = key
    if not _resource_applies(statement, key_arn, certainly=False):
        return ()
    unresolved: str | None = None
    for element in (
        statement.effect,
        statement.actions,
        statement.not_actions,
        statement.resources,
        statement.not_resources,
    ):
        if isinstance(element, Unknown):
            unresolved = element.reason
    atoms: list[Atom] = []
    assumed: list[Condition] = []
    if isinstance(statement.conditions, Unknown):
        unresolved = unresolved or statement.conditions.reason
    else:
        for condition in statement.conditions:
            verdict = decide(condition, action, context)
            if verdict is False:
                return ()
            if verdict is None:
                atom = principal_atom(condition)
                if atom is None or (atom.negated and names_other_partition(condition, partition)):
                    assumed.append(condition)
                else:
                    atoms.append(atom)
    found: list[Contribution] = []
    for part in _statement_principals(statement):
        cells = part.cells
        for atom in atoms:
            cells = tuple(dict.fromkeys(left for cell in cells for left in atom.satisfying(cell)))
        if cells:
            reason = unresolved or part.unresolved
            found.append(Contribution(cells, statement, KEY_POLICY, part.delegated, reason, tuple(assumed)))
    return tuple(found)


def _statement_principals(statement: Statement) -> tuple[PrincipalCells, ...]:
    if isinstance(statement.principals, Unknown):
        return (PrincipalCells(everyone(), unresolved=statement.principals.reason),)
    if statement.principals is not None:
        return tuple(principal_cells(principal) for principal in statement.principals)
    if statement.not_principals is not None:
        # An Allow with NotPrincipal is open to everyone else in the world.
        return (PrincipalCells(everyone()),)
    return ()


def _denial(
    statement: Statement, action: str, context: RequestContext, key: tuple[str, str], *, in_key_policy: bool
) -> tuple[Atom, ...] | None:
    """What must hold of a principal for the Deny to hit it for certain; None when it may not hit at all."""
    key_arn, partition = key
    if not _resource_applies(statement, key_arn, certainly=True):
        return None
    if isinstance(statement.conditions, Unknown):
        return None
    atoms: list[Atom] = []
    for condition in statement.conditions:
        verdict = decide(condition, action, context)
        if verdict is False:
            return None
        if verdict is None:
            atom = principal_atom(condition)
            if atom is None or (not atom.negated and names_other_partition(condition, partition)):
                return None
            atoms.append(atom)
    if statement.principals is None:
        # An organization policy may leave the principal out; a key policy may not, and NotPrincipal is
        # too easily escaped (the session, the account) to count on.
        return None if in_key_policy or statement.not_principals is not None else tuple(atoms)
    if isinstance(statement.principals, Unknown):
        return None
    named = _denied_principals(statement.principals)
    return tuple(atoms) if named is None else (named, *atoms)


def _denied_principals(principals: Sequence[Principal]) -> Atom | None:
    """The principals that a Deny hits for certain, as an atom; None when it hits everyone."""
    patterns: dict[PrincipalKind, list[str]] = {kind: [] for kind in PrincipalKind}
    for principal in principals:
        if principal.value == "*" and principal.type in ("AWS", "*"):
            return None
        found = principal_cells(principal)
        # One session that is denied leaves the other sessions of its role.
        if found.unresolved is not None or is_session(principal.value):
            continue
        for cell in found.cells:
            # A Deny on an account principal is only counted against its root user.
            if found.delegated and cell.kind is not PrincipalKind.ROOT:
                continue
            if cell.literal is not None:
                patterns[cell.kind].append(cell.literal)
    return Atom(tuple((kind, tuple(found)) for kind, found in patterns.items()))


@lru_cache(maxsize=8192)
def _without(cells: tuple[Cell, ...], denials: tuple[tuple[Atom, ...], ...]) -> tuple[Cell, ...]:
    """The cells minus every denial: what fails at least one atom of each. The keys of an app share many."""
    left = cells
    for atoms in denials:
        if not left:
            return ()
        kept: list[Cell] = []
        for cell in left:
            rest: tuple[Cell, ...] = (cell,)
            for atom in atoms:
                kept.extend(part for one in rest for part in atom.failing(one))
                rest = tuple(part for one in rest for part in atom.satisfying(one))
                if not rest:
                    break
            if len(kept) > _MOST_CELLS:
                break
        else:
            left = tuple(dict.fromkeys(kept))
    return left


def same_account(cell: Cell, account: str) -> bool | None:
    """Whether a cell lies in an account: True, False, or None when that is open.

    Args:
        cell: The cell; a service lies in no account.
        account: Twelve digits, or text with holes.
    """
    if cell.kind is PrincipalKind.SERVICE:
        return False
    found = cell.account
    if found is None:
        return None
    if found == account:
        return True
    return None if globs_meet(found, account) else False


__all__ = [
    "GRANT",
    "KEY_POLICY",
    "Contribution",
    "Reach",
    "account_of",
    "applies_to_action",
    "reach_of",
    "same_account",
    "shared_reaches",
]
