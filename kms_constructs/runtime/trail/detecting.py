"""What a stored trail tells: counted by the engine, judged by `kms_constructs.detections.trail`.

The engine reads the store a few times, whatever its size, and hands over counts by caller, key and day, and
those calls that can tell something one by one. So memory grows with callers, keys and days, not with calls.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import groupby
from typing import TYPE_CHECKING

from kms_constructs.detections.catalogue import CHANGING
from kms_constructs.detections.event import OWN_EVENTS
from kms_constructs.detections.relations import S3, EventRow, KeyRow
from kms_constructs.detections.trail.calls import CRYPTOGRAPHIC, DECRYPTING, Call
from kms_constructs.detections.trail.catalogue import USE_AFTER_DELETION
from kms_constructs.detections.trail.detection import EXAMPLES, Detected, TrailFinding, grouped
from kms_constructs.detections.trail.history import History, Use, never_seen
from kms_constructs.detections.trail.networks import network_of
from kms_constructs.detections.trail.notes import Notes
from kms_constructs.detections.trail.policies import PolicyHistory
from kms_constructs.detections.trail.requests import NETWORK_ACTIVITY, REFUSED, judge_call
from kms_constructs.detections.trail.sequences import Announced, Deletions, Replicas
from kms_constructs.detections.trail.volumes import Counted, decrypt_volumes, denied_bursts
from kms_constructs.detections.watch import CLOUDTRAIL, KMS
from kms_constructs.errors import ArgumentError
from kms_constructs.runtime.trail.times import possible

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

BASELINE_DAYS = 14
"""Days from the beginning that say what is usual, unless somebody says otherwise."""

_TIME = "'%Y-%m-%dT%H:%M:%SZ'"
_AT_ONCE = 10_000
_SLICE = 500_000
"""Events that are joined with their keys at once, about; a day is not cut."""

_PRINCIPAL = """coalesce(
    caller, service,
    rtrim('account ' || caller_account || ' ' || split_part(coalesce(principal_id, ''), ':', 1)),
    principal_id, '')"""

_UNIT = r"""CASE WHEN contains(key, ':key/mrk-')
    THEN regexp_replace(key, '^(arn:[^:]*:kms:)[^:]*:', '\1*:') ELSE key END"""

_ONCE = (
    # Which of the records of a call stands for it is asked once, and not by every query again.
    "CREATE OR REPLACE TEMP TABLE detect_once AS "
    "SELECT event_id FROM calls WHERE shared_event_id IS NOT NULL",
    "CREATE OR REPLACE TEMP VIEW detect_calls AS SELECT * FROM events "
    "WHERE shared_event_id IS NULL OR event_id IN (SELECT event_id FROM detect_once)",
)

_DAYS = "SELECT event_date, count(*) FROM events WHERE event_date <= $last_day GROUP BY ALL ORDER BY ALL"

_PROFILE = f"""
SELECT
    k.key AS key, {_UNIT} AS unit, {_PRINCIPAL} AS principal, source_address, vpc_endpoint, region,
    c.event_date AS day, event_name IN $decrypting AND k.use <> 'destination' AS decrypts, count(*) AS uses,
    min(c.event_time) AS first, max(c.event_time) AS last, min(c.event_id) AS example
FROM detect_calls AS c INNER JOIN event_keys AS k ON k.event_id = c.event_id
WHERE c.event_source = '{KMS}' AND event_name IN $cryptographic AND error_code IS NULL
    AND c.event_date BETWEEN $slice_first AND $slice_last
    AND k.event_date BETWEEN $slice_first AND $slice_last
    AND ($every OR k.key IN $keys)
GROUP BY ALL
"""

_USES = f"""
SELECT
    unit, principal, CASE WHEN vpc_endpoint IS NULL THEN network END, vpc_endpoint, region,
    coalesce(sum(uses) FILTER (day < $end), 0)::BIGINT, coalesce(sum(uses) FILTER (day >= $end), 0)::BIGINT,
    coalesce(strftime(min(first) FILTER (day >= $end), {_TIME}), ''),
    coalesce(strftime(max(last) FILTER (day >= $end), {_TIME}), ''),
    coalesce(arg_min(example, first, {EXAMPLES}) FILTER (day >= $end), [])
