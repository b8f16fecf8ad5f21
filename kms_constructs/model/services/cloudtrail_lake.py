"""Event data stores of CloudTrail Lake."""

from __future__ import annotations

from kms_constructs.model.service_requirement import (
    SOURCE_ACCOUNT,
    SOURCE_ARN,
    Caller,
    PresetText,
    Row,
    ServiceRequirement,
    When,
    Who,
    named_by,
    through_service,
)

_PAGE = "https://docs.aws.amazon.com/awscloudtrail/latest/userguide/create-kms-key-policy-for-cloudtrail.html"

REQUIREMENT = ServiceRequirement(
    name="cloudtrail_lake",
    title="CloudTrail Lake event data store",
    pages=(_PAGE,),
    via="cloudtrail",
    callers=(
        Caller(
            who=Who.SERVICE,
            principal="cloudtrail.amazonaws.com",
            actions=("Decrypt", "DescribeKey", "GenerateDataKey"),
            page=_PAGE,
            when=When.CREATE,
            omits=(SOURCE_ARN, SOURCE_ACCOUNT),
        ),
        through_service(
            "cloudtrail",
            Who.CREATOR,
            ("Decrypt", "GenerateDataKey"),
            page=_PAGE,
            when=When.CREATE,
            sid="Principals",
            note="Whoever queries needs both, too.",
        ),
    ),
    consumers=(named_by("AWS::CloudTrail::EventDataStore", "KmsKeyId", page=_PAGE),),
    rows=(
        Row(
            "CloudTrail Lake event data store",
            "cloudtrail.CfnEventDataStore(kms_key_id=key.key_arn)",
            "cloudtrail.amazonaws.com, and whoever creates and queries the store",
            (
                "services=[ServiceAccess.cloudtrail_lake([…])], and an acknowledgement of IAM-KMS-6: AWS"
                " supports no condition on the source"
            ),
        ),
    ),
    preset=PresetText(call="ServiceAccess.cloudtrail_lake([…])", sid="CloudTrailLake"),
    notes=(
        (
            "A statement with aws:SourceArn or aws:SourceAccount allows nothing: CloudTrail sends"
            " neither here."
        ),
    ),
    undocumented=("A condition key that CloudTrail's own calls carry.",),
)
