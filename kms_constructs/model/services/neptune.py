"""Clusters of Neptune."""

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

_PAGE = "https://docs.aws.amazon.com/neptune/latest/userguide/encrypt.html"

REQUIREMENT = ServiceRequirement(
    name="neptune",
    title="Neptune cluster",
    pages=(_PAGE,),
    via="rds",
    callers=(
        through_service(
            "rds", Who.CREATOR, (*ALL_SYMMETRIC, "DescribeKey", "CreateGrant"), page=_PAGE, when=When.CREATE
        ),
    ),
    consumers=(named_by("AWS::Neptune::DBCluster", "KmsKeyId", page=_PAGE),),
    rows=(
        Row(
            "Neptune cluster",
            "neptune.CfnDBCluster(kms_key_id=key.key_arn)",
            "whoever creates the cluster",
            "services=[ServiceAccess.neptune([…])], or key_users",
        ),
    ),
    preset=PresetText(
        call="ServiceAccess.neptune([…])",
        sid="Neptune",
        shape=Shape.PRINCIPALS,
        summary=("Lets principals of the key's account create clusters that Neptune encrypts with this key."),
        detail="Neptune reaches KMS as RDS: the statement names `rds` in `kms:ViaService`.",
        principals="Roles and users who create clusters.",
    ),
)
