"""How a live key differs from what a template declares: by meaning, and only where the template says it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from kms_constructs.analysis.diff import diff_access
from kms_constructs.guardrails.live.same import differing, has_holes, listed
from kms_constructs.model.estate import Estate, Key, KeyKind
from kms_constructs.model.key_specs import DEFAULT_ROTATION_PERIOD_DAYS
from kms_constructs.model.text import display, has_hole
from kms_constructs.model.unknown import is_unknown
from kms_constructs.model.vocabulary import Fact

_SHOWN: Final = 3
_IDENTITY: Final = (
    ("key_spec", Fact.KEY_SPEC, "key spec"),
    ("key_usage", Fact.KEY_SPEC, "key usage"),
    ("origin", Fact.ORIGIN, "origin"),
    ("multi_region", Fact.MULTI_REGION, "multi-Region"),
)


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing in which a live key is not as declared.

    Args:
        detail: A short word: ``policy``, ``rotation``, ``alias``, ``tags``, ``replicas``.
        message: A sentence.
        fact: The fact.
        open: Whether it cannot be told, rather than is so.
    """

    detail: str
    message: str
    fact: Fact
    open: bool = False


def declared_of(key: Key, expected: tuple[Key, ...]) -> Key | None:
    """The declaration of a live key: the one that shares an alias and can be in the same place."""
    for one in expected:
        if set(one.aliases) & set(key.aliases) and _may_be_in(one, key):
            return one
    return None


def _may_be_in(declared: Key, key: Key) -> bool:
    account = has_hole(declared.account) or declared.account == key.account
    region = not isinstance(declared.region, str) or has_hole(declared.region)
    return account and (region or declared.region == key.region)


def differences(key: Key, declared: Key) -> Iterator[Difference]:
    """In what a live key is not as it is declared."""
    yield from _policy(key, declared)
    if declared.kind is KeyKind.KEY and declared.vocabulary.knows(Fact.ROTATION):
        yield from _rotation(key, declared)
    for name, fact, said in _IDENTITY:
        want, have = getattr(declared, name), getattr(key, name)
        if not declared.vocabulary.knows(fact) or is_unknown(want) or is_unknown(have):
            continue
        if want != have:
            yield Difference("identity", f"Its {said} is {have}, and declared is {want}.", fact)
    missing = [one for one in declared.aliases if not has_hole(one) and one not in key.aliases]
    if missing and key.aliases_unknown is None:
        yield Difference("alias", f"It has not the declared aliases {', '.join(missing)}.", Fact.ALIAS)
    yield from _tags(key, declared)


def _policy(key: Key, declared: Key) -> Iterator[Difference]:
    for side, policy in (("live", key.policy), ("declared", declared.policy)):
        if is_unknown(policy.unknown):
            yield Difference(
                "policy", f"Its {side} policy is not known: {policy.unknown.reason}.", Fact.POLICY, open=True
            )
            return
    gone, new = differing(declared.policy, key.policy)
    if not (gone or new):
        return
    if not has_holes(declared.policy):
        same_place = replace(declared, location=key.location, kind=key.kind, grants=())
        changes = diff_access(Estate(keys=(same_place,)), Estate(keys=(replace(key, grants=()),)))
        if not changes:
            return
        shown = "; ".join(
            f"{display(one.principal)}: {one.capability.value} {one.before.value} → {one.after.value}"
            for one in changes[:_SHOWN]
        )
        more = f"; and {len(changes) - _SHOWN} more" if len(changes) > _SHOWN else ""
        yield Difference(
            "policy", f"Its policy lets others do other things than declared: {shown}{more}.", Fact.POLICY
        )
        return
    parts = [
        f"{what} {listed(found)}"
        for what, found in (("without the declared", gone), ("with what is not declared:", new))
        if found
    ]
    yield Difference("policy", f"Its policy is not the declared one: {', '.join(parts)}.", Fact.POLICY)


def _rotation(key: Key, declared: Key) -> Iterator[Difference]:
    want, have = declared.rotation_enabled, key.rotation_enabled
    if is_unknown(want) or is_unknown(have):
        return
    if (want is True) != (have is True):
        says = {True: "on", False: "off"}
        yield Difference(
            "rotation",
            f"Rotation is {says[have is True]}, and declared {says[want is True]}.",
            Fact.ROTATION,
        )
        return
    wanted, period = (
        DEFAULT_ROTATION_PERIOD_DAYS if one.rotation_period is None else one.rotation_period
        for one in (declared, key)
    )
    if want is True and not is_unknown(wanted) and not is_unknown(period) and wanted != period:
        yield Difference(
            "rotation", f"It rotates every {period} days, and declared are {wanted}.", Fact.ROTATION_PERIOD
        )


def _tags(key: Key, declared: Key) -> Iterator[Difference]:
    want, have = declared.tags, key.tags
    if is_unknown(want) or is_unknown(have) or not declared.vocabulary.knows(Fact.TAGS):
        return
    wrong = [
        name
        for name, value in want.items()
        if isinstance(value, str) and not has_hole(value) and have.get(name) != value
    ]
    if wrong:
        yield Difference("tags", f"Its tags {', '.join(sorted(wrong))} are not as declared.", Fact.TAGS)
