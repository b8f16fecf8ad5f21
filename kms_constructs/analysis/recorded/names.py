"""Roles and users that a template makes under the names that a trail tells.

CloudFormation makes names of the stack, the logical id and random letters. So a caller of the trail that is
called so is that role of the template, when it is the only one.

See: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-properties-name.html
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from msgspec.structs import replace

from kms_constructs.analysis.recorded.keys import Matching
from kms_constructs.model.arn import parse_arn
from kms_constructs.model.estate import Estate, Grant, IdentityPolicy, Key
from kms_constructs.model.frozen import Frozen
from kms_constructs.model.policy import Condition, Policy, Principal, Statement
from kms_constructs.model.text import HoleKind, has_hole, hole, holes, split_holes
from kms_constructs.model.unknown import Unknown

_NAME = re.compile(r"(?P<scope>.+)\.(?P<logical>[A-Za-z0-9]+)\.Name", re.DOTALL)
_RANDOM = r"(?=[a-z]*[A-Z0-9])[A-Za-z0-9]{8,14}"
_LONGEST = 64


class Named(Frozen, frozen=True):
    """A generated name that the trail tells.

    Args:
        hole: The text with a hole that stands for it in the estate.
        logical_id: The role or user in the template.
        name: As the trail tells it.
    """

    hole: str
    logical_id: str
    name: str


def generated_names(estate: Estate, callers: Iterable[str]) -> tuple[Named, ...]:
    """The generated names of roles and users in an estate, as the callers of a trail are called.

    Args:
        estate: The estate.
        callers: ARNs of roles and users.
    """
    names = sorted({arn.rpartition("/")[2] for arn in callers})
    found: list[Named] = []
    for identity in sorted(set(_identities(estate))):
        parts = _NAME.fullmatch(identity)
        if parts is None:
            continue
        logical = parts["logical"]
        like = re.compile(rf"(?P<stack>[A-Za-z][A-Za-z0-9-]*)-{re.escape(logical)}-{_RANDOM}")
        fitting = [(match["stack"], name) for name in names if (match := like.fullmatch(name))]
        of_stack = [name for stack, name in fitting if stack == parts["scope"]]
        mine = of_stack or [name for _, name in fitting]
        if len(mine) == 1 and len(mine[0]) <= _LONGEST:
            found.append(Named(hole(HoleKind.GENERATED, identity), logical, mine[0]))
    return tuple(found)


def with_names(estate: Estate, named: Iterable[Named]) -> Estate:
    """The estate with the names that the trail tells instead of the holes, in all of its worlds."""
    texts = {one.hole: one.name for one in named}
    worlds = tuple(replace(world, estate=filled_estate(world.estate, texts)) for world in estate.worlds)
    return replace(filled_estate(estate, texts), worlds=worlds)


def key_ids(matching: Matching) -> dict[str, str]:
    """The ids of keys that the trail tells, by the hole that stands for them in the estate.

    A key that is several of the trail, for one template is deployed twice, keeps its hole.
    """
    found: dict[str, set[str]] = {}
    for one in matching.matched:
        _, is_key, id_ = one.recorded.arn.partition(":key/")
        if is_key and split_holes(one.key.key_id) == (one.key.key_id,) and has_hole(one.key.key_id):
            found.setdefault(one.key.key_id, set()).add(id_)
    return {text: next(iter(ids)) for text, ids in found.items() if len(ids) == 1}


def home_of(key: Key, arn: str) -> dict[str, str]:
    """Account, Region and partition as the ARN of a key tells them, by the holes that stand for them."""
    told = parse_arn(arn)
    if told is None:
        return {}
    region = key.region if isinstance(key.region, str) else ""
    pairs = ((key.account, told.account), (region, told.region), (key.partition, told.partition))
    return {text: value for text, value in pairs if has_hole(text) and split_holes(text) == (text,)}


def filled_estate(estate: Estate, texts: Mapping[str, str]) -> Estate:
    """The estate with texts for some of its holes; its worlds are left as they are."""
    if not texts:
        return estate
    return replace(
        estate,
        keys=tuple(_key(key, texts) for key in estate.keys),
        identity_policies=tuple(_identity(one, texts) for one in estate.identity_policies),
    )


def _key(key: Key, texts: Mapping[str, str]) -> Key:
    return replace(
        key,
        key_id=_fill(key.key_id, texts),
        account=_fill(key.account, texts),
        region=_fill(key.region, texts) if isinstance(key.region, str) else key.region,
        partition=_fill(key.partition, texts),
        policy=filled_policy(key.policy, texts),
        grants=tuple(_grant(one, texts) for one in key.grants),
    )


def _grant(grant: Grant, texts: Mapping[str, str]) -> Grant:
    return (
        grant if isinstance(grant.grantee, Unknown) else replace(grant, grantee=_fill(grant.grantee, texts))
    )


def _identity(policy: IdentityPolicy, texts: Mapping[str, str]) -> IdentityPolicy:
    attached = policy.attached_to
    if not isinstance(attached, Unknown):
        attached = tuple(_fill(one, texts) for one in attached)
    return replace(
        policy,
        attached_to=attached,
        account=_fill(policy.account, texts),
        policy=filled_policy(policy.policy, texts),
    )


def filled_policy(policy: Policy, texts: Mapping[str, str]) -> Policy:
    """The policy with texts for some of its holes; nothing else of it changes."""
    statements = tuple(_statement(one, texts) for one in policy.statements)
    return policy if statements == policy.statements else replace(policy, statements=statements)


def _statement(statement: Statement, texts: Mapping[str, str]) -> Statement:
    conditions = statement.conditions
    if isinstance(conditions, tuple):
        conditions = tuple(_condition(one, texts) for one in conditions)
    return replace(
        statement,
        principals=_who(statement.principals, texts),
        not_principals=_who(statement.not_principals, texts),
        resources=_each(statement.resources, texts),
        not_resources=_each(statement.not_resources, texts),
        conditions=conditions,
    )


def _condition(condition: Condition, texts: Mapping[str, str]) -> Condition:
    values = condition.values
    if isinstance(values, Unknown):
        return condition
    return replace(condition, values=tuple(_fill(value, texts) for value in values))


def _who(
    listed: tuple[Principal, ...] | Unknown | None, texts: Mapping[str, str]
) -> tuple[Principal, ...] | Unknown | None:
    if not isinstance(listed, tuple):
        return listed
    return tuple(replace(one, value=_fill(one.value, texts)) for one in listed)


def _each(
    listed: tuple[str, ...] | Unknown | None, texts: Mapping[str, str]
) -> tuple[str, ...] | Unknown | None:
    return tuple(_fill(text, texts) for text in listed) if isinstance(listed, tuple) else listed


def _fill(text: str, texts: Mapping[str, str]) -> str:
    if not has_hole(text):
        return text
    return "".join(texts.get(piece, piece) for piece in split_holes(text))


def _identities(estate: Estate) -> Iterator[str]:
    """Identities of the generated holes in names of principals."""
    for world in estate.every_world:
        for text in _texts(world.estate):
            for kind, identity in holes(text):
                if kind is HoleKind.GENERATED:
                    yield identity


def _texts(estate: Estate) -> Iterator[str]:
    for key in estate.keys:
        for statement in key.policy.statements:
            for listed in (statement.principals, statement.not_principals):
                yield from (one.value for one in (listed if isinstance(listed, tuple) else ()))
    for policy in estate.identity_policies:
        yield from policy.attached_to if isinstance(policy.attached_to, tuple) else ()
