"""Separation of duties: who could both manage a key and use it.

*Managing* is every action that changes the key, its policy, its state or its material. *Using* is every
cryptographic action that fits the key's usage, and CreateGrant outside AWS services: its holder can give
itself Decrypt.

Where the key policy delegates to an account, the account's IAM policies decide. So a manager whose account is
delegated any use *could* be given it, by an IAM policy that nobody asks the key's owner about: that is an
overlap, whatever IAM policies exist today. The other way round (an account that is delegated management
only) leaves the data closed: there an IAM policy of the estate that gives management to a key user is one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from kms_constructs.analysis.identity import IdentityGrant, attached_cells, identity_grants, reaches
from kms_constructs.analysis.principals import (
    Cell,
    PrincipalKind,
    cells_meet,
    describe_cells,
)
from kms_constructs.analysis.reach import Contribution, shared_reaches
from kms_constructs.model.actions import MANAGING_CLASSES, ActionClass, KeyUsage, actions_of
from kms_constructs.model.estate import IdentityPolicy, Key, Organization
from kms_constructs.model.unknown import Unknown

CREATE_GRANT = "CreateGrant"
DIRECT_GRANT_CONTEXT = {"kms:grantisforawsresource": "false"}
"""The context of a CreateGrant call that no AWS service makes for its own resource."""

MANAGING_ACTIONS = actions_of(*MANAGING_CLASSES)
"""Names of the actions that count as managing a key."""


def using_actions_of(key: Key) -> tuple[str, ...]:
    """Names of the cryptographic actions that work with the key's usage; all when it is not known."""
    usage = key.key_usage
    if isinstance(usage, Unknown) or usage not in set(KeyUsage):
        return actions_of(ActionClass.CRYPTOGRAPHIC)
    return actions_of(ActionClass.CRYPTOGRAPHIC, usage=KeyUsage(usage))


@dataclass(frozen=True, slots=True)
class Overlap:
    """Principals who could both manage and use a key.

    Args:
        cells: The principals.
        manages: Names of managing actions, sorted.
        uses: Names of using actions, sorted; CreateGrant among them when it is unconstrained.
        through: ``CreateGrant`` when that is the only way to use, else ``delegation``, ``IAM policy``,
            ``root user`` or ``key policy``.
        chain: The statements and policies that make it, in order.
        path: Path of the statement that gives use.
        unresolved: Why it is here only because something is not known, or None.
    """

    cells: tuple[Cell, ...]
    manages: tuple[str, ...]
    uses: tuple[str, ...]
    through: str
    chain: tuple[str, ...]
    path: str = ""
    unresolved: str | None = None

    @property
    def principals(self) -> str:
        """The principals as a person reads them."""
        return describe_cells(self.cells)


@dataclass(slots=True)
class _Side:
    """One contribution and the actions that it gives."""

    part: Contribution
    actions: list[str] = field(default_factory=list)


@dataclass(slots=True)
class _Draft:
    cells: dict[Cell, None] = field(default_factory=dict)
    manages: set[str] = field(default_factory=set)
    uses: set[str] = field(default_factory=set)
    chain: dict[str, None] = field(default_factory=dict)
    path: str = ""
    unresolved: list[str | None] = field(default_factory=list)


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
        One overlap per way in which it comes about and pair of statements.
    """
    managing = _sides(key, MANAGING_ACTIONS, organization)
    using = _sides(key, using_actions_of(key), organization)
    using.extend(_sides(key, (CREATE_GRANT,), organization, DIRECT_GRANT_CONTEXT))
    drafts: dict[tuple[object, ...], _Draft] = {}
    for manager in managing:
        for user in using:
            cells = manager.part.cells
            if manager.part.delegated and not user.part.delegated:
                # Only the root user manages without an IAM policy.
                cells = tuple(cell for cell in cells if cell.kind is PrincipalKind.ROOT)
            shared = _shared(cells, user.part.cells)
            if shared:
                _note(drafts, _way(manager.part, user.part, shared), manager, user, shared)
    found = [_finish(way, draft) for way, draft in drafts.items()]
    found.extend(_through_identity(key, managing, using, identity_policies))
    return tuple(found)


def _sides(
    key: Key, actions: Iterable[str], organization: Organization, context: dict[str, str] | None = None
) -> list[_Side]:
    sides: dict[tuple[int, tuple[Cell, ...]], _Side] = {}
    found = shared_reaches(key, actions, context=context, scps=organization.scps, rcps=organization.rcps)
    for names, parts in found:
        for part in parts:
            identity = part.statement.index if part.statement is not None else -1
            sides.setdefault((identity, part.cells), _Side(part)).actions.extend(names)
    return list(sides.values())


def _shared(left: Iterable[Cell], right: Sequence[Cell]) -> tuple[Cell, ...]:
    met = (cells_meet(a, b) for a in left for b in right)
    return tuple(dict.fromkeys(cell for cell in met if cell is not None))


def _way(manager: Contribution, user: Contribution, shared: tuple[Cell, ...]) -> str:
    if manager.unresolved or user.unresolved:
        return "unresolved"
    if all(cell.kind is PrincipalKind.ROOT for cell in shared):
        return "root user"
    return "delegation" if user.delegated else "key policy"


def _note(
    drafts: dict[tuple[object, ...], _Draft],
    way: str,
    manager: _Side,
    user: _Side,
    shared: tuple[Cell, ...],
) -> None:
    draft = drafts.setdefault((way, shared), _Draft())
    draft.cells.update(dict.fromkeys(shared))
    draft.manages.update(manager.actions)
    draft.uses.update(user.actions)
    draft.chain[f"{manager.part.label} → manages"] = None
    step = "delegates use to IAM policies" if user.part.delegated else "uses"
    draft.chain[f"{user.part.label} → {step}"] = None
    if not draft.path and user.part.statement is not None:
        draft.path = user.part.statement.path
    draft.unresolved.append(manager.part.unresolved or user.part.unresolved)


def _finish(way: tuple[object, ...], draft: _Draft) -> Overlap:
    through = str(way[0])
    if draft.uses == {CREATE_GRANT} and through == "key policy":
        through = CREATE_GRANT
    return Overlap(
        tuple(draft.cells),
        tuple(sorted(draft.manages)),
        tuple(sorted(draft.uses)),
        through,
        tuple(draft.chain),
        draft.path,
        draft.unresolved[0] if all(draft.unresolved) else None,
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
            for grant in grants:
                for manager in delegated:
                    if grant.action in manager.actions and _shared(shared, manager.part.cells):
                        manages.add(grant.action)
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
                    )
                )
    return found


def _reaching(policy: IdentityPolicy, key: Key) -> tuple[list[IdentityGrant], str | None]:
    """What a policy lets its holders manage of a key: what it surely does, else what it may and why."""
    answers = [(grant, reaches(grant, key)) for grant in identity_grants(policy, MANAGING_ACTIONS)]
    sure = [grant for grant, answer in answers if answer is True]
    doubtful = [(grant, answer.reason) for grant, answer in answers if isinstance(answer, Unknown)]
    if sure or not doubtful:
        return sure, None
    return [grant for grant, _ in doubtful], doubtful[0][1]
