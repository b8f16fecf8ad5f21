"""Which inputs decide what the templates say of keys, and every choice of them that can be deployed.

An input is a parameter of a stack without a parent, or a pseudo parameter that nobody gave. It decides when
a key, an alias, an IAM policy or a trail depends on it: by a condition, by a key of a mapping, as an index,
or as a value of which the template says which ones are allowed. All others keep what they have: their
default, or none. Templates that are given together are one deployment, so a parameter of one name has one
value in all of them, as ``--parameter`` gives it one.

See: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/parameters-section-structure.html
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import combinations, product
from typing import Final

from msgspec.structs import replace

from kms_constructs.model.arn import PARTITIONS, is_account_id, is_region_name, of_region
from kms_constructs.model.frozen import Frozen
from kms_constructs.model.text import has_hole
from kms_constructs.model.worlds import Assignment
from kms_constructs.sources.cloudformation.inputs import Input
from kms_constructs.sources.cloudformation.keys import ALIAS_TYPE, KEY_TYPES
from kms_constructs.sources.cloudformation.own_policies import IDENTITY_TYPES
from kms_constructs.sources.cloudformation.parameters import is_list_type, is_read_from_ssm
from kms_constructs.sources.cloudformation.patterns import texts_of
from kms_constructs.sources.cloudformation.resolver import Stack
from kms_constructs.sources.cloudformation.resources import naming_properties
from kms_constructs.sources.cloudformation.scope import MAX_DEPTH, section
from kms_constructs.sources.cloudformation.trails import TRAIL_TYPE
from kms_constructs.sources.cloudformation.uses import using_properties
from kms_constructs.sources.cloudformation.values import ACCOUNT, PARTITION, REGION, Values

MAX_WORLDS: Final = 64
"""Choices that are judged; inputs beyond them are left open, so what they decide is undetermined."""

_MAX_LISTED: Final = 3
"""Allowed values of a list of which every choice is tried; it may hold any of them."""
_RELEVANT: Final = frozenset({*KEY_TYPES, ALIAS_TYPE, TRAIL_TYPE, *IDENTITY_TYPES})
_VARIABLE: Final = re.compile(r"\$\{([^!{}][^{}]*)\}")
_LOOP: Final = "Fn::ForEach::"
_TAKEN: Final[Mapping[str, Callable[[str], bool]]] = {
    ACCOUNT: is_account_id,
    PARTITION: PARTITIONS.__contains__,
    REGION: is_region_name,
}
"""Which texts are values of a pseudo parameter."""
_OTHER: Final = "another value"
_OPEN: Final = "any value"


class Choices(Frozen, frozen=True):
    """Every world of the templates.

    Args:
        inputs: The inputs that decide, with the values to try.
        open: The inputs that decide and have too many values together with the others.
    """

    inputs: Mapping[str, tuple[str | None, ...]]
    open: tuple[str, ...] = ()

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader has to know of them."""
        if not self.open:
            return ()
        return (
            f"{', '.join((*self.inputs, *self.open))} decide together among more than {MAX_WORLDS} "
            f"deployments. {', '.join(self.open)} is left open, and what depends on it is undetermined: "
            "give its value with --parameter.",
        )

    def worlds(self, base: Values) -> Iterator[tuple[Values, Assignment]]:
        """Values, and what to call them, for each world; the one of the defaults comes first."""
        excluded = {
            name: frozenset(value for value in values if value is not None)
            for name, values in self.inputs.items()
            if None in values
        }
        left_open: dict[str, str | None] = dict.fromkeys(self.open)
        for values in product(*self.inputs.values()):
            chosen = dict(zip(self.inputs, values, strict=True))
            if _is_possible(chosen, excluded):
                shown = tuple((name, _shown(value)) for name, value in chosen.items())
                opened = tuple((name, _OPEN) for name in self.open)
                yield replace(base, chosen=chosen | left_open, excluded=excluded), (*shown, *opened)


def _is_possible(chosen: Mapping[str, str | None], excluded: Mapping[str, frozenset[str]]) -> bool:
    """Whether the Region lies in the partition."""
    region, partition = chosen.get(REGION), chosen.get(PARTITION)
    if region is None or PARTITION not in chosen:
        return True
    own = of_region(region).name
    return own not in excluded.get(PARTITION, ()) if partition is None else own == partition


