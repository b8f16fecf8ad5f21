"""Which live key is the one that a template or plan declares, by everything that tells.

A key id, as a Terraform state knows it, says it for certain, and so do the tags that CloudFormation writes on
what a stack makes. A replica is told by its primary. Aliases come next, and last the logical id alone, where
nobody says what the stack is called. What more than one live key may be is in doubt, and said to be.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from msgspec import Struct, field

from kms_constructs.model.arn import is_account_id
from kms_constructs.model.estate import Estate, Key, KeyKind
from kms_constructs.model.text import has_hole, split_holes
from kms_constructs.model.unknown import is_unknown

LISTING: Final = (
    "ec2:DescribeRegions",
    "kms:ListAliases",
    "kms:ListKeys",
    "sts:AssumeRole",
    "sts:GetCallerIdentity",
)
"""Calls without which nobody knows which keys there are."""
_MAXIMUM_ROUNDS: Final = 8


class _Pool(Struct):
    """The live keys that a declaration may mean."""

    declared: Key
    live: list[Key] = field(default_factory=list)
    sure: bool = False
    """Whether a proof says so that nobody could have moved: an id, a tag of CloudFormation's, a primary."""
    open: bool = False
    """Whether there may be others in places whose keys are not all known."""


class Matches:
    """Declarations and live keys, matched.

    Args:
        live: The live keys.
        expected: The keys as they are declared.
        hidden: Places whose keys are not all known, or not all aliases: ``111122223333/eu-west-1``.
    """

    def __init__(self, live: Iterable[Key], expected: Iterable[Key], hidden: Iterable[str] = ()) -> None:
        self._hidden = tuple(hidden)
        self._live = tuple(key for key in live if key.live is not None)
        self._pools = [_Pool(one) for one in expected]
        # A replica is told by its primary, which has to be known before.
        for pool in sorted(self._pools, key=lambda one: one.declared.kind is KeyKind.REPLICA):
            self._fill(pool)
        self._settle()
        for pool in self._pools:
            elsewhere = [place for place in self._hidden if place not in map(_place, pool.live)]
            pool.open = may_be_audited(pool.declared, elsewhere)

    def declared_of(self, key: Key) -> Key | None:
        """The declaration of a live key; None where there is none, or more than one may be."""
        claims = [one for one in self._pools if key in one.live]
        claims = [one for one in claims if one.sure and len(one.live) == 1] or claims
        if len(claims) != 1 or len(claims[0].live) != 1 or claims[0].open:
            return None
        return claims[0].declared

    def doubts(self, key: Key) -> tuple[Key, ...]:
        """The declarations that may be a live key's, where it cannot be told which is."""
        if self.declared_of(key) is not None:
            return ()
        return tuple(one.declared for one in self._pools if key in one.live)

    def is_missing(self, declared: Key) -> bool:
        """Whether no live key may be the one that is declared."""
        return not next(one for one in self._pools if one.declared is declared).live

    def _fill(self, pool: _Pool) -> None:
        declared = pool.declared
        here = [key for key in self._live if may_be_in(declared, key)]
        proofs: tuple[tuple[Callable[[Key, Key], bool], bool], ...] = (
            (_same_id, True),
            (_same_stack, True),
            (self._same_primary, True),
            (_same_alias, False),
            (_like_alias, False),
            (_same_logical_id, False),
        )
        for proves, sure in proofs:
            found = [key for key in here if proves(declared, key)]
            if not found:
                continue
            both = [key for key in pool.live if key in found]
            if both or not pool.live:
                pool.live = both or found
                pool.sure = pool.sure or sure
            elif not pool.sure:
                # One speaks for this key and another for that one.
                pool.live = [*pool.live, *found]
            if len(pool.live) == 1 and pool.sure:
                return

    def _settle(self) -> None:
        """Takes keys that are somebody's for certain out of what others may mean."""
        for _ in range(_MAXIMUM_ROUNDS):
            taken = {id(one.live[0]): one for one in self._pools if len(one.live) == 1}
            changed = False
            for pool in self._pools:
                left = [key for key in pool.live if taken.get(id(key), pool) is pool]
                if len(pool.live) > 1 and left and len(left) < len(pool.live):
                    pool.live, changed = left, True
            if not changed:
                return

    def _same_primary(self, declared: Key, key: Key) -> bool:
        """Whether a live key has the key id of the live key that a declared replica's primary is."""
        if declared.kind is not KeyKind.REPLICA or not isinstance(declared.primary, str):
            return False
        pool = next((one for one in self._pools if one.declared.id == declared.primary), None)
        if pool is None or len(pool.live) != 1:
            return False
        primary = pool.live[0]
        return key.key_id == primary.key_id and key is not primary


