"""Domains of CodeArtifact."""

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

_PAGE = "https://docs.aws.amazon.com/codeartifact/latest/ug/domain-create.html"

REQUIREMENT = ServiceRequirement(
    name="codeartifact",
    title="CodeArtifact domain",
    pages=(_PAGE,),
    via="codeartifact",
    callers=(
        through_service(
            "codeartifact", Who.CREATOR, ("DescribeKey", "CreateGrant"), page=_PAGE, when=When.CREATE
        ),
    ),
    consumers=(named_by("AWS::CodeArtifact::Domain", "EncryptionKey", page=_PAGE, forms=(KeyForm.ARN,)),),
    rows=(
        Row(
            "CodeArtifact domain",
            "codeartifact.CfnDomain(encryption_key=key.key_arn)",
            "whoever creates the domain",
            "services=[ServiceAccess.codeartifact([…])], or key_users",
        ),
    ),
    preset=PresetText(
        call="ServiceAccess.codeartifact([…])",
        sid="Codeartifact",
        shape=Shape.PRINCIPALS,
        summary=(
            "Lets principals of the key's account create domains that CodeArtifact encrypts with this key."
        ),
        principals="Roles and users who create domains.",
    ),
    asks_through=("codeartifact",),
)
