from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from kms_constructs.guardrails.engine import judge
from kms_constructs.guardrails.finding import Finding
from kms_constructs.model.estate import Estate
from kms_constructs.sources.cloudformation.template import TemplateInput
from kms_constructs.sources.cloudformation.templates import estate_from_templates
from kms_constructs.sources.kms_api.answers import Call
from kms_constructs.sources.kms_api.estate import estate_from_answers
from tests.guardrails.factories import TODAY, C, N, Said, U, V, a_key, said
from tests.guardrails.factories import judge as judge_key
from tests.sources.kms_api.build import ACCOUNT, GOOD_POLICY, KEY_ID, REGION, Seed, answers_of, refused

ALLOW = {"Effect": "Allow", "Action": ["kms:Decrypt", "kms:DescribeKey"], "Resource": "*", "Sid": "Users"}
USER = f"arn:aws:iam::{ACCOUNT}:role/User"


def policy(*statements: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": [*GOOD_POLICY["Statement"], *statements]}  # type: ignore[misc]


def declared(region: str = REGION, **properties: Any) -> Estate:
    resources = {
        "Key": {
            "Type": "AWS::KMS::Key",
            "Properties": {"KeyPolicy": GOOD_POLICY, "EnableKeyRotation": True, **properties},
        },
        "Role": {"Type": "AWS::IAM::Role", "Properties": {}},
        "Alias": {
            "Type": "AWS::KMS::Alias",
            "Properties": {"AliasName": "alias/orders", "TargetKeyId": {"Ref": "Key"}},
        },
    }
    template = TemplateInput({"Resources": resources}, "app.json", account=ACCOUNT, region=region)
    return estate_from_templates([template])


def found(seed: Seed, expected: Estate, refusing: str = "") -> tuple[Finding, ...]:
    answers = answers_of(seed)
    if refusing:
        more = {"PolicyName": "default"} if refusing == "GetKeyPolicy" else {}
        answers = refused(answers, Call.of(ACCOUNT, REGION, "kms", refusing, KeyId=KEY_ID, **more))
    estate = replace(estate_from_answers(answers), expected=expected.keys)
    return judge(estate, controls=["KMS:DRIFT"], today=TODAY).findings


FINE = Said(C, "", "", "The live key is as it is declared.")
PATH = "GetKeyPolicy/Policy"
CASES: dict[str, tuple[Seed, dict[str, Any], Said]] = {
    "as declared": (Seed(), {}, FINE),
    "rotation switched off": (
        Seed(rotation={"KeyRotationEnabled": False}),
        {},
        Said(V, "rotation", "GetKeyRotationStatus/KeyRotationEnabled", "Rotation is off, and declared on."),
    ),
    "another period": (
        Seed(rotation={"KeyRotationEnabled": True, "RotationPeriodInDays": 400}),
        {},
        Said(
            V,
            "rotation",
            "GetKeyRotationStatus/RotationPeriodInDays",
            "It rotates every 400 days, and declared are 365.",
        ),
    ),
    "a tag changed": (
        Seed(tags={"environment": "dev", "more": "x"}),
        {"Tags": [{"Key": "environment", "Value": "prd"}]},
        Said(V, "tags", "ListResourceTags/Tags", "Its tags environment are not as declared."),
    ),
    "a statement in another spelling": (
        Seed(
            policy=policy(
                {
                    **ALLOW,
                    "Sid": "Other",
                    "Principal": {"AWS": [USER]},
                    "Action": ["kms:DescribeKey", "KMS:Decrypt"],
                }
            )
        ),
        {"KeyPolicy": policy({**ALLOW, "Principal": {"AWS": USER}})},
        FINE,
    ),
    "one statement cut into two": (
        Seed(
            policy=policy(
                {**ALLOW, "Action": "kms:Decrypt", "Principal": {"AWS": USER}},
                {**ALLOW, "Action": "kms:DescribeKey", "Principal": {"AWS": USER}},
            )
        ),
        {"KeyPolicy": policy({**ALLOW, "Principal": {"AWS": USER}})},
        FINE,
    ),
    "a role whose name is generated": (
        Seed(
            policy=policy(
                {**ALLOW, "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:role/App-Role-1ABCDEFGHIJKL"}}
            )
        ),
        {"KeyPolicy": policy({**ALLOW, "Principal": {"AWS": {"Fn::GetAtt": ["Role", "Arn"]}}})},
        FINE,
    ),
    "somebody more may use it": (
        Seed(policy=policy({**ALLOW, "Action": "kms:Decrypt", "Principal": {"AWS": USER}})),
        {},
        Said(
            V,
            "policy",
            PATH,
            f"Its policy lets others do other things than declared: {USER}: decrypt - → allowed.",
        ),
    ),
    "a statement is gone": (
        Seed(),
        {"KeyPolicy": policy({**ALLOW, "Principal": {"AWS": {"Fn::GetAtt": ["Role", "Arn"]}}})},
        Said(V, "policy", PATH, "Its policy is not the declared one: without the declared Users."),
    ),
}


@pytest.mark.parametrize(("seed", "properties", "expected"), CASES.values(), ids=CASES)
def test_drift(seed: Seed, properties: dict[str, Any], expected: Said) -> None:
    assert said(found(seed, declared(**properties))) == [expected]


def test_a_policy_that_is_not_known_leaves_it_open() -> None:
    (one,) = found(Seed(), declared(), refusing="GetKeyPolicy")
    assert (one.outcome, one.detail) == (U, "policy")


def test_a_declared_key_that_is_not_there() -> None:
    findings = found(Seed(aliases=("alias/other",)), declared())
    assert [(one.outcome, one.detail, one.location.logical_id) for one in findings if one.fails] == [
        (V, "missing", "Key")
    ]
    assert N in {one.outcome for one in findings}


def test_a_key_of_another_region_is_not_the_declared_one() -> None:
    assert "missing" in {one.detail for one in found(Seed(), declared(region="us-east-1"))}


def test_nothing_is_missing_for_certain_where_keys_could_not_be_listed() -> None:
    answers = refused(answers_of(Seed()), Call.of(ACCOUNT, REGION, "kms", "ListKeys"))
    estate = replace(estate_from_answers(answers), expected=declared().keys)
    (one,) = judge(estate, controls=["KMS:DRIFT"], today=TODAY).findings
    assert (one.outcome, one.detail) == (U, "missing")


def test_a_key_of_a_template_is_not_judged() -> None:
    assert said(judge_key("KMS:DRIFT", a_key())) == [Said(N, "", "", "Not applicable: it is no live key.")]
