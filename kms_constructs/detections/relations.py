"""The two flat relations that a trail is asked about: events, and event by key.

A record of CloudTrail nests, differs by service and year, and names a key by id, ARN or alias, or several
keys at once. Reports and detections ask flat rows instead, made here and nowhere else.

See: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import NamedTuple

from kms_constructs.detections.watch import CLOUDTRAIL, KMS
from kms_constructs.model.arn import of_region

S3 = "s3.amazonaws.com"

_S3_KEY = "x-amz-server-side-encryption-aws-kms-key-id"
_TRAIL_KEY = "kmsKeyId"
_BUCKET_KEY = "ServerSideEncryptionConfiguration"
_HIDDEN = "HIDDEN_DUE_TO_SECURITY_REASONS"
_USES: Mapping[str, str] = {
    "keyId": "key",
    "sourceKeyId": "source",
    "destinationKeyId": "destination",
    "targetKeyId": "key",
}
KEY_PARAMETERS: tuple[str, ...] = (*_USES, "aliasName", _TRAIL_KEY)
"""Parameters of a request whose text names a key. Those of S3 are written in several ways: see `telling`."""
_METADATA = ("keyMetadata", "replicaKeyMetadata")
# Made once: `json.dumps` with these arguments makes an encoder for each call.
_ENCODE = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode
_SURROGATE = re.compile("[\ud800-\udfff]")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


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
        use: ``key`` that the request names; ``source`` or ``destination`` of ReEncrypt; ``object`` of a write
            to S3, or of what a bucket will encrypt from now on; ``replica`` that ReplicateKey made;
            ``resource`` when the resources or the response alone tell it.
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
    source = _text(record.get("eventSource")) or ""
    return source in (KMS, CLOUDTRAIL) or any(
        True for names in (_asked, _told) for _ in names(record, source)
    )


def telling(part: Mapping[str, object]) -> dict[str, object]:
    """What of a request, of a response or of the details of an event decides which keys it names.

    Two records that agree in this, in source, name, account, Region, caller's account and resources, name the
    same keys.

    Args:
        part: Parameters of a request, elements of a response, or ``serviceEventDetails``.

    Example:
        >>> telling({"keyId": "alias/orders", "numberOfBytes": 32})
        {'keyId': 'alias/orders'}
    """
    found = {
        name: value
        for name, value in part.items()
        if name in KEY_PARAMETERS or name == _BUCKET_KEY or name.lower() == _S3_KEY
    }
    return found | {
        name: {"arn": arn} for name in _METADATA if (arn := _text(_object(part.get(name)).get("arn")))
    }


def flatten(record: Mapping[str, object]) -> tuple[EventRow, tuple[KeyRow, ...]]:
    """A record as rows.

    Args:
        record: As a trail delivers it. What is missing, null or of another type is None, for records of many
            years and services differ.

    Raises:
        ValueError: It has no id, no time in ISO 8601, no source or no name: it is no record of an event.

    Example:
        >>> event, keys = flatten({"eventID": "e-1", "eventTime": "2026-05-01T10:00:00Z",
        ...     "eventName": "Decrypt", "eventSource": "kms.amazonaws.com", "awsRegion": "eu-central-1",
        ...     "recipientAccountId": "111122223333", "requestParameters": {"keyId": "1234abcd"},
        ...     "userIdentity": {"type": "IAMUser", "arn": "arn:aws:iam::111122223333:user/Alice"}})
        >>> event.caller, keys[0].key
        ('arn:aws:iam::111122223333:user/Alice', 'arn:aws:kms:eu-central-1:111122223333:key/1234abcd')
    """
    id_, source, name = (_text(record.get(field)) for field in ("eventID", "eventSource", "eventName"))
    time = _time(record.get("eventTime"))
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
    return row, _key_rows(record, row)


def _key_rows(record: Mapping[str, object], row: EventRow) -> tuple[KeyRow, ...]:
    """One row a key: an id, an alias and the ARN that stand for the same key are one."""
    asked = list(_asked(record, row.event_source))
    told = dict(_told(record, row.event_source))
    behind = _behind_aliases(asked, list(told), row)
    moved = _moved_alias(record)
    found: dict[str, tuple[str | None, str]] = {}
    for name, use in asked:
        alias = _alias(name)
        key = behind[name, use] if alias is not None else _of_name(name, told, row)
        known, first = found.get(key, (None, use))
        found[key] = known or alias or moved, first
    for arn, use in told.items():
        if arn not in found:
            source = row.event_name == "ReEncrypt" and all(one[1] != "source" for one in found.values())
            found[arn] = None, "source" if source else use
    return tuple(KeyRow(row.event_id, row.event_time, key, alias, use) for key, (alias, use) in found.items())


def _is(name: str, arn: str) -> bool:
    return name == arn or (not name.startswith("arn:") and arn.endswith(f"/{name}") and _alias(name) is None)


def _of_name(name: str, told: Mapping[str, str], row: EventRow) -> str:
    """The ARN of an id, as the record tells it; else in the account and Region of the call."""
    if name.startswith("arn:"):
        return name
    return next((arn for arn in told if _is(name, arn)), None) or _arn(f"key/{name}", row)


def _behind_aliases(
    asked: list[tuple[str, str]], told: list[str], row: EventRow
) -> dict[tuple[str, str], str]:
    """The keys behind the aliases in a request, where the record tells them; else the ARNs of the aliases.

    A key is behind an alias when no other name stands for it. Of two, ReEncrypt tells its source first.
    """
    aliases = [one for one in asked if _alias(one[0]) is not None]
    left = [arn for arn in told if not any(_is(name, arn) for name, _ in asked)]
    found = {}
    for name, use in aliases:
        if len(left) == len(aliases) == 1:
            key = left[0]
        elif len(left) == _BOTH and use in _ENDS:
            key = left[_ENDS.index(use)]
        elif not left and len(told) == 1:
            key = told[0]
        else:
            key = name if name.startswith("arn:") else _arn(name, row)
        found[name, use] = key
    return found


def _moved_alias(record: Mapping[str, object]) -> str | None:
    """The alias that the call gives to a key."""
    request = _object(record.get("requestParameters"))
    name = _name(request.get("aliasName"))
    return name if name and _name(request.get("targetKeyId")) and _alias(name) else None


_ENDS = ("source", "destination")
_BOTH = len(_ENDS)


def _arn(resource: str, row: EventRow) -> str:
    region = row.region or ""
    return f"arn:{of_region(region).name}:kms:{region}:{row.caller_account or row.account or ''}:{resource}"


def _alias(name: str) -> str | None:
    if name.startswith("alias/"):
        return name
    _, found, rest = name.partition(":alias/")
    return f"alias/{rest}" if found and name.startswith("arn:") else None


def _asked(record: Mapping[str, object], source: str) -> Iterator[tuple[str, str]]:
    """The names of keys in the request, and what each is there for."""
    request = _object(record.get("requestParameters"))
    if source == S3:
        for header in _of_s3(request):
            yield header, "object"
    elif source == CLOUDTRAIL:
        if name := _name(request.get(_TRAIL_KEY)):
            yield name, "key"
    elif source == KMS:
        for parameter, use in _USES.items():
            if name := _name(request.get(parameter)):
                yield name, use
        if name := _name(_object(record.get("serviceEventDetails")).get("keyId")):
            yield name, "key"
        alias = _name(request.get("aliasName"))
        if alias and _alias(alias) and not _name(request.get("targetKeyId")):
            yield alias, "key"


def _told(record: Mapping[str, object], source: str) -> Iterator[tuple[str, str]]:
    """The ARNs of keys that the record tells beside the request, and what each is there for."""
    response = _object(record.get("responseElements"))
    resources = record.get("resources")
    for resource in resources if isinstance(resources, list) else ():
        yield from _key_arn(_object(resource).get("ARN"), "resource")
    if source == S3:
        for name in _of_s3(response):
            yield from _key_arn(name, "object")
    elif source == CLOUDTRAIL:
        yield from _key_arn(response.get(_TRAIL_KEY), "key")
    elif source == KMS:
        yield from _key_arn(response.get("keyId"), "resource")
        for name, use in zip(_METADATA, ("resource", "replica"), strict=True):
            yield from _key_arn(_object(response.get(name)).get("arn"), use)


def _key_arn(value: object, use: str) -> Iterator[tuple[str, str]]:
    arn = _text(value)
    if arn and arn.startswith("arn:") and ":kms:" in arn and ":key/" in arn:
        yield arn, use


def _of_s3(part: Mapping[str, object]) -> Iterator[str]:
    """The key of a write; S3 writes its headers in several ways."""
    for header, value in part.items():
        if header.lower() == _S3_KEY:
            first = value[0] if isinstance(value, list) and value else value
            if name := _name(first):
                yield name
    rules = _object(part.get(_BUCKET_KEY)).get("Rule")
    for rule in rules if isinstance(rules, list) else [rules]:
        default = _object(_object(rule).get("ApplyServerSideEncryptionByDefault"))
        if name := _name(default.get("KMSMasterKeyID")):
            yield name


def _name(value: object) -> str | None:
    """What a request calls a key, unless it is hidden."""
    name = _text(value)
    return None if name == _HIDDEN else name


def _time(value: object) -> str | None:
    """A time as UTC to the second; other forms are those of exports."""
    text = _text(value)
    if text is None or _TIME.fullmatch(text):
        return text
    try:
        told = datetime.fromisoformat(text)
    except ValueError:
        return None
    zoned = told.replace(tzinfo=UTC) if told.tzinfo is None else told
    return zoned.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _json(value: object) -> str | None:
    if not isinstance(value, dict) or not value:
        return None
    # Half of a character is no text, and engines refuse JSON that has one: it becomes what it is written as.
    return _SURROGATE.sub(lambda found: f"\\\\u{ord(found[0]):04x}", _ENCODE(value))


def _object(value: object) -> Mapping[str, object]:
    return value if isinstance(value, dict) else {}


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None
