"""Key policies narrowed to what was used, and the proof that nothing else changes.

Only use is taken away: cryptographic actions and CreateGrant that a principal named in an Allow did not call.
Administration, reading, the account's own statement, Deny statements and conditions stay as they are.

See: https://docs.aws.amazon.com/kms/latest/developerguide/least-privilege.html
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from msgspec.structs import replace

from kms_constructs.analysis.diff import diff_access
from kms_constructs.analysis.principals import any_meet, named_cells, principal_cells
from kms_constructs.analysis.recorded.asked import asked_of
from kms_constructs.analysis.recorded.call import Recorded, RecordedCall
from kms_constructs.analysis.recorded.judged import Judge, Side, titles
from kms_constructs.analysis.recorded.keys import Matching
from kms_constructs.analysis.recorded.names import Named
from kms_constructs.analysis.recorded.policy_diff import policy_diff
from kms_constructs.analysis.recorded.replay import Verdict
from kms_constructs.model.actions import ACTIONS, DESCRIBING, USING, expand
from kms_constructs.model.estate import Estate, Location
from kms_constructs.model.frozen import Frozen
from kms_constructs.model.policy import Effect, Policy, Principal, Statement
from kms_constructs.model.text import display
from kms_constructs.model.unknown import Unknown

NARROWED: Final = USING | {"CreateGrant"}
"""Actions that are taken away when they were not called: use of the key, and giving its use away."""


class Dropped(Frozen, frozen=True):
    """What a principal no longer has by a statement.

    Args:
        statement: The Sid, or what a message calls the statement.
        principal: Whom it names.
        actions: The actions, sorted.
    """

    statement: str
    principal: str
    actions: tuple[str, ...]


class Narrowing(Frozen, frozen=True, kw_only=True):
    """A key policy and the one that would have been enough.

    Args:
        key: The key as a person calls it.
        arn: Its ARN in the trail.
        before, after: The documents.
        dropped: What is taken away.
        kept: Why statements were left as they are that may give more than was used.
        parts: How many statements come of each of those that there are.
        calls: Recorded calls that were allowed and still are.
        refused: Why no narrower policy is proposed; empty when one is, or nothing is to be taken away.
    """

    key: str
    arn: str
    before: Mapping[str, Any]
    after: Mapping[str, Any]
    dropped: tuple[Dropped, ...]
    kept: tuple[str, ...]
    parts: tuple[int, ...]
    calls: int
    refused: str = ""

    def diff(self) -> str:
        """The change as a unified diff of the JSON documents; empty when there is none."""
        names = (f"{self.key} as it is", f"{self.key} as it is used")
        return policy_diff(self.before, self.after, self.parts, names)


class Narrowings(Frozen, frozen=True, kw_only=True):
    """Narrower policies for the keys that a trail tells of.

    Args:
        keys: In the order of the trail.
        matching: Which keys of the trail are which of the input.
        named: Generated names that the trail tells.
        first, last: The period that the trail covers.
    """

    keys: tuple[Narrowing, ...]
    matching: Matching
    named: tuple[Named, ...]
    first: str
    last: str


def narrowings(recorded: Recorded, estate: Estate, key_map: Mapping[str, str] | None = None) -> Narrowings:
    """The key policies of an estate, narrowed to what a trail shows of their use.

    A policy is proposed when it is proven that nobody gains by it and that every recorded call has the
    verdict that it has today, in every world that the estate can become.

    Args:
        recorded: What the trail tells, read for all that `asked_of` finds in the estate.
        estate: The policies.
        key_map: Keys of the trail to keys of the input; see `match_keys`.

    Raises:
        ArgumentError: A key that is mapped is nowhere.
    """
    side = Side.of(recorded, estate, asked_of([estate]).keys, key_map)
    by_key: dict[str, list[RecordedCall]] = {}
    for call in recorded.calls:
        by_key.setdefault(call.key, []).append(call)
    made = {
        one.recorded.arn: _made(list(side.judges_of(one.recorded.arn)), one.recorded.arn, by_key)
        for one in side.matching.matched
    }
    narrow = {arn: one.policy for arn, one in made.items() if isinstance(one, Narrowed)}
    gains = {arn: gain for judge in side.judges for arn, gain in _gains(judge, narrow).items()}
    names = dict(titles(side.matching))
    found = tuple(
        _proven(
            names[arn],
            arn,
            list(side.judges_of(arn)),
            one,
            calls=by_key.get(arn, ()),
            gain=gains.get(arn, ""),
        )
        for arn, one in made.items()
    )
    return Narrowings(
        keys=found,
        matching=side.matching,
        named=side.named,
        first=recorded.first,
        last=recorded.last,
    )


def _made(judges: Sequence[Judge], arn: str, calls: Mapping[str, Sequence[RecordedCall]]) -> Narrowed | str:
    """The narrower policy of a key, or why there is none."""
    policy = judges[0].keys[arn].policy
    if isinstance(policy.unknown, Unknown):
        return f"the key policy is not known: {policy.unknown.reason}"
    plain = document_of(policy)
    if any(document_of(judge.keys[arn].policy) != plain for judge in judges):
        return "deployment decides what the key policy says: give --parameter"
    found = narrowed(policy, calls.get(arn, ()))
    return found if found.policy.statements else "nothing of it was used, and a key needs a policy"


def _gains(judge: Judge, narrow: Mapping[str, Policy]) -> dict[str, str]:
    """Who would gain what by the narrower policies of a world: nobody, or they are not proposed."""
    old = {
        arn: replace(
            key, id=arn, key_id=key.key_id or key.id, aliases=(arn,), location=Location(arn, logical_id=arn)
        )
        for arn, key in judge.keys.items()
        if arn in narrow
    }
    new = (replace(key, policy=narrow[arn]) for arn, key in old.items())
    before = replace(judge.estate, keys=tuple(old.values()), worlds=())
    found: dict[str, str] = {}
    for change in diff_access(before, replace(before, keys=tuple(new))):
        # Fewer alternatives are other conditions, and yet no more.
        if change.gains and change.after != change.before:
            found.setdefault(change.key, f"{change.principal} would gain {change.capability.value}")
    return found


def _proven(
    title: str,
    arn: str,
    judges: Sequence[Judge],
    made: Narrowed | str,
    *,
    calls: Sequence[RecordedCall],
    gain: str,
) -> Narrowing:
    """The narrower policy of a key, if it is proven to be no more than that."""
    policy = judges[0].keys[arn].policy
    plain = document_of(policy)
    same = Narrowing(key=title, arn=arn, before=plain, after=plain, dropped=(), kept=(), parts=(), calls=0)
    if isinstance(made, str):
        return replace(same, refused=made)
    same = replace(same, kept=made.kept)
    if (wider := wider_than(made.policy, policy)) is not None:
        return replace(same, refused=f"{wider} would give more than the policy that there is")
    if gain:
        return replace(same, refused=gain)
    stay = 0
    for judge in judges:
        allowed = 0
        key = judge.keys[arn]
        changed = replace(key, policy=made.policy)
        for call in calls:
            was, now = (judge.replay.judge(call, one).verdict for one in (key, changed))
            if was is not now:
                refused = f"{call.action} of {call.who} would be {now.value}, and is {was.value}"
                return replace(same, refused=refused)
            allowed += call.calls if now is Verdict.ALLOWED else 0
        stay = max(stay, allowed)
    return replace(same, after=document_of(made.policy), dropped=made.dropped, parts=made.parts, calls=stay)


def wider_than(narrow: Policy, wide: Policy) -> str | None:
    """The statement by which a policy may give more than another; None when it certainly gives no more.

    Every Allow has to lie within one of the other's, with the same conditions, and every Deny of the other
    has to be there.
    """
    old = [one for one in wide.statements if one.effect is Effect.ALLOW]
    for one in narrow.statements:
        if one.effect is Effect.ALLOW and not any(_within(one, other) for other in old):
            return one.label
    kept = {replace(one, index=0, path="") for one in narrow.statements if one.effect is not Effect.ALLOW}
    for one in wide.statements:
        if one.effect is not Effect.ALLOW and replace(one, index=0, path="") not in kept:
            return one.label
    return None


def _within(one: Statement, other: Statement) -> bool:
    if replace(one, index=0, sid=None, path="") == replace(other, index=0, sid=None, path=""):
        return True
    same = (one.resources, one.not_resources, one.conditions, one.certain) == (
        other.resources,
        other.not_resources,
        other.conditions,
        other.certain,
    )
    lists = (one.principals, other.principals, one.actions, other.actions)
    if not same or not all(isinstance(listed, tuple) for listed in lists):
        return False
    if one.not_principals is not None or one.not_actions is not None:
        return False
    assert isinstance(one.principals, tuple)  # noqa: S101 - as all four are, which mypy does not follow
    assert isinstance(other.principals, tuple)  # noqa: S101
    assert isinstance(one.actions, tuple)  # noqa: S101
    assert isinstance(other.actions, tuple)  # noqa: S101
    given = {name for pattern in other.actions for name in expand(pattern)}
    taken = (
        name for pattern in one.actions if pattern not in other.actions for name in expand(pattern) or ("?",)
    )
    return set(one.principals) <= set(other.principals) and given.issuperset(taken)


# Narrowing


class Narrowed(Frozen, frozen=True):
    """A key policy without the use that nobody made of it.

    Args:
        policy: The policy.
        dropped: What is taken away.
        kept: Why statements were left as they are that may give more than was used.
        parts: How many statements come of each of those that there were.
    """

    policy: Policy
    dropped: tuple[Dropped, ...]
    kept: tuple[str, ...]
    parts: tuple[int, ...]


def narrowed(policy: Policy, calls: Iterable[RecordedCall]) -> Narrowed:
    """Takes from a key policy the use that nobody made of it.

    Args:
        policy: The policy.
        calls: All recorded calls on its key, whatever came of them in judging.
    """
    told = tuple(calls)
    parts: list[tuple[Statement, ...]] = []
    dropped: list[Dropped] = []
    kept: list[str] = []
    taken = {one.sid for one in policy.statements if one.sid}
    for statement in policy.statements:
        why = _left_alone(statement)
        if why:
            kept.append(f"{statement.label} {why}")
        alone = why is not None
        parts.append((statement,) if alone else tuple(_parts(statement, told, dropped, taken)))
    if not dropped:
        return Narrowed(policy, (), tuple(kept), (1,) * len(policy.statements))
    statements = (one for made in parts for one in made)
    numbered = tuple(replace(one, index=index) for index, one in enumerate(statements))
    return Narrowed(replace(policy, statements=numbered), tuple(dropped), tuple(kept), tuple(map(len, parts)))


def _left_alone(statement: Statement) -> str | None:
    """Why a statement stays as it is: empty where that is plain; None when it may be narrowed."""
    if statement.effect is not Effect.ALLOW:
        return "" if statement.effect is Effect.DENY else "is not known to allow or to deny"
    if not statement.certain:
        return "may not be there: deployment decides"
    if not isinstance(statement.actions, tuple) or not isinstance(statement.principals, tuple):
        return "names what it leaves out, or is not resolved"
    uses = {name for pattern in statement.actions for name in expand(pattern)} & NARROWED
    if not uses:
        return ""
    if all(_is_wide(one) for one in statement.principals):
        everyone = any(one.value == "*" for one in statement.principals)
        return "lets everyone in whom its conditions do" if everyone else "leaves it to IAM policies"
    return None


def _is_wide(principal: Principal) -> bool:
    """Whether an entry stands for more than one principal: an account, or anyone."""
    if principal.type == "Service":
        return False
    return principal.type != "AWS" or principal.value == "*" or principal_cells(principal).delegated


def _parts(
    statement: Statement, calls: tuple[RecordedCall, ...], dropped: list[Dropped], taken: set[str]
) -> Iterator[Statement]:
    """The statement, one for each set of actions that is left to some of its principals."""
    assert isinstance(statement.actions, tuple)  # noqa: S101 - `_left_alone` said so
    assert isinstance(statement.principals, tuple)  # noqa: S101
    given = {name for pattern in statement.actions for name in expand(pattern) if ACTIONS[name].on_key}
    groups: dict[tuple[str, ...], list[Principal]] = {}
    for principal in statement.principals:
        used = given if _is_wide(principal) else _used(principal, calls)
        unused = (given & NARROWED) - used
        left = given - unused
        if unused and left <= DESCRIBING and not left & used:
            unused, left = given, set()
        if unused:
            dropped.append(Dropped(statement.label, str(principal.value), tuple(sorted(unused))))
        if left:
            groups.setdefault(_written(statement.actions, left), []).append(principal)
    for number, (actions, principals) in enumerate(groups.items()):
        sid = statement.sid if number == 0 or not statement.sid else _free(statement.sid, taken)
        yield replace(statement, sid=sid, actions=actions, principals=tuple(principals))


def _free(sid: str, taken: set[str]) -> str:
    number = 2
    while f"{sid}{number}" in taken:
        number += 1
    taken.add(f"{sid}{number}")
    return f"{sid}{number}"


def _written(patterns: tuple[str, ...], left: set[str]) -> tuple[str, ...]:
    """The actions that are left, as the statement writes them where all that a pattern covers is left."""
    found: dict[str, None] = {}
    for pattern in patterns:
        names = [name for name in expand(pattern) if ACTIONS[name].on_key]
        if all(name in left for name in names):
            found[pattern] = None
        else:
            found.update(dict.fromkeys(f"kms:{name}" for name in names if name in left))
    return tuple(found)


def _used(principal: Principal, calls: tuple[RecordedCall, ...]) -> set[str]:
    """What the principal called, or may have called: a name that is not decided may be anybody's."""
    return {call.action for call in calls if _may_be(principal, call)}


