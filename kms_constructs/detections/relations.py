"""The two flat relations that a trail is asked about: events, and event by key.

A record of CloudTrail nests, differs by service and year, and names a key by id, ARN or alias, or several
keys at once. Reports and detections ask flat rows instead, made here and nowhere else.

See: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from kms_constructs.detections.watch import CLOUDTRAIL, KMS
from kms_constructs.model.arn import of_region

S3 = "s3.amazonaws.com"

_S3_KEY = "x-amz-server-side-encryption-aws-kms-key-id"
_USES: Mapping[str, str] = {
    "keyId": "key",
    "sourceKeyId": "source",
    "destinationKeyId": "destination",
    "targetKeyId": "key",
    _S3_KEY: "object",
}
KEY_PARAMETERS: tuple[str, ...] = tuple(_USES)
"""Parameters of a request that name a key."""


class EventRow(NamedTuple):
    """One recorded event. Texts that a record does not have are None.

    Args:
        event_id: CloudTrail's id of the record; two records never share it, but deliveries of one do.
        shared_event_id: The same in the records of every account that one call concerns.
        event_version: Of the record's form: ``1.11``.
        event_time: UTC, ISO 8601 to the second, with ``Z``.
        event_source: Service called: ``kms.amazonaws.com``.
        event_name: ``Decrypt``.
        event_type: ``AwsApiCall``, ``AwsServiceEvent``, ``AwsConsoleAction``, …
        event_category: ``Management``, ``Data``, …
        read_only: As CloudTrail says.
        account: Whose trail recorded it.
        region: Where.
        caller: ARN of the role or user, never of a session; None for services on their own behalf, and for
            callers of another account of whom CloudTrail tells the account alone.
        caller_type: ``AssumedRole``, ``IAMUser``, ``Root``, ``AWSService``, ``AWSAccount``, …
        caller_account: Account of the caller.
        principal_id: Unique id, with the name of the session: ``AROA…:name``.
        session: ARN of the session, when the caller is one.
        service: The AWS service that called, for the caller or itself: ``s3.amazonaws.com``, or
            ``AWS Internal``.
        source_address: IP address, or the name of a service.
        user_agent: As told.
        vpc_endpoint: Id of the VPC endpoint that the call went through.
        error_code: None when the call succeeded.
        error_message: As told.
        encryption_context: JSON, names sorted; that of the source for ReEncrypt.
        destination_encryption_context: JSON, names sorted; ReEncrypt alone.
        request: The parameters of the request, JSON.
        response: The elements of the response, JSON.
        additional: ``additionalEventData`` or ``serviceEventDetails``, JSON.
    """

    event_id: str
    shared_event_id: str | None
    event_version: str | None
    event_time: str
    event_source: str
    event_name: str
    event_type: str | None
    event_category: str | None
    read_only: bool | None
    account: str | None
    region: str | None
    caller: str | None
    caller_type: str | None
    caller_account: str | None
    principal_id: str | None
    session: str | None
    service: str | None
    source_address: str | None
    user_agent: str | None
    vpc_endpoint: str | None
    error_code: str | None
    error_message: str | None
    encryption_context: str | None
    destination_encryption_context: str | None
    request: str | None
    response: str | None
    additional: str | None


class KeyRow(NamedTuple):
    """One key that an event tells of.

    Args:
        event_id: The event.
        event_time: Of the event, as there.
        key: ARN of the key. A bare id lies in the account and Region of the call; the ARN of an alias stands
            here when the record tells no key behind it.
        alias: Name of the alias when the call named one: ``alias/orders``.
        use: ``key``, ``source`` or ``destination`` of ReEncrypt, ``object`` of a write to S3, ``resource``
            when it is listed among the resources alone.
    """

    event_id: str
    event_time: str
    key: str
    alias: str | None
    use: str


EVENT_COLUMNS: Mapping[str, str] = {
    name: {"event_time": "TIMESTAMP", "read_only": "BOOLEAN"}.get(name, "VARCHAR")
    for name in EventRow._fields
}
"""Columns of ``events`` and their types in DuckDB."""

KEY_COLUMNS: Mapping[str, str] = {
    name: {"event_time": "TIMESTAMP"}.get(name, "VARCHAR") for name in KeyRow._fields
}
"""Columns of ``event_keys`` and their types in DuckDB."""


def is_wanted(record: Mapping[str, object]) -> bool:
    """Whether a record bears on keys: a call of KMS or CloudTrail, or one of any service that names a key.

    Example:
        >>> is_wanted({"eventSource": "kms.amazonaws.com"}), is_wanted({"eventSource": "ec2.amazonaws.com"})
        (True, False)
    """
    return record.get("eventSource") in (KMS, CLOUDTRAIL) or any(True for _ in _named(record))


def flatten(record: Mapping[str, object]) -> tuple[EventRow, tuple[KeyRow, ...]]:
    """A record as rows.

    Args:
        record: As a trail delivers it. What is missing, null or of another type is None, for records of many
            years and services differ.

    Raises:
        ValueError: It has no id, no time, no source or no name, and so is no record of an event.

    Example:
        >>> event, keys = flatten({"eventID": "e-1", "eventTime": "2026-05-01T10:00:00Z",
        ...     "eventName": "Decrypt", "eventSource": "kms.amazonaws.com", "awsRegion": "eu-central-1",
        ...     "recipientAccountId": "111122223333", "requestParameters": {"keyId": "1234abcd"},
        ...     "userIdentity": {"type": "IAMUser", "arn": "arn:aws:iam::111122223333:user/Alice"}})
        >>> event.caller, keys[0].key
        ('arn:aws:iam::111122223333:user/Alice', 'arn:aws:kms:eu-central-1:111122223333:key/1234abcd')
    """
    id_, time, source, name = (
        _text(record.get(field)) for field in ("eventID", "eventTime", "eventSource", "eventName")
    )
    if not (id_ and time and source and name):
        raise ValueError("a record of an event has eventID, eventTime, eventSource and eventName")
    identity = _object(record.get("userIdentity"))
    issuer = _object(_object(identity.get("sessionContext")).get("sessionIssuer"))
    arn, role = _text(identity.get("arn")), _text(issuer.get("arn"))
    request = _object(record.get("requestParameters"))
    read_only = record.get("readOnly")
    row = EventRow(
        event_id=id_,
        shared_event_id=_text(record.get("sharedEventID")),
        event_version=_text(record.get("eventVersion")),
        event_time=time,
        event_source=source,
        event_name=name,
        event_type=_text(record.get("eventType")),
        event_category=_text(record.get("eventCategory")),
        read_only=read_only if isinstance(read_only, bool) else None,
        account=_text(record.get("recipientAccountId")),
        region=_text(record.get("awsRegion")),
        caller=role or arn,
        caller_type=_text(identity.get("type")),
        caller_account=_text(identity.get("accountId")),
        principal_id=_text(identity.get("principalId")),
        session=arn if role and arn != role else None,
        service=_text(identity.get("invokedBy")),
        source_address=_text(record.get("sourceIPAddress")),
        user_agent=_text(record.get("userAgent")),
        vpc_endpoint=_text(record.get("vpcEndpointId")),
        error_code=_text(record.get("errorCode")),
        error_message=_text(record.get("errorMessage")),
        encryption_context=_json(request.get("encryptionContext") or request.get("sourceEncryptionContext")),
        destination_encryption_context=_json(request.get("destinationEncryptionContext")),
        request=_json(request),
        response=_json(record.get("responseElements")),
        additional=_json(record.get("additionalEventData") or record.get("serviceEventDetails")),
    )
    return row, tuple(_key_rows(record, row))


def _key_rows(record: Mapping[str, object], row: EventRow) -> Iterator[KeyRow]:
    """One row a key: an id and the ARN that ends in it are one, and so are an alias and the key listed."""
    named = list(_named(record))
    listed = [name for name, use in named if use == "resource"]
    keys = [name for name in dict.fromkeys(listed) if ":key/" in name]
    seen: set[str] = set()
    for name, use in sorted(named, key=lambda pair: pair[1] == "resource"):
        alias = _alias(name)
        key = _resolve(name, keys, row)
        if key in seen or (use == "resource" and alias is not None and seen):
            continue
        seen.add(key)
        yield KeyRow(row.event_id, row.event_time, key, alias, use)


def _resolve(name: str, listed: list[str], row: EventRow) -> str:
    """The ARN of what is named, by the resources that the record lists where they tell it."""
    if _alias(name) is not None:
        if len(listed) == 1:
            return listed[0]
        return name if name.startswith("arn:") else _arn(name, row)
    if name.startswith("arn:"):
        return name
    for arn in listed:
        if arn.endswith(f"/{name}"):
            return arn
    return _arn(f"key/{name}", row)


def _arn(resource: str, row: EventRow) -> str:
    region = row.region or ""
    return f"arn:{of_region(region).name}:kms:{region}:{row.caller_account or row.account or ''}:{resource}"


def _alias(name: str) -> str | None:
    _, found, rest = name.partition("alias/")
    return f"alias/{rest}" if found and (name.startswith("alias/") or ":alias/" in name) else None


def _named(record: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    """Every name of a key in a record, and what it is there for."""
    request = _object(record.get("requestParameters"))
    for parameter, use in _USES.items():
        if name := _text(request.get(parameter)):
            yield name, use
    for part in ("responseElements", "serviceEventDetails"):
        inner = _object(record.get(part))
        if part == "serviceEventDetails" and (name := _text(inner.get("keyId"))):
            yield name, "key"
        if name := _text(inner.get(_S3_KEY)):
            yield name, "object"
    resources = record.get("resources")
    for resource in resources if isinstance(resources, list) else ():
        arn = _text(_object(resource).get("ARN"))
        if arn and ":kms:" in arn and (":key/" in arn or ":alias/" in arn):
            yield arn, "resource"


def _json(value: object) -> str | None:
    if not isinstance(value, Mapping) or not value:
        return None
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _object(value: object) -> Mapping[str, object]:
    return value if isinstance(value, Mapping) else {}


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None
