"""What is resolved without the parameters holds for every value that they may get."""

import re
from collections.abc import Mapping

from hypothesis import example, given, settings
from hypothesis import strategies as st

from kms_constructs.model.text import display, has_hole, split_holes
from kms_constructs.model.unknown import Maybe, Unknown
from kms_constructs.sources.cloudformation.scope import NO_VALUE
from tests.sources.support import scope_of

PARAMETERS = {
    "P": {"Type": "String"},
    "Q": {"Type": "String"},
    "L": {"Type": "CommaDelimitedList"},
}
MAPPINGS = {"M": {"a": {"k": "mapped-a", "l": ["1", "2"]}, "b": {"k": "mapped-b", "l": ["3"]}}}
RESOURCES = {
    "Role": {"Type": "AWS::IAM::Role", "Properties": {}},
    "Named": {"Type": "AWS::IAM::Role", "Properties": {"RoleName": {"Ref": "P"}, "Path": "/x/"}},
    "Maybe": {"Type": "AWS::IAM::Role", "Condition": "C"},
}
leaves = st.sampled_from(
    [
        "a",
        "b",
        "a,b",
        "",
        True,
        7,
        {"Ref": "P"},
        {"Ref": "Q"},
        {"Ref": "L"},
        {"Ref": "AWS::Region"},
        {"Ref": "AWS::NoValue"},
        {"Ref": "Role"},
        {"Fn::GetAtt": ["Named", "Arn"]},
        {"Fn::GetAtt": ["Role", "Arn"]},
        {"Ref": "Maybe"},
        {"Fn::Sub": "${P}/${Role.Arn}/${!Q}/${Q}"},
        {"Fn::FindInMap": ["M", {"Ref": "P"}, "k"]},
        {"Fn::FindInMap": ["M", "a", "l"]},
    ]
)


def _composed(inner: st.SearchStrategy[object]) -> st.SearchStrategy[object]:
    lists = st.lists(inner, max_size=3)
    return st.one_of(
        lists,
        st.dictionaries(st.sampled_from("xyz"), inner, max_size=3),
        st.builds(lambda items: {"Fn::Join": [",", items]}, st.one_of(lists, inner)),
        st.builds(lambda text: {"Fn::Split": [",", text]}, inner),
        st.builds(lambda text: {"Fn::Split": ["/", text]}, inner),
        st.builds(
            lambda index, items: {"Fn::Select": [index, items]}, st.integers(0, 2), st.one_of(lists, inner)
        ),
        st.builds(lambda yes, no: {"Fn::If": ["C", yes, no]}, inner, inner),
        st.builds(lambda yes, no: {"Fn::If": ["D", yes, no]}, inner, inner),
        st.builds(lambda value: {"Fn::Sub": ["<${V}>${P}", {"V": value}]}, inner),
        st.builds(lambda value: {"Fn::ToJsonString": value}, inner),
        st.builds(lambda value: {"Fn::Base64": value}, inner),
        st.builds(lambda value: {"Fn::Length": value}, inner),
        st.builds(
            lambda key, default: {"Fn::FindInMap": ["M", key, "k", {"DefaultValue": default}]}, inner, inner
        ),
    )


expressions = st.recursive(leaves, _composed, max_leaves=8)
comparisons = st.builds(lambda one, other: {"Fn::Equals": [one, other]}, leaves, leaves)
conditions = st.recursive(
    comparisons,
    lambda inner: st.one_of(
        st.builds(lambda part: {"Fn::Not": [part]}, inner),
        st.builds(lambda *parts: {"Fn::And": list(parts)}, inner, inner),
        st.builds(lambda *parts: {"Fn::Or": list(parts)}, inner, inner),
    ),
    max_leaves=4,
)
texts = st.sampled_from(["a", "b", "a,b", "", "x/y", "7"])


def _covers(found: object, real: object) -> bool:
    """Whether a value found without the parameters leaves room for the real one."""
    if isinstance(found, Unknown):
        return True
    if isinstance(found, str) and isinstance(real, str):
        return _matches(found, real)
    if isinstance(found, list) and isinstance(real, list):
        certain = [element for element in found if not isinstance(element, Maybe)]
        possible = [element.value if isinstance(element, Maybe) else element for element in found]
        return all(any(_covers(element, item) for item in real) for element in certain) and all(
            any(_covers(element, item) for element in possible) for item in real
        )
    if isinstance(found, Mapping) and isinstance(real, Mapping):
        return all(name in found for name in real) and all(
            isinstance(value, Unknown) if name not in real else _covers(value, real[name])
            for name, value in found.items()
        )
    if isinstance(found, str) and has_hole(found):
        # Text stands for a scalar, however it is written; for a list or an object only a whole hole may.
        scalar = isinstance(real, bool | int | float)
        return scalar or (len(split_holes(found)) == 1 and "\ue000u:" in found)
    return found is real if found is NO_VALUE or real is NO_VALUE else found == real


def _is_known(real: object) -> bool:
    """Whether nothing in a value is left open: malformed expressions are, with every parameter given."""
    if isinstance(real, str):
        return "\ue000u:" not in real
    if isinstance(real, Mapping):
        return all(_is_known(value) for value in real.values())
    if isinstance(real, list):
        return all(_is_known(value) for value in real)
    return not isinstance(real, Unknown | Maybe)


def _matches(found: str, real: str) -> bool:
    names: dict[str, str] = {}
    pattern = ""
    for piece in split_holes(found):
        if not has_hole(piece):
            pattern += re.escape(piece)
        elif piece in names:
            pattern += f"(?P={names[piece]})"
        else:
            names[piece] = f"h{len(names)}"
            pattern += f"(?P<{names[piece]}>.*)"
    return re.fullmatch(pattern, real, re.DOTALL) is not None


given_parameters = st.fixed_dictionaries({"P": texts, "Q": texts, "L": texts})


@settings(max_examples=400)
@given(expressions, conditions, conditions, given_parameters)
@example({"Fn::If": ["C", ["a"], ["b"]]}, {"Fn::Equals": [{"Ref": "P"}, "a"]}, {}, {"P": "a"})
def test_what_is_found_leaves_room_for_what_is_real(
    expression: object, first: object, second: object, parameters: dict[str, str]
) -> None:
    template: dict[str, object] = {
        "Parameters": PARAMETERS,
        "Mappings": MAPPINGS,
        "Conditions": {"C": first, "D": second},
        "Resources": RESOURCES,
    }
    found, real = scope_of(template), scope_of(template, **parameters)
    for name in ("C", "D"):
        truth = found.condition(name, 0)
        assert isinstance(truth, Unknown) or truth is real.condition(name, 0)
    value, wanted = found.resolve(expression), real.resolve(expression)
    assert not _is_known(wanted) or _covers(value, wanted), (display(repr(value)), wanted)
