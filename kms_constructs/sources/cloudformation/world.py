"""Every stack that was given, in one world: what one exports that another imports."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Set, Sized
from itertools import islice
from typing import TypeVar

from msgspec import Struct, field

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

_Answer = TypeVar("_Answer", bound=Sized)


class _Families(Struct):
    """The stacks of one place.

    Args:
        names: Of what is chosen, the names that they hang on.
        made: A stack and those nested in it, by what is chosen for those names.
    """

    names: tuple[str, ...]
    made: dict[tuple[str | None, ...], tuple[Stack, ...]] = field(default_factory=dict)


class Stock:
    """The stacks of templates, each made once for what is chosen for its parameters.

    Args:
        layout: Which stacks there are.
    """

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.course = Course()
        self._inner: dict[tuple[int, str], Place] = {}
        self._fresh: list[tuple[_Families, tuple[str | None, ...]]] = []
        """The stacks that the newest world was the first to have."""
        self._has_others = False
        """Whether it has any that other worlds had before."""
        self._excluded: dict[Stack, Mapping[str, frozenset[str]]] = {}
        self.idle: dict[object, set[Stack]] = {}
        """By what is asked: the stacks that have none of it in any world."""
        self._hangs: dict[tuple[str, ...], dict[Place, _Families]] = {}
        """By the names that are chosen: the stacks of each place."""
        self._hanging: tuple[Values, dict[Place, _Families]] | None = None
        """Those by the names that were chosen last."""

    def with_(self, values: Values) -> World:
        """The stacks of one world.

        Args:
            values: What is put in: other worlds choose otherwise, and have all else in common with it.
        """
        self._fresh.clear()
        self._has_others = False
        self.course.is_hasty = False
        made = World(self, values)
        if not self.course.is_hasty:
            return made
        # What was asked before it was decided which resources there are hangs on the order of the stacks.
        # Those made here would say it to other worlds; of those made before, it was decided already.
        for families, own in self._fresh:
            del families.made[own]
        return World(Stock(self.layout), values) if self._has_others else made

    def family(self, place: Place, values: Values) -> tuple[Stack, ...]:
        """A stack and those nested in it, with what is chosen for their parameters.

        Args:
            place: The stack.
            values: What is put in.
        """
        if self._hanging is None or self._hanging[0] is not values:
            self._hanging = values, self._hangs.setdefault(tuple(values.chosen), {})
        hangs = self._hanging[1]
        found = hangs.get(place)
        if found is None:
            parameters = section(place.input.template, "Parameters")
            # Region, account and partition are in everything.
            names = tuple(name for name in values.chosen if name in parameters or "::" in name)
            found = hangs[place] = _Families(names)
        own = tuple([values.chosen[name] for name in found.names])
        family = found.made.get(own)
        if family is None or not family[0].family.serves_others:
            family = found.made[own] = tuple(self._stacks(place, values, None))
            self._fresh.append((found, own))
        else:
            self._has_others = True
        return family

    def _stacks(self, place: Place, values: Values, parent: Stack | None) -> Iterator[Stack]:
        stack = Stack(self.course, values, place.input, place.label, parent, place.logical_id)
        yield stack
        for child_id, child in place.children.items():
            for one in self._stacks(child, values, stack):
                if one.parent is stack:
                    stack.children[child_id] = one
                yield one

    def excluded(self, root: Stack, values: Values) -> Mapping[str, frozenset[str]]:
        """The values that open ones of a stack are known not to have."""
        found = self._excluded.get(root)
        if found is None:
            found = self._excluded[root] = {
                hole(HoleKind.ENVIRONMENT, name) if "::" in name else root.unresolved(name): excluded
                for name, excluded in values.excluded.items()
                if "::" in name or name in root.parameters
            }
        return found

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
        self._marks: dict[Mark, object] = {}
        self._sorted = 0
        """How many of the marks are in these:"""
        self._defaults: dict[object, dict[str, str]] = {}
        self._sought: dict[object, set[str]] = {}
        self._excluded: dict[str, frozenset[str]] = {}
        self._exports: dict[str, list[tuple[Stack, str]]] | None = None
        self._is_indexing = False
        self._answers: dict[Take, object | None] = {}
        self.enter()
        self.scopes: list[Stack] = []
        for place in layout.roots:
            self._add(place)
        idle = stock.idle.setdefault(_settled, set())
        for scope in self.scopes:  # parents come before their children, and grow it by what they hold
            if scope not in idle:
                self._settle(scope, idle)
        self.stacks = tuple(self.scopes)
        """Every stack, those too that a condition leaves out."""
        self.scopes = [scope for scope in self.scopes if not scope.is_absent]
        self.is_settled = True

    def _add(self, place: Place) -> None:
        family = self._stock.family(place, self.values)
        if self.values.excluded:
            self._excluded |= self._stock.excluded(family[0], self.values)
        self.scopes += family

    def _settle(self, scope: Stack, idle: set[Stack]) -> None:
        """Decides which resources a stack has, and adds the templates that they hold."""
        upsets = scope.course.upsets
        found = scope.kept(_settled, layout=self._stock.layout)
        if not found and scope.is_free(_settled):
            idle.add(scope)
        for one in found:
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

    def each(self, ask: Callable[[Scope], _Answer]) -> Iterator[tuple[Stack, _Answer]]:
        """What is asked of every stack, of those that have any of it."""
        idle = self._stock.idle.setdefault(ask, set())
        for scope in self.scopes:
            if scope not in idle:
                found = scope.kept(ask)
                if found:
                    yield scope, found
                elif scope.is_free(ask):
                    idle.add(scope)

    def note(self, marks: Mapping[Mark, object]) -> None:
        """Notes what finding something out came upon."""
        self._marks.update(marks)

    def _sort_marks(self) -> None:
        """Sorts the marks that came since."""
        for stack, name, default in islice(self._marks, self._sorted, None):
            if default is None:
                self._sought.setdefault(stack, set()).add(name)
            else:
                self._defaults.setdefault(stack, {})[name] = default
        self._sorted = len(self._marks)

    def defaults_taken(self, stack: Scope) -> Mapping[str, str]:
        """Parameters of a stack that were asked for and have their default, with it."""
        if self._sorted != len(self._marks):
            self._sort_marks()
        return self._defaults.get(stack, {})

    def sought(self, stack: Scope) -> Set[str]:
        """Names that a stack refers to, and that are not there."""
        if self._sorted != len(self._marks):
            self._sort_marks()
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
        if take in self._answers:
            return self._answers[take]
        course = self._stock.course
        upsets = course.upsets
        kind, name, place, further = take
        if kind == "export":
            answer = self._exported(name, (place, further), depth)
        else:
            answer = self._stack_output(name, place, further, depth)
        if course.upsets == upsets:  # else it may be another when it is asked again
            self._answers[take] = answer
        return answer

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
            idle = self._stock.idle.setdefault(_exports, set())
            try:
                for scope in self.scopes:
                    if scope in idle:
                        continue
                    named = scope.family.apart(scope.kept, _exports, depth=depth)
                    if not named and scope.is_free(_exports):
                        idle.add(scope)
                    for text, output_id in named:
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
