"""File systems of FSx."""

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

_PAGE = "https://docs.aws.amazon.com/fsx/latest/WindowsGuide/encryption-at-rest.html"

REQUIREMENT = ServiceRequirement(
    name="fsx",
    title="FSx file system",
    pages=(_PAGE, "https://docs.aws.amazon.com/fsx/latest/LustreGuide/encryption-at-rest.html"),
    via="fsx",
    callers=(
        through_service(
            "fsx",
            Who.CREATOR,
            ("Decrypt", "DescribeKey", "GenerateDataKeyWithoutPlaintext", "CreateGrant"),
            page=_PAGE,
            when=When.CREATE,
        ),
    ),
    consumers=(
        named_by(
            "AWS::FSx::FileSystem",
            "KmsKeyId",
            page=_PAGE,
            forms=(
                KeyForm.ARN,
                KeyForm.ID,
            ),
        ),
    ),
    rows=(
        Row(
            "FSx file system",
            "fsx.CfnFileSystem(kms_key_id=key.key_arn)",
            "whoever creates the file system",
            "services=[ServiceAccess.fsx([…])], or key_users",
        ),
    ),
    preset=PresetText(
        call="ServiceAccess.fsx([…])",
        sid="Fsx",
        shape=Shape.PRINCIPALS,
        summary=("Lets principals of the key's account create file systems that FSx encrypts with this key."),
        principals="Roles and users who create file systems.",
    ),
    asks_through=("fsx",),
    notes=("The pages on Windows File Server and on Lustre name the same calls; others were not compared.",),
)
