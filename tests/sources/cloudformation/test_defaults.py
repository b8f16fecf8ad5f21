"""Defaults of parameters: taken, told, and left open when nobody wants them."""

from __future__ import annotations

import json

import pytest

from kms_constructs.model.estate import Estate
from kms_constructs.model.text import has_unresolved_hole
from kms_constructs.sources import TemplateInput, estate_from_templates
from tests.sources.support import ACCOUNT, REGION

WHO = {"Type": "String", "Default": f"arn:aws:iam::{ACCOUNT}:role/App"}
STATEMENT = {
    "Effect": "Allow",
    "Principal": {"AWS": {"Ref": "Who"}},
    "Action": "kms:Decrypt",
    "Resource": "*",
}
KEY = {"Type": "AWS::KMS::Key", "Properties": {"KeyPolicy": {"Statement": [STATEMENT]}}}
NOTE = (
    "app.json: 'arn:aws:iam::111122223333:role/App' is taken from the default of parameter Who; "
    "give its value with --parameter, or leave it open with --ignore-defaults"
)


def _estate(*, ignored: bool = False, **parameters: str) -> Estate:
    template = {
        "Parameters": {"Who": WHO, "Name": {"Type": "String", "Default": "n"}, "Unused": WHO},
        "Resources": {
            "Key": KEY,
            "Topic": {"Type": "AWS::SNS::Topic", "Properties": {"DisplayName": {"Ref": "Name"}}},
        },
    }
    item = TemplateInput(template, "app.json", "App", ACCOUNT, REGION)
    return estate_from_templates([item], parameters=parameters, ignore_defaults=ignored)


def _principal(estate: Estate) -> str:
    principals = estate.keys[0].policy.statements[0].principals
    assert isinstance(principals, tuple)
    return principals[0].value


def test_a_default_that_a_policy_takes_is_told_once() -> None:
    estate = _estate()
    assert (_principal(estate), estate.notes) == (WHO["Default"], (NOTE,))


def test_a_value_that_is_given_is_none() -> None:
    estate = _estate(Who="arn:aws:iam::111122223333:role/Other")
    assert (_principal(estate), estate.notes) == ("arn:aws:iam::111122223333:role/Other", ())


def test_defaults_may_be_left_open() -> None:
    estate = _estate(ignored=True)
    assert (has_unresolved_hole(_principal(estate)), estate.notes) == (True, ())


def test_a_value_that_is_given_counts_all_the_same() -> None:
    estate = _estate(ignored=True, Who="arn:aws:iam::111122223333:role/Other")
    assert _principal(estate) == "arn:aws:iam::111122223333:role/Other"


@pytest.mark.parametrize("held", [True, False], ids=["a stack set", "a nested stack"])
def test_what_a_template_deploys_has_its_defaults_for_certain(held: bool) -> None:
    body = {"Parameters": {"Who": WHO}, "Resources": {"Key": KEY}}
    inner: dict[str, object] = (
        {"Type": "AWS::CloudFormation::StackSet", "Properties": {"TemplateBody": json.dumps(body)}}
        if held
        else {"Type": "AWS::CloudFormation::Stack", "Properties": {"TemplateURL": "child.json"}}
    )
    child = [] if held else [TemplateInput(body, "child.json")]
    outer = TemplateInput({"Resources": {"R": inner}}, "app.json", "App", ACCOUNT, REGION)
    estate = estate_from_templates([outer, *child], ignore_defaults=True)
    assert (_principal(estate), estate.notes) == (WHO["Default"], ())
