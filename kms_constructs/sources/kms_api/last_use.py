"""What a trail tells of the last use of live keys, beside what KMS says of it.

KMS keeps one day for each key, for some keys not from the beginning, and tells five keys a second. A trail
has every use that it recorded, and only those: it shows that a key was used, and never that it was not.

See: https://docs.aws.amazon.com/kms/latest/developerguide/monitoring-keys-determining-usage.html
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from msgspec.structs import replace

from kms_constructs.errors import SourceError
from kms_constructs.model.estate import Estate, Key
from kms_constructs.model.unknown import is_unknown

REPORT = "last-use"
"""Name of the report over a trail that tells it."""


def with_last_use(estate: Estate, report: object, file: str) -> Estate:
    """The estate, with the later of the uses that KMS and a trail tell of each live key.

    Where KMS does not tell it, or was not asked, the use in the trail stands as the last that is known.

    Args:
        estate: Live keys.
        report: What ``kms-constructs trail report --report last-use --format json`` wrote, read as JSON.
        file: Where it was read from, for errors.

    Raises:
        SourceError: It is something else.

    Example:
        >>> row = {"key": "arn:aws:kms:eu-west-1:111122223333:key/1", "last_use": "2026-05-01T10:00:00Z"}
        >>> with_last_use(Estate(), {"reports": [{"name": "last-use", "rows": [row]}]}, "use.json").keys
        ()
    """
    last = _last(report, file)
    keys = tuple(_used(key, last.get(key.arn_pattern)) for key in estate.keys)
    return replace(estate, keys=keys)


def _used(key: Key, day: str | None) -> Key:
    live = key.live
    if live is None or day is None:
        return key
    known = live.last_used
    if isinstance(known, str) and known[:10] >= day:
        return key
    return replace(key, live=replace(live, last_used=day, seen_in_trail=is_unknown(known)))


def _last(report: object, file: str) -> dict[str, str]:
    """Day of the last use by the key's ARN."""
    reports = report.get("reports") if isinstance(report, Mapping) else None
    listed = reports if isinstance(reports, list) else []
    found = [one for one in listed if isinstance(one, Mapping) and one.get("name") == REPORT]
    rows = found[0].get("rows") if found else None
    if not isinstance(rows, list):
        raise SourceError(
            file,
            "it holds no report on the last use of keys",
            f"Give what kms-constructs trail report STORE --report {REPORT} --format json wrote",
        )
    last: dict[str, str] = {}
    for row in rows:
        key, day = _told(row, file)
        last[key] = max(day, last.get(key, day))
    return last


def _told(row: object, file: str) -> tuple[str, str]:
    key, time = (row.get("key"), row.get("last_use")) if isinstance(row, Mapping) else (None, None)
    try:
        if isinstance(key, str) and isinstance(time, str):
            return key, date.fromisoformat(time[:10]).isoformat()
    except ValueError:
        pass
    raise SourceError(
        file, f"a row tells no key and day: {row!r:.80}", "Write the report again; it is damaged"
    )
