"""R(X): everyone who may call an action on a key, whatever IAM policies exist or will exist.

``R(X) = MayAllow(X) minus MustDeny(X)``. What allows is counted generously: a condition that cannot be
decided holds, an account principal stands for its whole account, a principal that cannot be resolved is
anyone, a grant counts as written. What denies is counted only where it certainly applies. So a region is
never too small, and "only A may do X" is proven when the region lies within A.

See: https://docs.aws.amazon.com/kms/latest/developerguide/policy-evaluation.html
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache

from msgspec.structs import replace

from kms_constructs.analysis.conditions import GRANT_ACTIONS, Atom, RequestContext, everywhere
from kms_constructs.analysis.contribution import GRANT, KEY_POLICY, Contribution
from kms_constructs.analysis.key_names import KeyName
from kms_constructs.analysis.principals import (
    IAM_KINDS,
    Cell,
    PrincipalKind,
    account_of,
    account_pattern,
    everyone,
    lies_elsewhere,
    principal_cells,
)
from kms_constructs.analysis.shape import actions_alike, shape_of, speaking_of
from kms_constructs.analysis.statements import allowed, applies_to_action, denial, statement_actions
from kms_constructs.errors import ArgumentError
from kms_constructs.model.actions import ACROSS_ACCOUNTS, ACTIONS, find_action
from kms_constructs.model.arn import is_account_id
from kms_constructs.model.estate import Grant, Key
from kms_constructs.model.frozen import Frozen
from kms_constructs.model.globs import globs_meet
from kms_constructs.model.once import once
from kms_constructs.model.policy import Effect, Policy, Principal, Statement
from kms_constructs.model.text import display, has_hole
from kms_constructs.model.unknown import is_unknown

UNBOUND_BY_RCP = frozenset({"RetireGrant"})
"""Actions that no resource control policy takes away, even with ``*`` as its action."""

_MOST_CELLS = 2000
"""Denies that would cut a region into more pieces are left out, so that no policy makes it slow."""


class Reach(Frozen, frozen=True):
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
            if len(cells) == len(contribution.cells):
                found.append(contribution)
            elif cells := _without_sessions(contribution.cells, cells):
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


def _without_sessions(cells: tuple[Cell, ...], left: tuple[Cell, ...]) -> tuple[Cell, ...]:
    """What is left, without the role of a session that is authorised under the role's other path.

    A session's ARN does not tell the path of its role, so it stands for the name with and without one.
    """
    gone = {include for cell in cells if cell not in left for include in cell.include}
    return tuple(
        cell
        for cell in left
        if cell.literal is None or cell.literal.replace("role/", "role/*/", 1) not in gone
    )


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
    compiled, known = _compiled(key), context or {}
    return tuple(
        (names, compiled.reach(names[0], known, tuple(scps), tuple(rcps)).contributions)
        for names in compiled.alike(tuple(actions), (*scps, *rcps))
    )


def deciding(
    key: Key, action: str, organization: Sequence[Policy] = ()
) -> tuple[object, tuple[Statement, ...], bool]:
    """What actions of one region share, the statements that speak of it, and whether a grant may carry it."""
    signature = _compiled(key).signature(action, ())
    _, allows, denies, carrying = signature
    statements = tuple(key.policy.statements[at] for at in (*allows, *denies))
    return (signature, _bound(action, organization)), statements, bool(carrying)


class _KeyAccess:
    """A key policy cut into allows and denies once, asked for many actions."""

    def __init__(self, key: Key) -> None:
        self._policy = key.policy
        self._key = KeyName.of(key, in_own_policy=True)
        self._grants = key.grants
        self._statements = key.policy.statements
        self._shape = shape_of(key.policy)
        self._speaking = speaking_of(self._shape)
        self._abroad = is_account_id(key.account) and any(
            statement.effect != Effect.DENY and not _names_home_only(statement, key.account)
            for statement in key.policy.statements
        )
        self._open = {at: found for at, one in enumerate(self._statements) if (found := _open_actions(one))}
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
            return Reach(action, (Contribution(everyone(self._key.partition), None, unresolved=reason),))
        signature = self.signature(action, tuple(sorted(context.items())) if context else ())
        circumstances, allows, denies, carrying = signature
        grants = [self._grants[at] for at in carrying]
        if not (scps or rcps) and signature in self._found:
            return Reach(action, self._found[signature])
        parts = [
            self._perhaps(position, action, part)
            for position in allows
            for part in self._gives(position, action, context, circumstances)
        ]
        parts.extend(_granted(grant, self._key.partition) for grant in grants)
        denials = [
            atoms
            for position in denies
            if (atoms := self._takes(position, action, context, circumstances)) is not None
        ]
        if scps or rcps:
            denials.extend(self._organization(action, context, scps, rcps))
        if action not in ACROSS_ACCOUNTS and self._abroad:
            parts = [left for part in parts if (left := _at_home(part, self._key.account)) is not None]
        contributions: list[Contribution] = []
        denied = tuple(denials)
        doubt = next((atom.doubt for atoms in denied for atom in atoms if atom.doubt), "")
        for part in parts:
            cells = _without(part.cells, denied)
            if cells and doubt:
                sure = _without(part.cells, _hitting(denied))
                contributions.extend(part.of(cells).doubted(sure, doubt))
            elif cells:
                contributions.append(part.of(cells))
        found = tuple(contributions)
        if not (scps or rcps):
            self._found[signature] = found
        return Reach(action, found)

    def alike(self, actions: tuple[str, ...], organization: Sequence[Policy]) -> Iterable[tuple[str, ...]]:
        """The actions in groups that share a region, whatever is known of the request."""
        if not (organization or self._grants or self._open):
            return actions_alike(self._shape, actions, self._abroad)
        groups: dict[object, list[str]] = {}
        for action in actions:
            place = self.signature(action, ()), _bound(action, organization)
            groups.setdefault(place, []).append(action)
        return map(tuple, groups.values())

    def signature(self, action: str, known: _Known) -> _Signature:
        """What the region of an action depends on: actions with the same one share a region."""
        allows, denies = self._speaking[action]
        carrying = (
            tuple([at for at, grant in enumerate(self._grants) if _carries(grant, action)])
            if self._grants
            else ()
        )
        home_only = self._abroad and action not in ACROSS_ACCOUNTS
        perhaps = tuple([at for at, (sure, _) in self._open.items() if action not in sure])
        return (action in GRANT_ACTIONS, home_only, known, perhaps), allows, denies, carrying

    def _perhaps(self, position: int, action: str, part: Contribution) -> Contribution:
        """The contribution, which is there perhaps where an undecided text may name the action."""
        if position not in self._open or part.unresolved is not None:
            return part
        sure, why = self._open[position]
        return part if action in sure else replace(part, unresolved=why)

    def _gives(
        self, position: int, action: str, context: RequestContext, circumstances: object
    ) -> tuple[Contribution, ...]:
        place = (position, circumstances)
        if place not in self._given:
            self._given[place] = allowed(self._statements[position], action, context, self._key)
        return self._given[place]

    def _takes(
        self, position: int, action: str, context: RequestContext, circumstances: object
    ) -> tuple[Atom, ...] | None:
        place = (position, circumstances)
        if place not in self._taken:
            statement = self._statements[position]
            self._taken[place] = denial(statement, action, context, self._key, in_key_policy=True)
        return self._taken[place]

    def _organization(
        self, action: str, context: RequestContext, scps: Sequence[Policy], rcps: Sequence[Policy]
    ) -> Iterable[tuple[Atom, ...]]:
        """What the organization's policies take, within the bounds that each kind has."""
        binding_rcps = () if action in UNBOUND_BY_RCP else rcps
        partition = self._key.partition
        own = _scp_scope(self._key.account, partition)
        for policies, scope in ((scps, own), (binding_rcps, _rcp_scope(partition))):
            for policy in policies:
                for statement in policy.statements:
                    if statement.effect != Effect.DENY or not statement.certain:
                        continue
                    if not applies_to_action(statement, action, certainly=True):
                        continue
                    atoms = denial(statement, action, context, self._key, in_key_policy=False)
                    if atoms is not None:
                        yield (*scope, *atoms)


