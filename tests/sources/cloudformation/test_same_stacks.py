"""A stack that hangs on nothing that is chosen serves every world, which is as if it were resolved anew."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kms_constructs.model.estate import SourceProblem
from kms_constructs.sources import TemplateInput, estate_from_templates
from kms_constructs.sources.cloudformation.resolver import Stack
from tests.sources.cloudformation.same import anew, plain
from tests.sources.cloudformation.templates_that_import import Dice
from tests.sources.cloudformation.templates_with_choices import (
    ACCOUNT,
    PUBLIC,
    STAGE,
    TEXT,
    by_stage,
    equals,
    key,
    ref,
    template,
    when,
)

_PROD = {"Conditions": {"IsProd": equals(ref("Stage"), "prod")}}


def _nested(name: str, **parameters: object) -> dict[str, object]:
    return {
        "Type": "AWS::CloudFormation::Stack",
        "Properties": {"TemplateURL": f"./{name}", "Parameters": parameters},
    }


def _stack_set(body: object, **more: object) -> dict[str, object]:
    properties = {"TemplateBody": json.dumps(body), "StackSetName": "all", **more}
    return {"Type": "AWS::CloudFormation::StackSet", "Properties": properties}


POOL: Mapping[str, dict[str, Any]] = {
    "stage.json": by_stage(when("IsProd", PUBLIC)),
    "alias.json": template(
        {
            "Key": key(),
            "Alias": {
                "Type": "AWS::KMS::Alias",
                "Condition": "IsProd",
                "Properties": {"AliasName": "alias/prod", "TargetKeyId": ref("Key")},
            },
        },
        Parameters={"Stage": STAGE},
        Outputs={"Arn": {"Value": {"Fn::GetAtt": "Key.Arn"}, "Export": {"Name": "key-arn"}}},
        **_PROD,
    ),
    "exports.json": template(
        {"Role": {"Type": "AWS::IAM::Role", "Properties": {"RoleName": when("IsProd", "Prod", "Dev")}}},
        Parameters={"Stage": STAGE},
        Outputs={"Role": {"Value": {"Fn::GetAtt": "Role.Arn"}, "Export": {"Name": "role-arn"}}},
        **_PROD,
    ),
    "imports.json": template(
        {"Key": key({**PUBLIC, "Principal": {"AWS": {"Fn::ImportValue": "role-arn"}}})},
        Parameters={"Name": {"Type": "String", "Default": "imports"}},
    ),
    "parent.json": template(
        {"Child": _nested("child.json", Stage=ref("Stage")), "Other": _nested("fixed.json")},
        Parameters={"Stage": STAGE},
    ),
    "calm-parent.json": template({"Calm": _nested("calm-child.json")}),
    "child.json": by_stage(when("IsProd", PUBLIC), stage=TEXT),
    "fixed.json": by_stage(when("IsProd", PUBLIC), stage=TEXT),
    "calm-child.json": template({"Key": key(PUBLIC)}, Parameters={"Stage": TEXT}),
    "calm.json": template(
        {
            "Key": key(Description={"Fn::Sub": "${Late} ${Gone.Arn}"}),
            "Bucket": {
                "Type": "AWS::S3::Bucket",
                "Properties": {
                    "BucketName": ref("Late"),
                    "BucketEncryption": {
                        "ServerSideEncryptionConfiguration": [
                            {
                                "ServerSideEncryptionByDefault": {
                                    "SSEAlgorithm": "aws:kms",
                                    "KMSMasterKeyID": {"Fn::GetAtt": ["Key", "Arn"]},
                                }
                            }
                        ]
                    },
                },
            },
            "Queue": {
                "Type": "AWS::SQS::Queue",
                "Properties": {"KmsMasterKeyId": "alias/prod", "QueueName": ref("Missing")},
            },
            "Role": {
                "Type": "AWS::IAM::Role",
                "Properties": {
                    "Policies": [
                        {
                            "PolicyName": "Use",
                            "PolicyDocument": {
                                "Statement": [{"Effect": "Allow", "Action": "kms:*", "Resource": "*"}]
                            },
                        }
                    ]
                },
            },
            "Odd": {"Properties": {}},
        },
        Parameters={"Late": {"Type": "String", "Default": "late"}},
    ),
    "other.json": template(
        {"Key": key(when("IsOther", PUBLIC))},
        Parameters={"Other": {"Type": "String", "Default": "no"}},
        Conditions={"IsOther": equals(ref("Other"), "yes")},
    ),
    "set.json": template({"Set": _stack_set(template({"Key": key(PUBLIC)}))}),
    "set-by-stage.json": template(
        {"Set": {**_stack_set(template({"Key": key(PUBLIC)})), "Condition": "IsProd"}, "Key": key()},
        Parameters={"Stage": STAGE},
        **_PROD,
    ),
    "unseen.json": template({"Set": _stack_set({"Resources": 1})}),
    "trail.json": template({"Trail": {"Type": "AWS::CloudTrail::Trail", "Properties": {"IsLogging": True}}}),
}  # fmt: skip
_HOME = {"account": ACCOUNT, "region": "eu-west-1"}


def _inputs(names: tuple[str, ...], where: Mapping[str, str]) -> list[TemplateInput]:
    return [TemplateInput(POOL[name], name, **where) for name in names]


@pytest.mark.parametrize("where", [_HOME, {}], ids=["", "of an account that nobody said"])
@pytest.mark.parametrize("other", [name for name in POOL if name != "stage.json"])
def test_a_template_beside_one_of_two_stages(other: str, where: Mapping[str, str]) -> None:
    for names in (("stage.json", other), (other, "stage.json"), ("stage.json", other, "other.json")):
        inputs = _inputs(names, where)
        assert plain(estate_from_templates(inputs)) == plain(anew(inputs))


@settings(max_examples=60)
@given(
    names=st.lists(st.sampled_from(sorted(POOL)), min_size=2, max_size=6, unique=True),
    where=st.sampled_from([_HOME, {}, {"region": "eu-west-1"}]),
)
def test_any_templates_together(names: list[str], where: Mapping[str, str]) -> None:
    inputs = _inputs(tuple(names), where)
    assert plain(estate_from_templates(inputs)) == plain(anew(inputs))


@settings(max_examples=150)
@given(random=st.randoms(use_true_random=False), where=st.sampled_from([_HOME, {}, {"region": "eu-west-1"}]))
def test_templates_that_import(random: Random, where: Mapping[str, str]) -> None:
    inputs = [
        TemplateInput(body, name, name.removesuffix(".json").removesuffix("nested"), **where)
        for name, body in Dice(random).templates().items()
    ]
    assert plain(estate_from_templates(inputs)) == plain(anew(inputs))


def test_what_nothing_decides_is_resolved_once(monkeypatch: pytest.MonkeyPatch) -> None:
    found: Counter[str] = Counter()
    find = Stack.find_resources

    def counted(stack: Stack, problems: list[SourceProblem]) -> None:
        found[stack.label] += 1
        find(stack, problems)

    monkeypatch.setattr(Stack, "find_resources", counted)
    names = ("stage.json", "other.json", "calm.json", "calm-parent.json", "calm-child.json", "imports.json")
    estate = estate_from_templates(_inputs(names, _HOME))
    assert len(estate.worlds) == 4  # of the six of two stages and of what is yes, no and neither
    # Once to see what decides, then once for all, or for each value of its own parameter.
    assert found == {
        "calm": 2, "calm-parent": 2, "calm-parent.Calm": 2, "stage": 1 + 2, "other": 1 + 3, "imports": 2
    }  # fmt: skip


def test_in_the_account_that_a_key_policy_gives_away_nothing_is_the_same() -> None:
    statement = {**PUBLIC, "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "kms:*"}
    given_away = {"Type": "AWS::KMS::Key", "Properties": {"KeyPolicy": {"Statement": [statement]}}}
    inputs = [*_inputs(("stage.json",), {}), TemplateInput(template({"Key": given_away}), "home.json")]
    found = estate_from_templates(inputs)
    assert {key.account for world in found.worlds for key in world.estate.keys} == {ACCOUNT}
    assert plain(found) == plain(anew(inputs))
