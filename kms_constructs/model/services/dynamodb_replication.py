"""Global tables of DynamoDB over several accounts."""

from __future__ import annotations

from kms_constructs.model.service_requirement import (
    ACCOUNT,
    DATA_KEYS,
    PARTITION,
    SOURCE_ACCOUNT,
    SOURCE_ARN,
    Caller,
    PresetText,
    ServiceRequirement,
    Who,
)

_PAGE = "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/globaltables_MA_security.html"

REQUIREMENT = ServiceRequirement(
    name="dynamodb_replication",
    title="DynamoDB global table over accounts",
    pages=(_PAGE,),
    callers=(
        Caller(
            who=Who.SERVICE,
            principal="replication.dynamodb.amazonaws.com",
            actions=("Decrypt", "DescribeKey", *DATA_KEYS, "ReEncryptFrom", "ReEncryptTo"),
            page=_PAGE,
            sends={SOURCE_ACCOUNT: ACCOUNT, SOURCE_ARN: f"arn:{PARTITION}:dynamodb:*:{ACCOUNT}:table/*"},
            limits=(
                ("StringEquals", SOURCE_ACCOUNT),
                ("ArnLike", SOURCE_ARN),
            ),
            only_if="the replicas lie in several accounts",
            note="The condition names both accounts and both tables.",
        ),
    ),
    preset=PresetText(call="ServiceAccess.dynamodb_replication([…])", sid="DynamodbReplication"),
    asks_as=("replication.dynamodb.amazonaws.com",),
)
