"""Indexes of Kendra."""

from __future__ import annotations

from kms_constructs.model.service_requirement import (
    VIA_SERVICE_PAGE,
    PresetText,
    Row,
    ServiceRequirement,
    Shape,
    When,
    Who,
    named_by,
    through_service,
)

_PAGE = "https://docs.aws.amazon.com/kendra/latest/dg/gs-prerequisites.html"

REQUIREMENT = ServiceRequirement(
    name="kendra",
    title="Kendra index",
    pages=(_PAGE, VIA_SERVICE_PAGE),
    via="kendra",
    callers=(
        through_service("kendra", Who.CREATOR, ("DescribeKey", "CreateGrant"), page=_PAGE, when=When.CREATE),
    ),
    consumers=(named_by("AWS::Kendra::Index", "ServerSideEncryptionConfiguration/KmsKeyId", page=_PAGE),),
    rows=(
        Row(
            "Kendra index",
            "kendra.CfnIndex(server_side_encryption_configuration=…key.key_arn…)",
            "whoever creates the index",
            "services=[ServiceAccess.kendra([…])], or key_users",
        ),
    ),
    preset=PresetText(
        call="ServiceAccess.kendra([…])",
        sid="Kendra",
        shape=Shape.PRINCIPALS,
        summary="Lets principals of the key's account create indexes that are encrypted with this key.",
        principals="Roles and users who create indexes.",
    ),
    undocumented=("The operations of the grant, and the encryption context.",),
)
