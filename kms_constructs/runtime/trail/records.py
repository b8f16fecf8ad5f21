"""The records of a file as rows: a fast way for what CloudTrail delivers, and a general way for the rest.

A trail repeats itself: the same roles do the same to the same keys. So a record is split into the few texts
of its own and four *dimensions* that it shares with others: what kind of call it is, who called, what was
asked for, which keys that names. What a dimension means is asked of `flatten` once for each value, so that
the fast way cannot come to mean something else; what is not laid out as CloudTrail lays it out goes through
`flatten` as a whole.
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
from kms_constructs.runtime.trail.typed import Answer, Identity, Log, Parameters, TypedRecord, parameters_type

KIND: Final = (
    "event_version", "event_source", "event_name", "event_type", "event_category", "read_only", "account",
    "region", "vpc_endpoint", "error_code", "user_agent",
)  # fmt: skip
"""Columns of an event that say what kind of call it is."""
WHO: Final = ("caller", "caller_type", "caller_account", "principal_id", "session", "service")
"""Columns of an event that say who called."""
WHAT: Final = ("encryption_context", "destination_encryption_context", "request")
"""Columns of an event that say what was asked for."""
OWN: Final = (
    "event_id", "event_time", "shared_event_id", "source_address", "error_message", "response", "additional",
)  # fmt: skip
"""Columns of an event that it shares with nobody; behind them in a row are the numbers of the dimensions."""
DIMENSIONS: Final = ("kind", "who", "what", "named")

FIELD: Final = "\x1f"
"""Between the columns of a row of text."""
QUOTE: Final = "\x01"
"""Around a text that holds what rows are told apart by; within it, it stands twice."""

_CACHED: Final = 20_000
"""Requests that are remembered: those of a few minutes of a busy trail, some 10 MB."""


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
        ids: Ids of the events that bear on keys.
        rows: A row of text of each of them.
        bad: Records that cannot be kept.
    """

    events: int
    ids: Sequence[str]
    rows: Sequence[str]
    bad: Sequence[Bad]


class _OtherwiseError(Exception):
    """A document that the fast way leaves to the general one."""


class _Named(NamedTuple):
    """What a request and its resources name.

    Args:
        number: Its own.
        names: The parameters that name keys, and their names.
        resources: The resources, JSON.
        keys: Number of the keys; None where the account and the Region decide which they are.
    """

    number: int
    names: tuple[tuple[str, str], ...]
    resources: bytes
    keys: int | None


class _Request(NamedTuple):
    """The parameters and the resources of a request.

    Args:
        number: Of the columns `WHAT`.
        keys: As of what is named.
        named: What they name.
    """

    number: int
    keys: int | None
    named: _Named


