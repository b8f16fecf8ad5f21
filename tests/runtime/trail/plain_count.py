"""The reports again, counted in plain Python, without SQL: what the engines are held against."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, datetime
from typing import Any

from kms_constructs.detections.relations import EventRow, KeyRow

USES = {
    "Decapsulate", "Decrypt", "DeriveSharedSecret", "Encapsulate", "Encrypt", "GenerateDataKey",
    "GenerateDataKeyPair", "GenerateDataKeyPairWithoutPlaintext", "GenerateDataKeyWithoutPlaintext",
    "GenerateMac", "GenerateRandom", "ReEncrypt", "Sign", "Verify", "VerifyMac",
}  # fmt: skip


class PlainCount:
    """Rows, and the reports of them."""

    def __init__(self, events: Iterable[EventRow], keys: Sequence[KeyRow], since: date, until: date) -> None:
        of_call: dict[str, list[EventRow]] = defaultdict(list)
        for event in events:
            if since.isoformat() <= event.event_time[:10] <= until.isoformat():
                of_call[event.shared_event_id or event.event_id].append(event)
        self.calls = [
            min(records, key=lambda one: (one.caller is None, one.encryption_context is None, one.event_id))
            for records in of_call.values()
        ]
        by_id = {call.event_id: call for call in self.calls}
        self.named = [(by_id[row.event_id], row) for row in keys if row.event_id in by_id]

    def report(self, name: str) -> list[tuple[Any, ...]]:
        """The rows of a report, in its order."""
        made: list[tuple[Any, ...]] = list(getattr(self, "_" + name.replace("-", "_"))())
        return made

    def _totals(self) -> Iterator[tuple[Any, ...]]:
        calls = self.calls
        times = sorted(map(_time, calls))
        yield (
            len(calls), sum(map(_failed, calls)), sum(map(_is_use, calls)), len(set(map(_principal, calls))),
            times[0] if times else None, times[-1] if times else None,
        )  # fmt: skip

    def _by_event(self) -> list[tuple[Any, ...]]:
        return self._calls_by(lambda one: (one.event_source, one.event_name), _errors, _principals, _times)

    def _by_principal(self) -> list[tuple[Any, ...]]:
        return self._calls_by(
            lambda one: (_principal(one), one.caller_type or "unknown", one.caller_account or ""),
            _errors, _operations, _times,
        )  # fmt: skip

    def _by_service(self) -> list[tuple[Any, ...]]:
        return self._calls_by(
            lambda one: (one.service or "called directly",), _errors, _operations, _principals, _times
        )

    def _by_source(self) -> list[tuple[Any, ...]]:
        return self._calls_by(
            lambda one: (one.source_address or "unknown", one.vpc_endpoint or ""),
            _errors,
            _principals,
            _times,
        )

    def _by_user_agent(self) -> list[tuple[Any, ...]]:
        return self._calls_by(lambda one: (one.user_agent or "unknown",), _errors, _principals, _times)

    def _by_error(self) -> list[tuple[Any, ...]]:
        failed = [(one, None) for one in self.calls if one.error_code is not None]
        return _grouped(failed, lambda one, _: (one.error_code, one.event_name, _principal(one)), _times)

    def _by_key(self) -> list[tuple[Any, ...]]:
        return _grouped(self.named, lambda _, row: (row.key,), _uses, _errors, _principals, _times)

    def _by_alias(self) -> list[tuple[Any, ...]]:
        named = [pair for pair in self.named if pair[1].alias is not None]
        return _grouped(named, lambda _, row: (row.alias, row.key), _errors, _principals, _times)

    def _by_encryption_context(self) -> list[tuple[Any, ...]]:
        named = [pair for pair in self.named if _context(*pair) is not None]
        return _grouped(named, lambda one, row: (row.key, _context(one, row)), _errors, _principals, _times)

    def _timeline(self) -> list[tuple[Any, ...]]:
        made = _grouped(self.named, lambda one, row: (_time(one).date(), row.key), _uses, _errors)
        return sorted(made, key=lambda row: row[:2])

    def _hours(self) -> list[tuple[Any, ...]]:
        made = _grouped(self.named, lambda one, row: (row.key, _time(one).weekday(), _time(one).hour))
        return sorted(made)

    def _last_use(self) -> list[tuple[Any, ...]]:
        used = [pair for pair in self.named if _is_use(pair[0]) and not _failed(pair[0])]
        made = _grouped(used, lambda _, row: (row.key,), _times, _principals)
        turned = [(key, first, last, uses, principals) for key, uses, first, last, principals in made]
        return sorted(sorted(turned), key=lambda row: row[2], reverse=True)

    def _top_talkers(self) -> list[tuple[Any, ...]]:
        return _grouped(self.named, lambda one, row: (_principal(one), row.key), _uses, _errors, _times)

    def _calls_by(self, group: Callable[[EventRow], tuple[Any, ...]], *facts: _Fact) -> list[tuple[Any, ...]]:
        return _grouped([(one, None) for one in self.calls], lambda one, _: group(one), *facts)


_Fact = Callable[[list[EventRow]], tuple[Any, ...]]


def _grouped(
    pairs: Iterable[tuple[EventRow, Any]], group: Callable[[EventRow, Any], tuple[Any, ...]], *facts: _Fact
) -> list[tuple[Any, ...]]:
    groups: dict[tuple[Any, ...], list[EventRow]] = defaultdict(list)
    for one, row in pairs:
        groups[group(one, row)].append(one)
    made = list(groups.items())
    made.sort(key=lambda item: (-len(item[1]), item[0]))
    return [(*name, len(calls), *(cell for fact in facts for cell in fact(calls))) for name, calls in made]


def _errors(calls: list[EventRow]) -> tuple[int]:
    return (sum(map(_failed, calls)),)


def _uses(calls: list[EventRow]) -> tuple[int]:
    return (sum(map(_is_use, calls)),)


def _principals(calls: list[EventRow]) -> tuple[int]:
    return (len(set(map(_principal, calls))),)


def _operations(calls: list[EventRow]) -> tuple[int]:
    return (len({one.event_name for one in calls}),)


def _times(calls: list[EventRow]) -> tuple[datetime, datetime]:
    return min(map(_time, calls)), max(map(_time, calls))


def _time(one: EventRow) -> datetime:
    return datetime.fromisoformat(one.event_time.removesuffix("Z"))


def _failed(one: EventRow) -> bool:
    return one.error_code is not None


def _is_use(one: EventRow) -> bool:
    return one.event_source == "kms.amazonaws.com" and one.event_name in USES


def _principal(one: EventRow) -> str:
    if one.caller:
        return one.caller
    if one.caller_type == "AWSAccount" and one.caller_account:
        return one.caller_account
    return one.service or one.caller_account or one.principal_id or "unknown"


def _context(one: EventRow, row: KeyRow) -> str | None:
    return one.destination_encryption_context if row.use == "destination" else one.encryption_context
