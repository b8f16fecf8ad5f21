"""Event buses of EventBridge."""

from __future__ import annotations

from kms_constructs.model.service_requirement import (
    ACCOUNT,
    CONTEXT,
    PARTITION,
    REGION,
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

_PAGE = "https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-encryption-event-bus-cmkey.html"
_BUSES = f"arn:{PARTITION}:events:{REGION}:{ACCOUNT}:event-bus/*"
_CONTEXT = f"{CONTEXT}aws:events:event-bus:arn"

REQUIREMENT = ServiceRequirement(
    name="eventbridge_bus",
    title="EventBridge event bus",
    pages=(_PAGE, "https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-encryption-key-policy.html"),
    via="events",
    callers=(
        Caller(
            who=Who.SERVICE,
            principal="events.amazonaws.com",
            actions=("Decrypt", "GenerateDataKey"),
            page=_PAGE,
            sends={SOURCE_ARN: _BUSES, SOURCE_ACCOUNT: ACCOUNT, _CONTEXT: _BUSES},
            limits=(("ArnLike", SOURCE_ARN), ("ArnLike", _CONTEXT)),
        ),
        Caller(
            who=Who.SERVICE,
            principal="events.amazonaws.com",
            actions=("DescribeKey",),
            page=_PAGE,
            when=When.CREATE,
            sends={SOURCE_ACCOUNT: ACCOUNT},
            omits=(_CONTEXT,),
            limits=(("StringEquals", SOURCE_ACCOUNT),),
            sid="Describe",
        ),
        through_service(
            "events",
            Who.CREATOR,
            (
                "Decrypt",
                "DescribeKey",
                "Encrypt",
                "GenerateDataKeyWithoutPlaintext",
                "ReEncryptFrom",
                "ReEncryptTo",
            ),
            page=_PAGE,
            when=When.CREATE,
            sid="Creators",
            note="Who makes or lists rules on the bus needs Decrypt, too.",
        ),
    ),
    consumers=(named_by("AWS::Events::EventBus", "KmsKeyIdentifier", page=_PAGE),),
    rows=(
        Row(
            "EventBridge event bus",
            "events.EventBus(kms_key=key)",
            "events.amazonaws.com, and whoever creates the bus and rules on it",
            "services=[ServiceAccess.eventbridge_bus()], and key_users",
            refused=True,
        ),
    ),
    asks_as=("events.amazonaws.com",),
    preset=PresetText(call="ServiceAccess.eventbridge_bus(…)", sid="EventbridgeBus"),
)
