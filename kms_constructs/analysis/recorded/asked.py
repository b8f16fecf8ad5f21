"""What policies ask of a request: only that has to be read from a trail, and kept apart.

A million events differ in a million encryption contexts. Where policies ask whether one begins with
``arn:aws:s3:::orders``, two kinds of them are left.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping

from msgspec import field

from kms_constructs.model.condition_operators import CONDITION_OPERATORS
from kms_constructs.model.estate import Estate
from kms_constructs.model.frozen import Frozen
from kms_constructs.model.globs import arn_pattern, has_variable
from kms_constructs.model.limits import ENCRYPTION_CONTEXT
from kms_constructs.model.policy import Condition, Policy
from kms_constructs.model.text import FIELD_ANY, FIELD_STAR, RESERVED, has_hole

CONTEXT_NAMES = "kms:encryptioncontextkeys"
_VARIABLE = re.compile(r"\$\{([^},]*)")
_WILDCARDS = {"*": ".*", "?": ".", FIELD_STAR: "[^:]*", FIELD_ANY: "[^:]"}


class Compared(Frozen, frozen=True, order=True):
    """What a value is compared with, as a regular expression for the whole of it; a dot is any character.

    Args:
        expression: In the language that Python and RE2 have in common.
        fold: Whether upper and lower case are the same.
    """

    expression: str
    fold: bool = False


class Asked(Frozen, frozen=True):
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
        (['kms:encryptioncontext:team'], frozenset({Compared(expression='ord.*', fold=False)}))
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
    if condition.base == "null":
        context.setdefault(name, set())
        return
    operator = CONDITION_OPERATORS.get(condition.base)
    read = None if operator is None else _READ.get(operator.base)
    values = condition.values
    if read is None or not isinstance(values, tuple) or any(map(_is_open, values)):
        context[name] = None
        return
    found = context.setdefault(name, set())
    if found is not None:
        found.update(one for value in values for one in read(value))


def _is_open(value: str) -> bool:
    return has_variable(value) or has_hole(value) or not RESERVED.isdisjoint(value) or not value.isascii()


def _text(value: str) -> Iterator[Compared]:
    yield Compared(_quoted(value))


def _folded(value: str) -> Iterator[Compared]:
    yield Compared(_quoted(value), fold=True)


def _pattern(value: str) -> Iterator[Compared]:
    pieces = re.split(f"([*?{FIELD_STAR}{FIELD_ANY}])", value)
    yield Compared("".join(_WILDCARDS.get(piece) or _quoted(piece) for piece in pieces))


def _arn(value: str) -> Iterator[Compared]:
    """What it matches for certain, and what it may match: see `conditions.holds`."""
    for certainly in (True, False):
        pattern = arn_pattern(value, certainly=certainly)
        if pattern is not None:
            yield from _pattern(pattern)


def _quoted(text: str) -> str:
    """The text as an expression that matches it alone."""
    return re.sub(r"([^\w\s/:-]|_)", r"\\\1", text, flags=re.ASCII)


_READ: Mapping[str, Callable[[str], Iterator[Compared]]] = {
    "stringequals": _text,
    "stringequalsignorecase": _folded,
    "stringlike": _pattern,
    "arnequals": _arn,
    "arnlike": _arn,
}
"""How an operator compares texts, by the folded name of that which it may negate."""


def _texts(listed: object) -> tuple[str, ...]:
    return listed if isinstance(listed, tuple) else ()


def _variables(texts: Iterable[str]) -> Iterator[str]:
    for text in texts:
        if has_variable(text):
            yield from (name.strip().lower() for name in _VARIABLE.findall(text))