class Reader:
    """Reads documents into rows of text, and collects what the rows share until a batch is written.

    Example:
        >>> reader = Reader()
        >>> reader.read(b'{"Records": []}').events
        0
    """

    def __init__(self) -> None:
        self._log = msgspec.json.Decoder(Log)
        self._answer = msgspec.json.Decoder(Answer)
        self._record = msgspec.json.Decoder(TypedRecord)
        parameters = parameters_type()
        self._parameters = msgspec.json.Decoder(parameters)
        self._names: Callable[[Parameters], tuple[str | None, ...]] = attrgetter(
            *(f"p{number}" for number in range(len(KEY_PARAMETERS)))
        )
        self._sorted = msgspec.json.Encoder(order="sorted").encode
        self.start()

    def start(self) -> None:
        """Forgets what rows share: a new batch begins."""
        self.kinds: dict[str, int] = {}
        """Columns `KIND` as text, to their number."""
        self._callers: dict[str, int] = {}
        self.callers: list[str] = []
        """Columns `WHO` as text, by number."""
        self._keys: dict[tuple[object, ...], int] = {}
        self.keys: list[tuple[tuple[str, str | None, str], ...]] = []
        """Keys, their aliases and uses, by number."""
        self._places: list[str] = []
        self._accounts: list[str] = []
        self._placed: dict[tuple[int, str, str], int] = {}
        self._named: dict[tuple[tuple[str | None, ...], str, bytes], _Named] = {}
        self._requests: dict[bytes, _Request] = {}
        self._older: dict[bytes, _Request] = {}
        self.requests: list[str] = []
        """Columns `WHAT` as text, by number."""
        self.size = 0
        """Characters of `requests`, which are most of what is collected."""

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
        except (msgspec.MsgspecError, UnicodeDecodeError, _OtherwiseError, OverflowError, RecursionError):
            # Not laid out as CloudTrail lays it out: whether it is wrong, the general way finds.
            pass
        return self._general(document)

    def _typed(self, document: bytes) -> list[TypedRecord] | None:
        """The records of a document that is laid out as CloudTrail does; None when it is not."""
        if not document.isascii():
            document.decode()  # for what nobody looks at is not decoded, and may be damaged
        if document.startswith(b'{"Records":'):
            # Requests are taken over as they are written, a line of the store each.
            return None if b"\n" in document.rstrip() else self._log.decode(document).Records
        if document.startswith(b'{"eventVersion"'):
            return self._record.decode_lines(document)
        if document.startswith((b'{"Events":', b'{\n    "Events":')):
            told = [one.CloudTrailEvent.encode() for one in self._answer.decode(document).Events]
            return None if any(b"\n" in one for one in told) else [self._record.decode(one) for one in told]
        return None

    def _fast(self, records: list[TypedRecord]) -> Read:
        found = len(records)
        if not {one.eventSource for one in records} <= {KMS, CLOUDTRAIL}:
            records = [one for one in records if self._is_wanted(one)]
        ids = [one.eventID for one in records]
        if not all(ids):
            raise _OtherwiseError
        if not _are_times([one.eventTime for one in records]):
            raise _OtherwiseError
        rows = self._rows(records)
        if not _are_rows(rows):
            raise _OtherwiseError
        return Read(found, ids, rows, ())

    def _rows(self, records: list[TypedRecord]) -> list[str]:
        """A row of text for each record: the one loop that decides how fast ingestion is.

        What rows share is looked up by one text, which is hashed once, not by a tuple of many.
        """
        kinds, callers, requests = self.kinds.get, self._callers.get, self._requests.get
        places, accounts, placed, encoded = self._places, self._accounts, self._placed.get, self._sorted
        rows = []
        for one in records:
            kind = (
                f"{one.eventVersion or ''}\x1f{one.eventSource}\x1f{one.eventName}\x1f"
                f"{one.eventType or ''}\x1f{one.eventCategory or ''}\x1f"
                f"{'' if one.readOnly is None else one.readOnly}\x1f"
                f"{one.recipientAccountId or ''}\x1f{one.awsRegion or ''}\x1f{one.vpcEndpointId or ''}\x1f"
                f"{one.errorCode or ''}\x1f{one.userAgent or ''}"
            )
            if (kind_number := kinds(kind)) is None:
                kind_number = self._new_kind(kind)
            if (who := one.userIdentity) is None:
                caller = ""
            else:
                issuer = None if (context := who.sessionContext) is None else context.sessionIssuer
                caller = (
                    f"{who.type or ''}\x1f{who.arn or ''}\x1f{who.accountId or ''}\x1f{who.principalId or ''}"
                    f"\x1f{who.invokedBy or ''}\x1f{'' if issuer is None else issuer.arn or ''}"
                )
            if (caller_number := callers(caller)) is None:
                caller_number = self._new_caller(caller, who)
            asked = b"".join((one.requestParameters, one.resources))
            if (request := requests(asked)) is None:
                request = self._new_request(asked, one)
            keys = request.keys
            if one.eventSource != KMS or one.eventName == _TWO_KEYS:
                keys = self._keys_of(one, request.named)
            elif keys is None:
                where = (request.named.number, places[kind_number], accounts[caller_number])
                if (keys := placed(where)) is None:
                    # Others ask the same and are answered otherwise.
                    keys = self._placed[where] = self._keys_of(one, request.named, answered=False)
            response = more = ""
            if told := one.responseElements:
                response = encoded(told).decode()
                if telling(told):
                    keys = self._keys_of(one, request.named)
            if told := one.additionalEventData or one.serviceEventDetails:
                more = encoded(told).decode()
                if one.serviceEventDetails:
                    keys = self._keys_of(one, request.named)
            rows.append(
                f"{one.eventID}\x1f{one.eventTime}\x1f{one.sharedEventID or ''}\x1f"
                f"{one.sourceIPAddress or ''}\x1f{one.errorMessage or ''}\x1f{response}\x1f{more}\x1f"
                f"{kind_number}\x1f{caller_number}\x1f{request.number}\x1f{keys}"
            )
        return rows

    def _is_wanted(self, one: TypedRecord) -> bool:
        """Whether a record is one of KMS or CloudTrail, or names a key.

        Of other services than these, `flatten` looks at the resources, and at what S3 was asked and answered.
        """
        if one.eventSource in (KMS, CLOUDTRAIL):
            return True
        asked = b"".join((one.requestParameters, one.resources))
        if (
            b":kms:" not in asked
            and not _of_s3(asked)
            and one.responseElements is None
            and one.serviceEventDetails is None
        ):
            return False
        request = self._requests.get(asked) or self._new_request(asked, one)
        return bool(self.keys[self._keys_of(one, request.named)])

    def _new_kind(self, kind: str) -> int:
        # Separators and breaks would shift the columns; an event without a name is none.
        columns = kind.split(FIELD)
        if len(columns) != len(KIND) or not _SPECIAL.isdisjoint("".join(columns)) or not columns[_NAME]:
            raise _OtherwiseError
        return self._number_of_kind(kind, f"{columns[_ACCOUNT]}{FIELD}{columns[_REGION]}")

    def _number_of_kind(self, kind: str, place: str) -> int:
        if (number := self.kinds.get(kind)) is None:
            number = self.kinds[kind] = len(self._places)
            self._places.append(place)
        return number

    def _new_caller(self, caller: str, who: Identity | None) -> int:
        if caller.count(FIELD) not in (0, len(WHO) - 1):
            raise _OtherwiseError
        event, _ = flatten({**_ANY, "userIdentity": msgspec.to_builtins(who)})
        columns = FIELD.join(safe(_shown(getattr(event, name))) for name in WHO)
        return self._number_of_caller(caller, columns, event.caller_account or "")

    def _number_of_caller(self, caller: str, columns: str, account: str) -> int:
        if (number := self._callers.get(caller)) is None:
            number = self._callers[caller] = len(self.callers)
            self.callers.append(columns)
            self._accounts.append(account)
        return number

    def _new_request(self, asked: bytes, one: TypedRecord) -> _Request:
        if len(self._requests) >= _CACHED:
            # What comes again and again survives what comes once: encryption contexts that name an object.
            self._older = self._requests.copy()
            self._requests.clear()
        if (kept := self._older.get(asked)) is not None:
            self._requests[asked] = kept
            return kept
        raw, resources = bytes(one.requestParameters), bytes(one.resources)
        if b"\r" in raw:
            raise _OtherwiseError
        if raw.startswith(b"{") and raw != b"{}":
            told = self._parameters.decode(raw)
            pairs, others = (
                told.encryptionContext or told.sourceEncryptionContext,
                told.destinationEncryptionContext,
            )
            names = self._names(told)
            whole = _encoded(telling(json.loads(raw))) if _of_s3(raw) else ""
            context = self._sorted(pairs).decode() if pairs else ""
            destination = self._sorted(others).decode() if others else ""
            number = self._number_of_request(f"{context}\x1f{destination}\x1f{raw.decode()}")
        else:
            names, whole = (), ""
            number = self._number_of_request("\x1f\x1f")
        if (named := self._named.get((names, whole, resources))) is None:
            named = self._named[names, whole, resources] = self._new_names(names, whole, resources)
        found = self._requests[asked] = _Request(number, named.keys, named)
        return found

    def _number_of_request(self, columns: str) -> int:
        self.requests.append(columns)
        self.size += len(columns)
        return len(self.requests) - 1

    def _new_names(self, told: tuple[str | None, ...], whole: str, resources: bytes) -> _Named:
        # Not strict: a request without parameters tells no names at all.
        names = tuple((one, name) for one, name in zip(KEY_PARAMETERS, told, strict=False) if name)
        if whole:
            names = (("", whole),)
        keys = None
        if all(name.startswith("arn:") for _, name in names):
            keys = self._number_of_keys((names, (), resources, KMS, "", None, None, None))
        return _Named(len(self._named), names, resources, keys)

    def _keys_of(self, one: TypedRecord, named: _Named, *, answered: bool = True) -> int:
        """The keys of a record that not only its request tells; with what it was answered, or without."""
        more = tuple(
            (part, _encoded(told))
            for part, inner in (
                ("responseElements", one.responseElements), ("serviceEventDetails", one.serviceEventDetails),
            )
            if answered and inner and (told := telling(inner))
        )  # fmt: skip
        account = None if one.userIdentity is None else one.userIdentity.accountId
        return self._number_of_keys(
            (
                named.names, more, named.resources, one.eventSource, one.eventName, one.awsRegion,
                one.recipientAccountId, account,
            )
        )  # fmt: skip

    def _number_of_keys(self, parts: tuple[object, ...]) -> int:
        number = self._keys.get(parts)
        if number is None:
            number = self._keys[parts] = len(self.keys)
            self.keys.append(_keys(parts))
        return number

    def _general(self, document: bytes) -> Read:
        ids: list[str] = []
        rows: list[str] = []
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
                    ids.append(event.event_id)
                    rows.append(self._flat_row(event, keys))
            except (ValueError, RecursionError) as error:
                bad.append(Bad(number, str(error)))
        return Read(number, ids, rows, bad)

    def _flat_row(self, event: EventRow, keys: Iterable[KeyRow]) -> str:
        own, kind, who, what = (
            FIELD.join(safe(_shown(getattr(event, name))) for name in names)
            for names in (OWN, KIND, WHO, WHAT)
        )
        named = tuple((one.key, one.alias, one.use) for one in keys)
        if (key_number := self._keys.get(named)) is None:
            key_number = self._keys[named] = len(self.keys)
            self.keys.append(named)
        numbers = (
            self._number_of_kind(kind, f"{event.account or ''}{FIELD}{event.region or ''}"),
            # Callers that were flattened already are told apart by what stands before them.
            self._number_of_caller(f"\0{who}", who, event.caller_account or ""),
            self._number_of_request(what),
            key_number,
        )
        return FIELD.join((own, *map(str, numbers)))


