"""Repositories of ECR."""

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

_PAGE = "https://docs.aws.amazon.com/AmazonECR/latest/userguide/encryption-at-rest.html"

REQUIREMENT = ServiceRequirement(
    name="ecr",
    title="ECR repository",
    pages=(_PAGE,),
    via="ecr",
    callers=(
        through_service("ecr", Who.CREATOR, ("DescribeKey", "CreateGrant"), page=_PAGE, when=When.CREATE),
    ),
    consumers=(named_by("AWS::ECR::Repository", "EncryptionConfiguration/KmsKey", page=_PAGE),),
    rows=(
        Row(
            "ECR repository",
            "ecr.Repository(encryption_key=key)",
            "whoever creates the repository",
            "services=[ServiceAccess.ecr([…])], or key_users",
        ),
    ),
    preset=PresetText(
        call="ServiceAccess.ecr([…])",
        sid="Ecr",
        shape=Shape.PRINCIPALS,
        summary="Lets principals of the key's account create repositories that ECR encrypts with this key.",
        detail="They also need `kms:RetireGrant`, which only an IAM policy can give.",
        principals="Roles and users who create repositories.",
    ),
    asks_through=("ecr",),
)
