"""What policies ask of a request: only that has to be read from a trail, and kept apart.

A million events differ in a million encryption contexts. Where policies ask whether one begins with
``arn:aws:s3:::orders``, two kinds of them are left.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from kms_constructs.model.estate import Estate
from kms_constructs.model.globs import has_variable
from kms_constructs.model.limits import ENCRYPTION_CONTEXT
from kms_constructs.model.policy import Condition, Policy
from kms_constructs.model.text import has_hole

CONTEXT_NAMES = "kms:encryptioncontextkeys"
_VARIABLE = re.compile(r"\$\{([^},]*)")
_PATTERNS = frozenset({"stringlike", "stringnotlike"})
_TEXTS = frozenset({"stringequals", "stringnotequals"})


@dataclass(frozen=True, slots=True)
class Compared:
    """What a value is compared with.

    Args:
        value: As the policy writes it.
        pattern: Whether ``*`` and ``?`` in it are wildcards.
    """

    value: str
    pattern: bool


@dataclass(frozen=True, slots=True)
class Asked:
    """What policies ask of a request.

    Args:
        keys: Folded condition keys.
        context: Folded names of the encryption context and what their values are compared with; None where
            the whole value has to be known.
    """

    keys: frozenset[str] = frozenset()
    context: Mapping[str, frozenset[Compared] | None] = field(default_factory=dict)


def asked_of(estates: Iterable[Estate]) -> Asked:
    """What the policies of estates, in all their worlds, ask of requests.

    Example:
        >>> from kms_constructs.model.estate import Organization
        >>> from kms_constructs.model.policy import parse_policy
        >>> scp = parse_policy({"Statement": {"Effect": "Deny", "Action": "kms:*", "Resource": "*",
        ...     "Condition": {"StringNotLike": {"kms:EncryptionContext:team": "ord*"}}}})
        >>> asked = asked_of([Estate(organization=Organization(scps=(scp,)))])
        >>> sorted(asked.keys), asked.context["team"]
        (['kms:encryptioncontext:team'], frozenset({Compared(value='ord*', pattern=True)}))
    """
    keys: set[str] = set()
    context: dict[str, set[Compared] | None] = {}
    for policy in {id(one): one for estate in estates for one in _policies(estate)}.values():
        for statement in policy.statements:
            texts = [*_texts(statement.resources), *_texts(statement.not_resources)]
            conditions = statement.conditions if isinstance(statement.conditions, tuple) else ()
            for condition in conditions:
                keys.add(condition.folded_key)
                texts.extend(_texts(condition.values))
                if condition.folded_key.startswith(ENCRYPTION_CONTEXT):
                    _compare(condition, context)
            for name in _variables(texts):
                keys.add(name)
                if name.startswith(ENCRYPTION_CONTEXT):
                    context[name.removeprefix(ENCRYPTION_CONTEXT)] = None
    for name in _constraints(estates):
        keys.add(f"{ENCRYPTION_CONTEXT}{name}")
        context[name] = None
    return Asked(
        frozenset(keys),
        {name: None if found is None else frozenset(found) for name, found in context.items()},
    )


def _policies(estate: Estate) -> Iterator[Policy]:
    for world in estate.every_world:
        it = world.estate
        yield from (key.policy for key in it.keys)
        yield from (one.policy for one in it.identity_policies)
        yield from it.organization.scps
        yield from it.organization.rcps


def _constraints(estates: Iterable[Estate]) -> Iterator[str]:
    """Folded names of encryption contexts that grants of the estates are bound to."""
    for estate in estates:
        for world in estate.every_world:
            for key in world.estate.keys:
                for grant in key.grants:
                    for pairs in grant.constraints.values():
                        yield from (name.lower() for name in pairs)


def _compare(condition: Condition, context: dict[str, set[Compared] | None]) -> None:
    name = condition.folded_key.removeprefix(ENCRYPTION_CONTEXT)
    base = condition.base
    if base == "null":
        context.setdefault(name, set())
        return
    values = condition.values
    plain = base in _PATTERNS or base in _TEXTS
    if (
        not plain
        or not isinstance(values, tuple)
        or any(has_variable(one) or has_hole(one) for one in values)
    ):
        context[name] = None
        return
    found = context.setdefault(name, set())
    if found is not None:
        found.update(Compared(value, base in _PATTERNS) for value in values)


def _texts(listed: object) -> tuple[str, ...]:
    return listed if isinstance(listed, tuple) else ()


def _variables(texts: Iterable[str]) -> Iterator[str]:
    for text in texts:
        if has_variable(text):
            yield from (name.strip().lower() for name in _VARIABLE.findall(text))
