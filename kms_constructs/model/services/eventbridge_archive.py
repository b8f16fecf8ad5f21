"""Archives of EventBridge."""

from __future__ import annotations

from kms_constructs.model.service_requirement import (
    ACCOUNT,
    CONTEXT,
    PARTITION,
    REGION,
    Caller,
    PresetText,
    Row,
    ServiceRequirement,
    When,
    Who,
    named_by,
)

_PAGE = "https://docs.aws.amazon.com/eventbridge/latest/userguide/encryption-archives.html"
_CONTEXT = f"{CONTEXT}aws:events:event-bus:arn"

REQUIREMENT = ServiceRequirement(
    name="eventbridge_archive",
    title="EventBridge archive",
    pages=(
        _PAGE,
        "https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-encryption-key-policy.html",
    ),
    callers=(
        Caller(
            who=Who.SERVICE,
            principal="events.amazonaws.com",
            actions=("Decrypt", "GenerateDataKey", "ReEncryptFrom", "ReEncryptTo"),
            page=_PAGE,
            sends={_CONTEXT: f"arn:{PARTITION}:events:{REGION}:{ACCOUNT}:event-bus/*"},
            limits=(("ArnLike", _CONTEXT),),
        ),
        Caller(
            who=Who.SERVICE,
            principal="events.amazonaws.com",
            actions=("DescribeKey",),
            page=_PAGE,
            when=When.CREATE,
            sid="Describe",
            note="AWS documents no condition for it.",
        ),
    ),
    consumers=(named_by("AWS::Events::Archive", "KmsKeyIdentifier", page=_PAGE),),
    rows=(
        Row(
            "EventBridge archive",
            "events.CfnArchive(kms_key_identifier=key.key_arn)",
            "events.amazonaws.com",
            "services=[ServiceAccess.eventbridge_archive()]",
        ),
    ),
    preset=PresetText(call="ServiceAccess.eventbridge_archive(…)", sid="EventbridgeArchive"),
    notes=(
        (
            "AWS's text calls the value of the encryption context the archive's ARN, its example"
            " names the bus."
        ),
    ),
    undocumented=("Whether aws:SourceArn is sent.",),
)
