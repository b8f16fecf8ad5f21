"""Databases of RDS."""

from __future__ import annotations

from kms_constructs.model.service_requirement import (
    PresetText,
    Row,
    ServiceRequirement,
    Shape,
    When,
    Who,
    named_by,
    through_service,
)

_PAGE = "https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/Overview.Encryption.Keys.html"

REQUIREMENT = ServiceRequirement(
    name="rds",
    title="RDS database",
    pages=(_PAGE,),
    via="rds",
    callers=(
        through_service("rds", Who.CREATOR, ("DescribeKey", "CreateGrant"), page=_PAGE, when=When.CREATE),
    ),
    consumers=(
        named_by("AWS::RDS::DBInstance", "KmsKeyId", page=_PAGE),
        named_by("AWS::RDS::DBCluster", "KmsKeyId", page=_PAGE),
    ),
    rows=(
        Row(
            "RDS database",
            "rds.DatabaseInstance(storage_encryption_key=key)",
            "whoever creates the database",
            "services=[ServiceAccess.rds([…])], or key_users",
        ),
    ),
    preset=PresetText(
        call="ServiceAccess.rds([…])",
        sid="Rds",
        shape=Shape.PRINCIPALS,
        summary="Lets principals of the key's account create databases that RDS encrypts with this key.",
        detail="RDS works through a grant that it creates for the caller, so nothing else is needed.",
        principals="Roles and users who create and change databases.",
    ),
    asks_through=("rds",),
)
