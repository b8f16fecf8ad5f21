"""Which key of a trail is which key of an estate: a template does not tell the id of a key that it makes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from kms_constructs.analysis.recorded.call import RecordedKey
from kms_constructs.errors import ArgumentError
from kms_constructs.model.arn import parse_arn
from kms_constructs.model.estate import Key
from kms_constructs.model.frozen import Frozen
from kms_constructs.model.globs import globs_meet
from kms_constructs.model.text import display, has_hole
from kms_constructs.model.unknown import Unknown

_RESERVED = "alias/aws/"


class Matched(Frozen, frozen=True):
    """A key of a trail and the key of the estate that it is.

    Args:
        recorded: In the trail.
        key: In the estate.
        by: What says so: ``its ARN``, ``--key-map``, ``alias/orders``, ``its tags``.
    """

    recorded: RecordedKey
    key: Key
    by: str


class Matching(Frozen, frozen=True):
    """Keys of a trail against keys of an estate.

    Args:
        matched: Those that are the same.
        only_recorded: Keys of the trail that are in no input; without those that AWS manages.
        managed_by_aws: Keys of the trail that AWS manages.
        only_given: Keys of the input that the trail does not tell of.
    """

    matched: tuple[Matched, ...] = ()
    only_recorded: tuple[RecordedKey, ...] = ()
    managed_by_aws: tuple[RecordedKey, ...] = ()
    only_given: tuple[Key, ...] = ()


def match_keys(
    recorded: Iterable[RecordedKey], keys: Sequence[Key], key_map: Mapping[str, str] | None = None
) -> Matching:
    """Matches keys by ARN, then by what the caller says, then by alias, then by CloudFormation's tags.

    Args:
        recorded: Keys of a trail.
        keys: Keys of an estate.
        key_map: ARN or id of a key of the trail to an alias, logical id, ARN or id of the estate.

    Raises:
        ArgumentError: What is mapped is in neither.
    """
    told = tuple(recorded)
    chosen = _chosen(told, keys, key_map or {})
    matched: list[Matched] = []
    only: list[RecordedKey] = []
    managed: list[RecordedKey] = []
    for one in told:
        found, by = _find(one, keys, chosen)
        if found is not None:
            matched.append(Matched(one, found, by))
        elif any(alias.startswith(_RESERVED) for alias in (*one.aliases, _alias_of(one.arn))):
            managed.append(one)
        else:
            only.append(one)
    seen = {one.key.id for one in matched}
    return Matching(
        tuple(matched), tuple(only), tuple(managed), tuple(key for key in keys if key.id not in seen)
    )


def _chosen(
    recorded: Sequence[RecordedKey], keys: Sequence[Key], key_map: Mapping[str, str]
) -> dict[str, Key]:
    found: dict[str, Key] = {}
    for name, wanted in key_map.items():
        arns = [one.arn for one in recorded if name in (one.arn, one.arn.rpartition("/")[2], *one.aliases)]
        if not arns:
            raise ArgumentError(
                "--key-map",
                f"{name}={wanted}",
                f"the trail tells of no key {name}",
                "name a key by its ARN, id or alias, as the trail has it",
            )
        mine = [key for key in keys if wanted in _names(key)]
        if len(mine) != 1:
            raise ArgumentError(
                "--key-map",
                f"{name}={wanted}",
                f"{len(mine) or 'no'} keys of the input are called {wanted}",
                "name one by its alias, logical id, STACK/LOGICALID or construct path",
            )
        found |= dict.fromkeys(arns, mine[0])
    return found


def _names(key: Key) -> set[str]:
    where = key.location
    names = {key.id, where.logical_id, where.construct_path or "", f"{where.stack}/{where.logical_id}"}
    names |= {key.arn_pattern, key.key_id, *key.aliases, *(one.removeprefix("alias/") for one in key.aliases)}
    if where.construct_path:
        names.add(where.construct_path.removesuffix("/Resource"))
    return {display(name) for name in names if name}


def _find(one: RecordedKey, keys: Sequence[Key], chosen: Mapping[str, Key]) -> tuple[Key | None, str]:
    for key in keys:
        if key.arn_pattern == one.arn:
            return key, "its ARN"
    if one.arn in chosen:
        return chosen[one.arn], "--key-map"
    # A key that tells its id is no other.
    near = [key for key in keys if _may_be(one, key)]
    for alias in (*one.aliases, *filter(None, (_alias_of(one.arn),))):
        named = [key for key in near if alias in key.aliases and alias not in key.conditional_aliases]
        if len(named) == 1:
            return named[0], alias
    if one.logical_id:
        tagged = [
            key
            for key in near
            if (key.location.stack, key.location.logical_id) == (one.stack, one.logical_id)
        ]
        if len(tagged) == 1:
            return tagged[0], "its tags"
    return None, ""


def _may_be(one: RecordedKey, key: Key) -> bool:
    """Whether account, Region and id do not speak against it."""
    arn = parse_arn(one.arn)
    if arn is None:
        return False
    region = key.region
    return (
        globs_meet(key.account, arn.account)
        and (isinstance(region, Unknown) or globs_meet(region, arn.region))
        and (has_hole(key.arn_pattern.rpartition("/")[2]) or ":alias/" in one.arn)
    )


def _alias_of(arn: str) -> str:
    _, found, name = arn.partition(":alias/")
    return f"alias/{name}" if found else ""
