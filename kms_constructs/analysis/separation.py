"""Separation of duties: who could both manage a key and use it.

*Managing* is every action that changes the key, its policy, its state or its material. *Using* is every
cryptographic action that fits the key's usage, and CreateGrant outside AWS services: its holder can give
itself Decrypt.

Where the key policy delegates to an account, the account's IAM policies decide. So a manager whose account is
delegated any use *could* be given it, by an IAM policy that nobody asks the key's owner about: that is an
overlap, whatever IAM policies exist today. The other way round, too: an account that is delegated management
may hand it to a key user. There it matters what is delegated. Whoever can write the key policy can give away
everything; the rest leaves the data closed, and an IAM policy of the estate that gives it is told apart from
one that might. Service-linked roles are given nothing that way: AWS alone writes their policies.

Every statement or grant that gives management is held against every one that gives use, principal by
principal, so nothing depends on the order in which a policy says it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from msgspec import Struct, field

from kms_constructs.analysis.conditions import RequestContext
from kms_constructs.analysis.identity import IdentityGrant, attached_cells, identity_grants, reaches
from kms_constructs.analysis.principals import (
    ANY_PARTITION,
    Cell,
    PrincipalKind,
    account_pattern,
    cells_meet,
    describe_cells,
)
from kms_constructs.analysis.reach import Contribution, Reach, same_account, shared_reaches
from kms_constructs.model.actions import MANAGING_CLASSES, ActionClass, KeyUsage, actions_of
from kms_constructs.model.effort import spend
from kms_constructs.model.estate import IdentityPolicy, Key, Organization
from kms_constructs.model.frozen import Frozen, told_apart_without
from kms_constructs.model.unknown import Unknown

CREATE_GRANT = "CreateGrant"
POLICY_ACTION = "PutKeyPolicy"
DIRECT_GRANT_CONTEXTS: tuple[RequestContext, ...] = (
    {"kms:grantisforawsresource": "false"},
    {"kms:grantisforawsresource": None},
)
"""The contexts of a CreateGrant call that no AWS service makes for its own resource: AWS does not say that it
carries the key, and a Deny that wants it to be false leaves the call without it."""

MANAGING_ACTIONS = actions_of(*MANAGING_CLASSES)
"""Names of the actions that count as managing a key."""


def using_actions_of(key: Key) -> tuple[str, ...]:
    """Names of the cryptographic actions that work with the key's usage; all when it is not known."""
    usage = key.key_usage
    if isinstance(usage, Unknown) or usage not in set(KeyUsage):
        return actions_of(ActionClass.CRYPTOGRAPHIC)
    return actions_of(ActionClass.CRYPTOGRAPHIC, usage=KeyUsage(usage))


class Gives(Frozen, frozen=True):
    """A reason why principals may call some actions.

    Args:
        part: The reason.
        actions: Names of actions.
        context: What the request carries; see `DIRECT_GRANT_CONTEXTS`.
    """

    part: Contribution
    actions: tuple[str, ...]
    context: RequestContext = field(default_factory=dict)


Pair = tuple[Gives, Gives]
"""What gives management, and what gives use, to the same principals."""


@told_apart_without("pairs")
class Overlap(Frozen, frozen=True):
    """Principals who could both manage and use a key.

    Args:
        cells: The principals.
        manages: Names of managing actions, sorted.
        uses: Names of using actions, sorted; CreateGrant among them when it is unconstrained.
        through: ``CreateGrant`` when that is the only way to use, else ``delegation`` (of use),
            ``delegated policy`` or ``delegated management`` (users of the key policy, whom IAM may let write
            it, or manage the key in another way), ``IAM policy``, ``root user``, ``key policy`` or
            ``unresolved``.
        chain: The statements and policies that make it, in order.
        path: Path of the statement that gives use.
        unresolved: Why it is here only because something is not known, or None.
        pairs: What gives management and use, for whoever looks for a witness.
    """

    cells: tuple[Cell, ...]
    manages: tuple[str, ...]
    uses: tuple[str, ...]
    through: str
    chain: tuple[str, ...]
    path: str = ""
    unresolved: str | None = None
    pairs: tuple[Pair, ...] = ()

    @property
    def principals(self) -> str:
        """The principals as a person reads them."""
        return describe_cells(self.cells)


