"""Security configurations of Glue jobs."""

from __future__ import annotations

from kms_constructs.model.service_requirement import (
    Caller,
    KeyForm,
    Row,
    ServiceRequirement,
    Step,
    Who,
    named_by,
)

_PAGE = "https://docs.aws.amazon.com/glue/latest/dg/set-up-encryption.html"

REQUIREMENT = ServiceRequirement(
    name="glue_security_configuration",
    title="Glue security configuration",
    pages=(
        _PAGE,
        "https://docs.aws.amazon.com/glue/latest/dg/encryption-security-configuration.html",
    ),
    callers=(
        Caller(
            who=Who.ROLE,
            actions=("Decrypt", "Encrypt", "GenerateDataKey"),
            page=_PAGE,
            roles=((Step("AWS::Glue::Job", ("Role",)),), (Step("AWS::Glue::Crawler", ("Role",)),)),
        ),
    ),
    consumers=(
        named_by(
            "AWS::Glue::SecurityConfiguration",
            "EncryptionConfiguration/S3Encryptions/*/KmsKeyArn",
            "EncryptionConfiguration/JobBookmarksEncryption/KmsKeyArn",
            page=_PAGE,
            forms=(KeyForm.ARN,),
        ),
    ),
    rows=(
        Row(
            "Glue security configuration",
            "glue.CfnSecurityConfiguration(encryption_configuration=…key.key_arn…)",
            "the roles of jobs and crawlers",
            "key_users",
        ),
    ),
    notes=(("Encryption of logs needs ServiceAccess.cloudwatch_logs besides, for log groups /aws-glue/*."),),
)
