"""Trails for tests: records as CloudTrail writes them, and an engine that holds their rows."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import duckdb

from kms_constructs.analysis.recorded.call import RecordedCall
from kms_constructs.detections.relations import EVENT_COLUMNS, KEY_COLUMNS, EventRow, KeyRow, flatten
from kms_constructs.detections.watch import KMS

ACCOUNT = "111122223333"
REGION = "eu-central-1"
ORDERS = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/11111111-1111-1111-1111-111111111111"
APP = f"arn:aws:iam::{ACCOUNT}:role/App"

_numbers = itertools.count()


def record(
    name: str = "Decrypt",
    *,
    caller: str | None = APP,
    key: str | None = ORDERS,
    request: Mapping[str, Any] | None = None,
    service: str | None = None,
    time: str = "2026-05-01T10:00:00Z",
    context: Mapping[str, str] | None = None,
    **others: Any,
) -> dict[str, Any]:
    """One record of a call to KMS.

    Args:
        name: CloudTrail's name of the call.
        caller: ARN of a role, user or root user; of a service and of other accounts' principals None.
        key: ARN of the key among the resources.
        request: Its parameters; by default the key's id.
        service: The service that called.
        time: When.
        context: The encryption context.
        others: Further members of the record.
    """
    parameters = dict(request if request is not None else {"keyId": key} if key else {})
    if context:
        parameters["encryptionContext"] = dict(context)
    found = {
        "eventID": f"event-{next(_numbers)}",
        "eventVersion": "1.11",
        "eventTime": time,
        "eventSource": "kms.amazonaws.com",
        "eventName": name,
        "eventType": "AwsApiCall",
        "awsRegion": REGION,
        "recipientAccountId": ACCOUNT,
        "sourceIPAddress": service or "192.0.2.10",
        "userIdentity": identity(caller, service),
        "requestParameters": parameters,
    }
    if key:
        found["resources"] = [{"ARN": key, "accountId": ACCOUNT, "type": "AWS::KMS::Key"}]
    return {**found, **others}


def identity(caller: str | None, service: str | None) -> dict[str, Any]:
    """The identity of a caller as CloudTrail tells it."""
    found: dict[str, Any] = {"invokedBy": service} if service else {}
    if caller is None:
        return {"type": "AWSService", **found}
    account, name = caller.split(":")[4], caller.rpartition("/")[2]
    found |= {"accountId": account}
    if ":role/" in caller:
        issuer = {"type": "Role", "arn": caller, "accountId": account, "principalId": "AROAEXAMPLE"}
        session = f"arn:aws:sts::{account}:assumed-role/{name}/session"
        return {
            "type": "AssumedRole",
            "arn": session,
            "principalId": "AROAEXAMPLE:session",
            "sessionContext": {"sessionIssuer": issuer},
            **found,
        }
    kind = "Root" if caller.endswith(":root") else "IAMUser" if ":user/" in caller else "FederatedUser"
    return {"type": kind, "arn": caller, "principalId": "AIDAEXAMPLE", **found}


def engine(records: Iterable[Mapping[str, Any]]) -> duckdb.DuckDBPyConnection:
    """A connection with the relations that a store has, filled with the rows of the records."""
    connection = duckdb.connect()
    for table, columns in (("events", EVENT_COLUMNS), ("event_keys", KEY_COLUMNS)):
        typed = ", ".join(f"{name} {type_}" for name, type_ in columns.items())
        connection.execute(f"CREATE TABLE {table} ({typed})")
    rows = [flatten(one) for one in records]
    insert(connection, "events", [event for event, _ in rows])
    insert(connection, "event_keys", [key for _, keys in rows for key in keys])
    return connection


def insert(connection: duckdb.DuckDBPyConnection, table: str, rows: Sequence[Sequence[object]]) -> None:
    """Puts rows into a table."""
    if rows:
        marks = ", ".join("?" * len(rows[0]))
        connection.executemany(f"INSERT INTO {table} VALUES ({marks})", [list(row) for row in rows])  # noqa: S608


def one_by_one(records: Iterable[Mapping[str, Any]]) -> tuple[RecordedCall, ...]:
    """The calls of records, each by itself and with all that it tells: what an engine is held against."""
    found: list[RecordedCall] = []
    for event, keys in map(flatten, records):
        if event.event_source != KMS or event.error_code is not None or event.event_type != "AwsApiCall":
            continue
        for key in keys:
            found.extend(_call(event, key, action) for action in _actions(event, key, len(keys)))
    return tuple(found)


def _actions(event: EventRow, key: KeyRow, number: int) -> tuple[str, ...]:
    if event.event_name == "CreateKey":
        return ()
    if event.event_name != "ReEncrypt":
        return (event.event_name,)
    if number == 1:
        return ("ReEncryptFrom", "ReEncryptTo")
    return ("ReEncryptTo",) if key.use == "destination" else ("ReEncryptFrom",)


def service_of(address: str | None) -> str | None:
    """The service that a record was sent from; None for an address of the network."""
    named = address is not None and (address == "AWS Internal" or address.endswith(".amazonaws.com"))
    return address if named else None


def _call(event: EventRow, key: KeyRow, action: str) -> RecordedCall:
    to = action == "ReEncryptTo"
    carried = event.destination_encryption_context if to else event.encryption_context
    context = json.loads(carried or "{}")
    request = json.loads(event.request or "{}")
    return RecordedCall(
        key=key.key,
        action=action,
        caller=event.caller,
        caller_type=event.caller_type,
        caller_account=event.caller_account,
        service=event.service or service_of(event.source_address),
        alias=key.alias,
        vpc_endpoint=event.vpc_endpoint,
        source_address=event.source_address,
        user_agent=event.user_agent,
        principal_id=event.principal_id,
        context=tuple(sorted(context.items())),
        context_names=tuple(sorted(context)),
        parameters=tuple((name, json.dumps(value)) for name, value in sorted(request.items())),
        first=event.event_time,
        last=event.event_time,
    )
