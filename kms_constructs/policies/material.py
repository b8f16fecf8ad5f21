"""Keys whose material comes from elsewhere: who may import it, and until when it may be valid.

The material itself is imported by API and never enters a template. What a template can hold is the expiry
that the material has to have: the key policy refuses an import without one or with a later one.

See: https://docs.aws.amazon.com/kms/latest/developerguide/importing-keys.html
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from kms_constructs.errors import ArgumentError
from kms_constructs.model.key_specs import Origin

MAXIMUM_VALIDITY_DAYS = 365
"""KMS accepts no expiry that is further ahead than this on the day of the import."""


def material_expiry(value: object, origin: str, where: str) -> date | None:
    """The last day on which imported material may be valid; None for a key whose material KMS makes.

    A day that has passed is let through: KMS:009 reports it, and the key that needs new material can still be
    deployed.

    Raises:
        ArgumentError: There is none for imported material, or one for other material, or one out of bounds.
    """
    argument = "material_expires"
    if origin != Origin.EXTERNAL:
        if value is not None:
            raise ArgumentError(
                argument,
                value,
                "KMS makes the material of this key, and it does not expire",
                "leave it out, or set origin='EXTERNAL'",
                where=where,
            )
        return None
    if value is None:
        raise ArgumentError(
            argument,
            None,
            "imported key material that never expires is forgotten, with whoever made it",
            f"give the day on which it has to be replaced, at most {MAXIMUM_VALIDITY_DAYS} days ahead",
            where=where,
        )
    if isinstance(value, datetime):
        day = value.date()
    elif isinstance(value, date):
        day = value
    else:
        try:
            day = date.fromisoformat(str(value))
        except ValueError:
            raise ArgumentError(
                argument, value, "a date is wanted", "give a datetime.date or 'YYYY-MM-DD'", where=where
            ) from None
    last = datetime.now(UTC).date() + timedelta(days=MAXIMUM_VALIDITY_DAYS)
    if day > last:
        raise ArgumentError(
            argument,
            day.isoformat(),
            f"KMS accepts an expiry at most {MAXIMUM_VALIDITY_DAYS} days ahead of the import",
            f"give a day up to {last.isoformat()}",
            where=where,
        )
    return day


def check_importers(value: object, origin: str, where: str) -> None:
    """Refuses importers for a key into which nothing can be imported."""
    if value is not None and origin != Origin.EXTERNAL:
        raise ArgumentError(
            "key_material_importers",
            value,
            "KMS makes the material of this key, so nobody imports any",
            "leave it out, or set origin='EXTERNAL'",
            where=where,
        )
