"""The organization policies as CloudFormation resources."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App, Aws, Stack
from aws_cdk.assertions import Template

from kms_constructs.cdk.enforcement.organization_policies import (
    GuardrailResourceControlPolicy,
    GuardrailServiceControlPolicy,
)
from kms_constructs.errors import ArgumentError
from kms_constructs.policies.organization import resource_control_policy, service_control_policy

pytestmark = pytest.mark.cdk

BREAK_GLASS = "arn:aws:iam::*:role/BreakGlass"
DEPLOYER = "arn:aws:iam::*:role/cdk-*-cfn-exec-role-*"


@pytest.fixture(scope="module")
def template() -> dict[str, Any]:
    stack = Stack(App(analytics_reporting=False), "Guardrails")
    GuardrailServiceControlPolicy(
        stack,
        "Scp",
        targets=["ou-ab12-11111111", "444455556666"],
        exempt_principals=[BREAK_GLASS],
        deployment_principals=[DEPLOYER],
        tags={"owner": "security"},
    )
    GuardrailResourceControlPolicy(
        stack,
        "Rcp",
        targets=["r-ab12"],
        policy_name="keys",
        description="Keys",
        exempt_principals=[BREAK_GLASS],
        organization_id="o-abcdefghij",
        minimum_pending_window=14,
    )
    return Template.from_stack(stack).to_json()


def test_makes_the_policies_and_nothing_else(template: dict[str, Any]):
    assert list(template["Resources"].values()) == [
        {
            "Type": "AWS::Organizations::Policy",
            "Properties": {
                "Type": "SERVICE_CONTROL_POLICY",
                "Name": "kms-guardrails-scp",
                "Description": "Guards KMS keys against destruction, policy changes and direct grants",
                "TargetIds": ["ou-ab12-11111111", "444455556666"],
                "Tags": [{"Key": "owner", "Value": "security"}],
                "Content": service_control_policy([BREAK_GLASS], deployment_principals=[DEPLOYER]),
            },
        },
        {
            "Type": "AWS::Organizations::Policy",
            "Properties": {
                "Type": "RESOURCE_CONTROL_POLICY",
                "Name": "keys",
                "Description": "Keys",
                "TargetIds": ["r-ab12"],
                "Content": resource_control_policy(
                    [BREAK_GLASS], organization_id="o-abcdefghij", minimum_pending_window=14
                ),
            },
        },
    ]


@pytest.mark.parametrize(
    "policy",
    [GuardrailServiceControlPolicy, GuardrailResourceControlPolicy],
    ids=["scp", "rcp"],
)
def test_a_description_may_have_512_characters(
    policy: type[GuardrailServiceControlPolicy] | type[GuardrailResourceControlPolicy],
):
    stack = Stack(App(analytics_reporting=False), "Guardrails")
    policy(stack, "Policy", targets=["r-ab12"], description="x" * 512)
    (resource,) = Template.from_stack(stack).to_json()["Resources"].values()
    assert resource["Properties"]["Description"] == "x" * 512


@pytest.mark.slow
def test_cfn_lint_has_nothing_to_say(
    template: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    from cfnlint.api import lint  # takes seconds to import

    monkeypatch.chdir(tmp_path)  # away from the repository's own .cfnlintrc, which names other templates
    assert lint(json.dumps(template)) == []


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "no target": ({"targets": []}, "targets=[] is refused"),
    "text for a list": ({"targets": "r-ab12"}, "a list is wanted"),
    "target by ARN": (
        {"targets": ["arn:aws:organizations::111122223333:root/o-abcdefghij/r-ab12"]},
        "a target is a root",
    ),
    "ten-digit account": ({"targets": ["1111111111"]}, "an account of twelve digits"),
    "organization": ({"targets": ["o-abcdefghij"]}, "a target is a root"),
    "target twice": ({"targets": ["r-ab12", "r-ab12"]}, "a target stands twice"),
    "no name": ({"policy_name": ""}, "1 to 128 ASCII characters"),
    "long name": ({"policy_name": "x" * 129}, "1 to 128 ASCII characters"),
    "long description": ({"description": "x" * 513}, "at most 512 characters"),
    "everybody exempt": ({"exempt_principals": ["*"]}, "exempt_principals='*'"),
    "too many exempt": (
        {"exempt_principals": [f"arn:aws:iam::{number:012}:role/BreakGlass" for number in range(300)]},
        "cover several principals by one pattern",
    ),
}


@pytest.mark.parametrize(
    "policy",
    [GuardrailServiceControlPolicy, GuardrailResourceControlPolicy],
    ids=["scp", "rcp"],
)
@pytest.mark.parametrize(("change", "message"), REFUSED.values(), ids=REFUSED.keys())
def test_refuses_with_the_reason(policy: Any, change: dict[str, Any], message: str):
    stack = Stack(App(analytics_reporting=False), "Guardrails")
    with pytest.raises(ArgumentError) as raised:
        policy(stack, "Policy", **{"targets": ["r-ab12"], **change})
    assert message in str(raised.value)


def test_takes_a_target_that_is_known_at_deployment_only():
    stack = Stack(App(analytics_reporting=False), "Guardrails")
    policy = GuardrailServiceControlPolicy(stack, "Policy", targets=[Aws.ACCOUNT_ID])
    assert policy.policy.target_ids == [Aws.ACCOUNT_ID]
    assert policy.policy_id == policy.policy.attr_id
