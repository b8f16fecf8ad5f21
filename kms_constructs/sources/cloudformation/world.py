"""Every stack that was given: which is nested in which, and what one exports that another imports."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import PurePath
from typing import Final

from kms_constructs.model.estate import SourceProblem
from kms_constructs.model.text import HoleKind, has_hole, hole
from kms_constructs.sources.cloudformation.inner import Inner, deployed, file_name, nested_templates, normal
from kms_constructs.sources.cloudformation.naming import compact
from kms_constructs.sources.cloudformation.resolver import Stack
from kms_constructs.sources.cloudformation.scope import Scope, section
from kms_constructs.sources.cloudformation.template import TemplateInput
from kms_constructs.sources.cloudformation.values import Values

MAX_STACKS: Final = 1_000
"""Stacks that nested templates may multiply to."""

_FROM_OTHERS: Final = ('"Fn::ImportValue"', '"Fn::GetStackOutput"')
MAX_NESTED: Final = 8
"""Levels of stacks within stacks."""


class World:
    """Every stack that was given, so that what one exports another can import.

    Args:
        inputs: The templates.
        values: What is put in for the names that they leave to deployment.
        like: Another world of the same templates: its stacks serve here, too, where they hang on nothing that
            is chosen otherwise.
    """

    def __init__(self, inputs: tuple[TemplateInput, ...], values: Values, like: World | None = None) -> None:
        self.values = values
        self._like = like
        self._same = {} if like is None else like.same_with(values)
        self._told: dict[int, tuple[SourceProblem, ...]] = {}
        self._reused: set[int] = set()
        self._making: set[int] = set()
        self._alone: dict[int, bool] = {}
        self._excluded: dict[str, frozenset[str]] = {}
        self.problems: list[SourceProblem] = []
        self._labels: dict[str, int] = {}
        self.scopes: list[Stack] = []
        self._exports: dict[str, list[tuple[Stack, str]]] | None = None
        by_path = _by_path(inputs)
        self._given = by_path
        self._nests: dict[int, tuple[tuple[str, str], ...]] = {} if like is None else like._nests
        nested = {
            normal(by_path[path].source)
            for item in inputs
            for _, path in self._nested(item)
            if path in by_path and by_path[path] is not item
        }
        for item in inputs:
            if normal(item.source) not in nested:
                self._add(item, by_path, None, "", 0)
        # Templates that nest each other in a circle have no root: take each by itself.
        made = {scope.input.source for scope in self.scopes}
        for item in inputs:
            if item.source not in made:
                self._add(item, {}, None, "", 0)
        for scope in self.scopes:  # parents come before their children, and grow it by what they hold
            self._settle(scope)
        self.stacks = tuple(self.scopes)
        """Every stack, those too that a condition leaves out."""
        self.scopes = [scope for scope in self.scopes if not scope.is_absent]

    def _add(
        self,
        item: TemplateInput,
        by_path: Mapping[str, TemplateInput],
        parent: Stack | None,
        logical_id: str,
        depth: int,
    ) -> Stack:
        wanted = f"{parent.label}.{logical_id}" if parent else item.within or item.stack or _stem(item.source)
        count = self._labels[wanted] = self._labels.get(wanted, 0) + 1
        same = self._same.pop(id(item), None) if parent is None else None
        label = wanted if count == 1 else f"{wanted}#{count}"
        scope = Stack(self, item, label, parent, logical_id) if same is None else same
        for name, values in self.values.excluded.items():
            if name.startswith("AWS::"):
                self._excluded[hole(HoleKind.ENVIRONMENT, name)] = values
            elif parent is None and name in scope.parameters:
                self._excluded[scope.unresolved(name)] = values
        if same is not None:
            family = list(_family(same))
            self.scopes += family
            self._reused.update(map(id, family))
            return same
        self.scopes.append(scope)
        for child_id, path in self._nested(item):
            child = by_path.get(path)
            if child is None:
                continue
            if any(child is template for template in scope.templates):
                self._problem(item, child_id, "the nested stack's template holds this stack itself")
            elif depth >= MAX_NESTED or len(self.scopes) >= MAX_STACKS:
                self._problem(item, child_id, "there are too many nested stacks to follow them all")
            else:
                scope.children[child_id] = self._add(child, by_path, scope, child_id, depth + 1)
        return scope

    def same_with(self, values: Values) -> dict[int, Stack]:
        """The stacks without a parent that are the same with other values, by the id of their input.

        Args:
            values: The other values.
        """
        mine = self.values
        if (mine.parameters, mine.excluded, mine.ignore_defaults) != (
            values.parameters,
            values.excluded,
            values.ignore_defaults,
        ):
            return {}
        names = mine.chosen.keys() | values.chosen.keys()
        changed = {name for name in names if mine.chosen.get(name, "") != values.chosen.get(name, "")}
        if any(name.startswith("AWS::") for name in changed):
            return {}
        return {
            id(root.input): root
            for root in self.stacks
            if root.parent is None
            and not root.input.within
            and changed.isdisjoint(root.parameters)
            and all(map(self._stands_alone, _family(root)))
        }

    def _nested(self, item: TemplateInput) -> tuple[tuple[str, str], ...]:
        """The templates that a template nests; what it deploys makes templates anew in every world."""
        if item.within:
            return tuple(nested_templates(item))
        found = self._nests.get(id(item))
        if found is None:
            found = self._nests[id(item)] = tuple(nested_templates(item))
        return found

    def _stands_alone(self, stack: Stack) -> bool:
        """Whether a stack takes nothing from others, and makes none, of which the names are counted."""
        found = self._alone.get(id(stack))
        if found is None:
            text = compact(stack.input.template)
            takes = not text or any(name in text for name in _FROM_OTHERS)
            found = self._alone[id(stack)] = not takes and id(stack) not in self._making
        return found

    def _settle(self, scope: Stack) -> None:
        """Decides which resources a stack has, and what they hold."""
        if self._like is not None and id(scope) in self._reused:
            self._told[id(scope)] = told = self._like._told[id(scope)]
            self.problems.extend(told)
            return
        before = len(self.problems)
        scope.find_resources()
        self._look_into(scope)
        self._told[id(scope)] = tuple(self.problems[before:])

    def _look_into(self, scope: Stack) -> None:
        """Adds the templates that a stack's resources hold; what they deploy unseen is a problem."""
        nested = dict(self._nested(scope.input))
        for resource in tuple(scope.resources.values()):
            is_given = nested.get(resource.logical_id) in self._given
            found = deployed(scope, resource, self._has_file, nested_is_given=is_given)
            for one in found:
                if not isinstance(one, Inner):
                    self.problems.append(one)
                    continue
                self._making.add(id(scope))
                if len(self.scopes) >= MAX_STACKS:
                    self._problem(scope.input, one.logical_id, "there are too many stacks to follow them all")
                else:
                    self._add(one.template, {}, None, "", 0)

    def _has_file(self, name: str) -> bool:
        return f"//{name}" in self._given

    def _problem(self, item: TemplateInput, logical_id: str, message: str) -> None:
        fix = "Give the nested stack's template by itself"
        self.problems.append(SourceProblem(item.source, message, fix, logical_id))

    def differ(self, one: str, other: str) -> bool:
        """Whether one of two texts is an open value that is known not to be the other."""
        excluded = self._excluded
        return bool(excluded) and (other in excluded.get(one, ()) or one in excluded.get(other, ()))

    def exported(self, name: str, importer: Scope, depth: int) -> object | None:
        """The value exported under a name in the importer's environment; None when no template has it."""
        if self._exports is None:
            self._exports = {}
            for scope in self.scopes:
                for output_id, output in section(scope.input.template, "Outputs").items():
                    if not isinstance(output, Mapping) or scope.condition_of(output, depth) is False:
                        continue
                    export = output.get("Export")
                    if isinstance(export, Mapping):
                        text = scope.text(export.get("Name"), depth + 1)
                        self._exports.setdefault(text, []).append((scope, output_id))
        found = [
            (scope, output_id)
            for scope, output_id in self._exports.get(name, ())
            if _may_be_equal(scope.account, importer.account) and _may_be_equal(scope.region, importer.region)
        ]
        exact = [pair for pair in found if pair[0].environment == importer.environment]
        chosen = exact or found
        if len(chosen) != 1:
            return None
        return chosen[0][0].output(chosen[0][1], depth + 1)

    def stack_output(self, stack: str, region: str, output: str, depth: int) -> object | None:
        """The value of an output of a stack by name and Region; None when no template has it."""
        found = [
            scope
            for scope in self.scopes
            if scope.parent is None and scope.input.stack == stack and _may_be_equal(scope.region, region)
        ]
        exact = [scope for scope in found if scope.region == region]
        chosen = exact or found
        if len(chosen) != 1 or output not in section(chosen[0].input.template, "Outputs"):
            return None
        return chosen[0].output(output, depth + 1)


def _family(stack: Stack) -> Iterator[Stack]:
    """A stack and those nested in it, in the order in which they are added."""
    yield stack
    for child in stack.children.values():
        yield from _family(child)


def _by_path(inputs: tuple[TemplateInput, ...]) -> Mapping[str, TemplateInput]:
    """The inputs by their paths, and by ``//`` and their file names those that have one of their own."""
    names: dict[str, list[TemplateInput]] = {}
    for item in inputs:
        names.setdefault(f"//{file_name(normal(item.source))}", []).append(item)
    alone = {name: items[0] for name, items in names.items() if len(items) == 1}
    return {**alone, **{normal(item.source): item for item in inputs}}


def _stem(source: str) -> str:
    """Name of a file without what says that it is a template."""
    name = PurePath(source).name
    for suffix in (".json", ".yaml", ".yml", ".template"):
        name = name.removesuffix(suffix)
    return name or source


def _may_be_equal(one: str, other: str) -> bool:
    return one == other or has_hole(one) or has_hole(other)
