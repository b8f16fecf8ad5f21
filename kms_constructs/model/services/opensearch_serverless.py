"""Collections of OpenSearch Serverless."""

from __future__ import annotations

from kms_constructs.model.service_requirement import (
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

_PAGE = "https://docs.aws.amazon.com/opensearch-service/latest/developerguide/serverless-encryption.html"

REQUIREMENT = ServiceRequirement(
    name="opensearch_serverless",
    title="OpenSearch Serverless collection",
    pages=(_PAGE,),
    via="aoss",
    callers=(
        through_service("aoss", Who.CREATOR, ("DescribeKey", "CreateGrant"), page=_PAGE, when=When.CREATE),
    ),
    consumers=(
        named_by(
            "AWS::OpenSearchServerless::Collection",
            "EncryptionConfig/KmsKeyArn",
            page=_PAGE,
            forms=(KeyForm.ARN,),
        ),
    ),
    rows=(
        Row(
            "OpenSearch Serverless collection",
            "opensearchserverless.CfnCollection(encryption_config=…key.key_arn…)",
            "whoever creates the collection",
            "services=[ServiceAccess.opensearch_serverless([…])], or key_users",
        ),
    ),
    preset=PresetText(
        call="ServiceAccess.opensearch_serverless([…])",
        sid="OpensearchServerless",
        shape=Shape.PRINCIPALS,
        summary=(
            "Lets principals of the key's account create collections that OpenSearch Serverless"
            " encrypts with this key."
        ),
        principals="Roles and users who create collections.",
    ),
    asks_through=("aoss",),
    notes=("The grant is for Decrypt and GenerateDataKey.",),
)