class _Side(Struct):
    """One contribution and the actions that it gives."""

    part: Contribution
    context: RequestContext
    actions: list[str] = field(default_factory=list)

    @property
    def gives(self) -> Gives:
        return Gives(self.part, tuple(sorted(self.actions)), self.context)


class _Draft(Struct):
    cells: tuple[Cell, ...]
    unresolved: str | None
    manages: set[str] = field(default_factory=set)
    uses: set[str] = field(default_factory=set)
    chain: dict[str, None] = field(default_factory=dict)
    path: str = ""
    pairs: list[Pair] = field(default_factory=list)


def overlaps(
    key: Key,
    identity_policies: Sequence[IdentityPolicy] = (),
    organization: Organization = Organization(),  # noqa: B008 - it cannot be changed
) -> tuple[Overlap, ...]:
    """Everyone who could both manage and use the key; empty proves that duties are separated.

    Args:
        key: The key.
        identity_policies: The IAM policies of the estate.
        organization: The organization's policies in force.

    Returns:
        One overlap per way in which it comes about and set of principals.
    """
    managing = _sides(key, MANAGING_ACTIONS, organization)
    using = _sides(key, using_actions_of(key), organization)
    for context in DIRECT_GRANT_CONTEXTS:
        using.extend(_sides(key, (CREATE_GRANT,), organization, context))
    drafts: dict[tuple[str, bool, frozenset[Cell]], _Draft] = {}
    for manager in managing:
        for user in using:
            unresolved = manager.part.unresolved or user.part.unresolved
            for way, shared in _ways(manager.part, user.part, key):
                place = (way, unresolved is None, frozenset(shared))
                _note(drafts.setdefault(place, _Draft(shared, unresolved)), manager, user)
    found = [_finish(way, draft) for (way, _, _), draft in drafts.items()]
    found.extend(_through_identity(key, managing, using, identity_policies))
    return tuple(found)


def direct_grants(regions: Iterable[Reach]) -> Reach:
    """Everyone who may create grants in one of the `DIRECT_GRANT_CONTEXTS`, of the regions of each."""
    parts: list[Contribution] = []
    for region in regions:
        spend(len(region.contributions) * max(len(parts), len(region.contributions)))
        parts.extend(part for part in region.contributions if part not in parts)
    return Reach(CREATE_GRANT, tuple(parts))


def _sides(
    key: Key, actions: Iterable[str], organization: Organization, context: RequestContext | None = None
) -> list[_Side]:
    """What gives the actions: one side for each reason and set of principals that it leaves."""
    sides: dict[tuple[object, ...], _Side] = {}
    found = shared_reaches(key, actions, context=context, scps=organization.scps, rcps=organization.rcps)
    for names, parts in found:
        for part in parts:
            # Of one statement each principal is a reason of its own, and may be delegated or not.
            reason = (id(part.statement), id(part.grant), part.delegated, part.unresolved)
            sides.setdefault((reason, part.cells), _Side(part, context or {})).actions.extend(names)
    return list(sides.values())


def _ways(manager: Contribution, user: Contribution, key: Key) -> Iterator[tuple[str, tuple[Cell, ...]]]:
    """How two contributions make principals manage and use, and whom."""
    shared = _shared(manager.cells, user.cells)
    unresolved = bool(manager.unresolved or user.unresolved)
    by_iam_alone: tuple[Cell, ...] = ()
    if manager.delegated and not user.delegated:
        # Only the root user manages without an IAM policy.
        by_iam_alone = tuple(cell for cell in shared if _can_be_handed_management(cell, key))
        shared = tuple(cell for cell in shared if cell.kind is PrincipalKind.ROOT)
    if shared:
        root = all(cell.kind is PrincipalKind.ROOT for cell in shared)
        way = "root user" if root else "delegation" if user.delegated else "key policy"
        yield "unresolved" if unresolved else way, shared
    if by_iam_alone:
        # A user that is not known may turn out to be an account, which is more than one that uses by itself.
        known = all(cell.literal is not None for cell in user.cells)
        yield _DELEGATED if known or not unresolved else "unresolved", by_iam_alone


_DELEGATED = "delegated management"
_LINKED_ROLES = Cell(
    PrincipalKind.ROLE,
    (f"{account_pattern(PrincipalKind.ROLE, '*', ANY_PARTITION).removesuffix('*')}aws-service-role/*",),
)


