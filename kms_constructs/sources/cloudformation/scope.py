"""What the parts of the resolver share: one stack as its functions, attributes and loops see it.

The resolver calls them and they call it back; this is the side that they know of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence, Set, Sized
from typing import Concatenate, Final, ParamSpec, Protocol, TypeVar

from kms_constructs.model.frozen import Frozen
from kms_constructs.model.unknown import Unknown
from kms_constructs.sources.cloudformation.known import Take
from kms_constructs.sources.cloudformation.template import TemplateInput
from kms_constructs.sources.cloudformation.values import Values
from kms_constructs.sources.positions import Pointer

_Answer = TypeVar("_Answer")
_Given = ParamSpec("_Given")
_Found = TypeVar("_Found", bound=Sized)
MAX_DEPTH: Final = 80
"""Levels of nesting that are followed; CloudFormation's own documents stay far below."""


class _NoValue:
    """`AWS::NoValue`: the property is not there."""


NO_VALUE: Final = _NoValue()


Loops = tuple[tuple[str, str], ...]
"""Variables of loops and their values, outermost first."""


class Resource(Frozen, frozen=True):
    """One resource of a template that may exist.

    Args:
        logical_id: Its logical id.
        type: Its type.
        raw: As the template has it, loops unrolled.
        conditional: Whether an unresolved condition decides that it exists.
        pointer: Where the template has it.
        loops: Variables of the loops that it stands in, outermost first, and their values.
    """

    logical_id: str
    type: str
    raw: Mapping[str, object]
    conditional: bool
    pointer: Pointer
    loops: Loops = ()


def section(template: Mapping[str, object], name: str) -> Mapping[str, object]:
    """A section of a template; empty when it is missing or no object."""
    found = template.get(name)
    return found if isinstance(found, Mapping) else {}


class Stacks(Protocol):
    """Every stack that was given."""

    @property
    def values(self) -> Values:
        """What is put in for the names that the templates leave to deployment."""
        ...

    def differ(self, one: str, other: str) -> bool:
        """Whether one of two texts is an open value that is known not to be the other."""
        ...

    def defaults_taken(self, stack: Scope) -> Mapping[str, str]:
        """Parameters of a stack that were asked for and have their default, with it."""
        ...

    def sought(self, stack: Scope) -> Set[str]:
        """Names that a stack refers to, and that are not there."""
        ...

    @property
    def scopes(self) -> Sequence[Scope]:
        """Those that are made."""
        ...

    def each(self, ask: Callable[[Scope], _Found]) -> Iterator[tuple[Scope, _Found]]:
        """What is asked of every stack, of those that have any of it."""
        ...

    def enter(self) -> None:
        """Makes it the world that is asked, until another is."""
        ...


class Scope(Protocol):
    """One stack: what its template's names mean."""

    @property
    def world(self) -> Stacks:
        """The stacks that it may import from."""
        ...

    @property
    def input(self) -> TemplateInput:
        """Its template."""
        ...

    @property
    def label(self) -> str:
        """Its name, unique among the stacks."""
        ...

    @property
    def parent(self) -> Scope | None:
        """The stack that it is nested in."""
        ...

    @property
    def children(self) -> Mapping[str, Scope]:
        """The stacks nested in it whose templates were given, by logical id."""
        ...

    @property
    def account(self) -> str:
        """Its account, or a hole."""
        ...

    @property
    def region(self) -> str:
        """Its Region, or a hole."""
        ...

    @property
    def partition(self) -> str:
        """Its partition."""
        ...

    @property
    def environment(self) -> tuple[str, str]:
        """Its account and Region."""
        ...

    @property
    def mappings(self) -> Mapping[str, object]:
        """The mappings of its template."""
        ...

    @property
    def resources(self) -> Mapping[str, Resource]:
        """The resources that may exist, by logical id."""
        ...

    def resolve(self, node: object, depth: int = 0) -> object:
        """The value of a part of the template: plain data, text with holes, `Unknown`, or `NO_VALUE`."""
        ...

    def elements(self, nodes: list[object] | tuple[object, ...], depth: int) -> list[tuple[object, Pointer]]:
        """The elements of a resolved list, each with where it stands in the list as the template has it."""
        ...

    def text(self, node: object, depth: int = 0) -> str:
        """The value as text; what cannot be resolved becomes a hole."""
        ...

    def as_text(self, value: object, node: object) -> str:
        """A resolved value as text, as CloudFormation writes scalars; `node` gives a hole its identity."""
        ...

    def unresolved(self, name: str) -> str:
        """Text of which nothing is known but its name within this stack."""
        ...

    @property
    def defaults_taken(self) -> Mapping[str, str]:
        """Parameters that were asked for in this world and have their default, with it."""
        ...

    def kept(
        self, ask: Callable[Concatenate[Scope, _Given], _Answer], *given: _Given.args, **named: _Given.kwargs
    ) -> _Answer:
        """What is asked of the stack: once, for it may serve many worlds."""
        ...

    def imported(self, take: Take, depth: int) -> object | None:
        """What other stacks have; None when no template has it."""
        ...

    def is_cut_off(self, depth: int) -> bool:
        """Whether something lies too deep to be followed; it is asked of what lies beyond `SHALLOW`."""
        ...

    @property
    def missing(self) -> frozenset[str]:
        """Names that were referred to, and that neither the template nor a transform of it declares."""
        ...

    def absent(self, logical_id: str, attribute: str) -> str:
        """Text for an attribute of a resource that is not there."""
        ...

    def generated(self, logical_id: str, attribute: str) -> str:
        """Text that CloudFormation or the service makes for a resource."""
        ...

    def reference(self, name: str, depth: int) -> object:
        """What ``{"Ref": name}`` means."""
        ...

    def attribute(self, logical_id: str, name: str, depth: int) -> object:
        """What ``Ref`` (name ``Ref``) or ``Fn::GetAtt`` of a resource means."""
        ...

    def properties(self, logical_id: str) -> Mapping[str, object] | Unknown:
        """All properties of a resource, resolved."""
        ...

    def resource_property(self, logical_id: str, name: str, depth: int) -> object | None:
        """One property of a resource, resolved; None when it is absent."""
        ...

    def output(self, name: str, depth: int) -> object:
        """The value of an output of this stack."""
        ...

    def condition(self, name: str, depth: int) -> bool | Unknown:
        """Whether a condition of the template holds."""
        ...

    def truth(self, node: object, depth: int) -> bool | Unknown:
        """The truth of a condition function."""
        ...
