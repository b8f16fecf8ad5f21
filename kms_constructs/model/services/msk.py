"""Clusters of MSK."""

from __future__ import annotations

from kms_constructs.model.service_requirement import (
    VIA_SERVICE_PAGE,
    KeyForm,
    PresetText,
    Row,
    ServiceRequirement,
    Shape,
    When,
    Who,
    named_by,
    through_service,
)

_PAGE = "https://docs.aws.amazon.com/msk/latest/developerguide/security-iam-awsmanpol.html"
_ENCRYPTION = "https://docs.aws.amazon.com/msk/latest/developerguide/msk-encryption.html"

REQUIREMENT = ServiceRequirement(
    name="msk",
    title="MSK cluster",
    pages=(_PAGE, _ENCRYPTION, VIA_SERVICE_PAGE),
    via="kafka",
    callers=(
        through_service(
            "kafka",
            Who.CREATOR,
            ("DescribeKey", "CreateGrant"),
            page=_PAGE,
            when=When.CREATE,
            note="The actions are those of AmazonMSKFullAccess, which AWS says are required to use the key.",
        ),
    ),
    consumers=(
        named_by(
            "AWS::MSK::Cluster",
            "EncryptionInfo/EncryptionAtRest/DataVolumeKMSKeyId",
            page=_ENCRYPTION,
            forms=(KeyForm.ARN,),
        ),
    ),
    rows=(
        Row(
            "MSK cluster",
            "msk.CfnCluster(encryption_info=…key.key_arn…)",
            "whoever creates the cluster",
            "services=[ServiceAccess.msk([…])], or key_users",
        ),
    ),
    preset=PresetText(
        call="ServiceAccess.msk([…])",
        sid="Msk",
        shape=Shape.PRINCIPALS,
        summary="Lets principals of the key's account create MSK clusters whose volumes this key encrypts.",
        principals="Roles and users who create clusters.",
    ),
    undocumented=("The operations of the grant, and what a custom policy of the creator has to hold.",),
)
