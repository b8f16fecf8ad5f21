"""Resolves a CloudFormation template to plain data, with holes and unknowns where deployment decides.

Resolving never raises and always ends: depth and length are bounded, cycles are unknown, and every parameter,
condition, attribute and output is resolved once.

See: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/intrinsic-function-reference.html
"""

from __future__ import annotations

import json
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from typing import Any, Concatenate, Final, ParamSpec, TypeVar, cast

from kms_constructs.model.estate import SourceProblem
from kms_constructs.model.exact import exact_bytes, is_object
from kms_constructs.model.text import CLOSE, OPEN, HoleKind, hole
from kms_constructs.model.unknown import Maybe, Unknown, is_unknown
from kms_constructs.sources.cloudformation import intrinsics
from kms_constructs.sources.cloudformation.content import makes_resources, raw_resources
from kms_constructs.sources.cloudformation.dynamic import is_dynamic, undecided_parts
from kms_constructs.sources.cloudformation.known import NEW, SHALLOW, Course, Family, Kept, Known, Take
from kms_constructs.sources.cloudformation.naming import name_of
from kms_constructs.sources.cloudformation.parameters import (
    as_declared,
    is_list_type,
    is_read_from_ssm,
    pseudo_parameter,
)
from kms_constructs.sources.cloudformation.resources import attribute_of
from kms_constructs.sources.cloudformation.scope import (
    MAX_DEPTH,
    NO_VALUE,
    Resource,
    Scope,
    Stacks,
    section,
)
from kms_constructs.sources.cloudformation.template import TemplateInput
from kms_constructs.sources.cloudformation.values import ACCOUNT, PARTITION, REGION, Values, partition_of
from kms_constructs.sources.positions import Pointer

MAX_TEXT: Final = 262_144
"""Characters of one resolved text; longer ones come from templates made to exhaust their readers."""

_ONLY_TEXT = {str}
_Taken = ParamSpec("_Taken")
_Made = TypeVar("_Made")
_FEWEST_MEMBERS: Final = 3
"""What an element has that is looked up: a tag, with fewer, is resolved sooner."""


def _nothing(*_: object, **__: object) -> None:
    return None


