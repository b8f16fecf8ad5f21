"""Until when imported material is valid: as the key intends, or as the caller says.

See: https://docs.aws.amazon.com/kms/latest/developerguide/importing-keys-import-key-material.html
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from kms_constructs.errors import MaterialError
from kms_constructs.model.declaration import Tag
from kms_constructs.policies.material import MAXIMUM_VALIDITY_DAYS

_MARGIN = timedelta(minutes=5)
"""How far ahead of the limit a day is cut off, so that clocks that differ do not matter."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What the caller says of the expiry; nothing, for what the key intends.

    Args:
        valid_to: A day, to whose end (UTC) the material is valid, or a moment with its offset.
        valid_for: Days from now, 1 to 365.
        never: Whether the material does not expire.
    """

    valid_to: date | datetime | None = None
    valid_for: int | None = None
    never: bool = False

    @property
    def said(self) -> bool:
        """Whether the caller says anything."""
        return self.never or self.valid_to is not None or self.valid_for is not None


def valid_to(
    wish: Wish, intended: str | None, key: str, now: datetime, *, unread: str = ""
) -> datetime | None:
    """When the material expires, in whole seconds of UTC; None for never.

    Args:
        wish: What the caller says.
        intended: The day in the key's tag; None where there is none.
        key: The key, for errors.
        now: The present moment.
        unread: Why the tags could not be read, when they could not.

    Raises:
        MaterialError: Nobody says when, or the moment is past, or further ahead than KMS accepts.

    Example:
        >>> noon = datetime(2026, 3, 1, 12, tzinfo=UTC)
        >>> valid_to(Wish(), "2026-09-30", "alias/orders", noon).isoformat()
        '2026-09-30T23:59:59+00:00'
        >>> valid_to(Wish(valid_for=30), "2026-09-30", "alias/orders", noon).isoformat()
        '2026-03-31T12:00:00+00:00'
    """
    if wish.never:
        return None
    limit = now + timedelta(days=MAXIMUM_VALIDITY_DAYS)
    if wish.valid_for is not None:
        if not 1 <= wish.valid_for <= MAXIMUM_VALIDITY_DAYS:
            raise MaterialError(
                f"--valid-for {wish.valid_for}",
                f"KMS accepts an expiry 1 to {MAXIMUM_VALIDITY_DAYS} days ahead",
                f"give a number of days from 1 to {MAXIMUM_VALIDITY_DAYS}",
            )
        return _seconds(min(now + timedelta(days=wish.valid_for), limit - _MARGIN))
    if wish.valid_to is not None:
        return _checked(wish.valid_to, f"--valid-to {wish.valid_to.isoformat()}", now, limit, _GIVE)
    tag = Tag.MATERIAL_EXPIRES.written
    if intended is None:
        why = f"its tags cannot be read ({unread})" if unread else f"it has no tag {tag}"
        raise MaterialError(
            key,
            f"it is not known until when the material is to be valid: {why}",
            "give --valid-to or --valid-for, or say --never-expires, or declare material_expires on the key",
        )
    try:
        day = date.fromisoformat(intended)
    except ValueError:
        raise MaterialError(
            key, f"its tag {tag} holds no day of the form YYYY-MM-DD", "correct the tag, or give --valid-to"
        ) from None
    return _checked(day, f"{key}: its tag {tag} of {day}", now, limit, _DECLARE)


_GIVE = "give a moment from now on and at most {days} days ahead: up to {last}"
_DECLARE = "declare a later material_expires, up to {last}, deploy it, and import again; or give --valid-to"


def _checked(wanted: date | datetime, where: str, now: datetime, limit: datetime, fix: str) -> datetime:
    advice = fix.format(days=MAXIMUM_VALIDITY_DAYS, last=limit.date().isoformat())
    if isinstance(wanted, datetime):
        if wanted.tzinfo is None:
            raise MaterialError(where, "a moment without its offset", "write it as in 2026-09-30T12:00:00Z")
        moment = wanted.astimezone(UTC)
    else:
        start = datetime.combine(wanted, time(), UTC)
        moment = start + timedelta(days=1, seconds=-1)
        # A day that begins within the limit and ends beyond it: as much of it as KMS accepts.
        if start < limit - _MARGIN < moment:
            moment = limit - _MARGIN
    if moment <= now:
        raise MaterialError(where, "that is past", advice)
    if moment > limit:
        raise MaterialError(
            where, f"KMS accepts an expiry at most {MAXIMUM_VALIDITY_DAYS} days ahead", advice
        )
    return _seconds(moment)


def _seconds(moment: datetime) -> datetime:
    return moment.replace(microsecond=0)
