"""Streams of Kinesis."""

from __future__ import annotations

from kms_constructs.model.service_requirement import (
    ACCOUNT,
    PARTITION,
    REGION,
    PresetText,
    Row,
    ServiceRequirement,
    Shape,
    When,
    Who,
    named_by,
    through_service,
)

_PAGE = "https://docs.aws.amazon.com/streams/latest/dev/permissions-user-key-KMS.html"

REQUIREMENT = ServiceRequirement(
    name="kinesis",
    title="Kinesis stream",
    pages=(_PAGE,),
    via="kinesis",
    callers=(
        through_service(
            "kinesis",
            Who.WRITER,
            ("GenerateDataKey",),
            page=_PAGE,
            context={"aws:kinesis:arn": f"arn:{PARTITION}:kinesis:{REGION}:{ACCOUNT}:stream/*"},
        ),
        through_service(
            "kinesis",
            Who.READER,
            ("Decrypt",),
            page=_PAGE,
            context={"aws:kinesis:arn": f"arn:{PARTITION}:kinesis:{REGION}:{ACCOUNT}:stream/*"},
        ),
        through_service(
            "kinesis",
            Who.CREATOR,
            ("DescribeKey",),
            page=_PAGE,
            when=When.CREATE,
            note="AWS also lists kms:List*, which IAM policies give.",
        ),
    ),
    consumers=(named_by("AWS::Kinesis::Stream", "StreamEncryption/KeyId", page=_PAGE),),
    rows=(
        Row(
            "Kinesis stream",
            "kinesis.Stream(encryption_key=key)",
            "whoever puts and gets records",
            "services=[ServiceAccess.kinesis([…])], key_users, or stream.grant_read(role)",
        ),
    ),
    preset=PresetText(
        call="ServiceAccess.kinesis([…])",
        sid="Kinesis",
        shape=Shape.PRINCIPALS,
        summary=(
            "Lets principals of the key's account write and read Kinesis streams that are"
            " encrypted with this key."
        ),
        principals="Roles and users who put and get records, and who create streams.",
    ),
    asks_through=("kinesis",),
)
