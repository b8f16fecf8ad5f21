"""How a live key differs from what a template declares: by meaning, and only where the template says it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from msgspec.structs import replace

from kms_constructs.analysis.diff import diff_access
from kms_constructs.guardrails.live.same import differing, has_holes, listed
from kms_constructs.model.arn import parse_arn
from kms_constructs.model.estate import Estate, Key, KeyKind
from kms_constructs.model.frozen import Frozen
from kms_constructs.model.key_specs import DEFAULT_ROTATION_PERIOD_DAYS
from kms_constructs.model.text import display, has_hole
from kms_constructs.model.unknown import is_unknown
from kms_constructs.model.vocabulary import Fact

_SHOWN: Final = 3
_ENABLED: Final = ("Enabled", "Creating", "Updating")
_IDENTITY: Final = (
    ("key_spec", Fact.KEY_SPEC, "key spec"),
    ("key_usage", Fact.KEY_SPEC, "key usage"),
    ("origin", Fact.ORIGIN, "origin"),
    ("multi_region", Fact.MULTI_REGION, "multi-Region"),
)


class Difference(Frozen, frozen=True):
    """One thing in which a live key is not as declared.

    Args:
        detail: A short word: ``policy``, ``rotation``, ``alias``, ``tags``, ``description``, ``enabled``,
            ``identity``, ``replicas``.
        message: A sentence.
        fact: The fact.
        open: Whether it cannot be told, rather than is so.
    """

    detail: str
    message: str
    fact: Fact
    open: bool = False


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
    yield from _description(key, declared)
    yield from _enabled(key, declared)
    yield from _kind(key, declared)


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


def _description(key: Key, declared: Key) -> Iterator[Difference]:
    want, have = declared.description, key.description
    if not isinstance(want, str) or has_hole(want) or is_unknown(have):
        return
    if (have or "") != want:
        yield Difference("description", "Its description is not the declared one.", Fact.DESCRIPTION)


def _enabled(key: Key, declared: Key) -> Iterator[Difference]:
    want, state = declared.enabled, key.key_state
    if not declared.vocabulary.knows(Fact.ENABLED) or is_unknown(want):
        return
    if is_unknown(state):
        said = f"Whether it is enabled as declared is not known: {state.reason}."
        yield Difference("enabled", said, Fact.ENABLED, open=True)
    elif (want is not False) != (state in _ENABLED):
        says = "enabled" if want is not False else "disabled"
        yield Difference("enabled", f"It is in state {state}, and declared {says}.", Fact.ENABLED)


def _kind(key: Key, declared: Key) -> Iterator[Difference]:
    """A primary and a replica may change places: UpdatePrimaryRegion does that."""
    if declared.policy_only or is_unknown(key.key_spec) or declared.kind is key.kind:
        return
    named = {KeyKind.KEY: "a primary key", KeyKind.REPLICA: "a replica"}
    yield Difference(
        "identity", f"It is {named[key.kind]}, and declared {named[declared.kind]}.", Fact.REPLICAS
    )


def replica_differences(key: Key, declared: Key, expected: Iterable[Key]) -> Iterator[Difference]:
    """The Regions in which a primary key has replicas, held against those in which they are declared.

    Args:
        key: The live key.
        declared: Its declaration.
        expected: All declarations.
    """
    if KeyKind.REPLICA in (declared.kind, key.kind) or key.live is None:
        return
    if not declared.vocabulary.knows(Fact.REPLICAS):
        return
    mine = [one for one in expected if one.kind is KeyKind.REPLICA and one.primary == declared.id]
    wanted = {one.region for one in mine if isinstance(one.region, str) and not has_hole(one.region)}
    if is_unknown(key.live.replicas):
        if mine or declared.multi_region is True:
            why = key.live.replicas.reason
            said = f"Where it has replicas is not known: {why}."
            yield Difference("replicas", said, Fact.REPLICAS, open=True)
        return
    there = {arn.region for one in key.live.replicas if (arn := parse_arn(one)) is not None}
    if gone := sorted(wanted - there - {key.region}):
        listed_ = ", ".join(gone)
        yield Difference("replicas", f"It has no replica in {listed_}, where one is declared.", Fact.REPLICAS)
    if new := sorted(there - wanted):
        # A template declares nothing for another Region: whether all were given is not known here.
        open_ = not mine or len(mine) > len(wanted)
        perhaps = "; it may be declared in what was not given" if not mine else ""
        yield Difference(
            "replicas",
            f"It has a replica in {', '.join(new)}, and none is declared there{perhaps}.",
            Fact.REPLICAS,
            open=open_,
        )
