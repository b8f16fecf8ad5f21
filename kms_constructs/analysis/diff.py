"""Who gains and who loses what between two estates."""

from __future__ import annotations

from msgspec.structs import force_setattr, replace

from kms_constructs.analysis.access import Access, AccessMatrix, Capability, MatrixCell
from kms_constructs.analysis.within import EstateAccess
from kms_constructs.model.estate import Estate, Key
from kms_constructs.model.frozen import Frozen
from kms_constructs.model.text import display
from kms_constructs.model.worlds import Assignment, described

_ORDER = {access: rank for rank, access in enumerate(reversed(Access))}
_NONE = MatrixCell(Access.DENIED)


class AccessChange(Frozen, frozen=True):
    """One principal's change of one capability on one key.

    Args:
        key: The key, as a person reads it.
        principal: The principal.
        capability: What changed.
        before: Access in the old estate.
        after: Access in the new estate.
        statements: What gives it: in the new estate for a gain, in the old one for a loss.
        conditions: The conditions on it, taken from the same side.
        alternatives: The same in groups, one of which is enough; without groups all hold together.
        world: Which deployments it is about, when it is not all of them: ``Stage=prod``.
    """

    key: str
    principal: str
    capability: Capability
    before: Access
    after: Access
    statements: tuple[str, ...]
    conditions: tuple[str, ...] = ()
    alternatives: tuple[tuple[str, ...], ...] = ()
    world: str = ""

    def __post_init__(self) -> None:
        """Takes conditions without groups for one group."""
        if self.conditions and not self.alternatives:
            force_setattr(self, "alternatives", (self.conditions,))

    @property
    def gains(self) -> bool:
        """Whether access grew; changed conditions count, for they are not proven to be narrower."""
        return _ORDER[self.after] >= _ORDER[self.before] and self.after is not Access.DENIED


def key_name(key: Key) -> str:
    """What to call a key: its first alias, else where it stands."""
    return display(key.aliases[0]) if key.aliases else str(key.location)


def diff_access(old: Estate, new: Estate) -> tuple[AccessChange, ...]:
    """Every change of access, sorted by key, principal and capability.

    Keys are matched by stack and logical id, and then by alias; a key without a counterpart changes all of
    its access. Changed conditions show even when the access keeps its name. Where deployments differ, those
    of one choice on both sides are compared; a choice that one side has not, with all of the other's.

    Args:
        old: Before, with the organization's policies that were in force.
        new: After, with those that are.
    """
    pairs = _worlds(old, new)
    every = [assignment for _, assignments in pairs for assignment in assignments]
    found: dict[AccessChange, list[Assignment]] = {}
    for (before, after), assignments in pairs:
        for change in _diff(before, after):
            found.setdefault(change, []).extend(assignments)
    changes = [replace(change, world=described(some, every)) for change, some in found.items()]
    return tuple(sorted(changes, key=lambda one: (one.key, one.principal, one.capability, one.world)))


def _worlds(old: Estate, new: Estate) -> list[tuple[tuple[Estate, Estate], list[Assignment]]]:
    """The worlds of both sides that are compared, and the choices that each pair stands for."""
    left = [(world.estate, one) for world in old.every_world for one in world.assignments]
    right = [(world.estate, one) for world in new.every_world for one in world.assignments]
    pairs = [(one, other) for one in left for other in right if _agree(one[1], other[1])]
    with_old, with_new = {one[1] for one, _ in pairs}, {other[1] for _, other in pairs}
    pairs += [(one, other) for one in left if one[1] not in with_old for other in right]
    pairs += [(one, other) for other in right if other[1] not in with_new for one in left]
    found: dict[tuple[int, int], tuple[tuple[Estate, Estate], list[Assignment]]] = {}
    for (before, one), (after, other) in pairs:
        place = id(before), id(after)
        joined = tuple({**dict(one), **dict(other)}.items())
        found.setdefault(place, ((before, after), []))[1].append(joined)
    return list(found.values())


def _agree(one: Assignment, other: Assignment) -> bool:
    """Whether two choices give what both choose the same value."""
    values = dict(one)
    return all(values.get(name, value) == value for name, value in other)


def _diff(old: Estate, new: Estate) -> list[AccessChange]:
    changes: list[AccessChange] = []
    old_access, new_access = EstateAccess(old), EstateAccess(new)
    for before, after in _pairs(old.keys, new.keys):
        left = old_access.matrix(before) if before is not None else None
        right = new_access.matrix(after) if after is not None else None
        shown = after or before
        if shown is not None:
            changes.extend(_changes(key_name(shown), left, right))
    return changes


def _pairs(old: tuple[Key, ...], new: tuple[Key, ...]) -> list[tuple[Key | None, Key | None]]:
    left = {(key.location.stack, key.location.logical_id, key.kind): key for key in old}
    pairs: list[tuple[Key | None, Key | None]] = []
    unmatched: list[Key] = []
    for key in new:
        found = left.pop((key.location.stack, key.location.logical_id, key.kind), None)
        if found is not None:
            pairs.append((found, key))
        else:
            unmatched.append(key)
    by_alias = {(alias, str(key.region)): identity for identity, key in left.items() for alias in key.aliases}
    for key in unmatched:
        identity = next(
            (
                by_alias[alias, str(key.region)]
                for alias in key.aliases
                if (alias, str(key.region)) in by_alias
            ),
            None,
        )
        pairs.append((left.pop(identity, None) if identity is not None else None, key))
    if len(pairs) == 1 and len(left) == 1 and pairs[0][0] is None and len(old) == len(new) == 1:
        # Two single policies are meant to be compared, whatever their files are called.
        return [(old[0], new[0])]
    pairs.extend((key, None) for key in left.values())
    return pairs


def _changes(key: str, left: AccessMatrix | None, right: AccessMatrix | None) -> list[AccessChange]:
    found: list[AccessChange] = []
    before = {row.principal: row.cells for row in left.rows} if left is not None else {}
    after = {row.principal: row.cells for row in right.rows} if right is not None else {}
    for principal in sorted({*before, *after}):
        for capability in Capability:
            one = before.get(principal, {}).get(capability, _NONE)
            other = after.get(principal, {}).get(capability, _NONE)
            if (one.access, _groups(one)) == (other.access, _groups(other)):
                continue
            told = one if other.access is Access.DENIED else other
            found.append(
                AccessChange(
                    key,
                    principal,
                    capability,
                    one.access,
                    other.access,
                    told.statements,
                    told.conditions,
                    told.alternatives,
                )
            )
    return found


def _groups(cell: MatrixCell) -> set[frozenset[str]]:
    """The conditions without their order: what is enough by itself is more than what has to hold as well."""
    return set(map(frozenset, cell.alternatives))
