"""Follows the steps of a requirement through the properties of one resource.

A step names properties by their paths, ``*`` for each element of a list. What a condition decides that
cannot be resolved is followed with a doubt; what is not known is not followed, for it leads nowhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Final

from kms_constructs.model.exact import is_object
from kms_constructs.model.frozen import Frozen
from kms_constructs.model.service_requirement import Step
from kms_constructs.model.text import has_hole
from kms_constructs.model.unknown import Maybe, is_unknown

_EACH: Final = "*"
_UNDECIDED: Final = "a property of the resource is decided at deployment"


class Named(Frozen, frozen=True):
    """What a property names.

    Args:
        path: The property, with the places of elements.
        text: Its value, which may have holes.
        doubt: Why it may not be there; empty when it is.
    """

    path: tuple[str, ...]
    text: str
    doubt: str = ""


@lru_cache(maxsize=1024)
def _parts(path: str) -> tuple[str, ...]:
    return tuple(path.split("/"))


def named_by(step: Step, properties: Mapping[str, object]) -> Iterator[Named]:
    """What the properties of a step name, where the step is taken."""
    for written in step.properties:
        parts = _parts(written)
        if parts[0] not in properties:
            continue  # as most are not
        for path, value, doubt in _at(properties, parts, (), ""):
            if not isinstance(value, str) or not value:
                continue
            also = _taken(step, properties, written, path)
            if also is not None:
                yield Named(path, value, doubt or also)


def has(properties: Mapping[str, object], path: str) -> bool:
    """Whether a property is there, whatever its value."""
    return any(True for _ in _at(properties, _parts(path), (), ""))


def text_at(properties: Mapping[str, object], path: str) -> str | None:
    """The text at a path; None where there is none, or a condition decides it."""
    found = [value for _, value, doubt in _at(properties, _parts(path), (), "") if not doubt]
    return found[0] if found and isinstance(found[0], str) else None


def _at(
    value: object, parts: tuple[str, ...], path: tuple[str, ...], doubt: str
) -> Iterator[tuple[tuple[str, ...], object, str]]:
    """The values at a path, each with its own path and why it may not be there."""
    if isinstance(value, Maybe):
        doubt = doubt or value.reason
        value = value.value
    if not parts:
        yield path, value, doubt
    elif parts[0] == _EACH:
        for index, element in enumerate(value if isinstance(value, list) else ()):
            yield from _at(element, parts[1:], (*path, str(index)), doubt)
    elif isinstance(value, list):
        place = int(parts[0]) if parts[0].isdecimal() else len(value)
        for element in value[place : place + 1]:
            yield from _at(element, parts[1:], (*path, parts[0]), doubt)
    elif is_object(value) and parts[0] in value:
        yield from _at(value[parts[0]], parts[1:], (*path, parts[0]), doubt)


def _taken(step: Step, properties: Mapping[str, object], written: str, path: tuple[str, ...]) -> str | None:
    """Why the step may not be taken; empty when it is, None when it is not."""
    doubt = ""
    for condition, wanted in step.where.items():
        verdict = _has_value(
            properties, _beside(condition, written, path), wanted, step.defaults.get(condition)
        )
        if verdict is False:
            return None
        if verdict is None:
            doubt = _UNDECIDED
    return doubt


def _beside(condition: str, written: str, path: tuple[str, ...]) -> tuple[str, ...]:
    """The path of a condition, in the same elements as the property as far as both go together."""
    parts = condition.split("/")
    for place, (own, other) in enumerate(zip(parts, written.split("/"), strict=False)):
        if own != other:
            break
        parts[place] = path[place]
    return tuple(parts)


def _has_value(
    properties: Mapping[str, object], parts: tuple[str, ...], wanted: str, default: str | None
) -> bool | None:
    found = list(_at(properties, parts, (), ""))
    if not found:
        return default == wanted
    open_value = False
    for _, value, doubt in found:
        if is_unknown(value) or doubt or (isinstance(value, str) and has_hole(value) and wanted != _EACH):
            open_value = True
        elif wanted in (_EACH, _text(value)):
            return True
    return None if open_value else False


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
