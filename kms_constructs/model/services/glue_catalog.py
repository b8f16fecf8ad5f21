"""The Data Catalog of Glue."""

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

_PAGE = "https://docs.aws.amazon.com/glue/latest/dg/encrypt-glue-data-catalog.html"

REQUIREMENT = ServiceRequirement(
    name="glue_catalog",
    title="Glue Data Catalog",
    pages=(_PAGE,),
    via="glue",
    callers=(
        through_service(
            "glue", Who.WRITER, ("Decrypt", "Encrypt", "GenerateDataKey"), page=_PAGE, when=When.RUN
        ),
    ),
    consumers=(
        named_by(
            "AWS::Glue::DataCatalogEncryptionSettings",
            "DataCatalogEncryptionSettings/EncryptionAtRest/SseAwsKmsKeyId",
            page=_PAGE,
        ),
    ),
    rows=(
        Row(
            "Glue Data Catalog",
            "glue.CfnDataCatalogEncryptionSettings(data_catalog_encryption_settings=…)",
            "whoever uses the catalog",
            "services=[ServiceAccess.glue_catalog([…])], or key_users",
        ),
    ),
    preset=PresetText(
        call="ServiceAccess.glue_catalog([…])",
        sid="GlueCatalog",
        shape=Shape.PRINCIPALS,
        summary=(
            "Lets principals of the key's account use a Glue Data Catalog that is encrypted with this key."
        ),
        principals="Roles of jobs and crawlers, and whoever else uses the catalog.",
    ),
    asks_through=("glue",),
)
