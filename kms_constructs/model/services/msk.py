"""Clusters of MSK."""

from __future__ import annotations

from kms_constructs.model.service_requirement import (
    KeyForm,
    Row,
    ServiceRequirement,
    named_by,
)

_PAGE = "https://docs.aws.amazon.com/msk/latest/developerguide/msk-encryption.html"

REQUIREMENT = ServiceRequirement(
    name="msk",
    title="MSK cluster",
    pages=(_PAGE,),
    callers=(),
    consumers=(
        named_by(
            "AWS::MSK::Cluster",
            "EncryptionInfo/EncryptionAtRest/DataVolumeKMSKeyId",
            page=_PAGE,
            forms=(KeyForm.ARN,),
        ),
    ),
    rows=(
        Row(
            "MSK cluster", "msk.CfnCluster(encryption_info=…key.key_arn…)", "whoever creates it", "key_users"
        ),
    ),
    notes=("AWS documents no list of what the creator needs.",),
)
