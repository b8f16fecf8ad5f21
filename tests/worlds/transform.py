"""Changes of a case after which a guardrail has to say the same, or something that is known beforehand."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import fields, replace
from typing import Any

from kms_constructs.model.estate import Grant
from kms_constructs.model.unknown import Maybe, Unknown
from tests.worlds.case import Case, Iam
from tests.worlds.vocabulary import PARTITIONS

_SPLIT_BY_VALUE = frozenset(
    {"stringequals", "stringlike", "arnequals", "arnlike", "ipaddress", "stringequalsignorecase"}
)
"""Operators that hold when one of their values matches, and so for a statement for each value."""


def shuffled(case: Case, rng: random.Random) -> Case:
    """The case with statements, lists and members of objects in another order."""
    mixed = {
        name: _mixed(getattr(case, name), rng) for name in ("statements", "scps", "rcps", "iam", "grants")
    }
    return replace(case, **mixed)


def _mixed(value: Any, rng: random.Random) -> Any:
    if isinstance(value, dict):
        keys = list(value)
        rng.shuffle(keys)
        return {key: _mixed(value[key], rng) for key in keys}
    if isinstance(value, list | tuple):
        found = [_mixed(one, rng) for one in value]
        rng.shuffle(found)
        return type(value)(found)
    if isinstance(value, Iam):
        return replace(value, document=_mixed(value.document, rng))
    if isinstance(value, Maybe):
        return Maybe(_mixed(value.value, rng), value.reason)
    return value


def split(case: Case) -> Case:
    """The case with a statement for each principal, each action and each value of a condition."""
    found: list[Any] = []
    for one in case.statements:
        if isinstance(one, Maybe):
            found.extend(Maybe(part, one.reason) for part in _split(one.value))
        else:
            found.extend(_split(one))
    return replace(case, statements=tuple(found))


def _split(statement: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for one in _by_principal(dict(statement)):
        for other in _by_action(one):
            yield from _by_value(other)


def _by_principal(statement: dict[str, Any]) -> Iterator[dict[str, Any]]:
    principal = statement.get("Principal")
    if not isinstance(principal, dict):
        yield statement
        return
    for kind, values in principal.items():
        for value in values if isinstance(values, list) else [values]:
            # A member that is there only perhaps makes its whole element one that is not known.
            yield {**statement, "Principal": {kind: [value] if isinstance(value, Maybe) else value}}


def _by_action(statement: dict[str, Any]) -> Iterator[dict[str, Any]]:
    actions = statement.get("Action")
    for action in actions if isinstance(actions, list) else ():
        yield {**statement, "Action": [action] if isinstance(action, Maybe) else action}
    if not isinstance(actions, list):
        yield statement


def _by_value(statement: dict[str, Any]) -> Iterator[dict[str, Any]]:
    condition = statement.get("Condition")
    pairs = condition.items() if isinstance(condition, dict) else ()
    for operator, keys in pairs:
        for key, values in keys.items():
            if operator.lower() in _SPLIT_BY_VALUE and isinstance(values, list) and len(values) > 1:
                for value in values:
                    yield {**statement, "Condition": {**condition, operator: {**keys, key: value}}}
                return
    yield statement


def moved(case: Case, partition: str) -> Case:
    """The case in another partition: this one and that change places everywhere."""
    names = {f"arn:{case.partition}:": f"arn:{partition}:", f"arn:{partition}:": f"arn:{case.partition}:"}
    names |= {case.region: PARTITIONS[partition], PARTITIONS[partition]: case.region}
    changed = {field.name: _renamed(getattr(case, field.name), names) for field in fields(case)}
    return replace(case, **{**changed, "partition": partition})


def _renamed(value: Any, names: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        marked = value
        for number, old in enumerate(names):
            marked = marked.replace(old, f"\x00{number}\x00")
        for number, new in enumerate(names.values()):
            marked = marked.replace(f"\x00{number}\x00", new)
        return marked
    if isinstance(value, dict):
        return {_renamed(key, names): _renamed(member, names) for key, member in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_renamed(member, names) for member in value)
    if isinstance(value, Iam):
        return replace(
            value, document=_renamed(value.document, names), attached=_renamed(value.attached, names)
        )
    if isinstance(value, Grant):
        return replace(value, grantee=_renamed(value.grantee, names))
    if isinstance(value, Maybe):
        return Maybe(_renamed(value.value, names), value.reason)
    return value


def is_open_list(case: Case) -> bool:
    """Whether a list of the key policy has a member that is not known: split, its other members are known."""
    return any(
        isinstance(member, Unknown | Maybe)
        for statement in case.statements
        for value in (statement.value if isinstance(statement, Maybe) else statement).values()
        if isinstance(value, list)
        for member in value
    )
