"""The records of a file as columns: the fast way for what CloudTrail delivers, and the general way for the rest.

A trail repeats itself: the same roles do the same to the same keys. So a record is split into the few texts of
its own and three *dimensions* that it shares with others: what kind of call it is, who called, which keys it
names. What a dimension means is asked of `flatten` once for each value, so that the fast way cannot come to
mean something else; what is not laid out as CloudTrail lays it out goes through `flatten` as a whole.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from operator import attrgetter
from typing import Any, Final, NamedTuple

import msgspec

from kms_constructs.detections.relations import KEY_PARAMETERS, EventRow, KeyRow, flatten, is_wanted, telling
from kms_constructs.detections.watch import CLOUDTRAIL, KMS
from kms_constructs.runtime.trail.shapes import records_of

KIND: Final = (
    "event_version", "event_source", "event_name", "event_type", "event_category", "read_only", "account",
    "region", "vpc_endpoint", "error_code", "user_agent",
)  # fmt: skip
"""Columns of an event that say what kind of call it is."""
WHO: Final = ("caller", "caller_type", "caller_account", "principal_id", "session", "service")
"""Columns of an event that say who called."""
OWN: Final = (
    "event_id", "event_time", "shared_event_id", "source_address", "error_message", "encryption_context",
    "destination_encryption_context", "request", "response", "additional",
)  # fmt: skip
"""Columns of an event that it shares with nobody."""

_RAW: Final = msgspec.Raw(b"null")
_CACHED: Final = 20_000
"""Requests that are remembered: those of a few minutes of a busy trail, some 10 MB."""


class _Issuer(msgspec.Struct, frozen=True, gc=False):
    arn: str | None = None


class _SessionContext(msgspec.Struct, frozen=True, gc=False):
    sessionIssuer: _Issuer | None = None  # noqa: N815 - CloudTrail's name


class _Identity(msgspec.Struct, frozen=True, gc=False):
    type: str | None = None
    arn: str | None = None
    accountId: str | None = None  # noqa: N815
    principalId: str | None = None  # noqa: N815
    invokedBy: str | None = None  # noqa: N815
    sessionContext: _SessionContext | None = None  # noqa: N815


class _Record(msgspec.Struct, gc=False):
    """A record of CloudTrail, as far as it is looked at."""

    eventID: str  # noqa: N815
    eventTime: str  # noqa: N815
    eventSource: str  # noqa: N815
    eventName: str  # noqa: N815
    sharedEventID: str | None = None  # noqa: N815
    eventVersion: str | None = None  # noqa: N815
    eventType: str | None = None  # noqa: N815
    eventCategory: str | None = None  # noqa: N815
    readOnly: bool | None = None  # noqa: N815
    recipientAccountId: str | None = None  # noqa: N815
    awsRegion: str | None = None  # noqa: N815
    userIdentity: _Identity | None = None  # noqa: N815
    sourceIPAddress: str | None = None  # noqa: N815
    userAgent: str | None = None  # noqa: N815
    vpcEndpointId: str | None = None  # noqa: N815
    errorCode: str | None = None  # noqa: N815
    errorMessage: str | None = None  # noqa: N815
    requestParameters: msgspec.Raw = _RAW  # noqa: N815
    responseElements: dict[str, Any] | None = None  # noqa: N815
    additionalEventData: dict[str, Any] | None = None  # noqa: N815
    serviceEventDetails: dict[str, Any] | None = None  # noqa: N815
    resources: msgspec.Raw = _RAW


class _Log(msgspec.Struct):
    Records: list[_Record]


class _Answered(msgspec.Struct):
    CloudTrailEvent: str


class _Answer(msgspec.Struct):
    Events: list[_Answered]


_KIND_OF: Final[Callable[[_Record], tuple[object, ...]]] = attrgetter(
    "eventVersion", "eventSource", "eventName", "eventType", "eventCategory", "readOnly", "recipientAccountId",
    "awsRegion", "vpcEndpointId", "errorCode", "userAgent",
)  # fmt: skip


class _Exact(tuple[str | None, ...]):
    """A value of a dimension that `flatten` gave already."""

    __slots__ = ()


class Dimension(dict[Any, int]):
    """Numbers for values that many records share; a value is worked out when it is first seen.

    Args:
        make: What a value means, as texts.
    """

    def __init__(self, make: Callable[[Any], tuple[Any, ...]]) -> None:
        super().__init__()
        self._make = make
        self.values_made: list[tuple[Any, ...]] = []

    def __missing__(self, key: Any) -> int:  # noqa: ANN401 - whatever the records share
        """The number of a value that was not seen yet."""
        self.values_made.append(tuple(key) if isinstance(key, _Exact) else self._make(key))
        number = self[key] = len(self.values_made) - 1
        return number


class Bad(NamedTuple):
    """A record that is no record of an event.

    Args:
        number: Its place in the file, from 1.
        problem: What is wrong with it.
    """

    number: int
    problem: str


class Read(NamedTuple):
    """What a file holds.

    Args:
        events: Number of its records.
        kept: Rows of `OWN` and the numbers of the three dimensions, those that bear on keys.
        bad: Records that cannot be kept.
    """

    events: int
    kept: Sequence[tuple[str, ...]]
    bad: Sequence[Bad]


class Reader:
    """Reads documents into rows, and collects what they share until it is taken.

    Example:
        >>> reader = Reader()
        >>> reader.read(b'{"Records": []}').events
        0
    """

    def __init__(self) -> None:
        self._log = msgspec.json.Decoder(_Log)
        self._answer = msgspec.json.Decoder(_Answer)
        self._record = msgspec.json.Decoder(_Record)
        self._requests = _Requests()
        self.start()

    def start(self) -> None:
        """Forgets the dimensions: a new batch begins."""
        self.kinds = Dimension(_kind)
        self.callers = Dimension(_caller)
        self.keys = Dimension(_keys)

    def read(self, document: bytes) -> Read:
        """The records of a document.

        Args:
            document: A log file, what ``aws cloudtrail lookup-events`` said, a list of records, a record a
                line, or what CloudTrail Lake exported: decompressed.

        Raises:
            ValueError: It is none of these.
        """
        try:
            records = self._typed(document)
            if records is not None:
                return self._fast(records)
        except (msgspec.MsgspecError, UnicodeDecodeError, _OtherwiseError, RecursionError):
            # Not laid out as CloudTrail lays it out: whether it is wrong, the general way finds.
            pass
        return self._general(document)

    def _typed(self, document: bytes) -> list[_Record] | None:
        """The records of a document that is laid out as CloudTrail does; None when it is not."""
        if document.startswith(b'{"Records":'):
            # Requests are taken over as they are written, a line of the store each.
            return None if b"\n" in document.rstrip() else self._log.decode(document).Records
        if document.startswith(b'{"eventVersion"'):
            return self._record.decode_lines(document)
        if document.startswith(b'{"Events":') or document.startswith(b'{\n    "Events":'):
            told = [one.CloudTrailEvent.encode() for one in self._answer.decode(document).Events]
            return None if any(b"\n" in one for one in told) else [self._record.decode(one) for one in told]
        return None

    def _fast(self, records: list[_Record]) -> Read:
        found = len(records)
        raw = [(bytes(one.requestParameters), bytes(one.resources)) for one in records]
        if not {one.eventSource for one in records} <= {KMS, CLOUDTRAIL}:
            wanted = [_may_be_wanted(one, *both) for one, both in zip(records, raw, strict=True)]
            records = [one for one, keep in zip(records, wanted, strict=True) if keep]
            raw = [both for both, keep in zip(raw, wanted, strict=True) if keep]
        times = [one.eventTime for one in records]
        ids = [one.eventID for one in records]
        if not all(ids) or not _are_times(times) or not all(one.eventName for one in records):
            raise _OtherwiseError
        requests = [self._requests[request] for request, _ in raw]
        keys = [
            self.keys[_key_parts(one, request.names, both[1])]
            for one, request, both in zip(records, requests, raw, strict=True)
        ]
        rows = zip(
            ids, times,
            [one.sharedEventID or "" for one in records],
            [one.sourceIPAddress or "" for one in records],
            [one.errorMessage or "" for one in records],
            [request.context for request in requests],
            [request.destination for request in requests],
            [request.text for request in requests],
            [_text(one.responseElements) if one.responseElements else "" for one in records],
            [
                _text(one.additionalEventData or one.serviceEventDetails)
                if one.additionalEventData or one.serviceEventDetails
                else ""
                for one in records
            ],
            map(str, map(self.kinds.__getitem__, map(_KIND_OF, records))),
            map(str, map(self.callers.__getitem__, [one.userIdentity for one in records])),
            map(str, keys),
            strict=True,
        )  # fmt: skip
        made = self.keys.values_made
        if len(records) == found and all(one.eventSource in (KMS, CLOUDTRAIL) for one in records):
            return Read(found, list(rows), ())
        kept = [
            row
            for row, one, key in zip(rows, records, keys, strict=True)
            if one.eventSource in (KMS, CLOUDTRAIL) or made[key]
        ]
        return Read(found, kept, ())

    def _general(self, document: bytes) -> Read:
        kept: list[tuple[str, ...]] = []
        bad: list[Bad] = []
        number = 0
        for number, record in enumerate(records_of(document), start=1):
            try:
                if not isinstance(record, Mapping):
                    raise ValueError("it is no JSON object")
                event, keys = flatten(record)
                if not _are_times([event.event_time]):
                    raise ValueError(f"its eventTime {event.event_time!r} is no time in UTC")
                if is_wanted(record):
                    kept.append(self._row(event, keys))
            except (ValueError, RecursionError) as error:
                bad.append(Bad(number, str(error)))
        return Read(number, kept, bad)

    def _row(self, event: EventRow, keys: Iterable[KeyRow]) -> tuple[str, ...]:
        numbers = (
            self.kinds[_Exact(_shown(getattr(event, name)) for name in KIND)],
            self.callers[_Exact(_shown(getattr(event, name)) for name in WHO)],
            self.keys[_Exact((one.key, one.alias, one.use) for one in keys)],  # type: ignore[misc]
        )
        return (*(_shown(getattr(event, name)) for name in OWN), *map(str, numbers))


class _OtherwiseError(Exception):
    """A document that the fast way leaves to the general one."""


class _Request(NamedTuple):
    """What is read out of the parameters of a request."""

    names: tuple[tuple[str, str], ...]
    context: str
    destination: str
    text: str


class _Requests(dict[bytes, _Request]):
    """Requests by their text: the same ones come again and again."""

    def __init__(self) -> None:
        super().__init__()
        fields = [
            (f"p{number}", str | None, msgspec.field(default=None, name=name))
            for number, name in enumerate(KEY_PARAMETERS)
        ]
        contexts = [
            (name, dict[str, str] | None, None)
            for name in ("encryptionContext", "sourceEncryptionContext", "destinationEncryptionContext")
        ]
        kind: Any = msgspec.defstruct("_Parameters", [*fields, *contexts], gc=False)
        self._decode: Callable[[bytes], Any] = msgspec.json.Decoder(kind).decode
        self._encode = msgspec.json.Encoder(order="sorted").encode
        self._names: Callable[[Any], tuple[str | None, ...]] = attrgetter(*(name for name, _, _ in fields))

    def __missing__(self, raw: bytes) -> _Request:
        """Reads one that was not seen lately."""
        if len(self) >= _CACHED:
            self.clear()
        found = self[raw] = self._read(raw)
        return found

    def _read(self, raw: bytes) -> _Request:
        if not raw.startswith(b"{"):
            return _Request((), "", "", "")
        found = self._decode(raw)
        named = tuple(
            (parameter, name)
            for parameter, name in zip(KEY_PARAMETERS, self._names(found), strict=True)
            if name
        )
        if _of_s3(raw):
            named = (("", _text(telling(json.loads(raw)))),)
        context = found.encryptionContext or found.sourceEncryptionContext
        destination = found.destinationEncryptionContext
        return _Request(
            named,
            self._encode(context).decode() if context else "",
            self._encode(destination).decode() if destination else "",
            "" if raw == b"{}" else raw.decode(),
        )


def _of_s3(raw: bytes) -> bool:
    """Whether a request may name a key as S3 does: by a header, or in the rules of a bucket."""
    return b"kms-key-id" in raw.lower() or b"ServerSideEncryptionConfiguration" in raw or b"\\u" in raw


def _may_be_wanted(record: _Record, request: bytes, resources: bytes) -> bool:
    """Whether a record is one of KMS or CloudTrail, or may name a key; whether it does, its keys say.

    Of other services than these, `flatten` looks at the resources, and at what S3 was asked and answered.
    """
    return (
        record.eventSource in (KMS, CLOUDTRAIL)
        or b":kms:" in resources
        or _of_s3(request)
        or b"\\u" in resources
        or record.responseElements is not None
        or record.serviceEventDetails is not None
    )


def _key_parts(record: _Record, names: tuple[tuple[str, str], ...], resources: bytes) -> tuple[object, ...]:
    """All that decides which keys a record names."""
    more = tuple(
        (part, _text(told))
        for part in ("responseElements", "serviceEventDetails")
        if (inner := getattr(record, part)) and (told := telling(inner))
    )
    identity = record.userIdentity
    return (
        names, more, resources, record.eventSource, record.eventName, record.awsRegion,
        record.recipientAccountId,
        None if identity is None else identity.accountId,
    )  # fmt: skip


_ANY: Final = {"eventID": "-", "eventTime": "2000-01-01T00:00:00Z", "eventSource": "-", "eventName": "-"}


def _kind(parts: tuple[object, ...]) -> tuple[str, ...]:
    return tuple(_shown(part) for part in parts)


def _caller(identity: _Identity | None) -> tuple[str, ...]:
    told = msgspec.to_builtins(identity)
    event, _ = flatten({**_ANY, "userIdentity": told})
    return tuple(_shown(getattr(event, name)) for name in WHO)


def _keys(parts: tuple[Any, ...]) -> tuple[tuple[str, str | None, str], ...]:
    names, more, resources, source, name, region, account, caller_account = parts
    request = dict(names)
    whole = request.pop("", None)
    record: dict[str, Any] = {
        **_ANY,
        "eventSource": source,
        "eventName": name,
        "requestParameters": request if whole is None else json.loads(whole),
        "resources": json.loads(resources),
        "awsRegion": region,
        "recipientAccountId": account,
        "userIdentity": {"accountId": caller_account},
    }
    for part, told in more:
        record[part] = json.loads(told)
    _, keys = flatten(record)
    return tuple((one.key, one.alias, one.use) for one in keys)


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else ""


def _text(value: object) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


_TIMES: Final = re.compile(
    r"(?:\d{4}-\d\d-\d\dT(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,6})?Z(?: |$))*", re.ASCII
)


def _are_times(texts: list[str]) -> bool:
    """Whether all are times in UTC of days that there are."""
    joined = " ".join(texts)
    if not _TIMES.fullmatch(joined) or joined.count(" ") >= max(1, len(texts)):
        return False
    try:
        for day in {text[:10] for text in texts}:
            date.fromisoformat(day)
    except ValueError:
        return False
    return True
