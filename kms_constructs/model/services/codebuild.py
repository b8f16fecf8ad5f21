"""Build output of CodeBuild."""

from __future__ import annotations

from kms_constructs.model.service_requirement import (
    ALL_SYMMETRIC,
    PARTITION,
    KeyForm,
    Row,
    ServiceRequirement,
    Step,
    Who,
    named_by,
    through_service,
)

_PAGE = "https://docs.aws.amazon.com/codebuild/latest/userguide/setting-up.html"

REQUIREMENT = ServiceRequirement(
    name="codebuild",
    title="CodeBuild project",
    pages=(_PAGE,),
    via="s3",
    callers=(
        through_service(
            "s3",
            Who.ROLE,
            (*ALL_SYMMETRIC, "DescribeKey"),
            page=_PAGE,
            context={"aws:s3:arn": f"arn:{PARTITION}:s3:::*"},
            called=("Decrypt", "GenerateDataKey"),
            roles=((Step("AWS::CodeBuild::Project", ("ServiceRole",)),),),
        ),
    ),
    consumers=(
        named_by(
            "AWS::CodeBuild::Project",
            "EncryptionKey",
            page=_PAGE,
            forms=(
                KeyForm.ARN,
                KeyForm.ALIAS,
            ),
        ),
    ),
    rows=(
        Row(
            "CodeBuild project",
            "codebuild.Project(encryption_key=key)",
            "the project's role, which it is granted to",
            "nothing for a role of the same stack; key_users for others",
        ),
    ),
)
