"""Every stack that was given, in one world: what one exports that another imports."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set

from kms_constructs.model.estate import SourceProblem
from kms_constructs.model.text import HoleKind, has_hole, hole
from kms_constructs.sources.cloudformation.inner import Inner, deployed
from kms_constructs.sources.cloudformation.known import Course, Mark, Take
from kms_constructs.sources.cloudformation.layout import (
    MAX_STACKS,
    Layout,
    Place,
    labelled,
    name_of,
    not_followed,
)
from kms_constructs.sources.cloudformation.resolver import Stack
from kms_constructs.sources.cloudformation.scope import Scope, section
from kms_constructs.sources.cloudformation.template import TemplateInput
from kms_constructs.sources.cloudformation.values import Values


class Stock:
    """The stacks of templates, each made once for what is chosen for its parameters.

    Args:
        layout: Which stacks there are.
    """

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.course = Course()
        self._made: dict[object, tuple[Stack, ...]] = {}
        self._inner: dict[tuple[int, str], Place] = {}

    def with_(self, values: Values) -> World:
        """The stacks of one world.

        Args:
            values: What is put in: other worlds choose otherwise, and have all else in common with it.
        """
        is_first = not self._made
        self.course.is_hasty = False
        made = World(self, values)
        if self.course.is_hasty and not is_first:
            # What was asked before it was decided which resources there are hangs on the order of the stacks,
            # and of those that served other worlds it is decided already.
            return World(Stock(self.layout), values)
        return made

    def family(self, place: Place, values: Values) -> tuple[Stack, ...]:
        """A stack and those nested in it, with what is chosen for their parameters.

        Args:
            place: The stack.
            values: What is put in.
        """
        parameters = section(place.input.template, "Parameters")
        # Region, account and partition are in everything.
        own = tuple(pair for pair in values.chosen.items() if pair[0] in parameters or "::" in pair[0])
        found = self._made.get((place, own))
        if found is None or not found[0].family.serves_others:
            found = self._made[place, own] = tuple(self._stacks(place, values, None))
        return found

    def _stacks(self, place: Place, values: Values, parent: Stack | None) -> Iterator[Stack]:
        stack = Stack(self.course, values, place.input, place.label, parent, place.logical_id)
        yield stack
        for child_id, child in place.children.items():
            for one in self._stacks(child, values, stack):
                if one.parent is stack:
                    stack.children[child_id] = one
                yield one

    def inner(self, item: TemplateInput, label: str) -> Place:
        """A stack whose template stands in a template.

        Args:
            item: The template.
            label: Its name.
        """
        found = self._inner.get((id(item), label))
        if found is None:
            found = self._inner[id(item), label] = Place(item, label)
        return found


class World:
    """Every stack that was given, so that what one exports another can import.

    Args:
        stock: The stacks that there are already.
        values: What is put in for the names that they leave to deployment.
    """

    def __init__(self, stock: Stock, values: Values) -> None:
        self.values = values
        self.is_settled = False
        self._stock = stock
        layout = stock.layout
        self.problems = list(layout.problems)
        self._labels = dict(layout.labels)
        self._defaults: dict[object, dict[str, str]] = {}
        self._sought: dict[object, set[str]] = {}
        self._excluded: dict[str, frozenset[str]] = {
            hole(HoleKind.ENVIRONMENT, name): one
            for name, one in values.excluded.items()
            if name.startswith("AWS::")
        }
        self._exports: dict[str, list[tuple[Stack, str]]] | None = None
        self._is_indexing = False
        self.enter()
        self.scopes: list[Stack] = []
        for place in layout.roots:
            self._add(place)
        for scope in self.scopes:  # parents come before their children, and grow it by what they hold
            self._settle(scope)
        self.stacks = tuple(self.scopes)
        """Every stack, those too that a condition leaves out."""
        self.scopes = [scope for scope in self.scopes if not scope.is_absent]
        self.is_settled = True

    def _add(self, place: Place) -> None:
        family = self._stock.family(place, self.values)
        root = family[0]
        for name, values in self.values.excluded.items():
            if name in root.parameters and not name.startswith("AWS::"):
                self._excluded[root.unresolved(name)] = values
        self.scopes += family

    def _settle(self, scope: Stack) -> None:
        """Decides which resources a stack has, and adds the templates that they hold."""
        upsets = scope.course.upsets
        for one in scope.kept(_settled, self._stock.layout):
            if not isinstance(one, Inner):
                self.problems.append(one)
            elif len(self.scopes) >= MAX_STACKS:
                message = "there are too many stacks to follow them all"
                self.problems.append(not_followed(scope.input, one.logical_id, message))
            else:
                label = labelled(self._labels, name_of(one.template))
                self._add(self._stock.inner(one.template, label))
        if scope.course.upsets != upsets:
            scope.family.serves_others = False

    def enter(self) -> None:
        """Makes it the world that is asked, until another is."""
        self._stock.course.world = self

    def note(self, mark: Mark) -> None:
        """Notes what finding something out came upon."""
        stack, name, default = mark
        if default is None:
            self._sought.setdefault(stack, set()).add(name)
        else:
            self._defaults.setdefault(stack, {})[name] = default

    def defaults_taken(self, stack: Scope) -> Mapping[str, str]:
        """Parameters of a stack that were asked for and have their default, with it."""
        return self._defaults.get(stack, {})

    def sought(self, stack: Scope) -> Set[str]:
        """Names that a stack refers to, and that are not there."""
        return self._sought.get(stack, frozenset())

    def differ(self, one: str, other: str) -> bool:
        """Whether one of two texts is an open value that is known not to be the other."""
        excluded = self._excluded
        return bool(excluded) and (other in excluded.get(one, ()) or one in excluded.get(other, ()))

    def answer(self, take: Take, depth: int) -> object | None:
        """What stacks give others; None when no template has it.

        Args:
            take: ``export`` with the name and the importer's account and Region, or ``output`` with the name
                of the stack, its Region and the name of the output.
            depth: How deep it is asked for.
        """
        kind, name, place, further = take
        if kind == "export":
            return self._exported(name, (place, further), depth)
        return self._stack_output(name, place, further, depth)

    def _exported(self, name: str, environment: tuple[str, str], depth: int) -> object | None:
        account, region = environment
        found = [
            (scope, output_id)
            for scope, output_id in self._exports_of_all(depth).get(name, ())
            if _may_be_equal(scope.account, account) and _may_be_equal(scope.region, region)
        ]
        exact = [pair for pair in found if pair[0].environment == environment]
        chosen = exact or found
        if len(chosen) != 1:
            return None
        return _output(*chosen[0], depth)

    def _exports_of_all(self, depth: int) -> Mapping[str, list[tuple[Stack, str]]]:
        if self._exports is None:
            found: dict[str, list[tuple[Stack, str]]] = {}
            self._exports = found
            self._is_indexing = True
            try:
                for scope in self.scopes:
                    for text, output_id in scope.family.apart(scope.kept, _exports, depth=depth):
                        found.setdefault(text, []).append((scope, output_id))
            except BaseException:
                self._exports = None
                raise
            finally:
                self._is_indexing = False
        elif self._is_indexing:
            self._stock.course.upset()  # what is not looked at yet cannot be imported
        return self._exports

    def _stack_output(self, stack: str, region: str, output: str, depth: int) -> object | None:
        found = [
            scope
            for scope in self.scopes
            if scope.parent is None and scope.input.stack == stack and _may_be_equal(scope.region, region)
        ]
        exact = [scope for scope in found if scope.region == region]
        chosen = exact or found
        if len(chosen) != 1 or output not in section(chosen[0].input.template, "Outputs"):
            return None
        return _output(chosen[0], output, depth)


def _output(stack: Stack, name: str, depth: int) -> object:
    return stack.family.apart(stack.output, name, depth + 1)


def _settled(stack: Stack, layout: Layout) -> tuple[SourceProblem | Inner, ...]:
    """Decides which resources a stack has: its problems, and the templates that they hold."""
    problems: list[SourceProblem] = []
    stack.find_resources(problems)
    found: list[SourceProblem | Inner] = [*problems]
    for resource in tuple(stack.resources.values()):
        is_given = layout.is_given(stack.input, resource.logical_id)
        found += deployed(stack, resource, layout.has_file, nested_is_given=is_given)
    return tuple(found)


def _exports(stack: Stack, depth: int) -> tuple[tuple[str, str], ...]:
    """The names that a stack exports outputs under, and the outputs."""
    found: list[tuple[str, str]] = []
    for output_id, output in section(stack.input.template, "Outputs").items():
        if not isinstance(output, Mapping) or stack.condition_of(output, depth) is False:
            continue
        export = output.get("Export")
        if isinstance(export, Mapping):
            found.append((stack.text(export.get("Name"), depth + 1), output_id))
    return tuple(found)


def _may_be_equal(one: str, other: str) -> bool:
    return one == other or has_hole(one) or has_hole(other)
