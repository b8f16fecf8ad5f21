"""Parts of templates that parameters, conditions and mappings decide."""

from __future__ import annotations

from collections.abc import Mapping

from kms_constructs.model.estate import Estate
from kms_constructs.sources import TemplateInput, estate_from_templates

Part = dict[str, object]

ACCOUNT = "111122223333"
ROOT = {"Fn::Sub": "arn:${AWS::Partition}:iam::${AWS::AccountId}:root"}
OWN: Part = {
    "Sid": "Account",
    "Effect": "Allow",
    "Principal": {"AWS": ROOT},
    "Action": ["kms:DescribeKey", "kms:GetKeyPolicy", "kms:PutKeyPolicy"],
    "Resource": "*",
    "Condition": {"ArnEquals": {"aws:PrincipalArn": ROOT}},
}
PUBLIC: Part = {
    "Sid": "Open",
    "Effect": "Allow",
    "Principal": "*",
    "Action": "kms:Decrypt",
    "Resource": "*",
}
NOTHING = {"Ref": "AWS::NoValue"}
STAGE: Part = {"Type": "String", "AllowedValues": ["dev", "prod"], "Default": "dev"}
TEXT: Part = {"Type": "String", "Default": "dev"}


def ref(name: str) -> Part:
    return {"Ref": name}


def equals(one: object, other: object) -> Part:
    return {"Fn::Equals": [one, other]}


def when(condition: object, yes: object, no: object = NOTHING) -> Part:
    return {"Fn::If": [condition, yes, no]}


def key(*statements: object, **attributes: object) -> Part:
    policy = {"Version": "2012-10-17", "Statement": [OWN, *statements]}
    properties = {"EnableKeyRotation": True, "KeyPolicy": policy}
    kept = {"DeletionPolicy": "Retain", "UpdateReplacePolicy": "Retain"}
    return {"Type": "AWS::KMS::Key", "Properties": properties, **kept, **attributes}


def template(resources: Part, **sections: object) -> Part:
    return {"Resources": resources, **sections}


def by_stage(*statements: object, stage: Part = STAGE, **sections: object) -> Part:
    """A key with statements, parameter Stage, and condition IsProd."""
    return template(
        {"Key": key(*statements)},
        **{
            "Parameters": {"Stage": stage},
            "Conditions": {"IsProd": equals(ref("Stage"), "prod")},
            **sections,
        },
    )


def estate_of(
    document: Part,
    parameters: Mapping[str, str] | None = None,
    *,
    nested: Part | None = None,
    account: str | None = None,
    region: str | None = None,
) -> Estate:
    """The estate of a template, and of the one that it nests as ``nested.json``."""
    given = {"app.json": document} | ({"nested.json": nested} if nested is not None else {})
    return estate_from_templates(
        [TemplateInput(part, name, account=account, region=region) for name, part in given.items()],
        parameters=parameters,
    )


def nesting(passed: Part, **sections: object) -> Part:
    """A template that nests another, with what it passes on, and parameter Stage."""
    child: Part = {
        "Type": "AWS::CloudFormation::Stack",
        "Metadata": {"aws:asset:path": "nested.json"},
        "Properties": {"TemplateURL": "x", "Parameters": passed},
    }
    return template({"Nested": child}, **{"Parameters": {"Stage": TEXT}, **sections})