_TWO_KEYS: Final = "ReEncrypt"
"""The one call whose name decides what its keys are there for."""
_ANY: Final = {"eventID": "-", "eventTime": "2000-01-01T00:00:00Z", "eventSource": "-", "eventName": "-"}


def _of_s3(text: bytes) -> bool:
    """Whether a request may name a key as S3 does, by a header or in the rules of a bucket; or hides it."""
    return b"kms-key-id" in text.lower() or b"ServerSideEncryptionConfiguration" in text or b"\\u" in text


def _encoded(value: Mapping[str, object]) -> str:
    return json.dumps(value, sort_keys=True)


def _keys(parts: tuple[Any, ...]) -> tuple[tuple[str, str | None, str], ...]:
    """The keys of a record of which everything is told that decides which they are."""
    names, more, resources, source, name, region, account, caller_account = parts
    request = dict(names)
    whole = request.pop("", None)
    record: dict[str, Any] = {
        **_ANY,
        "eventSource": source,
        "eventName": name or "-",
        "requestParameters": request if whole is None else json.loads(whole),
        "resources": json.loads(resources),
        "awsRegion": region,
        "recipientAccountId": account,
        "userIdentity": {"accountId": caller_account},
        **{part: json.loads(told) for part, told in more},
    }
    _, keys = flatten(record)
    return tuple((one.key, one.alias, one.use) for one in keys)


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return str(value)
    return value if isinstance(value, str) else ""


_SPECIAL: Final = frozenset({FIELD, QUOTE, "\n", "\r"})
_NAME, _ACCOUNT, _REGION = (KIND.index(name) for name in ("event_name", "account", "region"))
_BETWEEN: Final = len(OWN) + len(DIMENSIONS) - 1
"""Separators of a row."""


def safe(text: str) -> str:
    """A text as one column of a row, whatever it holds."""
    if _SPECIAL.isdisjoint(text):
        return text
    return f"{QUOTE}{text.replace(QUOTE, QUOTE * 2)}{QUOTE}"


def _are_rows(rows: list[str]) -> bool:
    """Whether no text in the rows holds what they are told apart by."""
    joined = "".join(rows)
    return (
        joined.count(FIELD) == len(rows) * _BETWEEN
        and "\n" not in joined
        and "\r" not in joined
        and QUOTE not in joined
    )


_TIMES: Final = re.compile(r"(?:\d{4}-\d\d-\d\dT(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\dZ(?: |$))*", re.ASCII)


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
