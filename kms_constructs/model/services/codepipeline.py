"""Artifacts of CodePipeline."""

from __future__ import annotations

from kms_constructs.model.service_requirement import (
    ALL_SYMMETRIC,
    Caller,
    Row,
    ServiceRequirement,
    Step,
    Who,
    named_by,
)

_PAGE = "https://docs.aws.amazon.com/codepipeline/latest/userguide/pipelines-create-cross-account.html"

REQUIREMENT = ServiceRequirement(
    name="codepipeline",
    title="CodePipeline pipeline",
    pages=(
        _PAGE,
        "https://docs.aws.amazon.com/codepipeline/latest/userguide/S3-artifact-encryption.html",
    ),
    callers=(
        Caller(
            who=Who.ROLE,
            actions=(*ALL_SYMMETRIC, "DescribeKey"),
            called=("Decrypt", "GenerateDataKey"),
            page=_PAGE,
            roles=((Step("AWS::CodePipeline::Pipeline", ("RoleArn", "Stages/*/Actions/*/RoleArn")),),),
        ),
    ),
    consumers=(
        named_by(
            "AWS::CodePipeline::Pipeline",
            "ArtifactStore/EncryptionKey/Id",
            "ArtifactStores/*/ArtifactStore/EncryptionKey/Id",
            page=_PAGE,
        ),
    ),
    rows=(
        Row(
            "CodePipeline artifact bucket",
            "codepipeline.Pipeline(artifact_bucket=bucket)",
            "the roles of the pipeline, which it is granted to",
            "nothing for roles of the same stack; key_users for others",
        ),
        Row(
            "CodePipeline action in another account",
            "codepipeline.CfnPipeline(stages=…role_arn of the other account…)",
            "the action's role, which lies there",
            'external_access=[ExternalAccess(principals=[role], permissions=["both"], via_services=["s3"])]',
        ),
    ),
    notes=(
        (
            "An action in another account needs ExternalAccess for its role, and an IAM policy"
            " there that names the key's ARN: aliases and the key of S3 do not work across"
            " accounts."
        ),
    ),
)
