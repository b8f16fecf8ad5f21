"""What a policy statement asks of a sealed key policy, read off its JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from kms_constructs.model.actions import expand

VIA_SERVICE = "kms:viaservice"


@dataclass(frozen=True, slots=True)
class Wish:
    """What a statement would allow, as far as sealing needs to know.

    Args:
        kind: ``AWS``, ``Service`` or another type of principal.
        principals: The principals.
        actions: Names of KMS actions, wildcards expanded, without prefix.
        via: Services named by a condition on ``kms:ViaService``.
        positive: Whether it is an Allow that names its actions and principals. Of nothing else can it be said
            that the declared policy gives it already.
        limited: Whether ``StringEquals`` on ``kms:ViaService`` is its one condition: then a statement with
            that condition gives what is wished, and no more.
        patterns: The actions as they were written.
        spelt: The principals as they were written, CDK tokens unresolved.
        limits: The services as they were written, CDK tokens unresolved.
    """

    kind: str
    principals: tuple[str, ...]
    actions: frozenset[str]
    via: tuple[str, ...] = ()
    positive: bool = True
    limited: bool = False
    patterns: tuple[str, ...] = ()
    spelt: tuple[str, ...] = ()
    limits: tuple[str, ...] = ()

    def __str__(self) -> str:
        through = f" through {', '.join(self.via)}" if self.via else ""
        actions = (one.removeprefix("kms:") if one != "kms:*" else one for one in self.patterns)
        return f"{', '.join(self.principals)}: {', '.join(sorted(actions))}{through}"


def wishes(resolved: Mapping[str, object], spelt: Mapping[str, object] | None = None) -> list[Wish]:
    """What a statement asks for: one wish for each type of principal.

    Args:
        resolved: The statement as JSON, tokens resolved.
        spelt: The same with its tokens; it is the resolved one by default.
    """
    raw = resolved if spelt is None else spelt
    patterns = tuple(texts(resolved.get("Action")))
    actions = frozenset(
        name for pattern in patterns for name in (expand(pattern) or (pattern.removeprefix("kms:"),))
    )
    via = tuple(_via(resolved))
    limits = tuple(_via(raw))
    limited = bool(via) and _only_via(resolved)
    principal = resolved.get("Principal")
    positive = resolved.get("Effect") == "Allow" and bool(actions) and bool(principal)
    if not isinstance(principal, Mapping):
        found = tuple(texts(principal))
        return [Wish("*", found, actions, via, positive, limited, patterns, found, limits)]
    written = raw.get("Principal")
    return [
        Wish(
            str(kind),
            tuple(texts(values)),
            actions,
            via,
            positive,
            limited,
            patterns,
            tuple(texts(written.get(kind) if isinstance(written, Mapping) else values)),
            limits,
        )
        for kind, values in principal.items()
    ]


def flat(value: object) -> str:
    """A resolved value as one text: what CloudFormation fills in is written ``${Role.Arn}``."""
    if isinstance(value, Mapping) and len(value) == 1:
        function, arguments = next(iter(value.items()))
        if function == "Ref":
            return f"${{{arguments}}}"
        if function == "Fn::GetAtt" and isinstance(arguments, list):
            return f"${{{'.'.join(str(one) for one in arguments)}}}"
        if function == "Fn::Join" and isinstance(arguments, list) and len(arguments) == 2:
            separator, parts = arguments
            return str(separator).join(texts(parts))
        if function == "Fn::Sub" and isinstance(arguments, str):
            return arguments
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True, default=str)


def texts(value: object) -> list[str]:
    """One value or a list of them as texts; nothing is an empty list."""
    if value is None:
        return []
    if isinstance(value, list | tuple):
        return [flat(one) for one in value]
    return [flat(value)]


def conditions_of(statement: Mapping[str, object]) -> Iterator[tuple[str, str, list[str]]]:
    """Operator, folded condition key and values of every condition of a statement, resolved."""
    condition = statement.get("Condition")
    for operator, keys in condition.items() if isinstance(condition, Mapping) else ():
        for key, values in keys.items() if isinstance(keys, Mapping) else ():
            yield str(operator), str(key).lower(), texts(values)


def _via(statement: Mapping[str, object]) -> list[str]:
    return [value for _, key, values in conditions_of(statement) if key == VIA_SERVICE for value in values]


def _only_via(statement: Mapping[str, object]) -> bool:
    return [(operator, key) for operator, key, _ in conditions_of(statement)] == [
        ("StringEquals", VIA_SERVICE)
    ]
