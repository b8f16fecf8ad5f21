"""YAML as plain data with positions: the one reader of templates and of catalogues of keys.

It reads what CloudFormation reads. Short forms (``!Ref``, ``!GetAtt``, …) become the functions that they
stand for; plain scalars mean what YAML 1.1 says, so ``yes`` is a boolean and ``012345670123`` an octal
number; dates stay text; a key is the text that it is written as. Keys that stand twice, further documents,
and tags of other programs are refused.

PyYAML's parser gives events, in C where its wheel has that, and they are put together here without recursion:
neither nesting nor aliases can exhaust the stack or the memory.

See: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/template-formats.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NoReturn, Protocol, cast

import yaml
from msgspec import Struct, field

from kms_constructs.model.ceilings import MAX_ALIASED, MAX_DIGITS, MAX_NESTING
from kms_constructs.model.frozen import Frozen
from kms_constructs.model.position import Position
from kms_constructs.sources.positions import Pointer

_STANDARD: Final = "tag:yaml.org,2002:"
_MERGE: Final = f"{_STANDARD}merge"
_TEXT: Final = f"{_STANDARD}str"
_UNCONVERTED: Final = ("Ref", "Condition")
_ACCOUNT_IN_OCTAL: Final = re.compile(r"0[0-7]{11}")


class YamlError(ValueError):
    """A text that is no YAML, or holds what CloudFormation does not take.

    Args:
        problem: What is wrong, as a phrase.
        fix: What to do about it.
        position: Where, when that is known.
    """

    def __init__(self, problem: str, fix: str, position: Position | None = None) -> None:
        super().__init__(problem)
        self.problem = problem
        self.fix = fix
        self.position = position


class NotYamlError(YamlError):
    """A text that breaks YAML's own rules, or has tags that only other programs know."""


class Misread(Frozen, frozen=True):
    """A scalar that is hardly read as its author meant it.

    Args:
        text: As it is written.
        value: What YAML 1.1, and so CloudFormation, makes of it.
        position: Where it stands.
    """

    text: str
    value: object
    position: Position


class _Node(Struct):
    """Positions of the members of a value, and where a literal block begins (0 for none)."""

    members: dict[str | int, tuple[int, int, _Node]] = field(default_factory=dict)
    text_line: int = 0


_PLAIN: Final = _Node()
"""Of a value that nothing is in."""


class YamlMarks(Struct):
    """Positions in a YAML text.

    Args:
        text: What was read.
    """

    text: str
    _root: _Node
    _start: Position

    def position(self, pointer: Pointer) -> Position:
        """Where a value begins, for a member its key; of what is not there, the deepest on the way to it."""
        return self._found(pointer)[0]

    def within(self, pointer: Pointer, inner: Position) -> Position | None:
        """Where a place in a literal block stands; None for other texts, whose lines YAML folds."""
        _, node = self._found(pointer)
        if not node.text_line:
            return None
        lines = self.text.split("\n")[node.text_line - 1 :]
        first = next((line for line in lines if line.strip()), "")
        indent = len(first) - len(first.lstrip(" "))
        return Position(node.text_line + inner.line - 1, indent + inner.column)

    def _found(self, pointer: Pointer) -> tuple[Position, _Node]:
        position, node = self._start, self._root
        for key in pointer:
            found = node.members.get(key)
            if found is None:
                return position, _PLAIN
            line, column, node = found
            position = Position(line, column)
        return position, node


class YamlDocument(Frozen, frozen=True):
    """A document as plain data.

    Args:
        data: Objects, lists, texts, numbers, booleans and None.
        marks: Where its values stand.
        misread: Scalars that should be in quotes.
    """

    data: object
    marks: YamlMarks
    misread: tuple[Misread, ...] = ()


