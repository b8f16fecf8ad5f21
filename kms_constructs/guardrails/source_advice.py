"""What limits a statement for a service principal: what that service sends, as its requirement says."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache

from kms_constructs.model.globs import glob_matches
from kms_constructs.model.service_requirement import (
    CONTEXT,
    FOR_AWS_RESOURCE,
    REGION,
    SOURCE_ACCOUNT,
    SOURCE_ARN,
    SUFFIX,
    Caller,
    ServiceRequirement,
    Who,
)
from kms_constructs.model.services import requirements

_ANY_SERVICE = (
    "Add aws:SourceArn (ArnLike) and aws:SourceAccount (StringEquals), or the encryption context that the "
    "service sends."
)
_SOURCE_ONLY = "Add aws:SourceArn (ArnLike) and aws:SourceAccount (StringEquals)."
_SOURCES = (SOURCE_ARN, SOURCE_ACCOUNT)


def source_advice(services: Sequence[str], actions: frozenset[str], *, by_context: bool, finding: str) -> str:
    """How to limit a statement for service principals.

    Args:
        services: The service principals.
        actions: What the statement lets them do.
        by_context: Whether a limit on the encryption context will do.
        finding: Id of the finding, for what can only be accepted.
    """
    callers = [
        (title, caller)
        for service in services
        for title, caller in _callers(service)
        if actions.intersection(caller.needed)
    ]
    # First what the general advice would break: services that send no source.
    callers.sort(key=lambda one: not _without_source(one[1]))
    if not any(_without_source(caller) for _, caller in callers):
        return _ANY_SERVICE if by_context else _SOURCE_ONLY
    # Of the calls for one use, the one that sends the most: the others do with a part of its conditions.
    most: dict[str, Caller] = {}
    for title, caller in callers:
        if title not in most or len(caller.sends) > len(most[title].sends):
            most[title] = caller
    parts = [_advice(title, caller, finding) for title, caller in most.items()]
    if not any(not _without_source(caller) for _, caller in callers):
        parts.append(f"For other uses: {_ANY_SERVICE[0].lower()}{_ANY_SERVICE[1:]}")
    return " ".join(parts)


def _callers(service: str) -> Iterator[tuple[str, Caller]]:
    for requirement in requirements().values():
        for caller in requirement.callers:
            pattern = caller.principal.replace(REGION, "*").replace(SUFFIX, "*")
            if caller.who is Who.SERVICE and pattern and glob_matches(pattern, service):
                yield requirement.title, caller


def _without_source(caller: Caller) -> bool:
    return set(_SOURCES) <= set(caller.omits)


def _advice(title: str, caller: Caller, finding: str) -> str:
    keys = [f"{key} ({operator})" for operator, key in caller.limits]
    keys += [key for key in caller.sends if key.startswith(CONTEXT) and not caller.limits]
    if not keys and not _without_source(caller):
        keys = [f"{SOURCE_ARN} (ArnLike)", f"{SOURCE_ACCOUNT} (StringEquals)"]
    if not _without_source(caller):
        return f"{title}: add {' and '.join(keys)}."
    never = (
        "it sends neither aws:SourceArn nor aws:SourceAccount, and a statement that asks for one allows "
        "nothing"
    )
    if keys:
        return f"{title}: add {' and '.join(keys)}; {never}."
    return (
        f"{title}: {never}. AWS documents nothing else that limits it, so accept it by acknowledging "
        f"{finding} with the reason, and give the key to nothing else."
    )


def grants_without_flag(actions: Iterable[str] | None = None) -> tuple[str, ...]:
    """The uses for which a grant is made that does not carry ``kms:GrantIsForAWSResource``.

    Args:
        actions: What a statement lets its principals do: only the uses that need just that. None for all.
    """
    return tuple(one.title for one in _asked_without_flag(actions))


def vias_without_flag(actions: Iterable[str]) -> tuple[str, ...]:
    """The services through which these uses come, where they come through one; see `grants_without_flag`."""
    return tuple(one.via for one in _asked_without_flag(actions) if one.via)


def _asked_without_flag(actions: Iterable[str] | None) -> tuple[ServiceRequirement, ...]:
    return _without_flag(None if actions is None else frozenset(actions))


@lru_cache(maxsize=1024)
def _without_flag(wanted: frozenset[str] | None) -> tuple[ServiceRequirement, ...]:
    return tuple(
        one
        for one in requirements().values()
        if any(
            FOR_AWS_RESOURCE in caller.omits and (wanted is None or wanted == frozenset(caller.actions))
            for caller in one.callers
        )
    )