@dataclass(eq=False)
class Stack:
    """One stack: what its template's names mean."""

    course: Course
    values: Values
    input: TemplateInput
    label: str
    parent: Stack | None = None
    parent_id: str = ""
    children: dict[str, Stack] = field(default_factory=dict)

    def __post_init__(self) -> None:
        item, values = self.input, self.values
        self.family: Family = Family(self.course) if self.parent is None else self.parent.family
        self.templates: tuple[TemplateInput, ...] = (item, *(self.parent.templates if self.parent else ()))
        # What a stack set or a product makes lies in accounts and Regions of its own.
        own = f"{self.label}." if item.within else ""
        self.chosen = values.chosen if self.parent is None and not own else {}
        pseudo = {} if own else values.chosen
        self.account = item.account or pseudo.get(ACCOUNT) or hole(HoleKind.ENVIRONMENT, own + ACCOUNT)
        region = item.region or pseudo.get(REGION)
        self.region = region or hole(HoleKind.ENVIRONMENT, own + REGION)
        self.environment = (self.account, self.region)
        self.partition = (None if region else pseudo.get(PARTITION)) or partition_of(region)
        self.stack_name = (
            item.stack
            if item.stack and self.parent is None
            else hole(HoleKind.ENVIRONMENT, f"{self.label}.AWS::StackName")
        )
        template = item.template
        self.parameters = section(template, "Parameters")
        self.mappings = section(template, "Mappings")
        self._conditions = section(template, "Conditions")
        self._condition_values: dict[str, Kept[bool | Unknown]] = {}
        self._parameters: dict[str, Kept[object]] = {}
        self._attributes: dict[tuple[str, str], Kept[object]] = {}
        self._outputs: dict[str, Kept[object]] = {}
        self._properties: dict[str, Kept[Mapping[str, object] | Unknown]] = {}
        self._kept: dict[Hashable, Kept[Any]] = {}
        self._single: dict[tuple[str, str], Kept[object | None]] = {}
        self._elements: dict[tuple[bytes, int], Kept[object]] = {}
        self._sought_out = 0
        """Names of which the meaning is being found out."""
        self._shares = False
        """Whether the properties of a resource are resolved, whose lists have elements in common."""
        self.resources: dict[str, Resource] = {}
        self._declared: set[str] = set()
        self._by_default: dict[str, str] = {}
        self.is_absent = False

    @property
    def world(self) -> Stacks:
        """The stacks that it may import from."""
        return self.course.world  # type: ignore[return-value]  # a course knows of it what it asks itself

    def find_resources(self, problems: list[SourceProblem]) -> None:
        """Decides which resources exist: for a nested stack, after its parent.

        Args:
            problems: Where problems are added.
        """
        conditional = False
        if self.parent is not None:
            made_by = self.parent.resources.get(self.parent_id)
            if made_by is None:
                self.is_absent = True
                return
            conditional = made_by.conditional
        for found in raw_resources(self, problems):
            self._declared.add(found.logical_id)
            exists = self.condition_of(found.raw, 0)
            if exists is not False:
                self.resources[found.logical_id] = Resource(
                    found.logical_id,
                    found.type,
                    found.raw,
                    conditional or is_unknown(exists),
                    found.pointer,
                    found.loops,
                )

    # --- values -------------------------------------------------------------------------------------

    def resolve(self, node: object, depth: int = 0) -> object:
        """The value of a part of the template: plain data, text with holes, `Unknown`, or `NO_VALUE`."""
        kind = type(node)  # asked once: this is where the time of a run goes
        if kind is str:
            return self._literal(node)  # type: ignore[arg-type]  # `cast` would take as long again
        if kind is bool or kind is int or kind is float:
            return node
        if depth >= SHALLOW and self.is_cut_off(depth):
            return Unknown(f"it is nested deeper than {MAX_DEPTH} levels")
        if kind is dict:
            return self._object(node, depth)  # type: ignore[arg-type]  # as above
        if isinstance(node, list | tuple):
            return self._list(node, depth + 1)
        if isinstance(node, Mapping):
            return self._object(node, depth)
        if node is None:
            return Unknown("null is no value in a template")
        if isinstance(node, Unknown | Maybe):
            return node
        if isinstance(node, str):
            return self._literal(str(node))
        return Unknown(f"a {kind.__name__} is no value in a template")

    def _object(self, node: Mapping[str, object], depth: int) -> object:
        if len(node) == 1:
            name = next(iter(node))
            if name == "Ref" or (isinstance(name, str) and name.startswith("Fn::")):
                return self._intrinsic(name, node[name], node, depth + 1)
        resolved: dict[str, object] = {}
        for key, value in node.items():
            name = key if type(key) is str else str(key)
            if "Fn::" in name and name.startswith("Fn::"):
                return Unknown(f"{name} stands beside other members")
            if type(value) is not str:
                found = self.resolve(value, depth + 1)
                if found is NO_VALUE:
                    continue
            elif value.isascii() and "{{" not in value and "[[" not in value:
                found = value  # as most are: asked here, for a call takes longer than this
            else:
                found = self._literal(value)
            resolved[self._literal(name) if OPEN in name else name] = found
        return resolved

    def _list(self, nodes: list[object] | tuple[object, ...], depth: int) -> list[object]:
        if set(map(type, nodes)) == _ONLY_TEXT:
            # Lists of actions make up most of a key policy, and hold nothing to resolve.
            together = "".join(nodes)  # type: ignore[arg-type]  # every one is text
            if OPEN not in together and CLOSE not in together and not is_dynamic(together):
                return list(nodes)
        for node in nodes:  # no `any`, which takes twice as long for lists of a few
            if type(node) is dict and len(node) == 1 and "Fn::If" in node:
                return [value for value, _ in self.elements(nodes, depth)]
        # Without branches nobody asks where an element stands: no pointers for nothing.
        resolve = self._element if self._shares and not self._sought_out else self.resolve
        return [value for node in nodes if (value := resolve(node, depth)) is not NO_VALUE]

    def _element(self, node: object, depth: int) -> object:
        """An element of a list: the same object for the same text, as statements of many policies are."""
        if type(node) is not dict or len(node) < _FEWEST_MEMBERS:
            return self.resolve(node, depth)
        text = exact_bytes(node)
        if text is None:
            return self.resolve(node, depth)
        place = text, depth
        known = self._elements.get(place, NEW)
        if not isinstance(known, Known):
            return known
        return self.family.recall(self._elements, place, _nothing, self.resolve, node, depth)

    def is_cut_off(self, depth: int) -> bool:
        """Whether something lies too deep to be followed; it is beyond `SHALLOW`."""
        self.course.deepen()
        return depth >= MAX_DEPTH

    def _alone(self, work: Callable[_Taken, _Made], *given: _Taken.args, **named: _Taken.kwargs) -> _Made:
        """What a name means; while that is being found out, what refers to it has no lasting value."""
        self._sought_out += 1
        try:
            return work(*given, **named)
        finally:
            self._sought_out -= 1

    def elements(self, nodes: list[object] | tuple[object, ...], depth: int) -> list[tuple[object, Pointer]]:
        """The elements of a resolved list, each with where it stands in the list as the template has it."""
        found: list[tuple[object, Pointer]] = []
        for index, node in enumerate(nodes):
            if type(node) is dict and len(node) == 1 and "Fn::If" in node:
                branches = intrinsics.if_elements(self, node["Fn::If"], depth)
                found.extend((value, (index, *pointer)) for value, pointer in branches)
            else:
                value = self.resolve(node, depth)
                if value is not NO_VALUE:
                    found.append((value, (index,)))
        return found

    def _intrinsic(self, name: str, argument: object, node: object, depth: int) -> object:
        function = intrinsics.FUNCTIONS.get(name)
        if function is None:
            return Unknown(f"{name} is not resolved")
        value = function(self, argument, node, depth)
        if isinstance(value, str):
            if len(value) > MAX_TEXT:
                return Unknown(f"the text is longer than {MAX_TEXT} characters")
            # Functions may put such a reference together: it is looked at after them.
            return undecided_parts(value, self.environment) if is_dynamic(value) else value
        return value

    def _literal(self, text: str) -> str:
        if OPEN in text or CLOSE in text:
            text = text.replace(OPEN, "\ufffd").replace(CLOSE, "\ufffd")
        return undecided_parts(text, self.environment) if is_dynamic(text) else text

    def text(self, node: object, depth: int = 0) -> str:
        """The value as text; what cannot be resolved becomes a hole."""
        return self.as_text(self.resolve(node, depth), node)

    def as_text(self, value: object, node: object) -> str:
        """A resolved value as text, as CloudFormation writes scalars; `node` gives a hole its identity."""
        if isinstance(value, str):
            return value
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, int | float):
            return json.dumps(value)
        return self.unresolved(name_of(node))

    def unresolved(self, name: str) -> str:
        """Text of which nothing is known but its name within this stack."""
        return hole(HoleKind.UNRESOLVED, f"{self.label}.{name}")

    def absent(self, logical_id: str, attribute: str) -> str:
        """Text for an attribute of a resource that is not there: never made, or not declared at all."""
        self.family.note((self, logical_id, None))
        return self.unresolved(f"{logical_id}.{attribute}")

    def kept(
        self,
        ask: Callable[Concatenate[Stack, _Taken], _Made],
        *given: _Taken.args,
        **named: _Taken.kwargs,
    ) -> _Made:
        """What is asked of the stack: once, for it may serve many worlds."""
        place: Hashable = ask, given
        known = self._kept.get(place, NEW)
        if not isinstance(known, Known):
            return cast("_Made", known)
        if self.family.holds(known):
            return cast("_Made", known.value)
        # Nobody asks for it while it is being found out.
        return cast("_Made", self.family.recall(self._kept, place, _nothing, ask, self, *given, **named))

    def is_free(self, ask: Callable[..., object]) -> bool:
        """Whether what was `kept` is the same in every world, and came upon nothing."""
        return not isinstance(self._kept[ask, ()], Known)

    def imported(self, take: Take, depth: int) -> object | None:
        """What other stacks have; None when no template has it."""
        return self.family.take(take, depth)

    @property
    def defaults_taken(self) -> Mapping[str, str]:
        """Parameters that were asked for in this world and have their default, with it."""
        return self.world.defaults_taken(self)

    @property
    def missing(self) -> frozenset[str]:
        """Names that were referred to, and that neither the template nor a transform of it declares."""
        sought = self.world.sought(self)
        if not sought or makes_resources(self.input.template):
            return frozenset()
        return frozenset(sought - self._declared - section(self.input.template, "Resources").keys())

    def generated(self, logical_id: str, attribute: str) -> str:
        """Text that CloudFormation or the service makes for a resource."""
        return hole(HoleKind.GENERATED, f"{self.label}.{logical_id}.{attribute}")

    # --- names --------------------------------------------------------------------------------------

    def reference(self, name: str, depth: int) -> object:
        """What ``{"Ref": name}`` means."""
        if name.startswith("AWS::"):
            return pseudo_parameter(self, self.stack_name, name)
        if name in self.parameters:
            return self.parameter(name, depth)
        return self.attribute(name, "Ref", depth)

    def parameter(self, name: str, depth: int) -> object:
        """The value of a parameter: given by the parent stack or the caller, else its default."""
        value: object = self.family.recall(
            self._parameters, name, self._open_parameter, self._parameter, name, depth
        )
        if name in self._by_default:
            self.family.note((self, name, self._by_default[name]))
        return value

    def _open_parameter(self, name: str, _depth: int) -> object:
        return self.unresolved(name)

    def _parameter(self, name: str, depth: int) -> object:
        return self._alone(self._given, name, depth)

    def _given(self, name: str, depth: int) -> object:
        raw = self.parameters[name]
        declaration: Mapping[str, object] = raw if isinstance(raw, Mapping) else {}
        is_list = is_list_type(declaration)
        chosen = self.chosen
        given: object = chosen.get(name)
        if self.parent is not None:
            passed = self.parent.resource_property(self.parent_id, "Parameters", depth + 1)
            if is_unknown(passed):
                return Unknown(passed.reason) if is_list else self.unresolved(name)
            given = passed.get(name) if isinstance(passed, Mapping) else None
            if is_unknown(given):
                return given if is_list else self.unresolved(name)
        if name not in chosen:
            if given is None and self.parent is None and not self.input.within:
                given = self.values.parameters.get(name)
            if is_read_from_ssm(declaration):
                given = None  # the value is the name of an SSM parameter, read at deployment
            elif given is None:
                # A nested stack that is given no value has the default, whoever deploys it.
                is_open = self.parent is None and not self.input.within
                if not (is_open and self.values.ignore_defaults):
                    given = declaration.get("Default")
                if is_open and given is not None:
                    self._by_default[name] = self.as_text(given, given)
                allowed = declaration.get("AllowedValues")
                if given is None and isinstance(allowed, list) and len(allowed) == 1:
                    given = allowed[0]
        return as_declared(self, name, declaration, given, depth)

    def attribute(self, logical_id: str, name: str, depth: int) -> object:
        """What ``Ref`` (name ``Ref``) or ``Fn::GetAtt`` of a resource means."""
        place = logical_id, name
        known = self._attributes.get(place, NEW)
        if not isinstance(known, Known):
            return known
        # A method and no closure: references are followed by the thousand, and hardly one in a circle.
        return self.family.recall(
            self._attributes, place, self._open_attribute, self._attribute, logical_id, name, depth
        )

    def _open_attribute(self, logical_id: str, name: str, _depth: int) -> object:
        return self.unresolved(f"{logical_id}.{name}")

    def _attribute(self, logical_id: str, name: str, depth: int) -> object:
        if depth >= MAX_DEPTH:
            return self._open_attribute(logical_id, name, depth)
        return self._alone(attribute_of, self, logical_id, name, depth + 1)

    def properties(self, logical_id: str) -> Mapping[str, object] | Unknown:
        """All properties of a resource, resolved."""
        known = self._properties.get(logical_id, NEW)
        if not isinstance(known, Known):
            return known
        return self.family.recall(
            self._properties, logical_id, self._open_properties, self._all_properties, logical_id
        )

    def _open_properties(self, _logical_id: str) -> Unknown:
        return Unknown("the properties are being resolved")

    def _all_properties(self, logical_id: str) -> Mapping[str, object] | Unknown:
        raw = self.resources[logical_id].raw.get("Properties", {})
        self._shares = True
        try:
            value = self.resolve(raw)
        finally:
            self._shares = False
        if value is NO_VALUE:
            return {}
        if is_unknown(value) or is_object(value):
            return value
        return Unknown("Properties is no object")

    def resource_property(self, logical_id: str, name: str, depth: int) -> object | None:
        """One property of a resource, resolved; None when it is absent."""
        if depth or self._sought_out:  # within a circle, perhaps
            return self._property(logical_id, name, depth)
        place = logical_id, name
        known = self._single.get(place, NEW)
        if not isinstance(known, Known):
            return known
        return self.family.recall(self._single, place, _nothing, self._property, logical_id, name, depth)

    def _property(self, logical_id: str, name: str, depth: int) -> object | None:
        raw = self.resources[logical_id].raw.get("Properties", {})
        if not is_object(raw):
            return Unknown(f"the properties of {logical_id} cannot be resolved")
        if "Fn::" in str(raw.keys()):  # in one step, for most have none, and properties are asked one by one
            for key in raw:
                if str(key).startswith("Fn::"):
                    return Unknown(f"the properties of {logical_id} cannot be resolved")
        if name not in raw:
            return None
        value = self._alone(self.resolve, raw[name], depth + 1)
        return None if value is NO_VALUE else value

    def output(self, name: str, depth: int) -> object:
        """The value of an output of this stack."""
        return self.family.recall(self._outputs, name, self._open_output, self._output, name, depth)

    def _open_output(self, name: str, _depth: int) -> object:
        return self.unresolved(f"Outputs.{name}")

    def _output(self, name: str, depth: int) -> object:
        output = section(self.input.template, "Outputs").get(name)
        if not isinstance(output, Mapping) or depth >= MAX_DEPTH or self.condition_of(output, depth) is False:
            return self._open_output(name, depth)
        return self._alone(self.text, output.get("Value"), depth + 1)

    # --- conditions ---------------------------------------------------------------------------------

    def condition_of(self, raw: Mapping[str, object], depth: int) -> bool | Unknown:
        """Whether the condition of a resource or an output holds; True when it has none."""
        name = raw.get("Condition")
        if name is None:
            return True
        return self.condition(name, depth) if isinstance(name, str) else Unknown("Condition is no name")

    def condition(self, name: str, depth: int) -> bool | Unknown:
        """Whether a condition of the template holds."""
        if name not in self._conditions:
            return Unknown(f"condition {name} is not in the template")
        return self.family.recall(
            self._condition_values, name, self._open_condition, self._condition, name, depth
        )

    def _open_condition(self, name: str, _depth: int) -> Unknown:
        return Unknown(f"condition {name} depends on itself")

    def _condition(self, name: str, depth: int) -> bool | Unknown:
        value = self._alone(self.truth, self._conditions[name], depth + 1)
        if is_unknown(value) and not value.reason.startswith("condition "):
            return Unknown(f"condition {name} cannot be resolved: {value.reason}")
        return value

    def truth(self, node: object, depth: int) -> bool | Unknown:
        """The truth of a condition function."""
        if depth >= SHALLOW and self.is_cut_off(depth):
            return Unknown(f"it is nested deeper than {MAX_DEPTH} levels")
        if isinstance(node, Mapping) and len(node) == 1:
            name = next(iter(node))
            function: Callable[[Scope, object, int], bool | Unknown] | None = intrinsics.CONDITIONS.get(
                str(name)
            )
            if function is not None:
                return function(self, node[name], depth + 1)
        value = self.resolve(node, depth + 1)
        if isinstance(value, bool):
            return value
        if isinstance(value, str) and value.lower() in ("true", "false"):
            return value.lower() == "true"
        return value if is_unknown(value) else Unknown("it is no condition function")