def _may_be(principal: Principal, call: RecordedCall) -> bool:
    if call.by_service:
        if principal.type != "Service":
            return False
        told = call.service or ""
        same = display(principal.value).partition(".")[0] == told.partition(".")[0]
        return same or "." not in told or principal_cells(principal).unresolved is not None
    if principal.type == "Service":
        return False
    cells = principal_cells(principal).cells
    if call.caller is not None:
        return any_meet(named_cells(call.caller), cells)
    account = call.caller_account
    return account is None or any(cell.account in (None, account) for cell in cells)


# Documents


def document_of(policy: Policy) -> dict[str, Any]:
    """A policy as JSON: what is decided at deployment is written as ``${…}``, what is not known says so."""
    if isinstance(policy.unknown, Unknown):
        return {"Version": "2012-10-17", "Statement": f"not known: {policy.unknown.reason}"}
    return {"Version": "2012-10-17", "Statement": [_document(one) for one in policy.statements]}


def _document(statement: Statement) -> dict[str, Any]:
    found: dict[str, Any] = {"Sid": display(statement.sid)} if statement.sid else {}
    effect = statement.effect
    found["Effect"] = f"not known: {effect.reason}" if isinstance(effect, Unknown) else effect.value
    for name, who in (("Principal", statement.principals), ("NotPrincipal", statement.not_principals)):
        if who is not None:
            found[name] = _principals(who)
    for name, listed in (
        ("Action", statement.actions),
        ("NotAction", statement.not_actions),
        ("Resource", statement.resources),
        ("NotResource", statement.not_resources),
    ):
        if listed is not None:
            found[name] = _listed(listed)
    if isinstance(statement.conditions, Unknown):
        found["Condition"] = f"not known: {statement.conditions.reason}"
    elif statement.conditions:
        conditions: dict[str, dict[str, Any]] = {}
        for one in statement.conditions:
            conditions.setdefault(one.operator, {})[display(one.key)] = _listed(one.values)
        found["Condition"] = conditions
    return found


def _principals(who: tuple[Principal, ...] | Unknown) -> Any:  # noqa: ANN401 - text or an object
    if isinstance(who, Unknown):
        return f"not known: {who.reason}"
    if any(one.type == "*" for one in who):
        return "*"
    found: dict[str, list[str]] = {}
    for one in who:
        found.setdefault(one.type, []).append(one.value)
    return {kind: _listed(tuple(values)) for kind, values in found.items()}


def _listed(values: tuple[str, ...] | Unknown) -> str | list[str]:
    if isinstance(values, Unknown):
        return f"not known: {values.reason}"
    shown = [display(value) for value in values]
    return shown[0] if len(shown) == 1 else shown
