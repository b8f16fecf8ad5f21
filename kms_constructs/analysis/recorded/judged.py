"""Recorded calls against every world that an estate can become, key by key."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from msgspec import Struct, field
from msgspec.structs import replace

from kms_constructs.analysis.diff import key_name
from kms_constructs.analysis.recorded.call import Recorded, RecordedCall, RecordedKey
from kms_constructs.analysis.recorded.keys import Matched, Matching, match_keys
from kms_constructs.analysis.recorded.names import (
    Named,
    filled_estate,
    generated_names,
    home_of,
    key_ids,
    with_names,
)
from kms_constructs.analysis.recorded.replay import Judged, Replay, together
from kms_constructs.model.estate import Estate, Grant, Key
from kms_constructs.model.frozen import Frozen
from kms_constructs.model.worlds import World, described


class Judge(Frozen, frozen=True):
    """One world of an estate, as it is deployed in one account and Region.

    Args:
        world: What a person calls the world.
        estate: Its estate, with the names and ids that the trail tells.
        replay: Judges calls by it.
        keys: Its keys by the ARN in the trail.
    """

    world: str
    estate: Estate
    replay: Replay
    keys: Mapping[str, Key]


class Side(Frozen, frozen=True):
    """One estate that calls are judged by, with the names that the trail tells.

    Args:
        judges: Its worlds, and of each where the keys of the trail are.
        matching: Which keys are the same, over all worlds.
        named: Generated names that the trail tells.
    """

    judges: tuple[Judge, ...]
    matching: Matching
    named: tuple[Named, ...]

    @classmethod
    def of(
        cls, recorded: Recorded, estate: Estate, asked: frozenset[str], key_map: Mapping[str, str] | None
    ) -> Side:
        """Makes an estate ready to judge the calls of a trail.

        Args:
            recorded: What the trail tells.
            estate: The estate.
            asked: The condition keys that the trail was read for.
            key_map: See `match_keys`.

        Raises:
            ArgumentError: A key that is mapped is nowhere.
        """
        named = generated_names(estate, {call.caller for call in recorded.calls if call.caller is not None})
        estate = with_names(estate, named)
        every = [one for world in estate.every_world for one in world.assignments]
        judges: list[Judge] = []
        matchings: list[Matching] = []
        for world in estate.every_world:
            matching = match_keys(recorded.keys, world.estate.keys, key_map)
            matchings.append(matching)
            name = described(world.assignments, every) or _name(world)
            for there, keys in _deployed(world.estate, matching):
                judges.append(Judge(name, there, Replay(there, asked, recorded.grants), keys))
        return cls(tuple(judges), _union(matchings), named)

    def judges_of(self, arn: str) -> Iterator[Judge]:
        """The worlds that have a key."""
        return (one for one in self.judges if arn in one.keys)

    def with_live_grants(self, deployed: Side) -> Side:
        """The same with the grants that are on the keys today: no change of policies takes them away.

        Args:
            deployed: What is deployed; grants that it declares are left out, only live ones stay.
        """
        found: dict[str, tuple[Grant, ...]] = {}
        for one in deployed.judges:
            for arn, key in one.keys.items():
                found[arn] = tuple(grant for grant in key.grants if grant.live)
        judges = (
            replace(
                one,
                keys={
                    arn: replace(key, grants=(*key.grants, *found.get(arn, ())))
                    for arn, key in one.keys.items()
                },
            )
            for one in self.judges
        )
        return replace(self, judges=tuple(judges))

    def judge(self, call: RecordedCall) -> Judged | None:
        """The verdict over all worlds that have the key; None when none has it."""
        judged = [(one.world, one.replay.judge(call, one.keys[call.key])) for one in self.judges_of(call.key)]
        return together(judged) if judged else None


def _deployed(estate: Estate, matching: Matching) -> Iterator[tuple[Estate, dict[str, Key]]]:
    """The estate as it is where its keys are: a template for any account and Region may be in several."""
    homes: dict[tuple[tuple[str, str], ...], list[Matched]] = {}
    for one in matching.matched:
        home = home_of(one.key, one.recorded.arn)
        homes.setdefault(tuple(sorted(home.items())), []).append(one)
    for texts, members in homes.items():
        ids = key_ids(Matching(tuple(members)))
        there = filled_estate(estate, {**dict(texts), **ids})
        by_id = {key.id: key for key in there.keys}
        yield there, {one.recorded.arn: by_id[one.key.id] for one in members}


def _name(world: World[Estate]) -> str:
    return " and ".join(f"{name}={value}" for name, value in world.assignments[0]) or "it"


def _union(matchings: list[Matching]) -> Matching:
    """What is the same in some world is the same."""
    if len(matchings) == 1:
        return matchings[0]
    matched: dict[str, Matched] = {}
    given: dict[str, Key] = {}
    only: dict[str, RecordedKey] = {}
    managed: dict[str, RecordedKey] = {}
    for matching in matchings:
        for one in matching.matched:
            matched.setdefault(one.recorded.arn, one)
        given |= {key.id: key for key in matching.only_given}
        only |= {one.arn: one for one in matching.only_recorded}
        managed |= {one.arn: one for one in matching.managed_by_aws}
    ids = {one.key.id for one in matched.values()}
    return Matching(
        tuple(matched.values()),
        tuple(one for arn, one in only.items() if arn not in matched),
        tuple(one for arn, one in managed.items() if arn not in matched),
        tuple(key for id_, key in given.items() if id_ not in ids),
    )


class Tally(Struct):
    """Calls that are counted together.

    Args:
        calls: How many.
        first, last: When.
    """

    calls: int = 0
    first: str = ""
    last: str = ""
    services: set[str] = field(default_factory=set)

    def add(self, call: RecordedCall) -> None:
        """Counts calls."""
        self.calls += call.calls
        self.first = min(self.first or call.first, call.first)
        self.last = max(self.last, call.last)
        if call.service is not None and call.service != call.who:
            self.services.add(call.service)


def titles(matching: Matching) -> Iterator[tuple[str, str]]:
    """ARNs of the keys that are the same, and what a person calls each: its alias first."""
    for one in matching.matched:
        yield one.recorded.arn, key_name(one.key) if one.key.aliases else title_of(one.recorded)


def title_of(key: RecordedKey) -> str:
    """What a person calls a key of the trail: its alias, else its ARN."""
    return key.aliases[0] if key.aliases else key.arn
