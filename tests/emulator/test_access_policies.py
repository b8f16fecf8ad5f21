"""IAM policies for a key, made in the emulator; IAM's own validation there is of the grammar alone."""

from __future__ import annotations

import json
from typing import Any

import pytest
from aws_cdk import App
from aws_cdk import aws_iam as iam

from kms_constructs.cdk.sharing.access_policies import (
    GuardrailPermissionsBoundary,
    KeyAccessPolicies,
    KeyTask,
)
from kms_constructs.cdk.sharing.data_sharing import CrossAccountDataSharing
from kms_constructs.model.actions import KeyUsage
from kms_constructs.policies.root_access import RootAccess
from tests.cdk.keys import ADMIN, REGION, USER, new_key, new_stack
from tests.emulator.cloudformation import Deployed, deploy, synthesized

pytestmark = [pytest.mark.cdk, pytest.mark.emulator]

MAXIMUM_POLICY_CHARACTERS = 6_144
"""IAM's quota for a managed policy, white space not counted."""

TASKS: dict[KeyTask, tuple[str, KeyUsage]] = {
    KeyTask.ENCRYPT: ("SYMMETRIC_DEFAULT", KeyUsage.ENCRYPT_DECRYPT),
    KeyTask.DECRYPT: ("SYMMETRIC_DEFAULT", KeyUsage.ENCRYPT_DECRYPT),
    KeyTask.SIGN: ("ECC_NIST_P256", KeyUsage.SIGN_VERIFY),
    KeyTask.VERIFY: ("ECC_NIST_P256", KeyUsage.SIGN_VERIFY),
    KeyTask.MAC: ("HMAC_256", KeyUsage.GENERATE_VERIFY_MAC),
    KeyTask.ADMINISTER: ("SYMMETRIC_DEFAULT", KeyUsage.ENCRYPT_DECRYPT),
}


def document(live: Deployed, arn: str) -> dict[str, Any]:
    """A managed policy as IAM gives it back."""
    client = live.client("iam")
    version = client.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
    return client.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"]


def without_resource(statement: dict[str, Any]) -> dict[str, Any]:
    """A statement but for its resource; the CDK writes a list of one action as a text."""
    actions = statement["Action"]
    listed = [actions] if isinstance(actions, str) else actions
    return {**statement, "Action": listed, "Resource": None}


@pytest.mark.parametrize("task", KeyTask)
def test_the_policy_of_a_task_can_be_made_and_names_the_live_key(task: KeyTask, emulator: None) -> None:
    app = App(analytics_reporting=False)
    stack = new_stack(f"Task-{task.value}", app)
    spec, usage = TASKS[task]
    key = new_key(stack, key_spec=spec, key_usage=usage, root_access=RootAccess.FULL_DELEGATION)
    policies = KeyAccessPolicies(stack, "Policies", key=key, tasks=[task])
    live = deploy(stack.stack_name, REGION, synthesized(app)[stack.stack_name])

    found = document(live, live.only("AWS::IAM::ManagedPolicy"))
    assert [without_resource(one) for one in found["Statement"]] == [
        without_resource(one) for one in policies.documents[task.value]["Statement"]
    ]
    on_keys = [one["Resource"] for one in found["Statement"] if one["Sid"] != "KeyList"]
    assert set(on_keys) == {live.key_arn}
    assert len(json.dumps(found, separators=(",", ":"))) <= MAXIMUM_POLICY_CHARACTERS


def test_the_boundary_is_put_on_a_role(emulator: None) -> None:
    app = App(analytics_reporting=False)
    stack = new_stack("Boundary", app)
    boundary = GuardrailPermissionsBoundary(stack, "Boundary")
    boundary.apply(iam.Role(stack, "Developer", assumed_by=iam.ServicePrincipal("ec2.amazonaws.com")))
    live = deploy("Boundary", REGION, synthesized(app)["Boundary"])

    role = live.client("iam").get_role(RoleName=live.only("AWS::IAM::Role"))["Role"]
    arn = role["PermissionsBoundary"]["PermissionsBoundaryArn"]
    assert arn == live.only("AWS::IAM::ManagedPolicy")
    assert document(live, arn) == boundary.document


def test_the_policy_for_the_other_account_can_be_made_from_the_output(emulator: None) -> None:
    app = App(analytics_reporting=False)
    stack = new_stack("Sharing", app)
    CrossAccountDataSharing(
        stack,
        "Orders",
        alias="orders/shared",
        description="Orders shared with analytics",
        environment="prod",
        service="orders",
        data_classification="confidential",
        key_administrators=[ADMIN],
        writers=[USER],
        external_readers=["arn:aws:iam::444455556666:role/Analytics"],
    )
    live = deploy("Sharing", REGION, synthesized(app)["Sharing"])
    (described,) = live.client("cloudformation").describe_stacks(StackName="Sharing")["Stacks"]
    (output,) = (
        one["OutputValue"] for one in described["Outputs"] if "ExternalReaderPolicy" in one["OutputKey"]
    )

    made = live.client("iam").create_policy(PolicyName="FromOrders", PolicyDocument=output)["Policy"]
    bucket = f"arn:aws:s3:::{live.only('AWS::S3::Bucket')}"
    resources = {one["Sid"]: one["Resource"] for one in document(live, made["Arn"])["Statement"]}
    assert resources == {
        "ReadObjects": f"{bucket}/*",
        "ListBucket": bucket,
        "UseKeyThroughS3": live.key_arn,
    }
