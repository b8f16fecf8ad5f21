"""What SAM makes of a template: global properties, and roles."""

from __future__ import annotations

import pytest

from kms_constructs.sources.cloudformation.sam import with_globals
from tests.sources.support import ACCOUNT, estate_of, generated

FUNCTION = "AWS::Serverless::Function"
GLOBALS = {
    "KmsKeyArn": "global",
    "Tags": {"a": "1", "b": "2"},
    "Layers": ["x"],
    "Handler": {"Ref": "H"},
}
MERGED = {
    "what is not there is added": ({}, GLOBALS),
    "text is the resource's own": ({"KmsKeyArn": "own"}, {**GLOBALS, "KmsKeyArn": "own"}),
    "objects are merged": ({"Tags": {"b": "3"}}, {**GLOBALS, "Tags": {"a": "1", "b": "3"}}),
    "lists are joined": ({"Layers": ["y"]}, {**GLOBALS, "Layers": ["x", "y"]}),
    "functions are no objects": (
        {"Handler": {"Fn::Sub": "h"}, "Tags": {"Ref": "T"}},
        {**GLOBALS, "Handler": {"Fn::Sub": "h"}, "Tags": {"Ref": "T"}},
    ),
}


@pytest.mark.parametrize(("own", "expected"), MERGED.values(), ids=MERGED)
def test_globals_are_merged(own: dict[str, object], expected: object) -> None:
    raw = {"Type": FUNCTION, "Properties": own}
    found = with_globals({"Globals": {"Function": GLOBALS}}, FUNCTION, raw)
    assert found == {"Type": FUNCTION, "Properties": expected}


@pytest.mark.parametrize(
    ("ignored", "expected"), [("*", {}), (["KmsKeyArn", "Tags"], {"Layers": ["x"], "Handler": {"Ref": "H"}})]
)
def test_globals_may_be_ignored(ignored: object, expected: object) -> None:
    raw = {"Type": FUNCTION, "IgnoreGlobals": ignored, "Properties": {}}
    assert with_globals({"Globals": {"Function": GLOBALS}}, FUNCTION, raw)["Properties"] == expected


@pytest.mark.parametrize("kind", ["AWS::Lambda::Function", "AWS::Serverless::Api"])
def test_globals_of_another_type_do_not_count(kind: str) -> None:
    raw = {"Type": kind, "Properties": {}}
    assert with_globals({"Globals": {"Function": GLOBALS}}, kind, raw) == raw


def test_a_key_in_globals_is_used_by_every_function() -> None:
    functions = {name: {"Type": FUNCTION, "Properties": {}} for name in ("One", "Two")}
    estate = estate_of(
        {"Key": {"Type": "AWS::KMS::Key"}, **functions},
        Transform="AWS::Serverless-2016-10-31",
        Globals={"Function": {"KmsKeyArn": {"Fn::GetAtt": ["Key", "Arn"]}}},
    )
    uses = [(use.location.logical_id, use.path) for use in estate.keys[0].references]
    assert uses == [("One", "Properties/KmsKeyArn"), ("Two", "Properties/KmsKeyArn")]


@pytest.mark.parametrize("kind", [FUNCTION, "AWS::Serverless::StateMachine"])
def test_a_role_is_made_for_what_has_none(kind: str) -> None:
    statement = {"Effect": "Allow", "Principal": {"AWS": {"Fn::GetAtt": ["RRole", "Arn"]}}}
    key = {"Type": "AWS::KMS::Key", "Properties": {"KeyPolicy": {"Statement": [statement]}}}
    maker = {"Type": kind, "Properties": {"RolePath": "/app/"}}
    principals = estate_of({"Key": key, "R": maker}).keys[0].policy.statements[0].principals
    assert isinstance(principals, tuple)
    assert principals[0].value == f"arn:aws:iam::{ACCOUNT}:role/app/{generated('App.RRole.Name')}"
