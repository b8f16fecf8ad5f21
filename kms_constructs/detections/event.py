"""A recorded event, read once: who called what, on which keys, and what became of it.

See: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference.html
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

from msgspec import field

from kms_constructs.detections.relations import EventRow, KeyRow
from kms_constructs.detections.watch import API_CALL, KMS
from kms_constructs.model.frozen import Frozen
from kms_constructs.model.text import display

_KEY = ":key/"


class Event(Frozen, frozen=True, kw_only=True):
    """What happened, in the terms in which it is judged.

    Args:
        name: CloudTrail's name of the call: ``DisableKey``; empty for KMS's own events.
        detail_type: EventBridge's detail type.
        source: Service that was called: ``kms.amazonaws.com``.
        time: As it was recorded, ISO 8601.
        account, region: Where it was recorded.
        caller: ARN of the caller: of the role and not of its session; None for services and for principals
            of which CloudTrail tells no ARN.
        caller_type: CloudTrail's type of identity: ``AssumedRole``, ``Root``, ``AWSService``, …
        service: The AWS service that called, on its own behalf or the caller's; None when there was none.
        address: Where the call came from.
        error: CloudTrail's error code; None when the call succeeded.
        keys: Every name under which the event tells of a key: ids, ARNs, aliases.
        parameters: The parameters of the request.
    """

    name: str = ""
    detail_type: str = API_CALL
    source: str = KMS
    time: str = ""
    account: str = ""
    region: str = ""
    caller: str | None = None
    caller_type: str = ""
    service: str | None = None
    address: str = ""
    error: str | None = None
    keys: frozenset[str] = frozenset()
    parameters: Mapping[str, object] = field(default_factory=dict)

    @classmethod
    def from_record(cls, record: Mapping[str, object]) -> Event:
        """Reads a record of CloudTrail, as trails and ``lookup-events`` have them.

        Args:
            record: The record. What is missing, null or of another type is left out, for records of many
                years and services differ.

        Example:
            >>> event = Event.from_record({"eventName": "DisableKey", "eventSource": "kms.amazonaws.com",
            ...     "userIdentity": {"type": "IAMUser", "arn": "arn:aws:iam::111122223333:user/Alice"},
            ...     "requestParameters": {"keyId": "1234abcd"}, "resources": [{"ARN": "arn:…:key/1234abcd"}]})
            >>> event.name, event.caller, sorted(event.keys)
            ('DisableKey', 'arn:aws:iam::111122223333:user/Alice', ['1234abcd', 'arn:…:key/1234abcd'])
        """
        identity = _object(record.get("userIdentity"))
        issuer = _object(_object(identity.get("sessionContext")).get("sessionIssuer"))
        parameters = _object(record.get("requestParameters"))
        return cls(
            name=_text(record.get("eventName")),
            detail_type=_DETAIL_TYPES.get(_text(record.get("eventType")), API_CALL),
            source=_text(record.get("eventSource")),
            time=_text(record.get("eventTime")),
            account=_text(record.get("recipientAccountId")),
            region=_text(record.get("awsRegion")),
            caller=_text(issuer.get("arn")) or _text(identity.get("arn")) or None,
            caller_type=_text(identity.get("type")),
            service=_text(identity.get("invokedBy")) or None,
            address=_text(record.get("sourceIPAddress")),
            error=_text(record.get("errorCode")) or None,
            keys=frozenset(_keys(record, parameters)),
            parameters=parameters,
        )

    @classmethod
    def from_envelope(cls, envelope: Mapping[str, object]) -> Event:
        """Reads an event as EventBridge delivers it: a record of CloudTrail, or an event that KMS sends.

        Args:
            envelope: The event, with ``source``, ``detail-type`` and ``detail``.
        """
        detail = _object(envelope.get("detail"))
        kind = _text(envelope.get("detail-type"))
        if kind in _DETAIL_TYPES.values():
            return cls.from_record(detail)
        listed = envelope.get("resources")
        arns = [one for one in listed if isinstance(one, str)] if isinstance(listed, list) else []
        key_id = _text(detail.get("key-id"))
        return cls(
            detail_type=kind,
            source=f"{_text(envelope.get('source')).removeprefix('aws.')}.amazonaws.com",
            time=_text(envelope.get("time")),
            account=_text(envelope.get("account")),
            region=_text(envelope.get("region")),
            keys=frozenset([*arns, *([key_id] if key_id else [])]),
        )

    @classmethod
    def from_row(cls, row: EventRow, keys: Iterable[KeyRow] = ()) -> Event:
        """Reads an event of a stored trail.

        What KMS did by itself has the detail type under which EventBridge delivers it: a store has no other
        event of it, so nothing is told twice.

        Args:
            row: The event.
            keys: The keys that it tells of.

        Example:
            >>> from kms_constructs.detections.relations import flatten
            >>> record = {"eventID": "e", "eventTime": "2026-05-01T10:00:00Z", "eventName": "DeleteKey",
            ...     "eventSource": "kms.amazonaws.com", "eventType": "AwsServiceEvent"}
            >>> Event.from_row(*flatten(record)).detail_type
            'KMS CMK Deletion'
        """
        # What a VPC endpoint saw is no call of its own: the call has a record beside it.
        kind = _DETAIL_TYPES.get(row.event_type, row.event_type) if row.event_type else API_CALL
        if row.event_source == KMS and row.event_type == _SERVICE_EVENT:
            kind = _OWN_EVENTS.get(row.event_name, kind)
        names = [name for key in keys for name in (key.key, key.key.rpartition("/")[2], key.alias) if name]
        parameters = json.loads(row.request) if row.request else {}
        return cls(
            name=row.event_name,
            detail_type=kind,
            source=row.event_source,
            time=row.event_time,
            account=row.account or "",
            region=row.region or "",
            caller=row.caller,
            caller_type=row.caller_type or "",
            service=row.service,
            address=row.source_address or "",
            error=row.error_code,
            keys=frozenset(names),
            parameters=parameters,
        )

    @property
    def key_arns(self) -> tuple[str, ...]:
        """ARNs of the keys that it tells of, sorted; aliases are not among them."""
        return tuple(sorted(name for name in self.keys if _KEY in name))

    @property
    def denied(self) -> bool:
        """Whether the caller was refused for lack of a permission."""
        return self.error is not None and self.error.startswith("AccessDenied")

    def __str__(self) -> str:
        who = self.caller or self.service or self.caller_type or "somebody"
        return f"{self.time} {self.name or self.detail_type} by {display(who)}"


_SERVICE_EVENT = "AwsServiceEvent"
_DETAIL_TYPES = {
    "AwsApiCall": API_CALL,
    _SERVICE_EVENT: "AWS Service Event via CloudTrail",
    "AwsConsoleAction": "AWS Console Action via CloudTrail",
}
_OWN_EVENTS = {
    "DeleteExpiredKeyMaterial": "KMS Imported Key Material Expiration",
    "DeleteKey": "KMS CMK Deletion",
    "RotateKey": "KMS CMK Rotation",
}
OWN_EVENTS: tuple[str, ...] = tuple(_OWN_EVENTS)
"""What KMS does by itself, as trails call it."""


def _keys(record: Mapping[str, object], parameters: Mapping[str, object]) -> list[str]:
    listed = record.get("resources")
    entries = listed if isinstance(listed, list) else []
    names = [_object(entry).get("ARN") for entry in entries]
    # ReEncrypt has two keys, aliases a target.
    asked = ("keyId", "sourceKeyId", "destinationKeyId", "targetKeyId")
    names += [parameters.get(name) for name in asked]
    names.append(_object(record.get("serviceEventDetails")).get("keyId"))
    return [name for name in names if isinstance(name, str) and name]


def _object(value: object) -> Mapping[str, object]:
    return value if isinstance(value, Mapping) else {}


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
