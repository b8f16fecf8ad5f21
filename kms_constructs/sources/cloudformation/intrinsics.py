"""CloudFormation's intrinsic functions, each a function of its own.

Every one takes the stack's scope, the argument as the template has it, the whole node (which names a hole)
and the depth, and returns a resolved value. A text that is not known is text with an unresolved hole; any
other value that is not known is `Unknown`.

See: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/intrinsic-function-reference.html
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Mapping, Sequence

from kms_constructs.model.text import OPEN, HoleKind, display, has_hole, holes, split_holes
from kms_constructs.model.unknown import Maybe, Unknown, is_unknown
from kms_constructs.sources.cloudformation.known import SHALLOW
from kms_constructs.sources.cloudformation.scope import NO_VALUE, Scope
from kms_constructs.sources.positions import START, Pointer

_VARIABLE = re.compile(r"\$\{([^{}]*)\}")
# Parts of an ARN: none of them can hold the characters that ARNs are split at.
_ATOMS = ("AWS::AccountId", "AWS::Region", ".Name", ".KeyId", ".Ref")


def ref(scope: Scope, argument: object, node: object, depth: int) -> object:
    """``Ref`` of a parameter, a pseudo parameter or a resource."""
    name = argument if isinstance(argument, str) else scope.resolve(argument, depth)
    if not isinstance(name, str) or has_hole(name):
        return Unknown("Ref names nothing")
    return scope.reference(name, depth)


def get_att(scope: Scope, argument: object, node: object, depth: int) -> object:
    """``Fn::GetAtt`` as a list or as dotted text."""
    if isinstance(argument, str):
        logical_id, _, attribute = argument.partition(".")
    elif isinstance(argument, list | tuple) and len(argument) == 2 and _are_plain(*argument):
        logical_id, attribute = argument  # as CDK writes it
    elif isinstance(argument, list | tuple) and len(argument) >= 2:
        parts = [part if isinstance(part, str) else scope.resolve(part, depth) for part in argument]
        if not all(isinstance(part, str) and not has_hole(part) for part in parts):
            return scope.as_text(None, node)
        logical_id, attribute = str(parts[0]), ".".join(str(part) for part in parts[1:])
    else:
        return Unknown("Fn::GetAtt needs a logical id and an attribute")
    return scope.attribute(logical_id, attribute, depth)


def _are_plain(one: object, other: object) -> bool:
    return type(one) is str and type(other) is str and OPEN not in one and OPEN not in other


def sub(scope: Scope, argument: object, node: object, depth: int) -> object:
    """``Fn::Sub`` with or without variables of its own."""
    variables: Mapping[str, object] = {}
    if isinstance(argument, list | tuple):
        if len(argument) != 2 or not isinstance(argument[1], Mapping):
            return Unknown("Fn::Sub needs a text, or a text and variables")
        argument, variables = argument
    if not isinstance(argument, str):
        return Unknown("Fn::Sub needs a text")
    known: dict[str, str] = {}

    def replace(match: re.Match[str]) -> str:
        name = match.group(1).strip()
        if name.startswith("!"):
            return f"${{{name[1:]}}}"
        if name not in known:
            if name in variables:
                known[name] = scope.text(variables[name], depth)
            elif "." in name:
                logical_id, _, attribute = name.partition(".")
                known[name] = scope.as_text(
                    scope.attribute(logical_id, attribute, depth), {"Fn::GetAtt": name}
                )
            else:
                known[name] = scope.as_text(scope.reference(name, depth), {"Ref": name})
        return known[name]

    # The text is made safe first: what is put into it is safe already.
    literal = scope.resolve(argument, depth)
    if not isinstance(literal, str):
        return literal
    # A hole has a name that is shown like a variable, and is none.
    return "".join(
        piece if piece.startswith(OPEN) else _VARIABLE.sub(replace, piece) for piece in split_holes(literal)
    )


def join(scope: Scope, argument: object, node: object, depth: int) -> object:
    """``Fn::Join`` of a list, or of a function that gives one."""
    if not isinstance(argument, list | tuple) or len(argument) != 2:
        return Unknown("Fn::Join needs a delimiter and a list")
    delimiter = scope.resolve(argument[0], depth)
    values = scope.resolve(argument[1], depth)
    if not isinstance(delimiter, str) or not isinstance(values, list):
        return scope.as_text(None, node)
    if any(isinstance(value, Maybe) for value in values):
        return scope.as_text(None, node)
    raw = argument[1]
    aligned = isinstance(raw, list) and len(raw) == len(values)
    return delimiter.join(
        scope.as_text(value, raw[index] if aligned else {"Fn::Join": [node, index]})
        for index, value in enumerate(values)
    )


def split(scope: Scope, argument: object, node: object, depth: int) -> object:
    """``Fn::Split``: holes that may hold the delimiter leave the list unknown."""
    if not isinstance(argument, list | tuple) or len(argument) != 2:
        return Unknown("Fn::Split needs a delimiter and a text")
    delimiter = scope.resolve(argument[0], depth)
    text = scope.resolve(argument[1], depth)
    if not isinstance(delimiter, str) or not isinstance(text, str) or not delimiter or has_hole(delimiter):
        return Unknown("the text that Fn::Split cuts is not known")
    if any(not _atom(kind, identity) or delimiter not in ":/" for kind, identity in holes(text)):
        return Unknown(f"{display(text)} may hold {delimiter!r} more often")
    pieces: list[str] = [""]
    for piece in split_holes(text):
        if piece.startswith(OPEN):
            pieces[-1] += piece
            continue
        first, *rest = piece.split(delimiter)
        pieces[-1] += first
        pieces.extend(rest)
    return pieces


def _atom(kind: HoleKind, identity: str) -> bool:
    return kind is not HoleKind.UNRESOLVED and identity.endswith(_ATOMS)


def select(scope: Scope, argument: object, node: object, depth: int) -> object:
    """``Fn::Select``: an element of a list by its index."""
    if not isinstance(argument, list | tuple) or len(argument) != 2:
        return Unknown("Fn::Select needs an index and a list")
    index = _integer(scope.resolve(argument[0], depth))
    values = scope.resolve(argument[1], depth)
    if index is None or not isinstance(values, list) or any(isinstance(value, Maybe) for value in values):
        return scope.as_text(None, node)
    return values[index] if 0 <= index < len(values) else Unknown(f"Fn::Select has no element {index}")


def if_(scope: Scope, argument: object, node: object, depth: int) -> object:
    """``Fn::If`` as a value: unknown when its condition is and the branches differ."""
    if not isinstance(argument, list | tuple) or len(argument) != 3:
        return Unknown("Fn::If needs a condition and two values")
    condition = decided(scope, argument[0], depth)
    if not is_unknown(condition):
        return scope.resolve(argument[1] if condition else argument[2], depth)
    yes, no = scope.resolve(argument[1], depth), scope.resolve(argument[2], depth)
    if yes == no:
        return yes
    if isinstance(yes, list) and isinstance(no, list):
        return [
            value if value in yes and value in no else _maybe(value, condition.reason)
            for value, _, _ in either(yes, no)
        ]
    return condition


def either(yes: list[object], no: list[object]) -> list[tuple[object, int, int]]:
    """What a list may hold of which a condition decides that cannot be resolved.

    Returns:
        Each element with the branch that it comes from (1 or 2, as the arguments count) and its index there.
    """
    return [(value, 1, index) for index, value in enumerate(yes)] + [
        (value, 2, index) for index, value in enumerate(no) if value not in yes
    ]


def if_elements(scope: Scope, argument: object, depth: int) -> list[tuple[object, Pointer]]:
    """``Fn::If`` as an element of a list: both branches may be there when its condition is unknown.

    Returns:
        Each element with where it stands, from the function on.
    """
    if not isinstance(argument, list | tuple) or len(argument) != 3:
        return [(Unknown("Fn::If needs a condition and two values"), START)]
    condition = decided(scope, argument[0], depth)
    if not is_unknown(condition):
        return _branch(scope, argument, 1 if condition else 2, depth)
    one, other = (_branch(scope, argument, number, depth) for number in (1, 2))
    if [value for value, _ in one] == [value for value, _ in other]:
        return one
    return [(_maybe(value, condition.reason), pointer) for value, pointer in (*one, *other)]


def _branch(
    scope: Scope, argument: list[object] | tuple[object, ...], number: int, depth: int
) -> list[tuple[object, Pointer]]:
    branch = argument[number]
    if isinstance(branch, Mapping) and len(branch) == 1 and "Fn::If" in branch and depth < _NESTED_IFS:
        if depth >= SHALLOW:
            scope.is_cut_off(depth)
        inner = if_elements(scope, branch["Fn::If"], depth + 1)
        return [(value, ("Fn::If", number, *pointer)) for value, pointer in inner]
    value = scope.resolve(branch, depth)
    return [] if value is NO_VALUE else [(value, ("Fn::If", number))]


_NESTED_IFS = 60


def _maybe(value: object, reason: str) -> Maybe:
    return value if isinstance(value, Maybe) else Maybe(value, reason)


def decided(scope: Scope, name: object, depth: int) -> bool | Unknown:
    """Whether the condition of a function holds: one by name, or a condition function."""
    if isinstance(name, str):
        return scope.condition(name, depth)
    return scope.truth(name, depth)


def find_in_map(scope: Scope, argument: object, node: object, depth: int) -> object:
    """``Fn::FindInMap``, with its default value."""
    if not isinstance(argument, list | tuple) or len(argument) not in (3, 4):
        return Unknown("Fn::FindInMap needs a map and two keys")
    keys = [scope.resolve(part, depth) for part in argument[:3]]
    texts = [scope.as_text(key, part) for key, part in zip(keys, argument, strict=False)]
    if any(has_hole(text) for text in texts):
        if len(argument) == 4 and isinstance(argument[3], Mapping) and _is_no_key(scope, texts):
            return scope.resolve(argument[3].get("DefaultValue"), depth)
        return Unknown(f"the key {display('/'.join(texts))} of a mapping is decided at deployment")
    found: object = scope.mappings
    for key in texts:
        if isinstance(found, Mapping) and "Fn::Transform" in found:
            return Unknown(f"a macro, which is not run here, makes the mapping {display(texts[0])}")
        found = found.get(key) if isinstance(found, Mapping) else None
    if found is None and len(argument) == 4 and isinstance(argument[3], Mapping):
        return scope.resolve(argument[3].get("DefaultValue"), depth)
    return Unknown(f"the mapping has no {'/'.join(texts)}") if found is None else scope.resolve(found, depth)


def _is_no_key(scope: Scope, texts: Sequence[str]) -> bool:
    """Whether an open key of a mapping is known to be none of the keys that are there."""
    found: object = scope.mappings
    for text in texts:
        if not isinstance(found, Mapping):
            return False
        if has_hole(text):
            return all(scope.world.differ(text, str(key)) for key in found)
        found = found.get(text)
    return False


def base64_(scope: Scope, argument: object, node: object, depth: int) -> object:
    """``Fn::Base64`` of a text."""
    text = scope.text(argument, depth)
    if has_hole(text):
        return scope.as_text(None, node)
    return base64.b64encode(text.encode("utf-8", "replace")).decode("ascii")


def import_value(scope: Scope, argument: object, node: object, depth: int) -> object:
    """``Fn::ImportValue``, from the templates given."""
    name = scope.text(argument, depth)
    value = scope.imported(("export", name, scope.account, scope.region), depth)
    return scope.unresolved(f"Fn::ImportValue({display(name)})") if value is None else value


def get_stack_output(scope: Scope, argument: object, node: object, depth: int) -> object:
    """``Fn::GetStackOutput``, from the templates given."""
    if not isinstance(argument, Mapping):
        return Unknown("Fn::GetStackOutput needs an object")
    stack = scope.text(argument.get("StackName", ""), depth)
    region = scope.text(argument["Region"], depth) if "Region" in argument else scope.region
    output = scope.text(argument.get("OutputName", ""), depth)
    value = scope.imported(("output", stack, region, output), depth)
    if value is None:
        return scope.unresolved(f"Fn::GetStackOutput({display(f'{stack}.{output}@{region}')})")
    return value


def length(scope: Scope, argument: object, node: object, depth: int) -> object:
    """``Fn::Length`` of a list."""
    values = scope.resolve(argument, depth)
    if not isinstance(values, list) or any(isinstance(value, Maybe) for value in values):
        return Unknown("the list that Fn::Length counts is not known")
    return len(values)


def to_json_string(scope: Scope, argument: object, node: object, depth: int) -> object:
    """``Fn::ToJsonString`` of an object or a list; unknown when a part of it is."""
    value = scope.resolve(argument, depth)
    try:
        return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    except (TypeError, ValueError, RecursionError):
        return Unknown("a part of what Fn::ToJsonString writes is not known")


def _deployment(name: str) -> Callable[[Scope, object, object, int], object]:
    def unknown(scope: Scope, argument: object, node: object, depth: int) -> object:
        return Unknown(f"{name} is decided at deployment")

    return unknown


FUNCTIONS: dict[str, Callable[[Scope, object, object, int], object]] = {
    "Ref": ref,
    "Fn::Base64": base64_,
    "Fn::Cidr": _deployment("Fn::Cidr"),
    "Fn::FindInMap": find_in_map,
    "Fn::GetAZs": _deployment("Fn::GetAZs"),
    "Fn::GetAtt": get_att,
    "Fn::GetStackOutput": get_stack_output,
    "Fn::If": if_,
    "Fn::ImportValue": import_value,
    "Fn::Join": join,
    "Fn::Length": length,
    "Fn::Select": select,
    "Fn::Split": split,
    "Fn::Sub": sub,
    "Fn::ToJsonString": to_json_string,
    "Fn::Transform": _deployment("Fn::Transform"),
}
"""Function by name, for values."""


def equals(scope: Scope, argument: object, depth: int) -> bool | Unknown:
    """``Fn::Equals``: texts with different holes may be equal or not."""
    if not isinstance(argument, list | tuple) or len(argument) != 2:
        return Unknown("Fn::Equals needs two values")
    one, other = (scope.resolve(part, depth) for part in argument)
    if isinstance(one, list | Mapping) and isinstance(other, list | Mapping):
        return True if one == other else Unknown("lists and objects are not compared")
    left, right = (scope.as_text(value, part) for value, part in zip((one, other), argument, strict=True))
    if left == right:
        return True
    if scope.world.differ(left, right):
        return False
    open_text = left if has_hole(left) else right
    return Unknown(f"{display(open_text)} is decided at deployment") if has_hole(open_text) else False


def and_(scope: Scope, argument: object, depth: int) -> bool | Unknown:
    """``Fn::And``: false when any part is, whatever the others are."""
    return _combine(scope, argument, depth, decisive=False)


def or_(scope: Scope, argument: object, depth: int) -> bool | Unknown:
    """``Fn::Or``: true when any part is, whatever the others are."""
    return _combine(scope, argument, depth, decisive=True)


def _combine(scope: Scope, argument: object, depth: int, *, decisive: bool) -> bool | Unknown:
    if not isinstance(argument, list | tuple) or not argument:
        return Unknown("a condition function needs a list of conditions")
    open_value: Unknown | None = None
    for part in argument:
        value = scope.truth(part, depth)
        if is_unknown(value):
            open_value = value
        elif value is decisive:
            return decisive
    return (not decisive) if open_value is None else open_value


def not_(scope: Scope, argument: object, depth: int) -> bool | Unknown:
    """``Fn::Not`` of one condition."""
    if not isinstance(argument, list | tuple) or len(argument) != 1:
        return Unknown("Fn::Not needs one condition")
    value = scope.truth(argument[0], depth)
    return value if is_unknown(value) else not value


def condition(scope: Scope, argument: object, depth: int) -> bool | Unknown:
    """``Condition``: another condition by name."""
    if not isinstance(argument, str):
        return Unknown("Condition names nothing")
    return scope.condition(argument, depth)


CONDITIONS: dict[str, Callable[[Scope, object, int], bool | Unknown]] = {
    "Condition": condition,
    "Fn::And": and_,
    "Fn::Equals": equals,
    "Fn::Not": not_,
    "Fn::Or": or_,
}
"""Function by name, for conditions."""


def _integer(value: object) -> int | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 10:
        return int(value)
    return None
