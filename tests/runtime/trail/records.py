"""Random records of a trail, as a trail delivers them, and the flat tables that are made of them.

The universe is small, so that records share calls, keys, principals and hours with each other.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import duckdb
from hypothesis import strategies as st

from kms_constructs.detections.relations import (
    EVENT_COLUMNS,
    KEY_COLUMNS,
    EventRow,
    KeyRow,
    flatten,
    is_wanted,
)

HOME, OTHER = "111122223333", "444455556666"
REGIONS = ("eu-central-1", "us-gov-west-1")
IDS = (
    "1234abcd-12ab-34cd-56ef-1234567890ab",
    "mrk-1234abcd12ab34cd56ef1234567890ab",
    "0987dcba-09fe-87dc-65ba-ab0987654321",
)
KEYS = tuple(f"arn:aws:kms:eu-central-1:{HOME}:key/{one}" for one in IDS)
FOREIGN = f"arn:aws:kms:eu-central-1:{OTHER}:key/{IDS[2]}"
ALIAS = f"arn:aws:kms:eu-central-1:{HOME}:alias/orders"
START = datetime(2026, 2, 27, 21, tzinfo=UTC)
ROLE = f"arn:aws:iam::{HOME}:role/App"

_SESSION = {
    "type": "AssumedRole",
    "principalId": "AROAEXAMPLE:one",
    "arn": f"arn:aws:sts::{HOME}:assumed-role/App/one",
    "accountId": HOME,
    "sessionContext": {"sessionIssuer": {"type": "Role", "arn": ROLE, "accountId": HOME}},
}
IDENTITIES: tuple[dict[str, Any], ...] = (
    _SESSION,
    {**_SESSION, "arn": f"arn:aws:sts::{HOME}:assumed-role/App/two", "invokedBy": "s3.amazonaws.com"},
    {
        "type": "IAMUser",
        "principalId": "AIDAEXAMPLE",
        "arn": f"arn:aws:iam::{HOME}:user/Zoë",
        "accountId": HOME,
    },
    {"type": "Root", "principalId": HOME, "arn": f"arn:aws:iam::{HOME}:root", "accountId": HOME},
    {"type": "AWSService", "invokedBy": "rds.amazonaws.com"},
    {"type": "AWSAccount", "principalId": "AROAOTHER:three", "accountId": OTHER},
    {"accountId": HOME, "invokedBy": "AWS Internal"},
    {},
)
_CONTEXTS = (
    {},
    {"Department": "Finance", "aws:s3:arn": "arn:aws:s3:::b/'ö\""},
    {"Department": "Sales"},
    None,
)
_NAMES = (*IDS, *KEYS, FOREIGN, "alias/orders", ALIAS, "", "HIDDEN_DUE_TO_SECURITY_REASONS")
_HEADERS = (
    "x-amz-server-side-encryption-aws-kms-key-id",
    "X-Amz-Server-Side-Encryption-Aws-Kms-Key-Id",
)


def _time(minutes: int) -> str:
    return (START + timedelta(minutes=minutes)).strftime("%Y-%m-%dT%H:%M:%SZ")


def _without_none(**fields: Any) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}


_resources = st.none() | st.lists(
    st.sampled_from((*KEYS, FOREIGN, ALIAS, "arn:aws:s3:::bucket")).map(
        lambda arn: {"ARN": arn, "accountId": HOME}
    ),
    max_size=3,
)
_requests = st.one_of(
    st.none(),
    st.builds(
        lambda key, context: _without_none(keyId=key, encryptionContext=context),
        st.none() | st.sampled_from(_NAMES),
        st.sampled_from(_CONTEXTS),
    ),
    st.builds(
        lambda source, target, before, after: _without_none(
            sourceKeyId=source,
            destinationKeyId=target,
            sourceEncryptionContext=before,
            destinationEncryptionContext=after,
        ),
        st.sampled_from(KEYS),
        st.sampled_from(_NAMES),
        st.sampled_from(_CONTEXTS),
        st.sampled_from(_CONTEXTS),
    ),
    st.builds(
        lambda key: _without_none(aliasName="alias/orders", targetKeyId=key),
        st.none() | st.sampled_from(IDS),
    ),
    st.builds(
        lambda header, key, many: {"bucketName": "b", header: [key] if many else key},
        st.sampled_from(_HEADERS), st.sampled_from(_NAMES), st.booleans(),
    ),
    st.builds(lambda key: {"name": "trail", "kmsKeyId": key}, st.sampled_from(_NAMES)),
    st.builds(
        lambda key, many: {
            "ServerSideEncryptionConfiguration": {"Rule": [_rule(key)] if many else _rule(key)}
        },
        st.sampled_from(_NAMES), st.booleans(),
    ),
)  # fmt: skip


def _rule(key: str) -> dict[str, Any]:
    return {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}}


_record = st.fixed_dictionaries(
    {
        "eventVersion": st.sampled_from(("1.05", "1.11")),
        "eventTime": st.integers(0, 60 * 24 * 4).map(_time),
        "eventSource": st.sampled_from(
            ("kms.amazonaws.com",) * 4 + ("s3.amazonaws.com", "cloudtrail.amazonaws.com")
        ),
        "eventName": st.sampled_from(
            (
                "Decrypt",
                "Decrypt",
                "GenerateDataKey",
                "ReEncrypt",
                "DescribeKey",
                "PutObject",
                "GenerateRandom",
            )
        ),
        "awsRegion": st.sampled_from(REGIONS),
        "recipientAccountId": st.sampled_from((HOME, HOME, OTHER)),
        "userIdentity": st.sampled_from(IDENTITIES),
        "eventType": st.sampled_from(("AwsApiCall", "AwsServiceEvent")),
        "readOnly": st.sampled_from((True, False, None)),
        "requestParameters": _requests,
        "resources": _resources,
    },
    optional={
        "sourceIPAddress": st.sampled_from(("203.0.113.7", "10.0.0.1", "2001:db8::1", "s3.amazonaws.com")),
        "userAgent": st.sampled_from(("aws-cli/2", "Boto3/1.44 'x'", "")),
        "vpcEndpointId": st.sampled_from(("vpce-1", "vpce-2")),
        "errorCode": st.sampled_from(("AccessDenied", "DisabledException", "")),
        "errorMessage": st.just("User is not authorized"),
        "responseElements": st.sampled_from(
            (
                None,
                {"x-amz-server-side-encryption-aws-kms-key-id": KEYS[0]},
                {"X-Amz-Server-Side-Encryption-Aws-Kms-Key-Id": [FOREIGN]},
                {"keyState": "Enabled", "keyId": KEYS[1]},
                {"keyMetadata": {"arn": KEYS[2], "keyId": IDS[2]}},
                {"replicaKeyMetadata": {"arn": FOREIGN}},
                {"kmsKeyId": KEYS[0]},
            )
        ),
        "serviceEventDetails": st.sampled_from(({"keyId": IDS[0]}, {})),
        "additionalEventData": st.sampled_from(({"bytes": 12}, {})),
    },
)


@st.composite
def trails(draw: st.DrawFn, most: int = 25) -> list[dict[str, Any]]:
    """Records, each with an id of its own; some share a call, for another account records it as well."""
    found: list[dict[str, Any]] = []
    for number, record in enumerate(draw(st.lists(_record, max_size=most))):
        own = {**record, "eventID": f"e-{draw(st.integers(0, 9))}-{number:03}"}
        if draw(st.integers(0, 4)) == 0:
            shared = {**own, "sharedEventID": f"s-{number:03}"}
            seen = {
                **shared,
                "eventID": f"e-{draw(st.integers(0, 9))}-{number:03}x",
                "recipientAccountId": OTHER,
                "userIdentity": draw(st.sampled_from((own["userIdentity"], IDENTITIES[5]))),
            }
            found += [shared, seen]
        else:
            found.append(own)
    return found


def rows_of(records: Iterable[Mapping[str, object]]) -> tuple[list[EventRow], list[KeyRow]]:
    """The flat rows of what bears on keys."""
    events, keys = [], []
    for record in records:
        if is_wanted(record):
            event, named = flatten(record)
            events.append(event)
            keys += named
    return events, keys


def flat_tables(
    connection: duckdb.DuckDBPyConnection, events: Sequence[EventRow], keys: Sequence[KeyRow]
) -> None:
    """Makes ``events`` and ``event_keys`` of rows, with the dates that a store adds."""
    for table, columns, rows in (("events", EVENT_COLUMNS, events), ("event_keys", KEY_COLUMNS, keys)):
        described = ", ".join(f'"{name}" {kind}' for name, kind in columns.items())
        connection.execute(f"create or replace table {table} ({described}, event_date date)")
        if rows:
            # One statement: a statement a row takes most of a second a trail.
            marks = f"({', '.join('?' * (len(columns) + 1))})"
            connection.execute(
                f"insert into {table} values {', '.join([marks] * len(rows))}",  # noqa: S608 - marks alone
                [cell for row in rows for cell in (*row, row.event_time[:10])],
            )


def json_text(value: object) -> str | None:
    """As a reader of JSON gives an inner object as text."""
    return (
        None
        if value is None
        else json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    )
