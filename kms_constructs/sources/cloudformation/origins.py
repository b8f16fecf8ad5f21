"""Where the resolved parts of a resource stand in its template.

A path of a finding counts the elements that are there after resolution. Here it is followed through the
template as it is written: through the branches of ``Fn::If``, past elements that are `AWS::NoValue`, into the
bodies of loops and into policies that are written as text.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from msgspec import Struct

from kms_constructs.model.position import Position
from kms_constructs.model.unknown import is_unknown
from kms_constructs.sources.cloudformation.content import unrolled
from kms_constructs.sources.cloudformation.intrinsics import decided, either
from kms_constructs.sources.cloudformation.scope import MAX_DEPTH, Resource, Scope, Stacks
from kms_constructs.sources.positions import Marks, Pointer, at, position_below, step

_FOLLOWED: Final = ("Fn::If", "Fn::Sub", "Fn::ToJsonString")


class ResourceOrigin(Struct):
    """Positions of the parts of one resource: see `Origin`. Nothing is looked up before it is asked for.

    Args:
        scope: Its stack.
        resource: The resource.
        marks: Positions of the template.
        world: The world in which it was read.
    """

    scope: Scope
    resource: Resource
    marks: Marks
    world: Stacks
    _known: dict[str, Position] | None = None

    def position(self, path: str) -> Position | None:
        """Where a part of the resource begins, or what holds it."""
        known = self._known
        if known is None:  # most resources are never asked for one
            known = self._known = {}
        if path not in known:
            self.world.enter()  # the stack may have served others since
            parts = tuple(part for part in path.split("/") if part)
            known[path] = self._follow(self.resource.raw, self.resource.pointer, parts, 0)
        return known[path]

    def _follow(self, node: object, pointer: Pointer, parts: Sequence[str], depth: int) -> Position:
        while parts and depth < MAX_DEPTH:
            depth += 1
            if isinstance(node, str):
                return position_below(self.marks, pointer, node, parts)
            function = _function(node)
            if function is not None:
                if function not in _FOLLOWED:
                    break  # its value is not written here
                argument = node[function]  # type: ignore[index]  # the only member of the object
                if function == "Fn::Sub":
                    return self._text(argument, (*pointer, function), parts)
                if function == "Fn::ToJsonString":
                    node, pointer = argument, (*pointer, function)
                    continue
                chosen = self._branch(argument, parts, depth)
                if chosen is None:
                    break
                branch, parts = chosen
                node, pointer = at(node, (function, branch)), (*pointer, function, branch)
                continue
            if isinstance(node, list):
                element = self._element(node, parts[0], depth)
                if element is None:
                    break
                node, pointer, parts = at(node, element), (*pointer, *element), parts[1:]
                continue
            taken = step(node, parts)
            if taken is None:
                break
            key, count = taken
            node, pointer = at(node, key), (*pointer, *self._written(pointer, key))
            parts = parts[count:]
        return self.marks.position(pointer)

    def _branch(self, argument: object, parts: Sequence[str], depth: int) -> tuple[int, Sequence[str]] | None:
        """The branch of ``Fn::If`` that a path goes on in, and the path from there."""
        if not isinstance(argument, list) or len(argument) != 3:
            return None
        condition = decided(self.scope, argument[0], depth)
        if not is_unknown(condition):
            return (1 if condition else 2), parts
        yes, no = self.scope.resolve(argument[1], depth), self.scope.resolve(argument[2], depth)
        if yes == no:
            return 1, parts
        if not isinstance(yes, list) or not isinstance(no, list):
            return None
        both = either(yes, no)
        index = int(parts[0]) if parts[0].isdigit() else len(both)
        if index >= len(both):
            return None
        _, branch, place = both[index]
        return branch, (str(place), *parts[1:])

    def _element(self, nodes: list[object], part: str, depth: int) -> Pointer | None:
        """Where the list as it is written has an element of the resolved list."""
        index = int(part) if part.isdigit() else -1
        if not any(_function(node) for node in nodes):
            return (index,) if 0 <= index < len(nodes) else None
        found = self.scope.elements(nodes, depth)
        return found[index][1] if 0 <= index < len(found) else None

    def _text(self, argument: object, pointer: Pointer, parts: Sequence[str]) -> Position:
        if isinstance(argument, list) and argument:
            argument, pointer = argument[0], (*pointer, 0)
        return position_below(self.marks, pointer, argument, parts)

    def _written(self, pointer: Pointer, key: Pointer) -> Pointer:
        """A key as the template has it: in the body of a loop with the loop's variables."""
        loops = self.resource.loops
        if not loops or not key:
            return key
        members = at(self.scope.input.template, pointer)
        names = members if isinstance(members, Mapping) else ()
        found = [name for name in names if unrolled(name, loops) == key[0]]
        return (found[-1],) if found else key


def _function(node: object) -> str | None:
    """The intrinsic function that a node is."""
    if isinstance(node, dict) and len(node) == 1:
        name = next(iter(node))
        if name == "Ref" or str(name).startswith("Fn::"):
            return str(name)
    return None