def _open_actions(statement: Statement) -> tuple[frozenset[str], str] | None:
    """The actions that an Allow certainly speaks of and what is not known of others; None when all are."""
    if statement.effect == Effect.DENY:
        return None
    for listed in (statement.actions, statement.not_actions):
        text = next(filter(has_hole, listed), None) if isinstance(listed, tuple) else None
        if text is not None:
            sure = statement_actions(statement.actions, statement.not_actions, certainly=True)
            return sure, f"{display(text)} is undecided"
    return None


def _names_home_only(statement: Statement, account: str) -> bool:
    """Whether a statement certainly names services and principals of this account alone."""
    if not isinstance(statement.principals, tuple):
        return False
    return all(
        principal.type == "Service" or account in (principal.value, account_of(principal.value))
        for principal in statement.principals
    )


def _at_home(part: Contribution, account: str) -> Contribution | None:
    """The contribution without principals that certainly belong to another account; None without any left."""
    cells = tuple(cell for cell in part.cells if not is_abroad(cell, account))
    return (part if len(cells) == len(part.cells) else part.of(cells)) if cells else None


def is_abroad(cell: Cell, account: str) -> bool:
    """Whether all principals of a cell certainly belong to another account than this one.

    Args:
        cell: The cell; a service belongs to no account.
        account: Twelve digits, or text with holes: then it is not certain.
    """
    return same_account(cell, account) is False and cell.kind is not PrincipalKind.SERVICE


