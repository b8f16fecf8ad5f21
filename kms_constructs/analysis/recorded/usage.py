"""Who uses a key against who may: what is not used, and what is used without being given here.

See: https://docs.aws.amazon.com/kms/latest/developerguide/least-privilege.html
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import field

from kms_constructs.analysis.access import ACTIONS_OF, capabilities_of
from kms_constructs.analysis.holdings import HoldingsIndex
from kms_constructs.analysis.principals import Cell, any_meet, describe_cells, named_cells
from kms_constructs.analysis.recorded.asked import asked_of
from kms_constructs.analysis.recorded.call import Recorded
from kms_constructs.analysis.recorded.judged import Judge, Side, Tally, titles
from kms_constructs.analysis.recorded.keys import Matching
from kms_constructs.analysis.recorded.names import Named
from kms_constructs.analysis.recorded.replay import Verdict
from kms_constructs.analysis.within import EstateAccess
from kms_constructs.model.actions import ACTIONS
from kms_constructs.model.estate import Estate, Key
from kms_constructs.model.frozen import Frozen
from kms_constructs.model.text import display
from kms_constructs.model.unknown import Unknown

NOT_CALLED = frozenset({"SynchronizeMultiRegionKey"})
"""Actions that nobody calls: KMS itself does, and CloudTrail shows no caller."""


class Used(Frozen, frozen=True, kw_only=True):
    """Calls of one action by one principal.

    Args:
        action: The action, without ``kms:``.
        verdict: Whether the policies in view allow them: what they do not was given elsewhere.
        reasons: By what, or what is not known.
        services: The services that called in the principal's name, sorted.
        calls: How many.
        first, last: When, UTC, ISO 8601.
    """

    action: str
    verdict: Verdict
    reasons: tuple[str, ...]
    services: tuple[str, ...]
    calls: int
    first: str
    last: str


class PrincipalUsage(Frozen, frozen=True, kw_only=True):
    """What one principal did with a key, and what it may.

    Args:
        principal: Its name, as a person reads it.
        named: Whether a policy or grant in view names it.
        used: What it did.
        unused: Actions that it may call and did not, sorted.
    """

    principal: str
    named: bool
    used: tuple[Used, ...] = ()
    unused: tuple[str, ...] = ()


class KeyUsage(Frozen, frozen=True, kw_only=True):
    """Who uses a key against who may.

    Args:
        key: The key as a person calls it.
        arn: Its ARN in the trail; empty when the trail does not tell of it.
        principals: Those who used it or may.
        open_to: Principals that no list can name, as the account through its IAM policies, and the actions
            that they may have.
    """

    key: str
    arn: str
    principals: tuple[PrincipalUsage, ...]
    open_to: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


class Usage(Frozen, frozen=True, kw_only=True):
    """Who uses the keys of an estate against who may.

    Args:
        keys: The keys that the trail tells of, in the order of the estate.
        matching: Which keys of the trail are which of the input.
        named: Generated names that the trail tells.
        first, last: The period that the trail covers: its first and last event of KMS.
    """

    keys: tuple[KeyUsage, ...]
    matching: Matching
    named: tuple[Named, ...]
    first: str
    last: str


def usage_of(recorded: Recorded, estate: Estate, key_map: Mapping[str, str] | None = None) -> Usage:
    """Holds the calls of a trail against what the policies of an estate allow.

    Args:
        recorded: What the trail tells, read for all that `asked_of` finds in the estate.
        estate: Policies as they are planned, or as they are in force.
        key_map: Keys of the trail to keys of the input; see `match_keys`.

    Raises:
        ArgumentError: A key that is mapped is nowhere.
    """
    side = Side.of(recorded, estate, asked_of([estate]).keys, key_map)
    permissions = {id(one.estate): _Permissions(one.estate) for one in side.judges}
    names = dict(titles(side.matching))
    tallies: dict[str, dict[tuple[str, str, Verdict, tuple[str, ...]], Tally]] = {}
    for call in recorded.calls:
        judged = side.judge(call)
        if judged is not None:
            place = (call.who, call.action, judged.verdict, judged.reasons)
            tallies.setdefault(call.key, {}).setdefault(place, Tally()).add(call)
    found = [
        _of_key(
            names[arn],
            arn,
            [(permissions[id(judge.estate)], judge) for judge in side.judges_of(arn)],
            tallies.get(arn, {}),
        )
        for arn in (one.recorded.arn for one in side.matching.matched)
    ]
    return Usage(
        keys=tuple(found),
        matching=side.matching,
        named=side.named,
        first=recorded.first,
        last=recorded.last,
    )


def _of_key(
    title: str,
    arn: str,
    worlds: list[tuple[_Permissions, Judge]],
    tallies: Mapping[tuple[str, str, Verdict, tuple[str, ...]], Tally],
) -> KeyUsage:
    may: dict[str, set[str]] = {}
    open_to: dict[str, dict[str, None]] = {}
    for permissions, judge in worlds:
        for name, actions in permissions.of(judge.keys[arn], open_to).items():
            may.setdefault(name, set()).update(actions)
    used: dict[str, list[Used]] = {}
    for (who, action, verdict, reasons), tally in sorted(tallies.items(), key=lambda one: -one[1].calls):
        used.setdefault(who, []).append(
            Used(
                action=action,
                verdict=verdict,
                reasons=reasons,
                services=tuple(sorted(tally.services)),
                calls=tally.calls,
                first=tally.first,
                last=tally.last,
            )
        )
    named = {name: named_cells(name) for name in may}
    principals = [
        PrincipalUsage(
            principal=who,
            named=who in may or _is_named(who, named),
            used=tuple(calls),
            unused=tuple(sorted(may.get(who, set()) - {one.action for one in calls})),
        )
        for who, calls in used.items()
    ]
    principals += [
        PrincipalUsage(principal=display(name), named=True, unused=tuple(sorted(may[name])))
        for name in sorted(may)
        if name not in used
    ]
    return KeyUsage(
        key=title,
        arn=arn,
        principals=tuple(principals),
        open_to={who: tuple(actions) for who, actions in open_to.items()},
    )


def _is_named(who: str, named: Mapping[str, tuple[Cell, ...]]) -> bool:
    mine = named_cells(who)
    return any(any_meet(mine, cells) for cells in named.values())


class _Permissions:
    """Who may do what on the keys of an estate, by name. Make one for an estate: it remembers."""

    def __init__(self, estate: Estate) -> None:
        self._access = EstateAccess(estate)
        self._holdings = HoldingsIndex(estate.identity_policies, ACTIONS)

    def of(self, key: Key, open_to: dict[str, dict[str, None]]) -> dict[str, set[str]]:
        """Every principal that has a name, and what it may; what has none goes to `open_to`."""
        may: dict[str, set[str]] = {}
        delegated: dict[str, list[Cell]] = {}
        for action in _actions_of(key):
            for part in self._access.reach(key, action).contributions:
                if part.delegated:
                    # Whom a Deny leaves out, differs by action, and IAM policies decide for the rest anyway.
                    for account in sorted({display(cell.account or "*") for cell in part.cells}):
                        open_to.setdefault(f"the IAM policies of account {account}", {})[action] = None
                    delegated.setdefault(action, []).extend(part.cells)
                    continue
                wide = [cell for cell in part.cells if cell.literal is None]
                for name in (cell.literal for cell in part.cells):
                    if name is not None:
                        may.setdefault(name, set()).add(action)
                if wide:
                    open_to.setdefault(describe_cells(wide), {})[action] = None
        for holder, action in self._held(key, frozenset(delegated)):
            if any_meet(named_cells(holder), delegated[action]):
                may.setdefault(holder, set()).add(action)
        return may

    def _held(self, key: Key, actions: frozenset[str]) -> set[tuple[str, str]]:
        """Roles and users, and what IAM policies in view give them on a key."""
        found: set[tuple[str, str]] = set()
        for groups in self._holdings.of(key) if actions else ():
            for group in groups:
                for holding in group.members:
                    holders = holding.grant.policy.attached_to
                    if holding.grant.action in actions and not isinstance(holders, Unknown):
                        found.update((holder, holding.grant.action) for holder in holders)
        return found


def _actions_of(key: Key) -> tuple[str, ...]:
    """The actions that mean something for a key and that somebody calls."""
    found = (action for capability in capabilities_of(key) for action in ACTIONS_OF[capability])
    return tuple(dict.fromkeys(action for action in found if action not in NOT_CALLED))
