"""When material expires: as the tag intends, or as is said; never past, never beyond a year."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kms_constructs.errors import MaterialError
from kms_constructs.runtime.material.expiry import Wish, valid_to

NOW = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)
LIMIT = NOW + timedelta(days=365)


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[arg-type, misc]


@pytest.mark.parametrize(
    ("wish", "tag", "expected"),
    [
        pytest.param(Wish(), "2026-09-30", utc(2026, 9, 30, 23, 59, 59), id="the tag"),
        pytest.param(Wish(), "2026-03-01", utc(2026, 3, 1, 23, 59, 59), id="the tag says today"),
        pytest.param(Wish(), "2027-03-01", utc(2027, 3, 1, 11, 55), id="the tag says in a year"),
        pytest.param(Wish(never=True), "2026-09-30", None, id="never, said"),
        pytest.param(Wish(valid_for=1), None, utc(2026, 3, 2, 12), id="a day"),
        pytest.param(Wish(valid_for=365), None, utc(2027, 3, 1, 11, 55), id="a year"),
        pytest.param(Wish(date(2026, 4, 1)), "2026-09-30", utc(2026, 4, 1, 23, 59, 59), id="a day is said"),
        pytest.param(Wish(utc(2026, 4, 1, 8)), None, utc(2026, 4, 1, 8), id="a moment is said"),
        pytest.param(
            Wish(datetime(2026, 4, 1, 8, tzinfo=timezone(timedelta(hours=2)))), None, utc(2026, 4, 1, 6),
            id="a moment of another offset",
        ),
        pytest.param(Wish(LIMIT), None, LIMIT.replace(microsecond=0), id="the last moment"),
    ],
)  # fmt: skip
def test_it_expires(wish: Wish, tag: str | None, expected: datetime | None) -> None:
    assert valid_to(wish, tag, "orders", NOW) == expected


@pytest.mark.parametrize(
    ("wish", "tag", "problem"),
    [
        pytest.param(Wish(), None, "orders: it is not known until when.*it has no tag", id="nobody says"),
        pytest.param(Wish(), "soon", "holds no day", id="the tag is no day"),
        pytest.param(Wish(), "2026-02-28", "its tag .* that is past.*material_expires", id="the tag is past"),
        pytest.param(Wish(), "2027-03-02", "its tag .*at most 365 days ahead", id="the tag is too late"),
        pytest.param(Wish(date(2026, 2, 28)), None, "--valid-to 2026-02-28: that is past", id="past"),
        pytest.param(Wish(NOW), None, "that is past", id="now"),
        pytest.param(Wish(LIMIT + timedelta(seconds=1)), None, "at most 365 days ahead", id="too late"),
        pytest.param(Wish(date(2027, 3, 2)), None, "at most 365 days.*up to 2027-03-01", id="a day too late"),
        pytest.param(Wish(valid_for=0), None, "1 to 365 days", id="0 days"),
        pytest.param(Wish(valid_for=366), None, "1 to 365 days", id="366 days"),
        pytest.param(Wish(valid_for=-1), None, "1 to 365 days", id="-1 days"),
        pytest.param(Wish(datetime(2026, 4, 1)), None, "without its offset", id="no offset"),  # noqa: DTZ001
    ],
)
def test_it_is_refused(wish: Wish, tag: str | None, problem: str) -> None:
    with pytest.raises(MaterialError, match=problem):
        valid_to(wish, tag, "orders", NOW)


def test_why_the_tag_is_not_known_is_said() -> None:
    with pytest.raises(MaterialError, match=r"cannot be read \(kms:ListResourceTags is denied\)"):
        valid_to(Wish(), None, "orders", NOW, unread="kms:ListResourceTags is denied")


FIRST, LAST = datetime(2025, 1, 1), datetime(2029, 1, 1)  # noqa: DTZ001 - hypothesis adds the zone


@given(st.datetimes(FIRST, LAST, timezones=st.just(UTC)), st.integers(-400, 800))
def test_what_is_accepted_is_ahead_and_within_a_year(now: datetime, days: int) -> None:
    day = now.date() + timedelta(days=days)
    try:
        found = valid_to(Wish(day), None, "orders", now)
    except MaterialError:
        assert days < 0 or days > 364
        return
    assert found is not None
    assert now < found <= now + timedelta(days=365)
    assert found.date() == day or now.time() < datetime(1, 1, 1, 0, 6).time()  # noqa: DTZ001
    assert not found.microsecond
