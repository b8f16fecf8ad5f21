"""The rules that watch a set of keys: which watch, over which keys, by whose calls.

Keys of one rule share their authorised principals, and are as many as fit into one event pattern.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from msgspec import field

from kms_constructs.detections.authorised import checked_authorised
from kms_constructs.detections.patterns import Pattern, WatchedKey, in_portions, pattern
from kms_constructs.detections.watch import Watch
from kms_constructs.model.frozen import Frozen


class GuardedKey(Frozen, frozen=True, kw_only=True):
    """A key to watch, and who is authorised for what.

    Args:
        key: The key.
        authorised: Control id to the ARNs of principals.
    """

    key: WatchedKey
    authorised: Mapping[str, Sequence[str]] = field(default_factory=dict)


class Route(Frozen, frozen=True, kw_only=True):
    """One rule of EventBridge.

    Args:
        id: Unique among the routes of a set of keys: that of the watch, with a number where it has several.
        watch: What it watches for.
        keys: The keys; none for every key.
        authorised: Whose calls it lets through, or alone lets through.
    """

    id: str
    watch: Watch
    keys: tuple[WatchedKey, ...] = ()
    authorised: tuple[str, ...] = ()

    @property
    def pattern(self) -> Pattern:
        """Its event pattern."""
        return pattern(self.watch, keys=self.keys, authorised=self.authorised)


def routes(
    watches: Iterable[Watch],
    keys: Sequence[GuardedKey] | None = None,
    authorised: Mapping[str, Sequence[str]] | None = None,
    where: str = "",
) -> Iterator[Route]:
    """The rules for watches and keys, in the order of the watches.

    Args:
        watches: What to watch for.
        keys: The keys; None for every key of the account.
        authorised: Control id to principals who are authorised on all of them.
        where: Construct path, for errors.

    Raises:
        ArgumentError: A principal that EventBridge cannot compare.
        ValueError: More principals than fit into a pattern.
    """
    told = authorised or {}
    for watch in watches:
        known = tuple(told.get(watch.control, ())) if watch.guarded else ()
        groups: dict[tuple[str, ...], list[WatchedKey]] = {}
        if keys is None:
            groups[checked_authorised(known, where)] = []
        for one in keys or ():
            own = one.authorised.get(watch.control, ()) if watch.guarded else ()
            groups.setdefault(checked_authorised((*known, *own), where), []).append(one.key)
        made = [
            (part, portion, group)
            for group, listed in groups.items()
            for part in watch.split(group)
            for portion in in_portions(part, listed, group)
        ]
        taken: dict[str, int] = {}
        for part, portion, group in made:
            taken[part.id] = number = taken.get(part.id, 0) + 1
            yield Route(
                id=part.id if number == 1 else f"{part.id}-{number}",
                watch=part,
                keys=portion,
                authorised=group,
            )