FROM detect_profile LEFT JOIN detect_networks USING (source_address)
GROUP BY ALL
"""

_HISTORIES = """
SELECT unit, sum(uses)::BIGINT, count(DISTINCT day) FROM detect_profile WHERE day < $end GROUP BY unit
"""

_VOLUMES = f"""
SELECT
    principal, key, date_diff('day', $first_day, day), sum(uses)::BIGINT,
    strftime(min(first), {_TIME}), strftime(max(last), {_TIME}), arg_min(example, first, {EXAMPLES})
FROM detect_profile WHERE decrypts AND day >= $first_day GROUP BY ALL
"""

_DENIED = f"""
SELECT
    {_PRINCIPAL} AS principal, coalesce(k.key, '') AS key, epoch(c.event_time)::BIGINT // 60 AS minute,
    count(*), strftime(min(c.event_time), {_TIME}), strftime(max(c.event_time), {_TIME}),
    arg_min(c.event_id, c.event_time, {EXAMPLES})
FROM detect_calls AS c LEFT JOIN event_keys AS k ON k.event_id = c.event_id AND k.use <> 'destination'
WHERE c.event_source = '{KMS}' AND event_name IN $cryptographic AND starts_with(error_code, 'AccessDenied')
    AND c.event_time >= $since AND c.event_time < $until AND ($every OR k.key IN $keys)
GROUP BY ALL
"""

_CANDIDATES = f"""
CREATE OR REPLACE TEMP TABLE detect_candidates AS
SELECT c.* FROM detect_calls AS c
WHERE c.event_time < $until AND (
    c.event_source = '{CLOUDTRAIL}'
    OR (c.event_source = '{KMS}' AND event_type = '{NETWORK_ACTIVITY}' AND (
        error_code = '{REFUSED}' OR caller_account <> coalesce(account, '')))
    OR (c.event_source = '{KMS}' AND coalesce(event_type, '') <> '{NETWORK_ACTIVITY}' AND (
        event_name IN $telling OR caller_type = 'Root'
        OR regexp_matches(additional, '"attestationDocumentEnclaveImageDigest": ?"(0|A){{32}}')))
    OR (c.event_source = '{S3}' AND EXISTS (
        SELECT 1 FROM event_keys AS k
        WHERE k.event_id = c.event_id AND k.use = 'object'
            AND split_part(k.key, ':', 5) <> coalesce(c.account, ''))))
"""

_ONE_BY_ONE = f"""
SELECT
    {
    ", ".join(
        f"strftime(c.event_time, {_TIME})" if name == "event_time" else f"c.{name}"
        for name in EventRow._fields
    )
},
    k.key, k.alias, k.use
FROM detect_candidates AS c LEFT JOIN event_keys AS k ON k.event_id = c.event_id
ORDER BY c.event_time, c.event_id
"""

_AFTER_DELETION = f"""
SELECT
    a.key, {_PRINCIPAL} AS principal, count(*), strftime(min(c.event_time), {_TIME}),
    strftime(max(c.event_time), {_TIME}), arg_min(c.event_id, c.event_time, {EXAMPLES}),
    list(DISTINCT coalesce(error_code, 'it succeeded'))
FROM (
    SELECT unnest($announced) AS key, unnest($starts)::TIMESTAMP AS start, unnest($ends)::TIMESTAMP AS finish
) AS a
INNER JOIN event_keys AS k ON k.key = a.key
INNER JOIN detect_calls AS c ON c.event_id = k.event_id
WHERE c.event_source = '{KMS}' AND event_name IN $cryptographic
    AND c.event_time > a.start AND c.event_time < a.finish
    AND c.event_time >= $since AND c.event_time < $until