def read_yaml(text: str) -> YamlDocument:
    """Reads one YAML document; without any, its data is None.

    Raises:
        YamlError: It is no YAML, or holds what CloudFormation does not take, with the place.

    Example:
        >>> read_yaml("Role: !GetAtt Writer.Arn").data
        {'Role': {'Fn::GetAtt': ['Writer', 'Arn']}}
    """
    loader: _Loader | None = None
    try:
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)(text)
        return _Builder(loader, text).document()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        problem = error.problem or error.context or "it cannot be parsed"
        raise NotYamlError(problem, "Correct the file there", _position(mark) if mark else None) from error
    except yaml.YAMLError as error:
        raise NotYamlError(str(error).partition("\n")[0], "Correct the file") from error
    finally:
        if loader is not None:
            loader.dispose()


class _Loader(Protocol):
    """What is used of PyYAML's loaders, of which its type stubs know only parts."""

    def get_event(self) -> yaml.Event: ...

    def resolve(self, kind: type[yaml.Node], value: str, implicit: tuple[bool, bool]) -> str: ...

    def construct_yaml_bool(self, node: yaml.ScalarNode) -> bool: ...

    def construct_yaml_float(self, node: yaml.ScalarNode) -> float: ...

    def construct_yaml_int(self, node: yaml.ScalarNode) -> int: ...

    def dispose(self) -> None: ...


class _Mark(Protocol):
    line: int
    column: int


def _position(mark: _Mark | None) -> Position:
    # Events that somebody makes by hand have no marks; the parser's do.
    return Position(1, 1) if mark is None else Position(mark.line + 1, mark.column + 1)


class _Built(Struct):
    """A value that is complete.

    Args:
        value: The value.
        node: Positions in it.
        size: Values in it, aliases followed; itself counts one.
        height: Levels in it; a scalar has none.
        text: Of a scalar, as it is written.
        is_merge: Whether it is a plain ``<<``.
    """

    value: object
    node: _Node
    size: int = 1
    height: int = 0
    text: str = ""
    is_merge: bool = False


class _Open(Struct):
    """A container that is being read."""

    position: Position
    tag: str | None
    anchor: str | None
    is_object: bool
    node: _Node = field(default_factory=_Node)
    data: dict[str, object] = field(default_factory=dict)
    items: list[object] = field(default_factory=list)
    key: str | None = None
    key_position: Position | None = None
    is_merge: bool = False
    merged: list[_Built] = field(default_factory=list)
    size: int = 1
    height: int = 0


