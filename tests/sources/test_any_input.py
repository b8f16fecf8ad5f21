"""Whatever a template or a file holds: never an exception, never a hang, never an unknown that passes."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kms_constructs.model.estate import Estate
from kms_constructs.model.unknown import Unknown
from kms_constructs.sources import TemplateInput, estate_from_templates, key_from_policy, load

TYPES = (
    "AWS::CloudFormation::Stack",
    "AWS::CloudTrail::Trail",
    "AWS::IAM::Group",
    "AWS::IAM::ManagedPolicy",
    "AWS::IAM::Policy",
    "AWS::IAM::Role",
    "AWS::IAM::User",
    "AWS::IAM::UserToGroupAddition",
    "AWS::KMS::Alias",
    "AWS::KMS::Key",
    "AWS::KMS::ReplicaKey",
    "AWS::S3::Bucket",
    "AWS::SSM::Parameter",
    "AWS::SSO::PermissionSet",
    "AWS::Serverless::Function",
    "Custom::Thing",
)
PROPERTIES = (
    "AdvancedEventSelectors",
    "AliasName",
    "EnableKeyRotation",
    "EventSelectors",
    "Groups",
    "GroupName",
    "InlinePolicy",
    "KeyPolicy",
    "ManagedPolicyArns",
    "Parameters",
    "PendingWindowInDays",
    "Policies",
    "PolicyDocument",
    "PrimaryKeyArn",
    "RoleName",
    "Roles",
    "Tags",
    "TargetKeyId",
    "TemplateURL",
    "Users",
    "Value",
)
FUNCTIONS = (
    "Condition",
    "Fn::And",
    "Fn::Base64",
    "Fn::Equals",
    "Fn::FindInMap",
    "Fn::ForEach::X",
    "Fn::GetAtt",
    "Fn::GetStackOutput",
    "Fn::If",
    "Fn::ImportValue",
    "Fn::Join",
    "Fn::Length",
    "Fn::Not",
    "Fn::Or",
    "Fn::Select",
    "Fn::Split",
    "Fn::Sub",
    "Fn::ToJsonString",
    "Fn::Transform",
    "Ref",
)
WORDS = (
    "A",
    "B",
    "C",
    "P",
    "L",
    "AWS::NoValue",
    "AWS::AccountId",
    "${A.Arn}${P}",
    "alias/x",
    "*",
    "{{resolve:x}}",
    "Arn",
)

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-2, 400),
    st.floats(allow_nan=False),
    st.text(max_size=6),
    st.sampled_from(WORDS),
)
values = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from((*PROPERTIES, *FUNCTIONS, "Statement", "Key", "x")), inner, max_size=3
        ),
        st.builds(lambda name, value: {name: value}, st.sampled_from(FUNCTIONS), inner),
        st.builds(
            lambda name, value: {"Fn::If": [name, value, {"Ref": "AWS::NoValue"}]},
            st.sampled_from("CD"),
            inner,
        ),
    ),
    max_leaves=12,
)
resources = st.fixed_dictionaries(
    {"Type": st.one_of(st.sampled_from(TYPES), scalars)},
    optional={
        "Properties": st.one_of(st.dictionaries(st.sampled_from(PROPERTIES), values, max_size=5), values),
        "Condition": st.one_of(st.sampled_from("CD"), scalars),
        "Metadata": st.one_of(st.dictionaries(st.just("kms-constructs"), values), values),
        "DeletionPolicy": values,
    },
)
names = st.sampled_from("ABCD")
templates = st.fixed_dictionaries(
    {"Resources": st.one_of(st.dictionaries(names, resources, max_size=4), values)},
    optional={
        "Parameters": st.one_of(
            st.just({"P": {"Type": "String"}, "L": {"Type": "CommaDelimitedList"}}),
            st.dictionaries(st.sampled_from("PLAB"), values, max_size=3),
        ),
        "Conditions": st.one_of(st.dictionaries(st.sampled_from("CD"), values, max_size=2), values),
        "Mappings": values,
        "Outputs": st.one_of(
            st.dictionaries(
                names,
                st.fixed_dictionaries(
                    {"Value": values}, optional={"Export": st.fixed_dictionaries({"Name": values})}
                ),
            ),
            values,
        ),
        "Transform": values,
    },
)


def _whole(estate: Estate) -> None:
    """What is in an estate can be shown, and its keys are told apart."""
    assert repr(estate)
    assert len({key.id for key in estate.keys}) == len(estate.keys)
    for found in (*estate.keys, *estate.identity_policies):
        for path in ("", found.policy.path, *(statement.path for statement in found.policy.statements)):
            position = found.location.position(path)
            assert position is None or min(position) >= 1


@given(st.lists(templates, min_size=1, max_size=3))
def test_any_templates(documents: list[dict[str, Any]]) -> None:
    _whole(
        estate_from_templates([TemplateInput(item, f"{index}.json") for index, item in enumerate(documents)])
    )


@given(values)
def test_any_policy(document: object) -> None:
    assert key_from_policy(document, source="p.json").policy_only


@given(values)
def test_a_property_that_a_parameter_decides_is_never_known(value: object) -> None:
    """Whatever stands beside it in the template."""
    template = {
        "Parameters": {"Open": {"Type": "String"}},
        "Resources": {
            "Key": {
                "Type": "AWS::KMS::Key",
                "Properties": {
                    "EnableKeyRotation": {"Ref": "Open"},
                    "KeyPolicy": {"Ref": "Open"},
                    "Tags": value,
                },
            }
        },
    }
    key = estate_from_templates([TemplateInput(template, "a.json")]).keys[0]
    assert isinstance(key.rotation_enabled, Unknown)
    assert isinstance(key.policy.unknown, Unknown)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.one_of(st.binary(max_size=60), templates.map(lambda item: json.dumps(item).encode())))
def test_any_file(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(content)
    estate = load([path])
    _whole(estate)
    assert estate.keys or estate.sources or estate.problems


def _stack(path: str) -> dict[str, object]:
    return {"Type": "AWS::CloudFormation::Stack", "Properties": {"TemplateURL": path}}


def _chain(length: int, make: Callable[[int], tuple[str, object]]) -> dict[str, object]:
    return dict(make(index) for index in range(length))


KEY = {"Type": "AWS::KMS::Key"}
MADE_TO_HURT: dict[str, dict[str, object]] = {
    "a chain of names": {
        "Resources": _chain(
            3_000,
            lambda n: (f"R{n}", {"Type": "AWS::IAM::Role", "Properties": {"RoleName": {"Ref": f"R{n + 1}"}}}),
        )
    },
    "a chain of conditions": {
        "Conditions": _chain(500, lambda n: (f"C{n}", {"Fn::Or": [{"Condition": f"C{n + 1}"}] * 10})),
        "Resources": {"K": {**KEY, "Condition": "C0"}},
    },
    "a chain of exports": {
        "Resources": {},
        "Outputs": _chain(
            2_000,
            lambda n: (f"O{n}", {"Value": {"Fn::ImportValue": f"e{n + 1}"}, "Export": {"Name": f"e{n}"}}),
        ),
    },
    "a template of itself": {"Resources": _chain(50, lambda n: (f"S{n}", _stack("a.json")))},
    "loops in loops": {
        "Resources": {
            "Fn::ForEach::A": [
                "A",
                ["x"] * 100,
                {
                    "Fn::ForEach::B": [
                        "B",
                        ["y"] * 100,
                        {"Fn::ForEach::C": ["C", [str(n) for n in range(100)], {"K${C}": KEY}]},
                    ]
                },
            ]
        }
    },
}


@pytest.mark.parametrize("template", MADE_TO_HURT.values(), ids=MADE_TO_HURT.keys())
def test_templates_made_to_hurt(template: dict[str, object]) -> None:
    _whole(estate_from_templates([TemplateInput(template, "a.json")]))


def test_nested_stacks_that_multiply_end() -> None:
    def level(index: int) -> TemplateInput:
        nested = _chain(8, lambda n: (f"S{n}", _stack(f"{index + 1}.json")))
        return TemplateInput({"Resources": nested}, f"{index}.json")

    _whole(estate_from_templates([level(index) for index in range(8)]))