def _shown(value: str | None) -> str:
    return f"({_OTHER})" if value is None else value or '""'


def choices_of(stacks: Sequence[Stack], given: Mapping[str, str]) -> Choices | None:
    """The worlds of the stacks; None when nothing that they leave to deployment decides.

    Args:
        stacks: Every stack of the templates, those too that a condition leaves out.
        given: Parameters that the caller gave.
    """
    if not any(_may_decide(stack) for stack in stacks if not stack.input.within):
        return None
    search = _Search(stacks, given)
    found = search.inputs()
    if not found:
        return None
    chosen: dict[str, tuple[str | None, ...]] = {}
    left: list[str] = []
    count = 1
    # What decides on keys and who may do what goes before what decides on their use; then those of few values
    # first, so that as many as possible are told apart.
    for name, values in sorted(found.items(), key=lambda item: (item[0] in search.of_use, len(item[1]))):
        if count * len(values) <= MAX_WORLDS:
            count *= len(values)
            chosen[name] = values
        else:
            left.append(name)
    return Choices({name: chosen[name] for name in found if name in chosen}, tuple(left))


def _may_decide(stack: Stack) -> bool:
    """Whether a template has anything that could decide: most have not, and are not searched."""
    if section(stack.input.template, "Conditions") or stack.mappings:
        return True
    # Every template of CDK has a parameter that is read from SSM, for its bootstrap version.
    return any(isinstance(raw, Mapping) and not is_read_from_ssm(raw) for raw in stack.parameters.values())


def _is_sure(stack: Stack) -> bool:
    """Whether the stack is made in every world."""
    parent = stack.parent
    if parent is None:
        return True
    made_by = section(parent.input.template, "Resources").get(stack.parent_id)
    return isinstance(made_by, Mapping) and "Condition" not in made_by and _is_sure(parent)


class _Context(Frozen, frozen=True):
    """Where a part of a template stands.

    Args:
        sure: Whether it is there in every world: then a key that its mapping lacks fails the deployment.
        told: What decides by it: the values that it is compared with; None when nothing does.
    """

    sure: bool = True
    told: tuple[str, ...] | None = None


_PLAIN: Final = _Context()