def matches_of(estate: Estate) -> Matches:
    """The live keys of an estate, and the declarations that they are held against."""
    hidden = (gap.location.source for gap in estate.unanswered if gap.call in LISTING)
    return Matches(estate.keys, estate.expected, hidden)


def may_be_audited(declared: Key, places: Sequence[str]) -> bool:
    """Whether a declared key may lie in one of the places that were audited: ``111122223333/eu-west-1``.

    A place without a Region stands for all of them, and one that is no account for any.
    """
    account, region = declared.account, declared.region
    for place in places:
        audited_account, _, audited_region = place.partition("/")
        elsewhere = is_account_id(audited_account) and audited_account != account and not has_hole(account)
        known = bool(audited_region) and isinstance(region, str) and not has_hole(region)
        if not elsewhere and not (known and region != audited_region):
            return True
    return False


def may_be_in(declared: Key, key: Key) -> bool:
    """Whether a live key lies where a declared one may lie."""
    account = has_hole(declared.account) or declared.account == key.account
    region = not isinstance(declared.region, str) or has_hole(declared.region)
    return account and (region or declared.region == key.region)


def _place(key: Key) -> str:
    return f"{key.account}/{key.region}"


def _same_id(declared: Key, key: Key) -> bool:
    known = bool(declared.key_id) and not has_hole(declared.key_id)
    # Where no Region is told, a replica is told from its primary, with which it shares the id.
    alike = declared.kind is key.kind or is_unknown(key.key_spec)
    return known and declared.key_id == key.key_id and alike


def _same_stack(declared: Key, key: Key) -> bool:
    live, location = key.live, declared.location
    if live is None or not (live.stack and location.stack) or live.logical_id != location.logical_id:
        return False
    # A nested stack has the name of its parent before its own, and a random one behind.
    parent, *nested = map(re.escape, location.stack.split("."))
    pattern = parent + "".join(f"-{name}-[A-Z0-9]+" for name in nested)
    return re.fullmatch(pattern, live.stack) is not None


def _same_alias(declared: Key, key: Key) -> bool:
    return bool(set(declared.aliases) & set(key.aliases))


def _like_alias(declared: Key, key: Key) -> bool:
    """Whether an alias that a parameter is part of may be one that the key has."""
    patterns = [
        re.compile(".+".join(re.escape(part) for part in _literal(alias)))
        for alias in declared.aliases
        if has_hole(alias)
    ]
    return any(pattern.fullmatch(alias) for pattern in patterns for alias in key.aliases)


def _literal(alias: str) -> list[str]:
    parts = [""]
    for part in split_holes(alias):
        if has_hole(part):
            parts.append("")
        else:
            parts[-1] += part
    return parts


def _same_logical_id(declared: Key, key: Key) -> bool:
    live = key.live
    known = live is not None and live.logical_id == declared.location.logical_id
    return known and not declared.location.stack and bool(declared.location.logical_id)


def aliases_may_hide(key: Key) -> str:
    """Why it is not known whether a live key is one that is declared; empty when it is known."""
    if key.aliases_unknown is not None:
        return key.aliases_unknown.reason
    return key.tags.reason if is_unknown(key.tags) else ""
