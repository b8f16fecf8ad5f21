"""What the references of an expression lead to: through variables, module outputs and ``for_each``.

A plan does not hold expressions, only which references each of them has, so this says what an expression is
made of and not how.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

from msgspec.structs import replace

from kms_constructs.model.frozen import Frozen
from kms_constructs.sources.terraform.plan import (
    Instance,
    ModulePath,
    Plan,
    as_map,
    as_text,
)

_INDEX: Final = r'(\[(?:"(?:[^"\\]|\\.)*"|[0-9]+)\])?'
_RESOURCE: Final = re.compile(rf"((?:data\.)?[A-Za-z_][\w-]*\.[A-Za-z_][\w-]*){_INDEX}(?:\.(.*))?$")
_MODULE: Final = re.compile(rf"module\.([A-Za-z_][\w-]*){_INDEX}(?:\.([A-Za-z_][\w-]*)(.*))?$")
_VARIABLE: Final = re.compile(r"var\.([A-Za-z_][\w-]*)")
_KNOWN: Final = ("count.", "path.", "terraform.", "each.key", "tofu.")
_FOLLOWED: Final = 200
"""References that are followed for one expression."""


class Target(Frozen, frozen=True):
    """What a reference leads to.

    Args:
        instance: The resource.
        attribute: What is taken of it, with all that follows; empty when that is not told.
    """

    instance: Instance
    attribute: str


class Found(Frozen, frozen=True):
    """What the references of an expression lead to.

    Args:
        targets: Each once.
        complete: False when a reference cannot be followed, a local value for one: the plan does not say what
            it is made of.
    """

    targets: tuple[Target, ...]
    complete: bool


class Place(Frozen, frozen=True):
    """Where an expression stands.

    Args:
        module: The module instance.
        index: Index of the resource or module call that it belongs to: what ``each.key`` is there.
        each: Expression of the ``for_each`` that ``each.value`` is of.
    """

    module: ModulePath
    index: str = ""
    each: object = None


def place_of(instance: Instance) -> Place:
    """Where the expressions of a resource stand."""
    return Place(instance.module, instance.index, instance.config.get("for_each_expression"))


def spoken(expression: object) -> tuple[str, ...]:
    """The references of an expression, or of a list or object of them, in full and each once."""
    return tuple(dict.fromkeys(_outermost(_collected(expression, 0))))


def _collected(expression: object, depth: int) -> Iterator[str]:
    if depth > 50:
        return
    if isinstance(expression, list):
        for one in expression:
            yield from _collected(one, depth + 1)
        return
    for name, value in as_map(expression).items():
        if name == "references" and isinstance(value, list):
            yield from (text for text in map(as_text, value) if text)
        elif name != "constant_value":
            yield from _collected(value, depth + 1)


def _outermost(references: Iterable[str]) -> Iterator[str]:
    """Without those that only begin another: ``aws_kms_key.a`` beside ``aws_kms_key.a.arn``."""
    listed = tuple(references)
    beginnings = {
        one[:position] for one in listed for position, character in enumerate(one) if character in ".["
    }
    return (one for one in listed if one not in beginnings)


class References:
    """Follows references.

    Args:
        plan: The plan that they stand in.
    """

    def __init__(self, plan: Plan) -> None:
        self._plan = plan

    def follow(self, expression: object, place: Place) -> Found:
        """The resources and data sources that an expression is made of.

        Args:
            expression: An expression of the configuration, or a list or object of them.
            place: Where it stands.
        """
        walk = _Walk(self._plan)
        walk.expression(expression, place)
        return Found(tuple(walk.targets), complete=walk.complete)


class _Walk:
    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._seen: set[tuple[str, ModulePath, str]] = set()
        self.targets: dict[Target, None] = {}
        self.complete = True

    def expression(self, expression: object, place: Place) -> None:
        references = spoken(expression)
        by_index = any(one.startswith(("each.", "count.")) for one in references)
        here = place if by_index else replace(place, index="")
        for one in references:
            self._reference(one, here)

    def _reference(self, reference: str, place: Place) -> None:
        key = (reference, place.module, place.index)
        if key in self._seen:
            return
        self._seen.add(key)
        if len(self._seen) > _FOLLOWED:
            self.complete = False
        elif reference.startswith("var."):
            self._variable(reference, place)
        elif reference.startswith("module."):
            self._module(reference, place)
        elif reference.startswith("each.value"):
            if place.each is None:
                self.complete = False
            else:
                self.expression(place.each, replace(place, each=None))
        elif reference.startswith(_KNOWN):
            return
        elif (match := _RESOURCE.match(reference)) and not reference.startswith(("local.", "self.")):
            self._resource(match, place)
        else:
            self.complete = False

    def _variable(self, reference: str, place: Place) -> None:
        match = _VARIABLE.match(reference)
        if match is None:
            self.complete = False
        elif place.module:  # the root module's variables are known in every plan
            call = self._plan.module_call(place.module)
            given = as_map(call.get("expressions")).get(match.group(1))
            above = Place(place.module[:-1], place.module[-1][1], call.get("for_each_expression"))
            self.expression(given, above)

    def _module(self, reference: str, place: Place) -> None:
        match = _MODULE.match(reference)
        if match is None:
            self.complete = False
            return
        name, index, output, _ = match.groups()
        instances = self._plan.modules.get((place.module, name), ())
        called = [path for path in instances if index in (None, path[-1][1])]
        called = [path for path in called if path[-1][1] == place.index] or called
        for path in called:
            outputs = as_map(self._plan.module_config(path).get("outputs"))
            if output is not None and output not in outputs:
                self.complete = False
            for one, declared in outputs.items():
                if output in (None, one):
                    self.expression(as_map(declared).get("expression"), Place(path))

    def _resource(self, match: re.Match[str], place: Place) -> None:
        resource, index, attribute = match.groups()
        instances = self._plan.by_resource.get((place.module, resource), [])
        if index is not None:
            instances = [one for one in instances if one.index == index]
        elif place.index:
            instances = [one for one in instances if one.index == place.index] or instances
        for instance in instances:
            self.targets.setdefault(Target(instance, attribute or ""))
