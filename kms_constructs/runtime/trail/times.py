"""Times of calls, as texts out of a store."""

from __future__ import annotations

import re
from typing import Final

_PLAIN: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z")


class ImpossibleTimeError(ValueError):
    """A time that no record of CloudTrail can have; the calendar of DuckDB has many more."""


def possible(moment: object) -> str:
    """A time of a store as text, ISO 8601 in UTC; empty where there is none.

    Args:
        moment: What `strftime` gave, or None.

    Raises:
        ImpossibleTimeError: It is of no year from 1 to 9999.

    Example:
        >>> possible("2026-05-01T23:00:00Z"), possible(None)
        ('2026-05-01T23:00:00Z', '')
    """
    if moment is None:
        return ""
    text = str(moment)
    if not _PLAIN.fullmatch(text) or text.startswith("0000"):
        raise ImpossibleTimeError(f"a call in it is of the time {text}")
    return text
