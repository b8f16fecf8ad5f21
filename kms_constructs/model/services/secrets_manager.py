"""Secrets of Secrets Manager."""

from __future__ import annotations

from kms_constructs.model.service_requirement import (
    ACCOUNT,
    PARTITION,
    REGION,
    PresetText,
    Row,
    ServiceRequirement,
    When,
    Who,
    named_by,
    through_service,
)

_PAGE = "https://docs.aws.amazon.com/secretsmanager/latest/userguide/security-encryption.html"
_CONTEXT = {"SecretARN": f"arn:{PARTITION}:secretsmanager:{REGION}:{ACCOUNT}:secret:*"}

REQUIREMENT = ServiceRequirement(
    name="secrets_manager",
    title="Secrets Manager secret",
    pages=(_PAGE,),
    via="secretsmanager",
    callers=(
        through_service(
            "secretsmanager",
            Who.CREATOR,
            ("Decrypt", "GenerateDataKey"),
            page=_PAGE,
            context=_CONTEXT,
            when=When.CREATE,
        ),
        through_service(
            "secretsmanager", Who.READER, ("Decrypt",), page=_PAGE, context=_CONTEXT, sid="Readers"
        ),
    ),
    consumers=(named_by("AWS::SecretsManager::Secret", "KmsKeyId", "ReplicaRegions/*/KmsKeyId", page=_PAGE),),
    rows=(
        Row(
            "Secrets Manager secret",
            "secretsmanager.Secret(encryption_key=key)",
            "whoever creates, reads and writes the secret",
            "services=[ServiceAccess.secrets_manager([…])]",
            refused=True,
        ),
    ),
    preset=PresetText(call="ServiceAccess.secrets_manager([…])", sid="SecretsManager"),
    asks_through=("secretsmanager",),
)