GROUP BY ALL
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class DetectSettings:
    """How to look.

    Args:
        authorised: Control id to the ARNs of authorised principals, ``*`` allowed.
        by_key: ARN of a key to those who are authorised on that key alone.
        trusted: Accounts that may be given keys, beside the key's own.
        since: First day of which findings are told; None for the first of the store. What was before says
            what is usual, which policy a key had, which deletion was announced.
        until: Last day, which counts; None for the last of the store.
        keys: Ids, ARNs or aliases of the keys to look at; none for every key.
        baseline_days: Days that say what is usual: those before `since`, or the first of the store; at
            least 1. With `since`, what was seen at any time before is not new.
    """

    authorised: Mapping[str, Sequence[str]] = field(default_factory=dict)
    by_key: Mapping[str, Mapping[str, Sequence[str]]] = field(default_factory=dict)
    trusted: frozenset[str] = frozenset()
    since: date | None = None
    until: date | None = None
    keys: tuple[str, ...] = ()
    baseline_days: int = BASELINE_DAYS

    def __post_init__(self) -> None:
        """Refuses a baseline of no days, and an end before the beginning.

        Raises:
            ArgumentError: It is one.
        """
        if self.baseline_days < 1:
            raise ArgumentError(
                "baseline_days",
                self.baseline_days,
                "a baseline has a day at least",
                "write 14, or as many as half",
            )
        if self.since and self.until and self.until < self.since:
            raise ArgumentError(
                "until", str(self.until), f"it is not before {self.since}", "write a later day"
            )


def detect(connection: DuckDBPyConnection, settings: DetectSettings | None = None) -> Detected:
    """What a trail tells.

    Args:
        connection: Has the views ``events``, ``calls`` and ``event_keys`` of a store.
        settings: How to look.

    Raises:
        ArgumentError: No event tells of one of the keys.
    """
    return _Detecting(connection, settings or DetectSettings()).run()


