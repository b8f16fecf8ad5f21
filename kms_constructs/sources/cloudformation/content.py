"""The resources of a template, and what may be in it that cannot be seen.

Loops of the language extensions are unrolled. Macros, modules and includes are run by CloudFormation only: a
template that uses them may hold keys that nobody sees here, and that is a problem to report.

See: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/transform-reference.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Final

from kms_constructs.model.estate import SourceProblem
from kms_constructs.model.text import display, has_hole
from kms_constructs.model.unknown import is_unknown

if TYPE_CHECKING:
    from kms_constructs.sources.cloudformation.resolver import Scope

MAX_LOOPED: Final = 10_000
"""Resources that the loops of one template may make; CloudFormation's own limit is 500."""

_HARMLESS: Final = (
    "AWS::CodeDeployBlueGreen",
    "AWS::LanguageExtensions",
    "AWS::SecretsManager-",
    "AWS::Serverless-",
    "AWS::ServiceCatalog",
)
_LOOP: Final = "Fn::ForEach::"
_PROCESSED: Final = "Give the processed template (aws cloudformation get-template --template-stage Processed)"


def raw_resources(
    scope: Scope, problems: list[SourceProblem]
) -> Iterator[tuple[str, Mapping[str, object], str]]:
    """Logical id, definition and type of every resource, loops unrolled; what cannot be read is a problem."""
    source = scope.input.source

    def problem(message: str, fix: str, logical_id: str = "") -> None:
        problems.append(SourceProblem(source, message, fix, logical_id))

    for name in _transforms(scope.input.template.get("Transform")):
        if not name.startswith(_HARMLESS):
            problem(f"the template is changed by the macro {name}, which is not run here", _PROCESSED)
    # CDK writes the template of an empty stack without the section.
    resources = scope.input.template.get("Resources", {})
    if not isinstance(resources, Mapping):
        problem("Resources is no object", "Give a CloudFormation template")
        return
    budget = [MAX_LOOPED]
    for logical_id, raw in _unrolled(scope, resources, budget, problems, 0):
        if logical_id == "Fn::Transform":
            problem("a macro adds resources, and is not run here", _PROCESSED)
        elif not isinstance(raw, Mapping) or not isinstance(raw.get("Type"), str):
            problem("the resource has no Type", "Give every resource a Type", logical_id)
        else:
            if str(raw["Type"]).endswith("::MODULE"):
                problem("the resource is a module, which is not expanded here", _PROCESSED, logical_id)
            yield logical_id, raw, str(raw["Type"])


def _transforms(declared: object) -> Iterator[str]:
    for entry in declared if isinstance(declared, list) else (declared,):
        name = entry.get("Name") if isinstance(entry, Mapping) else entry
        if isinstance(name, str):
            yield name


def _unrolled(
    scope: Scope,
    resources: Mapping[str, object],
    budget: list[int],
    problems: list[SourceProblem],
    depth: int,
) -> Iterator[tuple[str, object]]:
    for logical_id, raw in resources.items():
        name = str(logical_id)
        if not name.startswith(_LOOP):
            yield name, raw
            continue
        loop = raw if isinstance(raw, list) and len(raw) == 3 and depth < 5 else None
        values = scope.resolve(loop[1]) if loop else None
        if (
            loop is None
            or not isinstance(loop[0], str)
            or not isinstance(loop[2], Mapping)
            or not isinstance(values, list)
            or not all(isinstance(value, str) and not has_hole(value) for value in values)
        ):
            doubt = f": {display(values.reason)}" if is_unknown(values) else ""
            message = f"the loop {name} cannot be unrolled{doubt}"
            problems.append(SourceProblem(scope.input.source, message, _PROCESSED))
            continue
        for value in values:
            if budget[0] <= 0:
                message = f"the loops make more than {MAX_LOOPED} resources"
                problems.append(SourceProblem(scope.input.source, message, _PROCESSED))
                return
            budget[0] -= len(loop[2])
            body = _with_value(loop[2], loop[0], str(value), 0)
            if isinstance(body, Mapping):
                yield from _unrolled(scope, body, budget, problems, depth + 1)


def _with_value(node: object, name: str, value: str, depth: int) -> object:
    if depth > 100:
        return None
    if isinstance(node, str):
        if "{" not in node:
            return node
        alphanumeric = re.sub(r"[^A-Za-z0-9]", "", value)
        return node.replace(f"${{{name}}}", value).replace(f"&{{{name}}}", alphanumeric)
    if isinstance(node, Mapping):
        if len(node) == 1 and node.get("Ref") == name:
            return value
        return {
            str(_with_value(str(key), name, value, depth)): _with_value(member, name, value, depth + 1)
            for key, member in node.items()
        }
    if isinstance(node, list):
        return [_with_value(member, name, value, depth + 1) for member in node]
    return node
