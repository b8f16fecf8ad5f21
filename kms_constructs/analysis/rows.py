"""Rows of an access matrix: what the principals of some cells may do with one key."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from functools import cached_property

from kms_constructs.analysis.access import (
    ACTIONS_OF,
    Access,
    Capability,
    MatrixCell,
    MatrixRow,
    capabilities_of,
    describe_condition,
)
from kms_constructs.analysis.identity import IdentityGrant
from kms_constructs.analysis.principals import (
    Cell,
    PrincipalKind,
    any_meet,
    describe_cells,
)
from kms_constructs.analysis.reach import Contribution, Reach
from kms_constructs.model.estate import Key
from kms_constructs.model.frozen import Frozen
from kms_constructs.model.globs import glob_covers, has_wildcard
from kms_constructs.model.unknown import Unknown

_RANK = {access: rank for rank, access in enumerate(Access)}


class IdentityPart(Frozen, frozen=True):
    """An IAM policy's statement, and the delegation of the key policy that lets it count."""

    grant: IdentityGrant
    delegation: Contribution


class AskedKey:
    """The regions of every action that means something for a key, asked once for all rows.

    Args:
        key: The key.
        reach: Everyone who may call an action on the key.
        direct_grants: Everyone who may create grants that no AWS service makes for its own resource.
    """

    def __init__(self, key: Key, reach: Callable[[str], Reach], direct_grants: Reach) -> None:
        self.capabilities = capabilities_of(key)
        self._regions: Mapping[str, Reach] = {
            action: reach(action) for capability in self.capabilities for action in ACTIONS_OF[capability]
        }
        self._direct_grants = direct_grants

    @cached_property
    def delegated(self) -> Mapping[str, tuple[Contribution, ...]]:
        """What the key policy leaves to IAM policies, by action."""
        found = {
            action: tuple(part for part in region.contributions if part.delegated)
            for action, region in self._regions.items()
        }
        return {action: parts for action, parts in found.items() if parts}

    @cached_property
    def named(self) -> frozenset[str]:
        """The principals that the key policy or a grant names one by one."""
        return frozenset(
            name
            for region in (*self._regions.values(), self._direct_grants)
            for part in region.contributions
            if not part.delegated
            for cell in part.cells
            if (name := _one_name(cell)) is not None
        )

    @cached_property
    def shape(self) -> Hashable:
        """What the rows of all principals depend on who are not `named`: keys of one shape share them."""
        return (
            self.capabilities,
            tuple(
                (
                    action,
                    tuple(shaped for part in region.contributions if (shaped := _shape_of(part)) is not None),
                )
                for action, region in (*self._regions.items(), ("direct grants", self._direct_grants))
            ),
        )

    def parts(self, cells: Sequence[Cell], grants: Iterable[IdentityGrant]) -> tuple[IdentityPart, ...]:
        """What IAM policies of these principals give, where the key policy lets them."""
        return tuple(
            IdentityPart(grant, part)
            for grant in grants
            for part in self.delegated.get(grant.action, ())
            if any_meet(cells, part.cells)
        )

    def groups(self) -> dict[str, tuple[Cell, ...]]:
        """The principals to show, by name: an account's users and roles together, its root user apart."""
        found: dict[str, dict[Cell, None]] = {}
        for region in self._regions.values():
            for part in region.contributions:
                root = tuple(cell for cell in part.cells if cell.kind is PrincipalKind.ROOT)
                rest = tuple(
                    Cell(cell.kind, cell.include)
                    for cell in part.cells
                    if cell.kind is not PrincipalKind.ROOT
                )
                # Where a Deny leaves a few principals of an account, each has a row: not all may do the same.
                several = tuple(cell for cell in rest if cell.literal is None)
                single = ((cell,) for cell in rest if cell.literal is not None)
                for cells in (root, several, *single):
                    if cells:
                        found.setdefault(describe_cells(cells), {}).update(dict.fromkeys(cells))
        return {name: tuple(cells) for name, cells in found.items()}

    def row(
        self, cells: Sequence[Cell], identity: Sequence[IdentityPart] = (), *, delegations: bool = False
    ) -> MatrixRow:
        """What the principals may do.

        Args:
            cells: The principals.
            identity: What IAM policies give them.
            delegations: Whether what is left to the IAM policies of their account counts as theirs.
        """
        found = {
            capability: self._cell(capability, cells, identity, delegations=delegations)
            for capability in self.capabilities
        }
        kinds = list(dict.fromkeys(cell.kind.value for cell in cells))
        return MatrixRow(describe_cells(cells), kinds[0] if len(kinds) == 1 else "several", found)

    def _cell(
        self,
        capability: Capability,
        cells: Sequence[Cell],
        identity: Sequence[IdentityPart],
        *,
        delegations: bool,
    ) -> MatrixCell:
        best = Access.DENIED
        statements: dict[str, None] = {}
        alternatives: dict[tuple[str, ...], None] = {}

        def note(access: Access, label: str, texts: Iterable[str]) -> None:
            nonlocal best
            best = min(best, access, key=_RANK.__getitem__)
            statements[label] = None
            if group := tuple(texts):
                alternatives[group] = None

        for action in ACTIONS_OF[capability]:
            for part in self._regions[action].contributions:
                by_account = delegations and part.delegated and any_meet(cells, part.cells)
                if not by_account and not _named(part, cells):
                    continue
                note(_access(part, cells), _label(part), map(describe_condition, part.conditions))
            for found in identity:
                if found.grant.action != action:
                    continue
                conditional = bool(found.delegation.conditions) or found.grant.conditions != ()
                access = Access.UNKNOWN if found.grant.unresolved else Access.ALLOWED
                if access is Access.ALLOWED and conditional:
                    access = Access.CONDITIONAL
                note(access, f"{found.delegation.label} → {found.grant.label}", _identity_conditions(found))
        if capability is Capability.CREATE_GRANT and best is Access.ALLOWED:
            direct = any(_named(part, cells) for part in self._direct_grants.contributions)
            via_identity = any(found.grant.action == "CreateGrant" for found in identity)
            if not direct and not via_identity:
                best = Access.CONDITIONAL
                alternatives["only for AWS services (kms:GrantIsForAWSResource)",] = None
        conditions = dict.fromkeys(text for group in alternatives for text in group)
        return MatrixCell(best, tuple(statements), tuple(conditions), tuple(alternatives))


