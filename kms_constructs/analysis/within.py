"""Who may do what on the keys of an estate: the one question, for everybody who asks it.

Rules, ``explain``, ``diff``, the page, the packs and `kms_constructs.testing` ask here and nowhere else, so
that everything in the estate that decides takes part in every answer: key policies and grants, IAM policies,
and the policies of the organization in force.

See: https://docs.aws.amazon.com/kms/latest/developerguide/policy-evaluation.html
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Sequence
from functools import cached_property
from typing import TypeVar

from kms_constructs.analysis.access import AccessMatrix, MatrixRow
from kms_constructs.analysis.call import key_facts
from kms_constructs.analysis.conditions import RequestContext
from kms_constructs.analysis.holdings import Holding, Holdings, HoldingsIndex
from kms_constructs.analysis.identity import attached_cells
from kms_constructs.analysis.identity_index import IdentityIndex
from kms_constructs.analysis.principals import (
    Cell,
    PrincipalKind,
    any_meet,
    named_cells,
    same_principal,
)
from kms_constructs.analysis.reach import Contribution, Reach, reach_of, shared_reaches
from kms_constructs.analysis.rows import AskedKey
from kms_constructs.analysis.separation import (
    CREATE_GRANT,
    DIRECT_GRANT_CONTEXTS,
    MANAGING_ACTIONS,
    Overlap,
    direct_grants,
    overlaps,
)
from kms_constructs.model.actions import ACTIONS
from kms_constructs.model.effort import Effort, TooComplexError, limited_to
from kms_constructs.model.estate import Estate, Key, without_policy
from kms_constructs.model.once import once
from kms_constructs.model.policy import Policy
from kms_constructs.model.unknown import Unknown, is_unknown

_Answer = TypeVar("_Answer")


class EstateAccess:
    """Answers who may do what on the keys of an estate. Make one for an estate: it remembers.

    Args:
        estate: Everything that decides.

    Example:
        >>> from kms_constructs.model.estate import Location, Organization
        >>> from kms_constructs.model.policy import parse_policy
        >>> policy = parse_policy({"Statement": {"Effect": "Allow", "Action": "kms:*",
        ...     "Resource": "*", "Principal": {"AWS": "arn:aws:iam::111122223333:role/Ops"}}})
        >>> key = Key(id="k", location=Location("k"), policy=policy, account="111122223333",
        ...     region="us-east-1")
        >>> scp = parse_policy({"Statement": {"Effect": "Deny", "Action": "kms:ScheduleKeyDeletion",
        ...     "Resource": "*"}})
        >>> ops = "arn:aws:iam::111122223333:role/Ops"
        >>> EstateAccess(Estate(keys=(key,))).could(key, ops, "ScheduleKeyDeletion")
        True
        >>> bound = Estate(keys=(key,), organization=Organization(scps=(scp,)))
        >>> EstateAccess(bound).could(key, ops, "ScheduleKeyDeletion")
        False
    """

    def __init__(self, estate: Estate) -> None:
        self._estate = estate
        self._shared: dict[Hashable, _SharedRows] = {}
        self._same: dict[str, frozenset[str]] = {}

    def reach(self, key: Key, action: str, *, context: RequestContext | None = None) -> Reach:
        """Everyone who may call an action on a key, whatever IAM policies there may be; never too few.

        Args:
            key: The key.
            action: Name of the action, with or without ``kms:``.
            context: What is known of the request; see `reach_of`.

        Raises:
            ArgumentError: KMS has no such action.
        """
        organization = self._estate.organization
        context = {**self._facts(key), **(context or {})}
        return reach_of(key, action, context=context, scps=organization.scps, rcps=organization.rcps)

    def shared_reaches(
        self, key: Key, actions: Iterable[str]
    ) -> tuple[tuple[tuple[str, ...], tuple[Contribution, ...]], ...]:
        """The regions of many actions, those together that the same statements and grants decide."""
        organization = self._estate.organization
        context = self._facts(key)
        return shared_reaches(key, actions, context=context, scps=organization.scps, rcps=organization.rcps)

    def _facts(self, key: Key) -> RequestContext:
        """What the key is, of which a policy speaks: every request carries it."""
        known = _facts_asked_for(key)
        organization = self._estate.organization
        asked = {name for policy in (*organization.scps, *organization.rcps) for name in _keys_of(policy)}
        return {**known, **_known_facts(key, asked)} if asked else known

    def overlaps(self, key: Key) -> tuple[Overlap, ...]:
        """Everyone who could both manage and use a key; empty proves that duties are separated."""
        return overlaps(key, self._managing.policies_of(key), self._estate.organization)

    def could(self, key: Key, principal: str, action: str) -> bool:
        """Whether some IAM policy could give a principal an action; False is a proof that none can.

        Args:
            key: The key.
            principal: ARN of a role or user, an account id, or a service name.
            action: Name of the action, with or without ``kms:``.
        """
        return any_meet(named_cells(principal), self.reach(key, action).cells)

    def may(self, key: Key, principal: str, action: str) -> bool:
        """Whether a principal has an action by the key policy, a grant or an IAM policy of the estate.

        Conditions are taken to hold. What the key policy only delegates to the account counts when an IAM
        policy of the estate uses it; one of unknown holders gives it to anyone.

        Args:
            key: The key.
            principal: ARN of a role or user, an account id, or a service name.
            action: Name of the action, with or without ``kms:``.
        """
        mine = named_cells(principal)
        region = self.reach(key, action)
        parts = [part for part in region.contributions if any_meet(mine, part.cells)]
        if any(not part.delegated for part in parts) or (parts and principal.endswith(":root")):
            return True
        return bool(parts) and any(
            holding.grant.action == region.action and any_meet(mine, attached_cells(holding.grant.policy))
            for groups in self._holdings.of(key)
            for group in groups
            for holding in group.members
        )

    def matrix(self, key: Key) -> AccessMatrix:
        """Who may do what with a key.

        A row for every principal that the key policy or a grant names (an account principal is two: its root
        user, and everyone else through IAM), and for every role or user to whom an IAM policy of the estate
        gives what the key policy delegates.
        """
        return _followed(key, self._matrix)

    def _matrix(self, key: Key) -> AccessMatrix:
        asked = self._asked(key)
        rows = {name: asked.row(cells) for name, cells in asked.groups().items()}
        for row in self._by_identity(key, asked):
            rows[row.principal] = row
        return AccessMatrix(key, asked.capabilities, tuple(rows.values()))

    def row(self, key: Key, principal: str) -> MatrixRow:
        """What one principal may do with a key, whether the key policy names it or not.

        Unlike in the matrix, whatever takes the principal in counts as its own, and so does the account that
        decides by IAM policies: a capability is then delegated.

        Args:
            key: The key.
            principal: ARN of a role, user or root user, or the name of a service.
        """
        return _followed(key, lambda known: self._row(known, principal))

    def _row(self, key: Key, principal: str) -> MatrixRow:
        cells = named_cells(principal)
        # The ARN of the root user stands for its whole account in a policy; here it is asked for itself.
        cells = tuple(cell for cell in cells if cell.kind is PrincipalKind.ROOT) or cells
        asked = self._asked(key)
        holders = _by_holder(
            [group for groups in self._holdings.of(key) for group in groups],
            asked,
            wanted=self._called(principal),
        )
        parts = tuple(
            part
            for arn, held in holders.items()
            for part in asked.parts(named_cells(arn), (holding.grant for holding in held))
        )
        return asked.row(cells, parts, delegations=True)

    def matrices(self, keys: Iterable[Key]) -> tuple[AccessMatrix, ...]:
        """The matrices of several keys of the estate."""
        return tuple(self.matrix(key) for key in keys)

    @cached_property
    def _holdings(self) -> HoldingsIndex:
        return HoldingsIndex(self._estate.identity_policies, ACTIONS)

    @cached_property
    def _managing(self) -> IdentityIndex:
        return IdentityIndex(self._estate.identity_policies, MANAGING_ACTIONS)

    def _asked(self, key: Key) -> AskedKey:
        return AskedKey(
            key,
            lambda action: self.reach(key, action),
            direct_grants(
                self.reach(key, CREATE_GRANT, context=context) for context in DIRECT_GRANT_CONTEXTS
            ),
        )

    def _called(self, principal: str) -> frozenset[str]:
        """The holders of IAM policies whom a name may mean."""
        if principal not in self._same:
            arns = {
                arn
                for policy in self._estate.identity_policies
                if not isinstance(policy.attached_to, Unknown)
                for arn in policy.attached_to
            }
            self._same[principal] = frozenset(arn for arn in arns if same_principal(arn, principal))
        return self._same[principal]

    def _by_identity(self, key: Key, asked: AskedKey) -> Iterator[MatrixRow]:
        """The rows of those to whom IAM policies give what the key policy delegates.

        A policy that reaches every key gives its holders the same row for all keys of one shape: it is made
        once. Only holders whom the policy or the key names are looked at key by key.
        """
        if not asked.delegated:
            return
        wide, near = self._holdings.of(key)
        shape = (asked.shape, wide)
        if shape not in self._shared:
            self._shared[shape] = _SharedRows(asked, wide)
        shared = self._shared[shape]
        own = _by_holder(near, asked)
        for arn in shared.called(asked.named):
            own.setdefault(arn, [])
        own = {
            arn: sorted((*held, *shared.holders.get(arn, ())), key=lambda one: one.place)
            for arn, held in own.items()
        }
        places = {arn: _place(arn, held) for arn, held in own.items()}
        others = (entry for entry in shared.places if entry[-1] not in own)
        mine = sorted((*place, arn) for arn, place in places.items())
        for _, _, arn in heapq.merge(others, mine):
            row = _row(asked, arn, own[arn]) if arn in own else shared.row(arn, asked)
            if row is not None:
                yield row


def _followed(key: Key, answer: Callable[[Key], _Answer]) -> _Answer:
    """An answer about a key; about one that takes too long to follow, as if its policy were not known."""
    try:
        with limited_to(Effort()):
            return answer(key)
    except TooComplexError as error:
        return answer(without_policy(key, str(error)))


@once
def _facts_asked_for(key: Key) -> RequestContext:
    """What the key is, of which its own policy speaks."""
    return _known_facts(key, _keys_of(key.policy))


def _known_facts(key: Key, asked: Collection[str]) -> RequestContext:
    return {
        name: value
        for name, value in (key_facts(key) if asked else {}).items()
        if name in asked and not is_unknown(value) and not name.startswith("aws:resourcetag/")
    }


@once
def _keys_of(policy: Policy) -> frozenset[str]:
    """Folded condition keys that a policy asks for."""
    return frozenset(
        condition.folded_key
        for statement in policy.statements
        if isinstance(statement.conditions, tuple)
        for condition in statement.conditions
    )


class _SharedRows:
    """The rows of holders of IAM policies that the keys of one shape have in common."""

    def __init__(self, asked: AskedKey, groups: Sequence[Holdings]) -> None:
        self.holders = _by_holder(groups, asked)
        self.places = sorted((*_place(arn, held), arn) for arn, held in self.holders.items())
        self._rows: dict[str, MatrixRow | None] = {}
        self._names: dict[str, list[str]] = {}
        for arn in self.holders:
            for name in {name for cell in named_cells(arn) for name in cell.include}:
                self._names.setdefault(name, []).append(arn)

    def called(self, names: Iterable[str]) -> Iterator[str]:
        """The holders who have one of the names."""
        for name in names:
            yield from self._names.get(name, ())

    def row(self, arn: str, asked: AskedKey) -> MatrixRow | None:
        """The row of a holder whom the key, one of this shape, does not name."""
        if arn not in self._rows:
            self._rows[arn] = _row(asked, arn, self.holders[arn])
        return self._rows[arn]


def _row(asked: AskedKey, arn: str, held: Sequence[Holding]) -> MatrixRow | None:
    cells: tuple[Cell, ...] = named_cells(arn)
    parts = asked.parts(cells, (holding.grant for holding in held))
    return asked.row(cells, parts) if parts else None


def _by_holder(
    groups: Iterable[Holdings], asked: AskedKey, *, wanted: frozenset[str] | None = None
) -> dict[str, list[Holding]]:
    """What is held of the actions that the key policy delegates, by holder; in the order of the estate."""
    found: dict[str, list[Holding]] = {}
    for holding in sorted(
        (one for group in groups for one in group.members if one.grant.action in asked.delegated),
        key=lambda one: one.place,
    ):
        holders = holding.grant.policy.attached_to
        if not isinstance(holders, Unknown):
            for arn in holders:
                if (arn in wanted) if wanted is not None else not _has_shorter_name(arn, holders):
                    found.setdefault(arn, []).append(holding)
    return found


def _has_shorter_name(arn: str, holders: Sequence[str]) -> bool:
    """Whether it stands for a role or user of any path beside the one of no path: a matrix has one row."""
    return "/*/" in arn and arn.replace("/*/", "/", 1) in holders


def _place(arn: str, held: Sequence[Holding]) -> tuple[int, int]:
    """Where a holder comes in the estate: its first policy, and its place among the holders of that."""
    holders = held[0].grant.policy.attached_to
    return held[0].place, 0 if isinstance(holders, Unknown) else holders.index(arn)
