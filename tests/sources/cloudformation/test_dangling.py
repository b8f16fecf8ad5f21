"""References to what a template does not declare."""

from __future__ import annotations

import pytest

from tests.sources.support import estate_of

WRITTEN = {
    "Ref": ({"Ref": "Nothing"}, "Ref Nothing"),
    "Fn::GetAtt": ({"Fn::GetAtt": ["Nothing", "Arn"]}, "Fn::GetAtt Nothing.Arn"),
    "dotted Fn::GetAtt": ({"Fn::GetAtt": "Nothing.Arn"}, "Fn::GetAtt Nothing.Arn"),
    "Fn::Sub": ({"Fn::Sub": "a ${Nothing}"}, "Fn::Sub ${Nothing}"),
    "Fn::Sub of an attribute": (
        {"Fn::Sub": ["${Nothing.Arn}${x}", {"x": "y"}]},
        "Fn::Sub ${Nothing.Arn}",
    ),
    "within another function": ({"Fn::Join": ["", ["a", {"Ref": "Nothing"}]]}, "Ref Nothing"),
}


@pytest.mark.parametrize(("value", "form"), WRITTEN.values(), ids=WRITTEN)
def test_a_reference_to_nothing_is_a_problem(value: object, form: str) -> None:
    estate = estate_of({"Key": {"Type": "AWS::KMS::Key", "Properties": {"Description": value}}})
    assert [(one.logical_id, one.message) for one in estate.problems] == [
        ("Key", f"{form} refers to nothing in the template")
    ]


def test_one_of_an_output_is_a_problem() -> None:
    estate = estate_of({}, Outputs={"Out": {"Value": {"Ref": "Nothing"}}})
    assert [(one.logical_id, one.message) for one in estate.problems] == [
        ("", "output Out: Ref Nothing refers to nothing in the template")
    ]


RIGHT = {
    "a parameter": ({"Ref": "Text"}, {}),
    "a pseudo parameter": ({"Ref": "AWS::StackName"}, {}),
    "a resource": ({"Ref": "Other"}, {}),
    "a resource that is never made": ({"Ref": "Never"}, {}),
    "a variable": ({"Fn::Sub": ["${Nothing}", {"Nothing": "x"}]}, {}),
    "text that looks like one": ({"Fn::Sub": "${!Nothing}"}, {}),
    "what SAM may make": ({"Ref": "Nothing"}, {"Transform": "AWS::Serverless-2016-10-31"}),
    "the role of a function": ({"Fn::GetAtt": ["FnRole", "Arn"]}, {}),
}


@pytest.mark.parametrize(("value", "sections"), RIGHT.values(), ids=RIGHT)
def test_what_is_declared_is_none(value: object, sections: dict[str, object]) -> None:
    estate = estate_of(
        {
            "Key": {"Type": "AWS::KMS::Key", "Properties": {"Description": value}},
            "Other": {"Type": "AWS::SQS::Queue"},
            "Fn": {"Type": "AWS::Serverless::Function"},
            "Never": {"Type": "AWS::SQS::Queue", "Condition": "Never"},
        },
        Parameters={"Text": {"Type": "String"}},
        Conditions={"Never": {"Fn::Equals": ["a", "b"]}},
        **sections,
    )
    assert estate.problems == ()