class _Search:
    """Follows what keys, aliases, IAM policies and trails depend on, through every stack."""

    def __init__(self, stacks: Sequence[Stack], given: Mapping[str, str]) -> None:
        # What a stack set or a product makes has parameters of its own.
        self._stacks = [stack for stack in stacks if not stack.input.within]
        self._not_followed = (
            (stack, str(name)) for stack in self._stacks for name in section(stack.input.template, "Outputs")
        )
        self._given = given
        self._inputs: dict[str, Input] = {}
        self._declared: set[tuple[int, str]] = set()
        self._seen: set[tuple[str, ...]] = set()
        self.of_use: frozenset[str] = frozenset()
        """Inputs that decide on nothing but who uses a key."""

    def inputs(self) -> dict[str, tuple[str | None, ...]]:
        """The inputs that decide, in the order in which they are met, with the values to try."""
        for stack in self._stacks:
            self._stack(stack, [raw for raw in _resources(stack) if str(raw.get("Type")) in _RELEVANT])
        before = self._deciding()
        if any(str(raw.get("Type")) in KEY_TYPES for stack in self._stacks for raw in _resources(stack)):
            self._uses()
        after = self._deciding()
        self.of_use = frozenset(after) - frozenset(before)
        return after

    def _deciding(self) -> dict[str, tuple[str | None, ...]]:
        return {
            name: values
            for name, found in self._inputs.items()
            if (found.decides or found.closed) and len(values := found.candidates()) > 1
        }

    def _uses(self) -> None:
        """Follows what decides whether a resource uses a key: that it is there, and what it names."""
        ways = using_properties()
        for stack in self._stacks:
            parts: list[Mapping[str, object]] = []
            for raw in _resources(stack):
                names = ways.get(str(raw.get("Type")))
                properties = raw.get("Properties")
                if names is not None:
                    given = properties if isinstance(properties, Mapping) else {}
                    shown = {name: part for name, part in given.items() if name in names}
                    parts.append({**raw, "Properties": shown})
            self._stack(stack, parts)

    def _stack(self, stack: Stack, relevant: Sequence[Mapping[str, object]]) -> None:
        for raw in relevant:
            sure = not self._condition_of(stack, raw, 0) and _is_sure(stack)
            for name, part in raw.items():
                if name not in ("Type", "Condition", "DependsOn"):
                    self._walk(stack, part, 0, _Context(sure))
        while relevant and stack.parent is not None:  # what makes the stack makes all in it
            made_by = section(stack.parent.input.template, "Resources").get(stack.parent_id)
            stack = stack.parent
            if isinstance(made_by, Mapping):
                self._condition_of(stack, made_by, 0)

    # --- values -------------------------------------------------------------------------------------

    def _walk(self, stack: Stack, node: object, depth: int, context: _Context) -> Input | None:
        """Follows a part of a template; returns the input that it is the value of, if it is one."""
        if depth > MAX_DEPTH:
            return None
        if isinstance(node, list | tuple):
            for part in node:
                if not isinstance(part, str):
                    self._walk(stack, part, depth + 1, context)
            return None
        if not isinstance(node, Mapping):
            return None
        if len(node) == 1:
            name, argument = next(iter(node.items()))
            if name == "Ref":
                return self._reference(stack, argument, "Ref", depth, context)
            if isinstance(name, str) and name.startswith("Fn::"):
                return self._function(stack, name, argument, depth + 1, context)
        for part in node.values():
            if not isinstance(part, str):
                self._walk(stack, part, depth + 1, context)
        return None

    def _function(
        self, stack: Stack, name: str, argument: object, depth: int, context: _Context
    ) -> Input | None:
        parts = argument if isinstance(argument, list | tuple) else ()
        if name == "Fn::GetAtt":
            dotted = argument if isinstance(argument, str) else ".".join(map(str, parts))
            logical_id, _, attribute = dotted.partition(".")
            self._reference(stack, logical_id, attribute, depth, context)
        elif name == "Fn::Sub":
            return self._sub(stack, argument, depth, context)
        elif name == "Fn::If" and len(parts) == 3:
            self._decided(stack, parts[0], depth)
            self._walk(stack, parts[1:], depth, replace(context, sure=False))
        elif name == "Fn::FindInMap" and len(parts) in (3, 4):
            self._find_in_map(stack, parts, depth, context)
        elif name == "Fn::Select" and len(parts) == 2:
            count = len(parts[1]) if isinstance(parts[1], list | tuple) else 0
            self._one_of(stack, parts[0], tuple(map(str, range(count))), depth, sure=context.sure)
            self._walk(stack, parts[1], depth, context)
        else:
            if name in ("Fn::ImportValue", "Fn::GetStackOutput"):
                self._outputs()
            self._walk(stack, argument, depth, context)
        return None

    def _sub(self, stack: Stack, argument: object, depth: int, context: _Context) -> Input | None:
        text, variables = argument, {}
        if isinstance(argument, list | tuple) and len(argument) == 2 and isinstance(argument[1], Mapping):
            text, variables = argument
        found: Input | None = None
        names = [name.strip() for name in _VARIABLE.findall(text)] if isinstance(text, str) else []
        for name in names:
            if name in variables:
                found = self._walk(stack, variables[name], depth, context)
            else:
                logical_id, dot, attribute = name.partition(".")
                found = self._reference(stack, logical_id, attribute if dot else "Ref", depth, context)
        return found if len(names) == 1 and text == f"${{{names[0]}}}" else None

    def _find_in_map(self, stack: Stack, parts: Sequence[object], depth: int, context: _Context) -> None:
        sure = context.sure and len(parts) == 3
        maps = stack.mappings
        self._one_of(stack, parts[0], tuple(map(str, maps)), depth, sure=sure)
        of_map = [maps.get(parts[0])] if isinstance(parts[0], str) else list(maps.values())
        self._one_of(stack, parts[1], _keys(of_map), depth, sure=sure)
        of_key = [
            members
            for one in of_map
            if isinstance(one, Mapping)
            for key, members in one.items()
            if key == parts[1] or not isinstance(parts[1], str)
        ]
        self._one_of(stack, parts[2], _keys(of_key), depth, sure=sure)
        self._walk(stack, parts[3:], depth, replace(context, sure=False))

    def _one_of(self, stack: Stack, node: object, values: tuple[str, ...], depth: int, *, sure: bool) -> None:
        """What is used as a key or an index: it is one of the values, or the deployment fails."""
        found = self._walk(stack, node, depth + 1, _Context(sure, values))
        if found is not None and sure:
            found.must_be(values)

    # --- names --------------------------------------------------------------------------------------

    def _reference(
        self, stack: Stack, name: object, attribute: str, depth: int, context: _Context
    ) -> Input | None:
        if not isinstance(name, str) or depth > MAX_DEPTH:
            return None
        if attribute == "Ref" and (name.startswith("AWS::") or name in stack.parameters):
            if name in stack.parameters and stack.parent is not None:
                return self._passed(stack, stack.parent, name, depth + 1, context)
            found = self._input(stack, name)
            if found is not None and context.told is not None:
                found.compared_with(context.told)
            return found
        child = stack.children.get(name)
        if child is not None and attribute.startswith("Outputs."):
            self._output(child, attribute.removeprefix("Outputs."), depth)
            return None
        raw = section(stack.input.template, "Resources").get(name)
        if isinstance(raw, Mapping) and self._is_new(stack.label, name, attribute, str(context.told)):
            properties = raw.get("Properties")
            for part in naming_properties(str(raw.get("Type")), attribute):
                if isinstance(properties, Mapping) and part in properties:
                    self._walk(stack, properties[part], depth + 1, replace(context, sure=False))
        return None

    def _passed(self, stack: Stack, parent: Stack, name: str, depth: int, context: _Context) -> Input | None:
        """What a parent gives a nested stack for a parameter; without it the default holds in every world."""
        made_by = section(parent.input.template, "Resources").get(stack.parent_id)
        properties = made_by.get("Properties") if isinstance(made_by, Mapping) else None
        given = properties.get("Parameters") if isinstance(properties, Mapping) else None
        if not isinstance(given, Mapping) or name not in given:
            return None
        found = self._walk(parent, given[name], depth, context)
        allowed = _allowed(stack, name)
        if found is not None and allowed:
            found.compared_with(allowed)
            if _is_sure(stack):
                found.must_be(allowed)
        return found

    def _input(self, stack: Stack, name: str) -> Input | None:
        """The input of a name; None when it is decided already."""
        if name.startswith("AWS::"):
            fixed = {ACCOUNT: stack.input.account, REGION: stack.input.region, PARTITION: stack.input.region}
            if name not in fixed or fixed[name] is not None:
                return None
            return self._inputs.setdefault(name, Input(_TAKEN[name]))
        declared = stack.parameters[name]
        declaration: Mapping[str, object] = declared if isinstance(declared, Mapping) else {}
        from_ssm = is_read_from_ssm(declaration)
        if name in self._given and not from_ssm:
            return None
        found = self._inputs.setdefault(name, Input())
        if (id(stack.input), name) in self._declared:
            return found
        self._declared.add((id(stack.input), name))
        if not from_ssm:  # there the template speaks of the name of a parameter, and not of its value
            ignored = stack.world.values.ignore_defaults
            default = None if ignored else declaration.get("Default")
            if default is not None:
                text = _text(stack, default)
                if found.fallback is None:
                    found.fallback = text
                found.compared.setdefault(text)
            allowed = _allowed(stack, name)
            if allowed:
                found.must_be(allowed)
            elif "AllowedValues" in declaration:
                found.decides = True  # a list of any of them
        return found

    # --- conditions ---------------------------------------------------------------------------------

    def _condition_of(self, stack: Stack, raw: Mapping[str, object], depth: int) -> bool:
        """Follows the condition of a resource or an output; says whether it has one."""
        name = raw.get("Condition")
        if name is not None:
            self._decided(stack, name, depth)
        return name is not None

    def _decided(self, stack: Stack, condition: object, depth: int) -> None:
        """Follows a condition: its name, or a condition function."""
        if isinstance(condition, str):
            if self._is_new("condition", stack.label, condition):
                conditions = section(stack.input.template, "Conditions")
                self._truth(stack, conditions.get(condition), depth + 1)
        else:
            self._truth(stack, condition, depth + 1)

    def _truth(self, stack: Stack, node: object, depth: int) -> None:
        if depth > MAX_DEPTH or not isinstance(node, Mapping) or len(node) != 1:
            return
        name, argument = next(iter(node.items()))
        parts = argument if isinstance(argument, list | tuple) else ()
        if name == "Condition":
            self._decided(stack, argument, depth)
        elif name == "Fn::Equals" and len(parts) == 2:
            for one, other in (parts, parts[::-1]):
                # All conditions of a template are evaluated, whatever uses them.
                self._walk(stack, one, depth + 1, _Context(_is_sure(stack), _values(stack, other)))
        elif name in ("Fn::And", "Fn::Or", "Fn::Not"):
            for part in parts:
                self._truth(stack, part, depth + 1)
        else:  # a value that is true or false as text
            self._walk(stack, node, depth + 1, _Context(_is_sure(stack), ("true", "false")))

    # --- outputs ------------------------------------------------------------------------------------

    def _outputs(self) -> None:
        """Follows whatever one stack may import from another."""
        for stack, name in self._not_followed:  # a search that begins within this one goes on from there
            self._output(stack, name, 0)

    def _output(self, stack: Stack, name: str, depth: int) -> None:
        output = section(stack.input.template, "Outputs").get(name)
        if isinstance(output, Mapping) and self._is_new("output", stack.label, name):
            self._condition_of(stack, output, depth + 1)
            for part in ("Value", "Export"):
                self._walk(stack, output.get(part), depth + 1, _PLAIN)

    def _is_new(self, *place: str) -> bool:
        if place in self._seen:
            return False
        self._seen.add(place)
        return True


