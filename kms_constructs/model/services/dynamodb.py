"""Tables of DynamoDB."""

from __future__ import annotations

from kms_constructs.model.service_requirement import (
    ALL_SYMMETRIC,
    PresetText,
    Row,
    ServiceRequirement,
    Shape,
    When,
    Who,
    named_by,
    through_service,
)

_PAGE = "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/encryption.usagenotes.html"

REQUIREMENT = ServiceRequirement(
    name="dynamodb",
    title="DynamoDB table",
    pages=(_PAGE,),
    via="dynamodb",
    callers=(
        through_service(
            "dynamodb",
            Who.CREATOR,
            (*ALL_SYMMETRIC, "DescribeKey", "CreateGrant"),
            page=_PAGE,
            when=When.CREATE,
        ),
    ),
    consumers=(
        named_by("AWS::DynamoDB::Table", "SSESpecification/KMSMasterKeyId", page=_PAGE),
        named_by("AWS::DynamoDB::GlobalTable", "Replicas/*/SSESpecification/KMSMasterKeyId", page=_PAGE),
    ),
    rows=(
        Row(
            "DynamoDB table",
            "dynamodb.Table(encryption_key=key)",
            "whoever creates and uses the table",
            "services=[ServiceAccess.dynamodb([…])], or key_users",
        ),
    ),
    preset=PresetText(
        call="ServiceAccess.dynamodb([…])",
        sid="Dynamodb",
        shape=Shape.PRINCIPALS,
        summary="Lets principals of the key's account use tables that DynamoDB encrypts with this key.",
        principals="Roles and users who create and use tables.",
    ),
    asks_through=("dynamodb",),
)
