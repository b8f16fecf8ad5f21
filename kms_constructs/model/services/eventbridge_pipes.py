"""Pipes of EventBridge."""

from __future__ import annotations

from kms_constructs.model.service_requirement import (
    Caller,
    Row,
    ServiceRequirement,
    Step,
    Who,
    named_by,
)

_PAGE = "https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-encryption-pipes-cmkey.html"

REQUIREMENT = ServiceRequirement(
    name="eventbridge_pipes",
    title="EventBridge pipe",
    pages=(
        _PAGE,
        "https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-permissions.html",
    ),
    callers=(
        Caller(
            who=Who.ROLE,
            actions=("Decrypt", "DescribeKey", "GenerateDataKey"),
            page=_PAGE,
            roles=((Step("AWS::Pipes::Pipe", ("RoleArn",)),),),
            note="AWS spells the encryption context in two ways: aws:pipe:arn and aws:pipes:arn.",
        ),
    ),
    consumers=(named_by("AWS::Pipes::Pipe", "KmsKeyIdentifier", page=_PAGE),),
    rows=(
        Row(
            "EventBridge pipe",
            "pipes.CfnPipe(kms_key_identifier=key.key_arn)",
            "the pipe's role",
            "key_users",
        ),
    ),
    notes=("An encrypted source asks the pipe's role for Decrypt on the source's key.",),
    undocumented=("A service principal of Pipes; which of two names its encryption context has.",),
)