class _Detecting:
    def __init__(self, connection: DuckDBPyConnection, settings: DetectSettings) -> None:
        self._connection = connection
        self._settings = settings
        self._notes = Notes()
        for statement in _ONCE:
            connection.execute(statement)
        self._keys = self._wanted_keys()

    def run(self) -> Detected:
        calls, first, last = self._span()
        if not calls or first is None or last is None:
            return Detected(findings=(), notes=("There is no call in this time.",))
        begin, end = self._baseline(date.fromisoformat(first[:10]))
        found = [*grouped(self._one_by_one()), *grouped(denied_bursts(self._counted(_DENIED)))]
        compared = begin < end <= date.fromisoformat(last[:10])
        if compared:
            found += grouped(self._compared(begin, end))
        elif begin == end:
            self._notes.tell(
                f"The store has nothing before {begin}: nothing is said of what is new or more than ever."
            )
        else:
            self._notes.tell(
                f"The trail goes from {first[:10]} to {last[:10]}, and the baseline is "
                f"{self._settings.baseline_days} days long: nothing is said of what is new or more than ever."
            )
        return Detected(
            findings=grouped(found),
            notes=self._notes.lines(),
            calls=calls,
            first=first,
            last=last,
            baseline_end=str(end) if compared else "",
        )

    def _baseline(self, first: date) -> tuple[date, date]:
        """The first day of the baseline and the one after its last."""
        since, days = self._settings.since, self._settings.baseline_days
        if since is None:
            return first, _days_from(first, days)
        ((known,),) = self._rows("SELECT CAST(min(event_time) AS DATE) FROM detect_calls", {})
        earliest = known if isinstance(known, date) else since
        return min(since, max(earliest, _days_from(since, -days))), since

    def _parameters(self, *names: str, **further: object) -> dict[str, object]:
        settings = self._settings
        since, until = settings.since or date.min, settings.until or date(9998, 12, 31)
        known: dict[str, object] = {
            "since": since,
            "until": _days_from(until, 1),
            "cryptographic": list(CRYPTOGRAPHIC),
            "decrypting": list(DECRYPTING),
            "telling": [*CHANGING, *OWN_EVENTS],
            "every": self._keys is None,
            "keys": sorted(self._keys or ()),
            "last_day": until,
        }
        return {name: known[name] for name in names} | further

    def _rows(self, sql: str, parameters: Mapping[str, object]) -> Iterator[tuple[object, ...]]:
        asked = self._connection.execute(sql, dict(parameters))
        while rows := asked.fetchmany(_AT_ONCE):
            yield from rows

    def _span(self) -> tuple[int, str | None, str | None]:
        within = "FILTER (event_time >= $since AND event_time < $until)"
        asked = f"""
            SELECT count(*) {within},
                strftime(min(event_time) {within}, {_TIME}), strftime(max(event_time) {within}, {_TIME}),
                strftime(min(event_time), {_TIME}), strftime(max(event_time), {_TIME})
            FROM detect_calls
        """
        ((calls, first, last, *ends),) = self._rows(asked, self._parameters("since", "until"))
        for moment in ends:  # no call is outside of all time
            possible(moment)
        return int(str(calls)), _text(first), _text(last)

    def _wanted_keys(self) -> frozenset[str] | None:
        """ARNs of the keys to look at; None for every key."""
        if not self._settings.keys:
            return None
        found: set[str] = set()
        for name in self._settings.keys:
            asked = """
                SELECT DISTINCT key FROM event_keys
                WHERE key = $name OR alias = $name OR ends_with(key, ':key/' || $name)
                    OR (starts_with($name, 'arn:') AND alias = regexp_extract($name, ':(alias/.*)$', 1))
            """
            keys = {str(key) for (key,) in self._rows(asked, {"name": name})}
            if not keys:
                raise ArgumentError(
                    "keys", name, "no event of the store names such a key",
                    "write its id, its ARN or an alias by which it was called",
                    refused=f"the key {name!r}",
                )  # fmt: skip
            found |= keys
        return frozenset(found)

    def _one_by_one(self) -> Iterator[TrailFinding]:
        """What calls tell by themselves, and what follows on them."""
        self._connection.execute(_CANDIDATES, self._parameters("until", "telling"))
        replicas = Replicas(self._first_seen())
        policies, deletions = PolicyHistory(self._notes), Deletions()
        begin = str(self._settings.since or "")
        for call in self._candidates():
            if self._keys is not None and call.keys and self._keys.isdisjoint(row.key for row in call.keys):
                continue
            # What was before the period is followed all the same: it says what a call of the period means.
            told = [*policies.follow(call), *replicas.follow(call)]
            deletions.follow(call)
            if call.event.event_time >= begin:
                yield from self._judged(call)
                yield from told
        if announced := deletions.announced():
            yield from self._after_deletion(announced)

    def _judged(self, call: Call) -> Iterator[TrailFinding]:
        return judge_call(
            call, authorised=self._authorised(call), trusted=self._settings.trusted, notes=self._notes
        )

    def _authorised(self, call: Call) -> Mapping[str, Sequence[str]]:
        """Who is authorised on the keys of a call: on all of them, where it tells of several."""
        found = self._settings.authorised
        own = [self._settings.by_key.get(row.key, {}) for row in call.keys]
        if not any(own):
            return found
        controls = {control for one in own for control in one}
        on_all = {
            control: [
                who for who in own[0].get(control, ()) if all(who in one.get(control, ()) for one in own)
            ]
            for control in controls
        }
        return {
            control: (*found.get(control, ()), *on_all.get(control, ())) for control in {**found, **on_all}
        }

    def _first_seen(self) -> dict[tuple[str, str], str]:
        asked = f"""
            SELECT account, region, strftime(min(event_time), {_TIME}) FROM detect_calls
            WHERE event_source = '{KMS}' AND account IS NOT NULL AND region IS NOT NULL GROUP BY ALL
        """
        return {(str(account), str(region)): str(time) for account, region, time in self._rows(asked, {})}

    def _candidates(self) -> Iterator[Call]:
        width = len(EventRow._fields)
        rows = self._rows(_ONE_BY_ONE, {})
        for event_id, same in groupby(rows, key=lambda row: row[0]):
            listed = list(same)
            event = EventRow._make(listed[0][:width])
            keys = tuple(
                KeyRow(
                    str(event_id),
                    event.event_time,
                    str(row[width]),
                    _text(row[width + 1]),
                    str(row[width + 2]),
                )
                for row in listed
                if row[width] is not None
            )
            yield Call(event, keys)

    def _after_deletion(self, announced: Sequence[Announced]) -> Iterator[TrailFinding]:
        times = {
            "announced": [one.key for one in announced],
            "starts": [one.since for one in announced],
            "ends": [one.until for one in announced],
        }
        asked = self._parameters("cryptographic", "since", "until", **times)
        for key, principal, count, first, last, events, errors in self._rows(_AFTER_DELETION, asked):
            yield TrailFinding(
                what=USE_AFTER_DELETION,
                principal=str(principal),
                key=str(key),
                count=int(str(count)),
                first=str(first),
                last=str(last),
                events=_texts(events),
                detail=", ".join(sorted(_texts(errors))),
            )

    def _compared(self, begin: date, end: date) -> Iterator[TrailFinding]:
        """What is new, and what is more than ever."""
        self._profile()
        self._name_networks()
        days = (end - begin).days
        histories = {
            str(unit): History(int(str(uses)), int(str(active)))
            for unit, uses, active in self._rows(_HISTORIES, {"end": end})
        }
        uses = [
            Use(
                str(unit), str(principal), _text(network), _text(endpoint), str(region), int(str(before)),
                int(str(after)), str(first), str(last), _texts(events),
            )
            for unit, principal, network, endpoint, region, before, after, first, last, events in self._rows(
                _USES, {"end": end}
            )
        ]  # fmt: skip
        yield from never_seen(uses, histories, baseline_days=days, end=str(end), notes=self._notes)
        decrypted = list(self._counted(_VOLUMES, first_day=begin))
        yield from decrypt_volumes(decrypted, baseline_days=days, notes=self._notes)

    def _profile(self) -> None:
        """Counts uses by slices of days, so that memory follows the slice and not the trail."""
        asked = self._parameters("decrypting", "cryptographic", "every", "keys")
        how = "CREATE OR REPLACE TEMP TABLE detect_profile AS"
        for first, last in _slices(list(self._rows(_DAYS, self._parameters("last_day")))):
            self._connection.execute(f"{how} {_PROFILE}", asked | {"slice_first": first, "slice_last": last})
            how = "INSERT INTO detect_profile"

    def _name_networks(self) -> None:
        """A table of the network of each address: what a network is, is said in one place and not in SQL."""
        addresses = [
            str(address)
            for (address,) in self._rows(
                "SELECT DISTINCT source_address FROM detect_profile WHERE source_address IS NOT NULL", {}
            )
        ]
        told = {address: network for address in addresses if (network := network_of(address)) is not None}
        self._connection.execute(
            "CREATE OR REPLACE TEMP TABLE detect_networks AS "
            "SELECT unnest($addresses::VARCHAR[]) AS source_address, unnest($networks::VARCHAR[]) AS network",
            {"addresses": list(told), "networks": list(told.values())},
        )

    def _counted(self, sql: str, **further: object) -> Iterator[Counted]:
        asked = further or self._parameters("cryptographic", "since", "until", "every", "keys")
        for principal, key, at, number, first, last, events in self._rows(sql, asked):
            yield Counted(
                str(principal),
                str(key),
                int(str(at)),
                int(str(number)),
                str(first),
                str(last),
                _texts(events),
            )


def _slices(days: Sequence[tuple[object, ...]]) -> Iterator[tuple[object, object]]:
    """The first and the last day of each slice: as many days as have some `_SLICE` events."""
    first, events = None, 0
    for number, (day, count) in enumerate(days, start=1):
        first, events = first or day, events + int(str(count))
        if events >= _SLICE or number == len(days):
            yield first, day
            first, events = None, 0


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _texts(value: object) -> tuple[str, ...]:
    return tuple(map(str, value)) if isinstance(value, Iterable) else ()


def _days_from(day: date, number: int) -> date:
    """The day that is so many days later, or earlier; the last or the first day that there is at most."""
    return date.fromordinal(min(max(day.toordinal() + number, date.min.toordinal()), date.max.toordinal()))
