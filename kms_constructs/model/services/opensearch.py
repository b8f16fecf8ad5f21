"""Domains of OpenSearch Service."""

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

_PAGE = "https://docs.aws.amazon.com/opensearch-service/latest/developerguide/encryption-at-rest.html"

REQUIREMENT = ServiceRequirement(
    name="opensearch",
    title="OpenSearch domain",
    pages=(_PAGE,),
    via="es",
    callers=(
        through_service("es", Who.CREATOR, ("DescribeKey", "CreateGrant"), page=_PAGE, when=When.CREATE),
    ),
    consumers=(
        named_by("AWS::OpenSearchService::Domain", "EncryptionAtRestOptions/KmsKeyId", page=_PAGE),
        named_by("AWS::Elasticsearch::Domain", "EncryptionAtRestOptions/KmsKeyId", page=_PAGE),
    ),
    rows=(
        Row(
            "OpenSearch domain",
            "opensearch.Domain(encryption_at_rest=opensearch.EncryptionAtRestOptions(kms_key=key))",
            "whoever creates the domain",
            "services=[ServiceAccess.opensearch([…])], or key_users",
        ),
    ),
    preset=PresetText(
        call="ServiceAccess.opensearch([…])",
        sid="Opensearch",
        shape=Shape.PRINCIPALS,
        summary=(
            "Lets principals of the key's account create domains that OpenSearch Service encrypts"
            " with this key."
        ),
        principals="Roles and users who create domains.",
    ),
    asks_through=("es",),
)
