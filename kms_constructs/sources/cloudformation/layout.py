"""Which stacks templates make, and which is nested in which: the same in every world."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import PurePath
from typing import Final

from msgspec import Struct, field

from kms_constructs.model.estate import SourceProblem
from kms_constructs.sources.cloudformation.inner import file_name, nested_templates, normal
from kms_constructs.sources.cloudformation.template import TemplateInput

MAX_STACKS: Final = 1_000
"""Stacks that nested templates may multiply to."""
MAX_NESTED: Final = 8
"""Levels of stacks within stacks."""


class Place(Struct, eq=False):
    """A stack, before anything is chosen for it.

    Args:
        input: Its template.
        label: Its name, unique among the stacks.
        parent: The stack that it is nested in.
        logical_id: The resource that makes it.
        children: The stacks nested in it whose templates were given, by logical id.
    """

    input: TemplateInput
    label: str
    parent: Place | None = None
    logical_id: str = ""
    children: dict[str, Place] = field(default_factory=dict)

    def family(self) -> Iterator[Place]:
        """The stack and those nested in it, in the order in which they were added."""
        yield self
        for child in self.children.values():
            yield from child.family()


class Layout:
    """The stacks of templates.

    Args:
        inputs: The templates.
    """

    def __init__(self, inputs: tuple[TemplateInput, ...]) -> None:
        self.problems: list[SourceProblem] = []
        self.labels: dict[str, int] = {}
        """How many stacks have asked for each name."""
        self.roots: list[Place] = []
        """The stacks that are nested in no other."""
        self._count = 0
        self._nests: dict[int, tuple[TemplateInput, Mapping[str, str]]] = {}
        self._given = _by_path(inputs)
        by_path = self._given
        nested = {
            normal(by_path[path].source)
            for item in inputs
            for path in self.nested(item).values()
            if path in by_path and by_path[path] is not item
        }
        for item in inputs:
            if normal(item.source) not in nested:
                self.roots.append(self._add(item, by_path, None, "", 0))
        # Templates that nest each other in a circle have no root: take each by itself.
        made = {place.input.source for root in self.roots for place in root.family()}
        for item in inputs:
            if item.source not in made:
                self.roots.append(self._add(item, {}, None, "", 0))

    def is_given(self, item: TemplateInput, logical_id: str) -> bool:
        """Whether the template of a nested stack was given.

        Args:
            item: The template of its parent.
            logical_id: The resource that makes it.
        """
        return self.nested(item).get(logical_id) in self._given

    def has_file(self, name: str) -> bool:
        """Whether one template of this file name was given."""
        return f"//{name}" in self._given

    def nested(self, item: TemplateInput) -> Mapping[str, str]:
        """Logical id and template of every stack that a template nests."""
        found = self._nests.get(id(item))
        if found is None:
            found = self._nests[id(item)] = item, dict(nested_templates(item))
        return found[1]

    def _add(
        self,
        item: TemplateInput,
        by_path: Mapping[str, TemplateInput],
        parent: Place | None,
        logical_id: str,
        depth: int,
    ) -> Place:
        label = labelled(self.labels, name_of(item) if parent is None else f"{parent.label}.{logical_id}")
        place = Place(item, label, parent, logical_id)
        self._count += 1
        for child_id, path in self.nested(item).items():
            child = by_path.get(path)
            if child is None:
                continue
            if _is_within(child, place):
                self._problem(item, child_id, "the nested stack's template holds this stack itself")
            elif depth >= MAX_NESTED or self._count >= MAX_STACKS:
                self._problem(item, child_id, "there are too many nested stacks to follow them all")
            else:
                place.children[child_id] = self._add(child, by_path, place, child_id, depth + 1)
        return place

    def _problem(self, item: TemplateInput, logical_id: str, message: str) -> None:
        self.problems.append(not_followed(item, logical_id, message))


def not_followed(item: TemplateInput, logical_id: str, message: str) -> SourceProblem:
    """The problem that a stack within another is left out."""
    return SourceProblem(item.source, message, "Give the nested stack's template by itself", logical_id)


def labelled(labels: dict[str, int], wanted: str) -> str:
    """A name for another stack, which no other has.

    Args:
        labels: How many stacks have asked for each name.
        wanted: The name that it asks for.
    """
    count = labels[wanted] = labels.get(wanted, 0) + 1
    return wanted if count == 1 else f"{wanted}#{count}"


def name_of(item: TemplateInput) -> str:
    """What a stack that is nested in no other is called."""
    return item.within or item.stack or _stem(item.source)


def _is_within(item: TemplateInput, place: Place | None) -> bool:
    while place is not None and place.input is not item:
        place = place.parent
    return place is not None


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
