"""The presets of `ServiceAccess` in an emulator, as far as one can show them.

No emulator evaluates a key policy. moto stores it as text, hands it back, and whatever it says, lets calls
through (but for DescribeKey, if a Deny names it). So nothing here shows that a principal may or may not use a
key: `tests.policies.services.test_service_access` compares the statements with the documentation
of AWS, and the analysis says what they allow. What is shown:

* the key that the library's template declares can be created; its policy comes back as it was declared, keeps
  to the grammar of IAM policies as moto knows it, and to the size that KMS takes;
* a resource of the service can be created with that key from the same template, and it is the live resource
  that says so, for CloudFormation in an emulator completes whatever became of it.

`tests.emulator.exercises` says for every preset what was exercised, or why it could not be.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from aws_cdk import App, Environment, Stack
from moto.iam.policy_validation import BaseIAMPolicyValidator

from kms_constructs.model.key_specs import MAXIMUM_KEY_POLICY_BYTES
from tests.cdk.keys import ACCOUNT, REGION, new_key, new_stack
from tests.emulator.cloudformation import deploy, synthesized
from tests.emulator.exercises import EXERCISED, NOT_EXERCISED
from tests.policies.services.test_service_access import DOCUMENTED, presets

pytestmark = [pytest.mark.cdk, pytest.mark.emulator]

# moto takes every Region to lie in the partition aws, so a key of China cannot be deployed into it.
CASES = {name: case for name, case in DOCUMENTED.items() if case[1].partition == "aws"}
# As in a new CDK project: S3 writes access logs by a bucket policy, not by an access control list.
FLAGS = {"@aws-cdk/aws-s3:serverAccessLogsUseBucketPolicy": True}
EXERCISES = EXERCISED


def construct_id(name: str) -> str:
    return "".join(word.capitalize() for word in name.replace("_", " ").split())


def filled(value: Any, region: str) -> Any:
    """A piece of a template with the pseudo parameters of a Region; independent of moto's own reading."""
    pseudo = {"Partition": "aws", "URLSuffix": "amazonaws.com", "Region": region, "AccountId": ACCOUNT}
    match value:
        case {"Ref": name}:
            return pseudo[name.removeprefix("AWS::")]
        case {"Fn::Join": [glue, parts]}:
            return glue.join(filled(part, region) for part in parts)
        case {"Fn::Sub": text}:
            for name, replacement in pseudo.items():
                text = text.replace(f"${{AWS::{name}}}", replacement)
            return text
        case Mapping():
            return {key: filled(part, region) for key, part in value.items()}
        case list():
            return [filled(part, region) for part in value]
    return value


class Keys:
    """A key for every documented form of a preset, live, one stack a Region."""

    def __init__(self) -> None:
        app = App(analytics_reporting=False)
        regions = {target.region for _, target, _ in CASES.values()}
        stacks = {
            region: Stack(app, f"Presets-{region}", env=Environment(account=ACCOUNT, region=region))
            for region in sorted(regions)
        }
        for name, (access, target, _) in CASES.items():
            new_key(
                stacks[target.region],
                construct_id(name),
                alias=f"presets/{name.replace(' ', '-')}",
                services=[access],
                key_spec=target.key_spec,
                key_usage=target.key_usage,
                logical_id=construct_id(name),
            )
        self.templates = synthesized(app)
        self.stacks = {
            region: deploy(f"Presets-{region}", region, self.templates[f"Presets-{region}"])
            for region in stacks
        }

    def declared_policy(self, name: str) -> dict[str, Any]:
        region = CASES[name][1].region
        resource = self.templates[f"Presets-{region}"]["Resources"][construct_id(name)]
        return filled(resource["Properties"]["KeyPolicy"], region)

    def live_policy(self, name: str) -> str:
        stack = self.stacks[CASES[name][1].region]
        key = stack.by_logical_id[construct_id(name)]
        return stack.client("kms").get_key_policy(KeyId=key, PolicyName="default")["Policy"]


@pytest.fixture(scope="module")
def keys(emulator: None) -> Keys:
    return Keys()


def test_every_preset_is_exercised_or_says_why_not() -> None:
    assert EXERCISED.keys() | NOT_EXERCISED.keys() == set(presets())
    assert not EXERCISED.keys() & NOT_EXERCISED.keys()
    assert {
        preset: [one.name for one in exercise.arguments["services"]] for preset, exercise in EXERCISED.items()
    } == {preset: [preset] for preset in EXERCISED}


@pytest.mark.parametrize("name", CASES)
def test_the_policy_is_taken_and_read_back_as_declared(name: str, keys: Keys) -> None:
    policy = keys.live_policy(name)
    assert json.loads(policy) == keys.declared_policy(name)
    services = [one for one in json.loads(policy)["Statement"] if one["Sid"].startswith("Service")]
    assert services == CASES[name][2]


@pytest.mark.parametrize("name", CASES)
def test_the_policy_keeps_to_the_grammar_and_the_size(name: str, keys: Keys) -> None:
    policy = keys.live_policy(name)
    BaseIAMPolicyValidator(policy).validate()
    assert len(policy.encode()) <= MAXIMUM_KEY_POLICY_BYTES


@pytest.fixture(scope="module")
def exercises() -> dict[str, dict[str, Any]]:
    """Templates of all exercises, by stack."""
    app = App(analytics_reporting=False, context=FLAGS)
    for name, exercise in EXERCISES.items():
        stack = new_stack(construct_id(name), app)
        exercise.build(stack, new_key(stack, alias=f"exercises/{name}", **exercise.arguments))
    return synthesized(app)


@pytest.mark.parametrize("name", EXERCISES)
def test_the_service_takes_the_key(name: str, exercises: dict[str, dict[str, Any]], emulator: None) -> None:
    stack = construct_id(name)
    EXERCISES[name].check(deploy(stack, REGION, exercises[stack]))
