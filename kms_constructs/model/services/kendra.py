"""Indexes of Kendra."""

from __future__ import annotations

from kms_constructs.model.service_requirement import (
    Caller,
    Row,
    ServiceRequirement,
    When,
    Who,
    named_by,
)

_PAGE = "https://docs.aws.amazon.com/kendra/latest/dg/gs-prerequisites.html"

REQUIREMENT = ServiceRequirement(
    name="kendra",
    title="Kendra index",
    pages=(_PAGE,),
    callers=(Caller(who=Who.CREATOR, actions=("DescribeKey", "CreateGrant"), page=_PAGE, when=When.CREATE),),
    consumers=(named_by("AWS::Kendra::Index", "ServerSideEncryptionConfiguration/KmsKeyId", page=_PAGE),),
    rows=(
        Row(
            "Kendra index",
            "kendra.CfnIndex(server_side_encryption_configuration=…key.key_arn…)",
            "whoever creates the index",
            "key_users",
        ),
    ),
    notes=("AWS does not document the condition keys of these calls.",),
)
