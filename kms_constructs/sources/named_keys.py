"""Keys by what a text calls them: a generated id, a literal one, an alias. The same for every source."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Final, Generic, TypeVar

from msgspec.structs import replace

from kms_constructs.model.estate import Key, KeyKind
from kms_constructs.model.text import HoleKind, has_generated_hole, hole, holes

_Draft = TypeVar("_Draft")
ALIAS_PREFIX: Final = "alias/"
_SHARED: Final = ("key_spec", "key_usage", "origin", "rotation_enabled", "rotation_period")
"""What belongs to a primary key, and its replicas share."""


class NamedKeys(Generic[_Draft]):
    """Finds the drafts of keys that a text names; a primary and its replicas have one id."""

    def __init__(self) -> None:
        self._by_id: dict[str, list[_Draft]] = {}
        self._by_alias: dict[str, list[_Draft]] = {}

    def add(self, key_id: str, draft: _Draft) -> None:
        """Adds a key by its id."""
        self._by_id.setdefault(key_id, []).append(draft)

    def add_alias(self, alias: str, draft: _Draft) -> None:
        """Adds a name of a key: ``alias/…``."""
        self._by_alias.setdefault(alias, []).append(draft)

    def generated(self, text: str) -> Sequence[_Draft]:
        """The keys whose ids, generated at deployment, are in the text."""
        return [draft for made in _generated_in(text) for draft in self._by_id.get(made, ())]

    def of_id(self, text: str) -> Sequence[_Draft]:
        """The keys of the id that a key ARN ends with; a text that is none is taken for an id."""
        return self._by_id.get(text.rpartition(":key/")[2], ())

    def of_alias(self, text: str) -> Sequence[_Draft]:
        """The keys of the alias that the text is, or that an alias ARN ends with."""
        if text.startswith(ALIAS_PREFIX):
            return self.called(text)
        _, found, name = text.partition(f":{ALIAS_PREFIX}")
        return self.called(ALIAS_PREFIX + name) if found else ()

    def called(self, alias: str) -> Sequence[_Draft]:
        """The keys to which the alias was added, whatever it is made of."""
        return self._by_alias.get(alias, ())


@lru_cache(maxsize=8192)
def _generated_in(text: str) -> tuple[str, ...]:
    """The parts of a text that are generated at deployment: every world asks for those of the same texts."""
    if not has_generated_hole(text):
        return ()
    return tuple([hole(kind, identity) for kind, identity in holes(text) if kind is HoleKind.GENERATED])


def primaries_by_id(keys: Iterable[Key]) -> Mapping[str, Key]:
    """The keys that are no replicas, by key id."""
    return {key.key_id: key for key in keys if key.kind is KeyKind.KEY}


def linked(key: Key, primaries: Mapping[str, Key]) -> Key:
    """A replica key with what it shares with its primary, if that is there; any other key as it is."""
    primary = primaries.get(key.key_id) if key.kind is KeyKind.REPLICA else None
    if primary is None:
        return key
    return replace(key, primary=primary.id, **{name: getattr(primary, name) for name in _SHARED})
