"""The IAM policies of an estate by the keys that they reach, for many keys and all actions.

Every key of an estate is asked about. Most IAM policies name their keys, and of those that do not most reach
every key there is; both are found without holding each policy against each key.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec import Struct, field

from kms_constructs.analysis.identity import IdentityGrant, may_reach
from kms_constructs.analysis.identity_index import IdentityIndex
from kms_constructs.model.estate import IdentityPolicy, Key
from kms_constructs.model.frozen import Frozen
from kms_constructs.model.globs import has_wildcard
from kms_constructs.model.text import CLOSE, OPEN, HoleKind, split_holes
from kms_constructs.model.unknown import Unknown

_GENERATED = f"{OPEN}{HoleKind.GENERATED.value}:"
_LONGEST = 2048
"""Longer text is not compared, and so may mean anything."""


class Holding(Frozen, frozen=True):
    """One action that an IAM policy gives, in the order of the estate.

    Args:
        place: Its position among all that the estate's IAM policies give.
        grant: What it gives.
    """

    place: int
    grant: IdentityGrant


class Holdings(Struct, eq=False):
    """What IAM policies give on the same resources."""

    sample: IdentityGrant
    members: list[Holding] = field(default_factory=list)


class HoldingsIndex:
    """What the IAM policies of an estate give.

    Args:
        policies: The IAM policies.
        actions: Names of the actions that will be asked for, without ``kms:``.
    """

    def __init__(self, policies: Sequence[IdentityPolicy], actions: Iterable[str]) -> None:
        groups: dict[object, Holdings] = {}
        for place, grant in enumerate(IdentityIndex(policies, actions).grants):
            group = groups.setdefault((grant.resources, _left_out(grant)), Holdings(grant))
            group.members.append(Holding(place, grant))
        self._everywhere: list[Holdings] = []
        self._asked: list[Holdings] = []
        self._named: dict[str, list[Holdings]] = {}
        self._literal: dict[Holdings, None] = {}
        for group in groups.values():
            self._sort(group)

    def _sort(self, group: Holdings) -> None:
        names = [_name(resource) for resource in group.sample.resources]
        known = [name for name in names if name is not None]
        if _left_out(group.sample) is None and "*" in group.sample.resources:
            self._everywhere.append(group)
        elif _left_out(group.sample) is None and len(known) == len(names):
            for name in dict.fromkeys(known):
                self._named.setdefault(name, []).append(group)
            if not all(name.startswith(OPEN) for name in known):
                self._literal[group] = None
        else:
            self._asked.append(group)

    def of(self, key: Key) -> tuple[tuple[Holdings, ...], tuple[Holdings, ...]]:
        """What reaches a key, or may: what does so without naming it, and what names it."""
        name = _name(key.arn_pattern)
        wide = [*self._everywhere, *(group for group in self._asked if may_reach(group.sample, key))]
        if name is None:
            # The key may turn out to be any: it is held against all that are named.
            near = dict.fromkeys(group for groups in self._named.values() for group in groups)
        else:
            near = dict.fromkeys(self._named.get(name, ()))
            if name.startswith(OPEN):
                # A literal id may be the one that deployment will generate: whether it counts is asked.
                near |= self._literal
        return tuple(wide), tuple(group for group in near if may_reach(group.sample, key))


def _left_out(grant: IdentityGrant) -> tuple[str, ...] | Unknown | None:
    return grant.statement.not_resources if grant.statement is not None else None


def _name(arn: str) -> str | None:
    """The last part of an ARN, when two ARNs whose last parts differ certainly mean two keys; else None."""
    if has_wildcard(arn) or len(arn) > _LONGEST:
        return None
    *rest, last = split_holes(arn) or ("",)
    if last.startswith(OPEN) and last.endswith(CLOSE):
        return last if last.startswith(_GENERATED) and rest and rest[-1].endswith("/") else None
    return last.rpartition("/")[2] or None if "/" in last else None
