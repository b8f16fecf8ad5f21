"""References to what a template does not declare: CloudFormation refuses such a template."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Set
from typing import Final

from kms_constructs.model.estate import SourceProblem
from kms_constructs.sources.cloudformation.scope import MAX_DEPTH, Scope, section

_VARIABLE = re.compile(r"\$\{([^!{}][^{}]*)\}")
_FIX: Final = "Declare it as a parameter or a resource, or correct the name"


def dangling(scope: Scope, missing: Set[str]) -> tuple[SourceProblem, ...]:
    """A problem for each reference to something that was looked for and is not in the template.

    Args:
        scope: The stack.
        missing: What is not there: see `Scope.missing`.
    """
    source = scope.input.source
    places = [(name, resource.raw) for name, resource in scope.resources.items()]
    outputs = section(scope.input.template, "Outputs")
    found: dict[tuple[str, str], None] = {}
    for place, node in (*places, *((f"output {name}", output) for name, output in outputs.items())):
        for name, form in _references(node, 0):
            if name in missing:
                found.setdefault((place, form))
    problems: list[SourceProblem] = []
    for place, form in found:
        logical_id = "" if place.startswith("output ") else place
        where = f"{place}: " if not logical_id else ""
        message = f"{where}{form} refers to nothing in the template"
        problems.append(SourceProblem(source, message, _FIX, logical_id))
    return tuple(problems)


def _references(node: object, depth: int) -> Iterator[tuple[str, str]]:
    """Names that a part of a template refers to, each with the reference as it is written."""
    if depth > MAX_DEPTH:
        return
    if isinstance(node, list | tuple):
        for member in node:
            yield from _references(member, depth + 1)
    if not isinstance(node, Mapping):
        return
    for key, value in node.items():
        if key == "Ref" and isinstance(value, str):
            yield value, f"Ref {value}"
        elif key == "Fn::GetAtt":
            shown = value if isinstance(value, str) else ".".join(map(str, value)) if _is_list(value) else ""
            yield shown.partition(".")[0], f"Fn::GetAtt {shown}"
        elif key == "Fn::Sub":
            text = value[0] if _is_list(value) and value else value
            known = value[1] if _is_list(value) and len(value) > 1 else {}
            for name in _VARIABLE.findall(text) if isinstance(text, str) else ():
                if not (isinstance(known, Mapping) and name.strip() in known):
                    yield name.strip().partition(".")[0], f"Fn::Sub ${{{name}}}"
        yield from _references(value, depth + 1)


def _is_list(value: object) -> bool:
    return isinstance(value, list | tuple)