def _resources(stack: Stack) -> Iterator[Mapping[str, object]]:
    """The resources of a template as it has them, those in the bodies of loops too."""
    waiting: list[object] = [section(stack.input.template, "Resources")]
    while waiting:
        members = waiting.pop()
        for name, raw in members.items() if isinstance(members, Mapping) else ():
            if str(name).startswith(_LOOP):
                waiting.append(raw[-1] if isinstance(raw, list) and raw else None)
            elif isinstance(raw, Mapping):
                yield raw


def _keys(maps: Sequence[object]) -> tuple[str, ...]:
    """The keys of some maps, each once."""
    return tuple(dict.fromkeys(str(key) for one in maps if isinstance(one, Mapping) for key in one))


def _text(stack: Stack, value: object) -> str:
    return stack.as_text(value, value)


def _allowed(stack: Stack, name: str) -> tuple[str, ...]:
    """Every value that a parameter may have, as text; empty when the template does not say, or too many."""
    raw = stack.parameters.get(name)
    declaration: Mapping[str, object] = raw if isinstance(raw, Mapping) else {}
    listed, pattern = declaration.get("AllowedValues"), declaration.get("AllowedPattern")
    if not isinstance(listed, list):
        return (texts_of(pattern) or ()) if isinstance(pattern, str) else ()
    values = tuple(dict.fromkeys(_text(stack, value) for value in listed))
    if not is_list_type(declaration):
        return values
    if len(values) > _MAX_LISTED:
        return ()
    counts = range(1, len(values) + 1)
    return tuple(",".join(some) for count in counts for some in combinations(values, count))


def _values(stack: Stack, node: object) -> tuple[str, ...]:
    """What the other side of a comparison may be, as far as the template says it."""
    if isinstance(node, Mapping) and len(node) == 1 and isinstance(name := node.get("Ref"), str):
        allowed = _allowed(stack, name)
        if allowed:
            return allowed
    value = stack.resolve(node)
    if isinstance(value, str | int | float):
        text = _text(stack, value)
        return () if has_hole(text) else (text,)
    return ()
