"""Clusters of DocumentDB."""

from __future__ import annotations

from kms_constructs.model.service_requirement import (
    Row,
    ServiceRequirement,
    named_by,
)

_PAGE = "https://docs.aws.amazon.com/documentdb/latest/devguide/encryption-at-rest.html"

REQUIREMENT = ServiceRequirement(
    name="documentdb",
    title="DocumentDB cluster",
    pages=(_PAGE,),
    callers=(),
    consumers=(named_by("AWS::DocDB::DBCluster", "KmsKeyId", page=_PAGE),),
    rows=(
        Row("DocumentDB cluster", "docdb.DatabaseCluster(kms_key=key)", "whoever creates it", "key_users"),
    ),
    undocumented=("Which calls of KMS are made, and by whom.",),
    notes=(
        "AWS says that DocumentDB asks KMS for a data key and to decrypt it, not with whose permissions.",
    ),
)
