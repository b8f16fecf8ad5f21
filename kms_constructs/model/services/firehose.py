"""Streams of Firehose."""

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

_PAGE = "https://docs.aws.amazon.com/firehose/latest/dev/encryption.html"

REQUIREMENT = ServiceRequirement(
    name="firehose",
    title="Firehose stream",
    pages=(_PAGE,),
    via="firehose",
    callers=(
        through_service("firehose", Who.CREATOR, ("CreateGrant",), page=_PAGE, when=When.CREATE),
        through_service("firehose", Who.WRITER, ("Decrypt", "GenerateDataKey"), page=_PAGE),
    ),
    consumers=(
        named_by(
            "AWS::KinesisFirehose::DeliveryStream",
            "DeliveryStreamEncryptionConfigurationInput/KeyARN",
            page=_PAGE,
            forms=(KeyForm.ARN,),
        ),
    ),
    rows=(
        Row(
            "Firehose stream",
            "firehose.DeliveryStream(encryption=firehose.StreamEncryption.customer_managed_key(key))",
            "whoever creates the stream, and whoever puts records",
            "services=[ServiceAccess.firehose([…])], or key_users",
        ),
    ),
    preset=PresetText(
        call="ServiceAccess.firehose([…])",
        sid="Firehose",
        shape=Shape.PRINCIPALS,
        summary=(
            "Lets principals of the key's account create Firehose streams that are encrypted with"
            " this key, and write to them."
        ),
        principals="Roles and users who create streams, and who put records.",
    ),
    asks_through=("firehose",),
    notes=(
        "AWS says that the encryption context of Firehose is not to be relied upon.",
        "A Kinesis stream as source asks the delivery role for Decrypt on the stream's key.",
    ),
)
