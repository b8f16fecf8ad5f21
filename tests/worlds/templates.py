"""Unsound verdicts that come from what is read and not from the rules: the smallest template of each
class."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tests.worlds.examples import APP, ROOT, allow, when
from tests.worlds.vocabulary import HOME, arn


@dataclass(frozen=True)
class TemplateExample:
    """A template, and the control that must not call its key compliant."""

    control: str
    template: Mapping[str, Any]
    region: str | None = "us-east-1"


def _key(*statements: Any, **beside: Any) -> dict[str, Any]:
    return {"Type": "AWS::KMS::Key", "Properties": {"KeyPolicy": {"Statement": list(statements)}}, **beside}


_ROOT_ONLY = allow(ROOT, "kms:PutKeyPolicy", Condition=when("ArnEquals", "aws:PrincipalArn", ROOT))
_MACRO = {"Name": "MyMacro"}

TEMPLATES: Mapping[str, TemplateExample] = {
    "source-role-path": TemplateExample(
        "IAM-KMS-8",
        {
            "Resources": {
                "Key": _key(
                    allow(ROOT, "kms:TagResource"), allow(arn("aws", HOME, "role/svc/App"), "kms:Decrypt")
                ),
                "Policy": {
                    "Type": "AWS::IAM::Policy",
                    "Properties": {
                        "PolicyName": "p",
                        "Roles": ["App"],
                        "PolicyDocument": {
                            "Statement": [
                                {
                                    "Effect": "Allow",
                                    "Action": "kms:TagResource",
                                    "Resource": {"Fn::GetAtt": ["Key", "Arn"]},
                                }
                            ]
                        },
                    },
                },
            }
        },
    ),
    "source-transform-resource": TemplateExample(
        "IAM-KMS-3", {"Resources": {"Key": _key(_ROOT_ONLY, **{"Fn::Transform": _MACRO})}}
    ),
    "source-transform-top": TemplateExample(
        "IAM-KMS-3", {"Resources": {"Key": _key(_ROOT_ONLY)}, "Fn::Transform": _MACRO}
    ),
    "source-partition": TemplateExample(
        "IAM-KMS-3",
        {
            "Conditions": {"China": {"Fn::Equals": [{"Ref": "AWS::Partition"}, "aws-cn"]}},
            "Resources": {
                "Key": _key(
                    _ROOT_ONLY,
                    {
                        "Fn::If": [
                            "China",
                            allow(arn("aws-cn", HOME, "role/Evil"), "kms:ScheduleKeyDeletion"),
                            {"Ref": "AWS::NoValue"},
                        ]
                    },
                )
            },
        },
        region=None,
    ),
}
"""Class to its smallest template."""

__all__ = ["APP", "TEMPLATES", "TemplateExample"]