def _bound(action: str, organization: Sequence[Policy]) -> tuple[object, ...]:
    """What the organization's policies say of an action: those with the same answer share a region."""
    if not organization:
        return ()
    return action in UNBOUND_BY_RCP, tuple(
        applies_to_action(statement, action, certainly=True)
        for policy in organization
        for statement in policy.statements
    )


_Known = tuple[tuple[str, str | tuple[str, ...] | None], ...]
_Signature = tuple[object, tuple[int, ...], tuple[int, ...], tuple[int, ...]]
"""What is known of the request; positions of the Allows, Denies and grants that speak of an action."""


_compiled = once(_KeyAccess)


_SERVICE_NAME = re.compile(r"[a-z0-9.-]+\.amazonaws\.com(?:\.cn)?|[a-z0-9-]+\.amazon\.com")


def _carries(grant: Grant, action: str) -> bool:
    if is_unknown(grant.operations):
        return ACTIONS[action].grantable
    return action in grant.operations


def _granted(grant: Grant, partition: str) -> Contribution:
    reason = grant.operations.reason if is_unknown(grant.operations) else None
    if is_unknown(grant.grantee):
        return Contribution(everyone(partition), None, GRANT, False, grant.grantee.reason, (), grant)
    kind = "Service" if _SERVICE_NAME.fullmatch(grant.grantee) else "AWS"
    found = principal_cells(Principal(kind, grant.grantee), partition)
    # A grant names whom it serves: an account principal there is the account itself, not its IAM.
    return Contribution(found.cells, None, GRANT, found.delegated, found.unresolved or reason, (), grant)


@lru_cache(maxsize=256)
def _scp_scope(account: str, partition: str) -> tuple[Atom, ...]:
    own = tuple((kind, (account_pattern(kind, account, partition),)) for kind in IAM_KINDS)
    return (Atom(own, missing=False), *_rcp_scope(partition), Atom(everywhere(("*",)), missing=False))


@lru_cache(maxsize=64)
def _rcp_scope(partition: str) -> tuple[Atom, ...]:
    linked = f"{account_pattern(PrincipalKind.ROLE, '*', partition).removesuffix('*')}aws-service-role/*"
    return (Atom(((PrincipalKind.ROLE, (linked,)),), negated=True, missing=True),)


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


@lru_cache(maxsize=4096)
def _hitting(denials: tuple[tuple[Atom, ...], ...]) -> tuple[tuple[Atom, ...], ...]:
    """The denials in the reading of AWS's documents in which they hit the most."""
    return tuple(tuple(atom.taken_for(satisfied=True) for atom in atoms) for atoms in denials)


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
        return False if lies_elsewhere(cell, account) else None
    if found == account:
        return True
    return None if globs_meet(found, account) else False


__all__ = [
    "GRANT",
    "KEY_POLICY",
    "Contribution",
    "Reach",
    "applies_to_action",
    "deciding",
    "reach_of",
    "same_account",
    "shared_reaches",
    "statement_actions",
]
