"""Lines of resources and properties in the files they came from, for reports that annotate source code."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

from kms_constructs.guardrails.finding import Finding

_MAXIMUM_SIZE = 32 * 1024 * 1024
_PIECE = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\]:,\n]|[^\s{}\[\]:,"]+')


@dataclass(slots=True)
class Node:
    """A value in a document: the line it starts on (from 1), and its members by key or index."""

    line: int
    members: dict[str, Node] = field(default_factory=dict)

    def descend(self, path: list[str]) -> Node:
        """The node at the path, or the deepest one on the way to it."""
        node = self
        for part in path:
            member = node.members.get(part)
            if member is None:
                return node
            node = member
        return node


class SourceLines:
    """Looks up the lines of findings; reads each file once, when it is first asked for.

    A file that is gone, too large or not understood has no lines: the report is then without them, and
    nothing else changes.
    """

    def __init__(self) -> None:
        self._documents: dict[str, Node | None] = {}

    def line_of(self, finding: Finding) -> int | None:
        """Line (from 1) of what the finding is about: the property if it is there, else the resource."""
        source = finding.location.source
        if source not in self._documents:
            self._documents[source] = _read(source)
        document = self._documents[source]
        if document is None:
            return None
        path = [part for part in finding.path.split("/") if part]
        if logical_id := finding.location.logical_id:
            resources = document.members.get("Resources")
            if resources is None or logical_id not in resources.members:
                return None
            return resources.members[logical_id].descend(path).line
        return document.descend(path).line


def _read(source: str) -> Node | None:
    path = Path(source)
    try:
        if not path.is_file() or path.stat().st_size > _MAXIMUM_SIZE:
            return None
        text = path.read_text("utf-8-sig")
        return json_nodes(text) if text.lstrip()[:1] in ("{", "[") else _yaml_nodes(text)
    except (OSError, ValueError, RecursionError):
        return None


def json_nodes(text: str) -> Node | None:
    """The values of a JSON document with their lines; None when it is not JSON.

    A member's line is that of its key.
    """
    line = 1
    root: Node | None = None
    # Containers that are open: the node, whether it is a list, and the key or index that comes next.
    stack: list[tuple[Node, bool]] = []
    keys: list[str | int | None] = []
    key_line = 1
    after_colon = False
    for match in _PIECE.finditer(text):
        piece = match.group()
        if piece == "\n":
            line += 1
        elif piece in ("}", "]"):
            if not stack:
                return None
            stack.pop()
            keys.pop()
            after_colon = False
        elif piece == ":":
            after_colon = True
        elif piece == ",":
            after_colon = False
        elif stack and not stack[-1][1] and not after_colon:
            keys[-1] = _unquoted(piece)
            key_line = line
        else:
            node = Node(line)
            if not stack:
                root = root or node
            else:
                parent, is_list = stack[-1]
                key = keys[-1]
                if is_list:
                    index = key if isinstance(key, int) else 0
                    parent.members[str(index)] = node
                    keys[-1] = index + 1
                else:
                    node.line = key_line
                    parent.members[str(key)] = node
            if piece in ("{", "["):
                stack.append((node, piece == "["))
                keys.append(0 if piece == "[" else None)
                after_colon = False
    return root if not stack else None


def _unquoted(piece: str) -> str:
    if "\\" not in piece:
        return piece.strip('"')
    import json

    return str(json.loads(piece))


def _yaml_nodes(text: str) -> Node | None:
    try:
        import yaml
    except ImportError:  # the extra "yaml" is not installed, and so no YAML was judged
        return None
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        root = yaml.compose(text, Loader=loader)
    except yaml.YAMLError:
        return None
    return None if root is None else _from_yaml(root, 0)


_MAXIMUM_DEPTH = 100


def _from_yaml(node: object, depth: int, line: int | None = None) -> Node:
    import yaml

    assert isinstance(node, yaml.Node)  # noqa: S101 - compose gives nothing else
    found = Node(node.start_mark.line + 1 if line is None else line)
    if depth > _MAXIMUM_DEPTH:
        return found
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            name = key.value if isinstance(key, yaml.ScalarNode) else ""
            found.members[str(name)] = _from_yaml(value, depth + 1, key.start_mark.line + 1)
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            found.members[str(index)] = _from_yaml(value, depth + 1)
    return found
