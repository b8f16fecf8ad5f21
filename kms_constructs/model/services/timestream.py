"""Databases of Timestream for LiveAnalytics."""

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

_PAGE = "https://docs.aws.amazon.com/timestream/latest/developerguide/EncryptionAtRest.html"

REQUIREMENT = ServiceRequirement(
    name="timestream",
    title="Timestream database",
    pages=(_PAGE,),
    via="timestream",
    callers=(
        through_service(
            "timestream",
            Who.CREATOR,
            ("DescribeKey", "CreateGrant"),
            page=_PAGE,
            when=When.CREATE,
            called=("CreateGrant",),
        ),
    ),
    consumers=(named_by("AWS::Timestream::Database", "KmsKeyId", page=_PAGE),),
    rows=(
        Row(
            "Timestream database",
            "timestream.CfnDatabase(kms_key_id=key.key_arn)",
            "whoever creates the database",
            "services=[ServiceAccess.timestream([…])], or key_users",
        ),
    ),
    preset=PresetText(
        call="ServiceAccess.timestream([…])",
        sid="Timestream",
        shape=Shape.PRINCIPALS,
        summary=(
            "Lets principals of the key's account create databases that Timestream encrypts with this key."
        ),
        principals="Roles and users who create databases.",
    ),
    asks_through=("timestream",),
    undocumented=("Whether DescribeKey is called.",),
    notes=(("CreateGrant and its conditions are those of the managed policy AmazonTimestreamFullAccess."),),
)