def _can_be_handed_management(cell: Cell, key: Key) -> bool:
    """Whether an IAM policy could make managers of some of these principals.

    Nobody but AWS writes the policies of service-linked roles, and KMS takes no managing call from another
    account.
    """
    if cell.kind is PrincipalKind.ROOT or _LINKED_ROLES.contains(cell):
        return False
    return same_account(cell, key.account) is not False


_STEPS_TO_MEET = 4


def _shared(left: Iterable[Cell], right: Sequence[Cell]) -> tuple[Cell, ...]:
    """The principals of both sides, spelt the same whichever side was asked first."""
    left = tuple(left)
    spend(_STEPS_TO_MEET * len(left) * len(right))
    met = (cells_meet(a, b) for a in left for b in right)
    return tuple(dict.fromkeys(cell.ordered for cell in met if cell is not None))


def _note(draft: _Draft, manager: _Side, user: _Side) -> None:
    draft.pairs.append((manager.gives, user.gives))
    draft.manages.update(manager.actions)
    draft.uses.update(user.actions)
    by_iam_alone = manager.part.delegated and not user.part.delegated
    handed = by_iam_alone and draft.cells[0].kind is not PrincipalKind.ROOT
    step = "delegates management to IAM policies" if handed else "manages"
    draft.chain[f"{manager.part.label} → {step}"] = None
    step = "delegates use to IAM policies" if user.part.delegated else "uses"
    draft.chain[f"{user.part.label} → {step}"] = None
    if not draft.path and user.part.statement is not None:
        draft.path = user.part.statement.path


def _finish(way: str, draft: _Draft) -> Overlap:
    through = way
    if through == "key policy" and draft.uses == {CREATE_GRANT}:
        through = CREATE_GRANT
    elif through == _DELEGATED and POLICY_ACTION in draft.manages:
        through = "delegated policy"
    return Overlap(
        draft.cells,
        tuple(sorted(draft.manages)),
        tuple(sorted(draft.uses)),
        through,
        tuple(draft.chain),
        draft.path,
        draft.unresolved,
        tuple(draft.pairs),
    )


def _through_identity(
    key: Key, managing: Sequence[_Side], using: Sequence[_Side], policies: Sequence[IdentityPolicy]
) -> list[Overlap]:
    """Key users whom an IAM policy of the estate makes managers, where the key policy delegates that."""
    delegated = [side for side in managing if side.part.delegated]
    direct = [side for side in using if not side.part.delegated]
    if not delegated or not direct:
        return []
    found: list[Overlap] = []
    for policy in policies:
        holding = attached_cells(policy)
        if not holding:
            continue
        users = [(side, shared) for side in direct if (shared := _shared(holding, side.part.cells))]
        if not users:
            continue
        grants, doubt = _reaching(policy, key)
        for side, shared in users:
            manages: set[str] = set()
            chain: dict[str, None] = {}
            pairs: list[Pair] = []
            for grant in grants:
                for manager in delegated:
                    if grant.action in manager.actions and _shared(shared, manager.part.cells):
                        manages.add(grant.action)
                        pairs.append((Gives(manager.part, (grant.action,)), side.gives))
                        chain[manager.part.describe()] = None
                        chain[grant.label] = None
            if manages:
                chain[f"{side.part.label} → uses"] = None
                attached = policy.attached_to
                unresolved = attached.reason if isinstance(attached, Unknown) else doubt
                found.append(
                    Overlap(
                        shared,
                        tuple(sorted(manages)),
                        tuple(sorted(side.actions)),
                        "IAM policy",
                        tuple(chain),
                        side.part.statement.path if side.part.statement is not None else "",
                        unresolved,
                        tuple(pairs),
                    )
                )
    return found


def _reaching(policy: IdentityPolicy, key: Key) -> tuple[list[IdentityGrant], str | None]:
    """What a policy lets its holders manage of a key: what it surely does, else what it may and why."""
    sure: list[IdentityGrant] = []
    doubtful: list[tuple[IdentityGrant, str]] = []
    for grant in identity_grants(policy, MANAGING_ACTIONS):
        answer = reaches(grant, key)
        if answer is False:
            continue
        unknown = (one.reason for one in (answer, grant.conditions) if isinstance(one, Unknown))
        why = grant.unresolved or next(unknown, None)
        if why is None:
            sure.append(grant)
        else:
            doubtful.append((grant, why))
    if sure or not doubtful:
        return sure, None
    return [grant for grant, _ in doubtful], doubtful[0][1]