class _Builder:
    def __init__(self, loader: _Loader, text: str) -> None:
        self._loader = loader
        self._text = text
        self._anchors: dict[str, _Built | None] = {}  # None while the value is still open
        self._open: list[_Open] = []
        self._tags: dict[str, str] = {}
        self._aliased = 0
        self._misread: list[Misread] = []

    def document(self) -> YamlDocument:
        built: _Built | None = None
        start = Position(1, 1)
        for event in self._events():
            position = _position(event.start_mark)
            found = self._take(event, position)
            if found is None:
                continue
            if self._open:
                self._add(self._open[-1], found[0], found[1])
            else:
                built, start = found
        data, node = (built.value, built.node) if built else (None, _PLAIN)
        return YamlDocument(data, YamlMarks(self._text, node, start), tuple(self._misread))

    def _events(self) -> Iterator[yaml.Event]:
        """The events of values, but for texts that a container has taken in already, as it does most."""
        documents = 0
        get, containers = self._loader.get_event, self._open
        while True:
            event = get()
            kind = type(event)
            if kind is yaml.ScalarEvent:
                if not containers or not self._take_text(cast("yaml.ScalarEvent", event), containers[-1]):
                    yield event
            elif kind is yaml.StreamEndEvent:
                return
            elif kind is yaml.DocumentStartEvent:
                documents += 1
                if documents > 1:
                    self._refuse(
                        "there is a second document", "Give each its own file", _position(event.start_mark)
                    )
            elif isinstance(event, yaml.NodeEvent | yaml.CollectionEndEvent):
                yield event

    def _take_text(self, event: yaml.ScalarEvent, container: _Open) -> bool:
        """Puts a plain text into a container; False for all that is to be looked at.

        What `_scalar` and `_add` do as well, in a third of the time.
        """
        text: str = event.value
        mark: _Mark | None = event.start_mark
        if event.tag is not None or event.anchor is not None or mark is None:
            return False
        if event.implicit[0] and self._tag_of(text) != _TEXT:
            return False
        if container.is_object and container.key_position is None:
            if text in container.data:
                return False
            container.key_position = _position(mark)
            container.is_merge = False
            container.key = text
        else:
            node = _PLAIN if event.style != "|" else _Node(text_line=mark.line + 2)
            if not container.is_object:
                container.node.members[len(container.items)] = (mark.line + 1, mark.column + 1, node)
                container.items.append(text)
            elif container.is_merge or container.key is None or container.key_position is None:
                return False
            else:
                container.node.members[container.key] = (*container.key_position, node)
                container.data[container.key] = text
                container.key_position = None
        container.size += 1
        return True

    def _tag_of(self, text: str) -> str:
        """The tag of a plain scalar."""
        tag = self._tags.get(text)
        if tag is None:
            tag = self._tags[text] = self._loader.resolve(yaml.ScalarNode, text, (True, False))
        return tag

    def _take(self, event: yaml.Event, position: Position) -> tuple[_Built, Position] | None:
        """What an event completes, and where that began; None when it opens a container."""
        if isinstance(event, yaml.ScalarEvent):
            built = self._scalar(event, position)
            if event.anchor:
                self._anchors[event.anchor] = built
            return built, position
        if isinstance(event, yaml.AliasEvent):
            return self._alias(str(event.anchor), position), position
        if isinstance(event, yaml.CollectionEndEvent):
            container = self._open.pop()
            built = self._closed(container)
            if container.anchor:
                self._anchors[container.anchor] = built
            return built, container.position
        if isinstance(event, yaml.CollectionStartEvent):
            if len(self._open) >= MAX_NESTING:
                raise _too_deep(position)
            if event.anchor:
                self._anchors[event.anchor] = None
            is_object = isinstance(event, yaml.MappingStartEvent)
            self._open.append(_Open(position, event.tag, event.anchor, is_object))
        return None

    def _alias(self, name: str, position: Position) -> _Built:
        if name not in self._anchors:
            self._refuse(f"there is no anchor for the alias *{name}", "Write the value out", position)
        built = self._anchors[name]
        if built is None:
            self._refuse("an alias points into itself", "Write it out", position)
        self._aliased += built.size
        if self._aliased > MAX_ALIASED:
            self._refuse(
                f"its YAML aliases stand for more than {MAX_ALIASED} values",
                "Write out what is meant: CloudFormation takes no aliases",
                position,
            )
        return built

    def _scalar(self, event: yaml.ScalarEvent, position: Position) -> _Built:
        text: str = event.value
        tag = event.tag
        node = _PLAIN
        if event.style == "|":
            node = _Node(text_line=position.line + 1)
        if tag is not None and tag.startswith("!") and tag != "!":
            return self._short_form(tag, _Built(text, node), position)
        if tag is None or tag == "!":
            # The tag "!" says: a text, whatever it looks like.
            if not event.implicit[0] or tag == "!":
                return _Built(text, node, text=text)
            tag = self._tag_of(text)
        value = self._value(tag, text, position)
        return _Built(value, node, text=text, is_merge=tag == _MERGE)

    def _value(self, tag: str, text: str, position: Position) -> object:
        kind = tag.removeprefix(_STANDARD)
        if kind in ("str", "timestamp", "merge", "value"):
            return text
        if kind == "null":
            return None
        if kind not in ("bool", "float", "int"):
            raise _unknown_tag(tag, position)
        if kind == "int" and len(text) > MAX_DIGITS:
            self._refuse(
                f"a number has {len(text):,} digits, and no more than {MAX_DIGITS:,} are read",
                "Correct the file there",
                position,
            )
        scalar = yaml.ScalarNode(tag, text)
        try:
            value: object = getattr(self._loader, f"construct_yaml_{kind}")(scalar)
        except (KeyError, OverflowError, ValueError) as error:
            reason = str(error) if isinstance(error, ValueError) else f"{text!r} is no {kind}"
            raise YamlError(reason, "Correct the file there", position) from error
        if kind == "int" and _ACCOUNT_IN_OCTAL.fullmatch(text):
            self._misread.append(Misread(text, value, position))
        return value

    def _add(self, container: _Open, built: _Built, position: Position) -> None:
        if len(self._open) + built.height > MAX_NESTING:
            raise _too_deep(position)
        container.size += built.size
        container.height = max(container.height, built.height)
        if not container.is_object:
            container.node.members[len(container.items)] = (*position, built.node)
            container.items.append(built.value)
        elif container.key_position is None:
            self._key(container, built, position)
        else:
            where, container.key_position = container.key_position, None
            if container.is_merge:
                container.merged += self._merged(built, position)
                container.is_merge = False
                return
            key = str(container.key)
            container.node.members[key] = (*where, built.node)
            container.data[key] = built.value

    def _key(self, container: _Open, built: _Built, position: Position) -> None:
        container.key_position = position
        container.is_merge = built.is_merge
        if built.is_merge:
            return
        if built.value is None:
            self._refuse("a key is null", "Write a text as the key", position)
        if isinstance(built.value, dict | list):
            self._refuse("a key is no text", "Write a text as the key", position)
        key = built.text
        if key in container.data:
            above = (one.key if one.is_object else len(one.items) for one in self._open[:-1])
            path = ".".join([*map(str, above), key])
            line = container.node.members[key][0]
            self._refuse(f"{path} stands on line {line} already", "Keep one of them", position)
        container.key = key

    def _merged(self, built: _Built, position: Position) -> list[_Built]:
        """The objects that ``<<`` takes the members of: one, or those of a list."""
        given = [built]
        if isinstance(built.value, list):
            given = [_Built(value, built.node.members[index][2]) for index, value in enumerate(built.value)]
        if not all(isinstance(one.value, dict) for one in given):
            self._refuse("<< takes the members of an object", "Give it an alias of an object", position)
        return given

    def _closed(self, container: _Open) -> _Built:
        node = container.node
        value: object = container.data if container.is_object else container.items
        if container.merged:
            # The first that has a member wins; the object's own members do over all.
            merged: dict[str, object] = {}
            members: dict[str | int, tuple[int, int, _Node]] = {}
            for given in reversed(container.merged):
                merged |= cast("dict[str, object]", given.value)  # _merged lets objects through only
                members |= given.node.members
            value, node = {**merged, **container.data}, _Node(members | node.members)
        built = _Built(value, node, container.size, container.height + 1)
        tag = container.tag
        if tag is None or tag in ("!", f"{_STANDARD}map", f"{_STANDARD}seq"):
            return built
        if tag.startswith("!"):
            return self._short_form(tag, built, container.position)
        raise _unknown_tag(tag, container.position)

    def _short_form(self, tag: str, built: _Built, position: Position) -> _Built:
        """The function that a short form stands for: ``!Sub x`` is ``{"Fn::Sub": "x"}``."""
        name = tag[1:] if tag[1:] in _UNCONVERTED else f"Fn::{tag[1:]}"
        value = built.value
        if name == "Fn::GetAtt" and isinstance(value, str):
            value = value.split(".", 1)
        node = _Node({name: (*position, built.node)})
        return _Built({name: value}, node, built.size + 1, built.height + 1)

    def _refuse(self, problem: str, fix: str, position: Position) -> NoReturn:
        raise YamlError(problem, fix, position)


def _too_deep(position: Position) -> YamlError:
    return YamlError(f"it is nested more than {MAX_NESTING} levels deep", "Flatten it", position)


def _unknown_tag(tag: str, position: Position) -> NotYamlError:
    shown = f"!!{tag.removeprefix(_STANDARD)}" if tag.startswith(_STANDARD) else tag
    return NotYamlError(f"the tag {shown} is not known", "Write the value without it", position)
