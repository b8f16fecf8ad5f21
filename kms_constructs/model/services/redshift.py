"""Clusters of Redshift."""

from __future__ import annotations

from kms_constructs.model.service_requirement import (
    DATA_KEYS,
    PresetText,
    Row,
    ServiceRequirement,
    Shape,
    When,
    Who,
    named_by,
    through_service,
)

_PAGE = "https://docs.aws.amazon.com/redshift/latest/mgmt/redshift-iam-access-control-identity-based.html"

REQUIREMENT = ServiceRequirement(
    name="redshift",
    title="Redshift cluster",
    pages=(_PAGE,),
    via="redshift",
    callers=(
        through_service(
            "redshift",
            Who.CREATOR,
            ("Decrypt", "DescribeKey", "Encrypt", *DATA_KEYS, "CreateGrant"),
            page=_PAGE,
            when=When.CREATE,
        ),
    ),
    consumers=(named_by("AWS::Redshift::Cluster", "KmsKeyId", page=_PAGE),),
    rows=(
        Row(
            "Redshift cluster",
            "redshift.CfnCluster(kms_key_id=key.key_id)",
            "whoever creates the cluster",
            "services=[ServiceAccess.redshift([…])], or key_users",
        ),
    ),
    preset=PresetText(
        call="ServiceAccess.redshift([…])",
        sid="Redshift",
        shape=Shape.PRINCIPALS,
        summary="Lets principals of the key's account create clusters that Redshift encrypts with this key.",
        principals="Roles and users who create and change clusters.",
    ),
    asks_through=("redshift",),
)
