"""Replication groups and serverless caches of ElastiCache."""

from __future__ import annotations

from kms_constructs.model.service_requirement import (
    Row,
    ServiceRequirement,
    named_by,
)

_PAGE = "https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/at-rest-encryption.html"

REQUIREMENT = ServiceRequirement(
    name="elasticache",
    title="ElastiCache cluster",
    pages=(_PAGE,),
    callers=(),
    consumers=(
        named_by("AWS::ElastiCache::ReplicationGroup", "KmsKeyId", page=_PAGE),
        named_by("AWS::ElastiCache::ServerlessCache", "KmsKeyId", page=_PAGE),
    ),
    rows=(
        Row(
            "ElastiCache cluster",
            "elasticache.CfnReplicationGroup(kms_key_id=key.key_arn)",
            "whoever creates it",
            "key_users",
        ),
    ),
    undocumented=("Which calls of KMS the creator makes.",),
    notes=(
        "ElastiCache makes grants, which ListGrants shows.",
        "A limit by kms:ViaService has to name both elasticache and dax.",
    ),
)
