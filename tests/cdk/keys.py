"""Keys for the CDK tests: one way to make them, and to read what they became."""

from __future__ import annotations

from typing import Any

from aws_cdk import App, Environment, Stack
from aws_cdk.assertions import Template

from kms_constructs.cdk.key.secure_key import SecureKmsKey

ACCOUNT = "111122223333"
REGION = "eu-west-1"
ADMIN = f"arn:aws:iam::{ACCOUNT}:role/KeyAdmin"
RESCUE = f"arn:aws:iam::{ACCOUNT}:role/BreakGlass"
DEPLOY = f"arn:aws:iam::{ACCOUNT}:role/Deploy"
USER = f"arn:aws:iam::{ACCOUNT}:role/App"


def new_stack(name: str = "Data", app: App | None = None, **properties: Any) -> Stack:
    """A stack with a known account and Region."""
    env = properties.pop("env", Environment(account=ACCOUNT, region=REGION))
    return Stack(app or App(analytics_reporting=False), name, env=env, **properties)


def new_key(scope: Any, construct_id: str = "Key", **arguments: Any) -> SecureKmsKey:
    """A key with everything that is required."""
    given: dict[str, Any] = {
        "alias": f"dev/{construct_id.lower()}",
        "description": "Data of the tests",
        "environment": "dev",
        "service": "lake",
        "data_classification": "internal",
        "key_administrators": [ADMIN],
    }
    return SecureKmsKey(scope, construct_id, **{**given, **arguments})


def resources(stack: Stack, kind: str) -> dict[str, dict[str, Any]]:
    """Resources of one type, by logical id."""
    found: dict[str, dict[str, Any]] = Template.from_stack(stack).find_resources(kind)  # type: ignore[assignment]
    return found


def key_resource(stack: Stack) -> dict[str, Any]:
    """The one KMS key of a stack."""
    found = resources(stack, "AWS::KMS::Key")
    assert len(found) == 1
    return next(iter(found.values()))


def statements(stack: Stack) -> dict[str, dict[str, Any]]:
    """Statements of the one KMS key of a stack, by Sid."""
    policy = key_resource(stack)["Properties"]["KeyPolicy"]["Statement"]
    return {statement["Sid"]: statement for statement in policy}
