"""A unified diff of two policy documents, statement by statement.

Compared as lines alone, a statement that is split shows half of its neighbours as new.

See: https://www.gnu.org/software/diffutils/manual/html_node/Detailed-Unified.html
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from difflib import SequenceMatcher
from typing import Any

_CONTEXT = 3
_Opcode = tuple[str, int, int, int, int]


def policy_diff(
    before: Mapping[str, Any], after: Mapping[str, Any], parts: Sequence[int], names: tuple[str, str]
) -> str:
    """The change from one document to another; empty when there is none.

    Args:
        before: A document with a list of statements.
        after: One with at least one statement.
        parts: How many statements of the second come of each of the first, in order.
        names: What the two are called.

    Example:
        >>> before = {"Version": "1", "Statement": [{"Sid": "A"}, {"Sid": "B"}]}
        >>> after = {"Version": "1", "Statement": [{"Sid": "B"}]}
        >>> print(policy_diff(before, after, (0, 1), ("old", "new")), end="")
        --- old
        +++ new
        @@ -1,9 +1,6 @@
         {
           "Version": "1",
           "Statement": [
        -    {
        -      "Sid": "A"
        -    },
             {
               "Sid": "B"
             }
    """
    if before == after:
        return ""
    old, new = _blocks(before), _blocks(after)
    starts = _groups(parts)
    pairs: list[tuple[list[str], list[list[str]]]] = [(old[0], [new[0]])]
    pairs += [
        (block, new[1 + start : 1 + end]) for block, (start, end) in zip(old[1:-1], starts, strict=True)
    ]
    pairs.append((old[-1], [new[-1]]))
    left = [line for block in old for line in block]
    right = [line for block in new for line in block]
    lines = [f"--- {names[0]}", f"+++ {names[1]}"]
    for group in _Found(_joined(_opcodes(pairs))).get_grouped_opcodes(_CONTEXT):
        lines += _hunk(group, left, right)
    return "".join(f"{line}\n" for line in lines)


class _Found(SequenceMatcher[str]):
    """Groups what was found already."""

    def __init__(self, opcodes: list[_Opcode]) -> None:
        super().__init__()
        self._opcodes = opcodes

    def get_opcodes(self) -> list[Any]:
        """What was found."""
        return self._opcodes


def _groups(parts: Sequence[int]) -> Iterator[tuple[int, int]]:
    start = 0
    for number in parts:
        yield start, start + number
        start += number


def _blocks(document: Mapping[str, Any]) -> list[list[str]]:
    """The lines of a document: what comes before its statements, each of them, what comes behind."""
    statements = document["Statement"]
    text = json.dumps({**document, "Statement": []}, indent=2, ensure_ascii=False).splitlines()
    head = [*text[:-2], text[-2].replace("[]", "[")]
    blocks = [head]
    for number, statement in enumerate(statements, 1):
        lines = [f"    {line}" for line in json.dumps(statement, indent=2, ensure_ascii=False).splitlines()]
        if number < len(statements):
            lines[-1] += ","
        blocks.append(lines)
    return [*blocks, ["  ]", "}"]]


def _opcodes(pairs: Sequence[tuple[list[str], list[list[str]]]]) -> Iterator[_Opcode]:
    """What becomes of the lines of each block: the first that comes of it is compared, the others are new."""
    left = right = 0
    for block, made in pairs:
        first = made[0] if made else []
        for tag, i, j, k, m in SequenceMatcher(None, block, first, autojunk=False).get_opcodes():
            yield tag, left + i, left + j, right + k, right + m
        left += len(block)
        right += len(first)
        for more in made[1:]:
            yield "insert", left, left, right, right + len(more)
            right += len(more)


def _joined(opcodes: Iterator[_Opcode]) -> list[_Opcode]:
    """Lines that stay, as one run."""
    found: list[_Opcode] = []
    for tag, i, j, k, m in opcodes:
        if found and found[-1][0] == tag == "equal":
            _, start, _, other, _ = found.pop()
            found.append((tag, start, j, other, m))
        else:
            found.append((tag, i, j, k, m))
    return found


def _hunk(group: Sequence[_Opcode], left: Sequence[str], right: Sequence[str]) -> Iterator[str]:
    first, last = group[0], group[-1]
    yield f"@@ -{_range(first[1], last[2])} +{_range(first[3], last[4])} @@"
    for tag, i, j, k, m in group:
        if tag == "equal":
            yield from (f" {line}" for line in left[i:j])
            continue
        yield from (f"-{line}" for line in left[i:j])
        yield from (f"+{line}" for line in right[k:m])


def _range(start: int, end: int) -> str:
    length = end - start
    begin = start + 1 if length else start
    return f"{begin}" if length == 1 else f"{begin},{length}"