def _one_name(cell: Cell) -> str | None:
    """The text that a cell consists of, which no other text covers (though a hole may make it equal one)."""
    return cell.include[0] if len(cell.include) == 1 and not has_wildcard(cell.include[0]) else None


def _shape_of(part: Contribution) -> Hashable:
    """What a row reads of a contribution; None for one that only takes in principals that it names."""
    cells = part.cells if part.delegated else tuple(cell for cell in part.cells if _one_name(cell) is None)
    if not cells:
        return None
    conditions = tuple(map(describe_condition, part.conditions))
    return cells, part.delegated, part.unresolved, part.label, _label(part), conditions


def _label(part: Contribution) -> str:
    return part.statement.label if part.statement is not None else part.label


def _identity_conditions(found: IdentityPart) -> tuple[str, ...]:
    own = found.grant.conditions
    texts = (
        ("conditions that are not resolved",) if isinstance(own, Unknown) else map(describe_condition, own)
    )
    return (*map(describe_condition, found.delegation.conditions), *texts)


def _named(part: Contribution, cells: Sequence[Cell]) -> bool:
    """Whether a contribution takes in the principals of a row as such.

    What takes in a part of them has a row of its own. A delegation to an account is shown in the account's
    row; in the row of one of its roles it only shows once an IAM policy uses it.
    """
    for mine in cells:  # every contribution is asked in every row: a generator takes longer than the answer
        for theirs in part.cells:
            if theirs.kind is mine.kind and _covers(theirs, mine, part.delegated):
                return True
    return False


def _covers(theirs: Cell, mine: Cell, delegated: bool) -> bool:
    if delegated and mine.kind is not PrincipalKind.ROOT:
        return theirs.include == mine.include
    if len(theirs.include) == len(mine.include) == 1 and not theirs.exclude:
        return glob_covers(theirs.include[0], mine.include[0])
    if any(glob_covers(excluded, included) for excluded in theirs.exclude for included in mine.include):
        return False
    return all(any(glob_covers(one, included) for included in mine.include) for one in theirs.include)


def _access(part: Contribution, cells: Sequence[Cell]) -> Access:
    if part.unresolved:
        return Access.UNKNOWN
    if part.delegated and any(cell.kind is not PrincipalKind.ROOT for cell in cells):
        return Access.DELEGATED
    return Access.CONDITIONAL if part.conditions else Access.ALLOWED
