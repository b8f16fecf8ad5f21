"""Query results of Athena."""

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

_PAGE = "https://docs.aws.amazon.com/athena/latest/ug/encryption.html"

REQUIREMENT = ServiceRequirement(
    name="athena",
    title="Athena query results",
    pages=(
        _PAGE,
        "https://docs.aws.amazon.com/athena/latest/ug/encrypting-managed-results.html",
    ),
    via="s3",
    also_via=("athena",),
    callers=(through_service("s3", Who.WRITER, ("Decrypt", "GenerateDataKey"), page=_PAGE, when=When.RUN),),
    consumers=(
        named_by(
            "AWS::Athena::WorkGroup",
            "WorkGroupConfiguration/ResultConfiguration/EncryptionConfiguration/KmsKey",
            page=_PAGE,
        ),
        named_by(
            "AWS::Athena::WorkGroup",
            "WorkGroupConfiguration/ManagedQueryResultsConfiguration/EncryptionConfiguration/KmsKey",
            page=_PAGE,
            forms=(KeyForm.ARN,),
        ),
    ),
    rows=(
        Row(
            "Athena query results",
            "athena.CfnWorkGroup(work_group_configuration=…key.key_arn…)",
            "whoever runs queries",
            "services=[ServiceAccess.athena([…])], or key_users",
        ),
    ),
    preset=PresetText(
        call="ServiceAccess.athena([…])",
        sid="Athena",
        shape=Shape.PRINCIPALS,
        summary=(
            "Lets principals of the key's account run Athena queries whose results are encrypted"
            " with this key."
        ),
        detail=(
            "Results in a bucket of one's own come through S3, managed results through Athena:"
            " the statement names both."
        ),
        principals="Roles and users who run queries and read results.",
    ),
    notes=(
        ("An encrypted Glue Data Catalog asks for Decrypt, Encrypt and GenerateDataKey on its own key."),
        "Managed results ask for DescribeKey, too.",
    ),
)
