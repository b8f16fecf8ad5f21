"""The resources of a template, and what may be in it that cannot be seen.

Loops of the language extensions are unrolled. Macros, modules and includes are run by CloudFormation only: a
template that uses them may hold keys that nobody sees here, and that is a problem to report.

See: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/transform-reference.html
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from kms_constructs.model.estate import SourceProblem
from kms_constructs.model.exact import is_object
from kms_constructs.model.frozen import Frozen
from kms_constructs.model.text import display, has_hole
from kms_constructs.model.unknown import is_unknown
from kms_constructs.sources.cloudformation.sam import with_globals
from kms_constructs.sources.cloudformation.scope import Loops, Scope, section
from kms_constructs.sources.positions import Pointer

MAX_LOOPED: Final = 10_000
"""Resources that the loops of one template may make; CloudFormation's own limit is 500."""

_EXTENSIONS: Final = "AWS::LanguageExtensions"
_HARMLESS: Final = (
    "AWS::CodeDeployBlueGreen",
    _EXTENSIONS,
    "AWS::SecretsManager-",
    "AWS::Serverless-",
    "AWS::ServiceCatalog",
)
_MACRO: Final = "Fn::Transform"
_SECTIONS: Final = ("Parameters", "Mappings", "Conditions", "Outputs", "Globals")
"""Sections of a template that decide what its resources are or who gets to know of them."""
_LOOP: Final = "Fn::ForEach::"
_PROCESSED: Final = "Give the processed template (aws cloudformation get-template --template-stage Processed)"


class RawResource(Frozen, frozen=True):
    """A resource as the template has it, loops unrolled.

    Args:
        logical_id: Its logical id.
        type: Its type.
        raw: Its definition, loop variables replaced and SAM's global properties merged in.
        pointer: Where the template has it.
        loops: Variables of the loops that it stands in, outermost first, and their values.
    """

    logical_id: str
    type: str
    raw: Mapping[str, object]
    pointer: Pointer
    loops: Loops


def raw_resources(scope: Scope, problems: list[SourceProblem]) -> Iterator[RawResource]:
    """Every resource, loops unrolled; what cannot be read is a problem."""
    source = scope.input.source

    def problem(message: str, fix: str, logical_id: str = "") -> None:
        problems.append(SourceProblem(source, message, fix, logical_id))

    for message in _changed(scope.input.template):
        problem(message, _PROCESSED)
    # CDK writes the template of an empty stack without the section.
    resources = scope.input.template.get("Resources", {})
    if not isinstance(resources, Mapping):
        problem("Resources is no object", "Give a CloudFormation template")
        return
    members = (_Member(name, raw, ("Resources", name)) for name, raw in resources.items())
    for member in _unrolled(scope, members, [MAX_LOOPED], problems, 0):
        logical_id, raw = unrolled(str(member.name), member.loops), unrolled(member.raw, member.loops)
        if logical_id == _MACRO:
            problem("a macro adds resources, and is not run here", _PROCESSED)
        elif not is_object(raw) or not isinstance(raw.get("Type"), str):
            problem("the resource has no Type", "Give every resource a Type", str(logical_id))
        else:
            kind = str(raw["Type"])
            if kind.endswith("::MODULE"):
                problem("the resource is a module, which is not expanded here", _PROCESSED, str(logical_id))
            if _MACRO in raw or _has_macro(raw.get("Metadata")):
                message = "the resource is changed by a macro, which is not run here"
                problem(message, _PROCESSED, str(logical_id))
            whole = with_globals(scope.input.template, kind, raw)
            yield RawResource(str(logical_id), kind, whole, member.pointer, member.loops)


class _Member(Frozen, frozen=True):
    """A member of Resources or of the body of a loop, as the template has it.

    Args:
        name: Its key.
        raw: Its value.
        pointer: Where it stands.
        loops: Variables of the loops that it stands in, outermost first, and their values.
    """

    name: str
    raw: object
    pointer: Pointer
    loops: Loops = ()


def makes_resources(template: Mapping[str, object]) -> bool:
    """Whether resources may be made of which the template does not tell the logical ids."""
    declared = template.get("Transform")
    names = declared if isinstance(declared, list) else () if declared is None else (declared,)
    loops = (str(name).startswith(_LOOP) for name in section(template, "Resources"))
    own = (_MACRO in part for part in (template, section(template, "Resources")))
    return any(name != _EXTENSIONS for name in names) or any(own) or any(loops)


def _changed(template: Mapping[str, object]) -> Iterator[str]:
    """What macros change of a template, but for its resources.

    A macro is given what stands beside it, and may return anything in its place.
    """
    declared = template.get("Transform")
    for entry in declared if isinstance(declared, list) else () if declared is None else (declared,):
        name = entry.get("Name") if isinstance(entry, Mapping) else entry
        if not isinstance(name, str):
            yield "the template is changed by a macro of unknown name, which is not run here"
        elif not name.startswith(_HARMLESS):
            yield f"the template is changed by the macro {name}, which is not run here"
    if _MACRO in template:
        yield f"the template is changed by the macro {_macro_name(template)}, which is not run here"
    for name in _SECTIONS:
        members = section(template, name)
        if _MACRO in members:
            yield f"{name} are changed by the macro {_macro_name(members)}, which is not run here"
    for name, declared in section(template, "Parameters").items():
        if _has_macro(declared):
            yield f"parameter {name} is changed by a macro, which is not run here"


def _has_macro(node: object) -> bool:
    return is_object(node) and _MACRO in node


def _macro_name(node: Mapping[str, object]) -> str:
    macro = node[_MACRO]
    name = macro.get("Name") if isinstance(macro, Mapping) else macro
    return name if isinstance(name, str) else "of unknown name"


def _unrolled(
    scope: Scope,
    members: Iterable[_Member],
    budget: list[int],
    problems: list[SourceProblem],
    depth: int,
) -> Iterator[_Member]:
    for member in members:
        name = str(unrolled(str(member.name), member.loops))
        if not name.startswith(_LOOP):
            yield member
            continue
        loop = member.raw if isinstance(member.raw, list) and len(member.raw) == 3 and depth < 5 else None
        variable = unrolled(loop[0], member.loops) if loop else None
        values = scope.resolve(unrolled(loop[1], member.loops)) if loop else None
        if (
            loop is None
            or not isinstance(variable, str)
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
            loops = (*member.loops, (variable, str(value)))
            body = (_Member(key, node, (*member.pointer, 2, key), loops) for key, node in loop[2].items())
            yield from _unrolled(scope, body, budget, problems, depth + 1)


def unrolled(node: object, loops: Loops) -> object:
    """A part of the body of loops, with the values in the places of the loops' variables."""
    for name, value in loops:
        node = _with_value(node, name, value, 0)
    return node


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
