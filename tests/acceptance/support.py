"""Stacks, templates and findings for the acceptance cases: as a user has them, and short to compare."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from aws_cdk import App, Environment, Stack
from aws_cdk import aws_s3 as s3
from aws_cdk.assertions import Template

from kms_constructs import SecureKmsKey
from kms_constructs.guardrails.config import GuardrailConfig
from kms_constructs.guardrails.engine import judge
from kms_constructs.guardrails.finding import Finding, Outcome, Report
from kms_constructs.sources.cloudformation.template import TemplateInput
from kms_constructs.sources.cloudformation.templates import estate_from_templates
from kms_constructs.testing import assert_guardrails

ACCOUNT = "111122223333"
OTHER = "444455556666"
REGION = "eu-west-1"
ROOT = f"arn:aws:iam::{ACCOUNT}:root"
TODAY = datetime.now(UTC).date()

ADMINISTRATION = [
    "kms:CancelKeyDeletion",
    "kms:CreateAlias",
    "kms:DeleteAlias",
    "kms:DescribeKey",
    "kms:EnableKey",
    "kms:EnableKeyRotation",
    "kms:GetKeyLastUsage",
    "kms:GetKeyPolicy",
    "kms:GetKeyRotationStatus",
    "kms:ListGrants",
    "kms:ListKeyPolicies",
    "kms:ListKeyRotations",
    "kms:ListResourceTags",
    "kms:RevokeGrant",
    "kms:RotateKeyOnDemand",
    "kms:TagResource",
    "kms:UntagResource",
    "kms:UpdateAlias",
    "kms:UpdateKeyDescription",
]
"""What administrators may do when others delete, disable and change the policy."""
GUARDED = ["kms:DisableKey", "kms:PutKeyPolicy", "kms:ScheduleKeyDeletion"]
WITHOUT_ROTATION = {"kms:EnableKeyRotation", "kms:RotateKeyOnDemand"}
FOR_AWS = {"Bool": {"kms:GrantIsForAWSResource": "true"}}
DIRECT = {"kms:GrantIsForAWSResource": "false", "aws:PrincipalIsAWSService": "false"}


def role(name: str, account: str = ACCOUNT) -> str:
    return f"arn:aws:iam::{account}:role/{name}"


def execution_role(region: str = REGION) -> str:
    return role(f"cdk-hnb659fds-cfn-exec-role-{ACCOUNT}-{region}")


def new_stack(name: str = "Data", region: str = REGION, app: App | None = None) -> Stack:
    """A stack of an app that writes the partition out."""
    literal = {"@aws-cdk/core:enablePartitionLiterals": True}
    app = app or App(analytics_reporting=False, context=literal)
    return Stack(app, name, env=Environment(account=ACCOUNT, region=region))


def new_key(stack: Stack, construct_id: str = "Key", **arguments: Any) -> SecureKmsKey:
    """A key with what every key has to be given, unless a case gives it or leaves it out."""
    given: dict[str, Any] = {
        "alias": "dev/case",
        "description": "Data of the case",
        "environment": "dev",
        "service": "case",
        "data_classification": "internal",
        "policy_reviewed_on": TODAY,
    }
    return SecureKmsKey(stack, construct_id, **{**given, **arguments})


def encrypting(stack: Stack, key: SecureKmsKey, construct_id: str = "Bucket") -> None:
    """Something that uses the key."""
    s3.Bucket(stack, construct_id, encryption_key=key, enforce_ssl=True)


def resources(stack: Stack, kind: str) -> list[dict[str, Any]]:
    return [dict(one) for one in Template.from_stack(stack).find_resources(kind).values()]


def key_of(stack: Stack, kind: str = "AWS::KMS::Key") -> dict[str, Any]:
    """The one key of a stack."""
    (found,) = resources(stack, kind)
    return found


def statements(stack: Stack, kind: str = "AWS::KMS::Key") -> dict[str, dict[str, Any]]:
    """Statements of the one key of a stack by Sid; no Sid stands twice."""
    listed = key_of(stack, kind)["Properties"]["KeyPolicy"]["Statement"]
    found = {statement["Sid"]: statement for statement in listed}
    assert len(found) == len(listed)
    return found


def allowed(sid: str, principal: object, actions: list[str] | str, **more: object) -> dict[str, object]:
    """An Allow as templates have it."""
    who = principal if isinstance(principal, Mapping) else {"AWS": principal}
    return {"Sid": sid, "Effect": "Allow", "Principal": who, "Action": actions, "Resource": "*", **more}


RECOVERY = allowed(
    "Recovery",
    ROOT,
    ["kms:DescribeKey", "kms:GetKeyPolicy", "kms:PutKeyPolicy"],
    Condition={"ArnEquals": {"aws:PrincipalArn": ROOT}},
)
"""A root statement that breaks no guardrail."""

DEPLOYER = role("Deploy")
DEPLOYMENT = allowed("Deployment", DEPLOYER, ["kms:DescribeKey", "kms:PutKeyPolicy"])
"""Whoever deploys the key has to be able to change its policy."""


def template(*policy: object, recovery: bool = True, **properties: object) -> dict[str, object]:
    """A plain template with one key that breaks no guardrail but for what the statements do."""
    listed = [RECOVERY, *policy, DEPLOYMENT] if recovery else list(policy)
    key = {
        "Type": "AWS::KMS::Key",
        "DeletionPolicy": "Retain",
        "UpdateReplacePolicy": "Retain",
        "Properties": {
            "EnableKeyRotation": True,
            "PendingWindowInDays": 30,
            "Tags": [{"Key": "kms:policy-reviewed-on", "Value": TODAY.isoformat()}],
            "KeyPolicy": {"Version": "2012-10-17", "Statement": listed},
            **properties,
        },
    }
    alias = {
        "Type": "AWS::KMS::Alias",
        "Properties": {"AliasName": "alias/case", "TargetKeyId": {"Ref": "Key"}},
    }
    return {
        "Resources": {"Key": key, "Alias": alias},
        "Outputs": {"Arn": {"Value": {"Fn::GetAtt": ["Key", "Arn"]}, "Export": {"Name": "case"}}},
    }


def judged(given: Mapping[str, object]) -> Report:
    """All guardrails over a plain template."""
    estate = estate_from_templates([TemplateInput(given, "template", account=ACCOUNT, region=REGION)])
    return judge(estate, GuardrailConfig(authorised={"IAM-KMS-5": (DEPLOYER,)}))


def open_findings(report: Report) -> list[Finding]:
    """What is not well."""
    return [one for one in report.findings if one.outcome in (Outcome.VIOLATION, Outcome.UNDETERMINED)]


def flagged(given: Mapping[str, object]) -> list[tuple[str, str, str]]:
    """Everything that is not well with a plain template: finding, outcome and where in the key policy."""
    return [
        (one.id, one.outcome.value, one.path.removeprefix("Properties/KeyPolicy/"))
        for one in open_findings(judged(given))
    ]


def assert_nothing_open(stack: Stack) -> None:
    """Every guardrail holds for the stack, warnings included."""
    assert [str(one) for one in open_findings(assert_guardrails(stack))] == []
