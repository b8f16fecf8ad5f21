"""The last use of live keys, by KMS and by a trail."""

from __future__ import annotations

import pytest

from kms_constructs.errors import SourceError
from kms_constructs.guardrails.engine import judge
from kms_constructs.model.estate import Estate
from kms_constructs.model.unknown import is_unknown
from kms_constructs.reports.inventory import inventory
from kms_constructs.sources.kms_api.estate import estate_from_answers
from kms_constructs.sources.kms_api.last_use import with_last_use
from tests.guardrails.factories import TODAY
from tests.sources.kms_api.build import KEY_ID, Seed, answers_of

OTHER = "arn:aws:kms:eu-west-1:111122223333:key/another"
SEED = Seed()


def live(day: str | None, *, asked: bool = True) -> Estate:
    usage = {
        "KeyLastUsage": {} if day is None else {"Timestamp": f"{day}T00:00:00+00:00"},
        "TrackingStartDate": "2025-01-01T00:00:00+00:00",
        "KeyCreationDate": "2025-02-01T00:00:00+00:00",
    }
    return estate_from_answers(answers_of(Seed(usage=usage), last_usage=asked))


def trail(*days: str, key: str = SEED.arn) -> dict[str, object]:
    rows = [{"key": key, "last_use": f"{day}T23:59:59Z", "uses": 3} for day in days]
    return {
        "report": "trail-report",
        "reports": [{"name": "by-key", "rows": []}, {"name": "last-use", "rows": rows}],
    }


def used(estate: Estate, report: dict[str, object]) -> object:
    (key,) = with_last_use(estate, report, "use.json").keys
    assert key.live is not None
    return "unknown" if is_unknown(key.live.last_used) else key.live.last_used


@pytest.mark.parametrize(
    ("kms", "days", "last"),
    [
        ("2026-01-01", ["2026-05-01"], "2026-05-01"),
        ("2026-05-02", ["2026-05-01"], "2026-05-02"),
        ("2026-01-01", [], "2026-01-01"),
        ("2026-01-01", ["2026-05-01", "2026-04-01"], "2026-05-01"),
        (None, ["2026-05-01"], "2026-05-01"),
        (None, [], None),
    ],
)
def test_the_later_of_both_counts(kms: str | None, days: list[str], last: str | None) -> None:
    assert used(live(kms), trail(*days)) == last


def test_another_key_says_nothing() -> None:
    assert used(live("2026-01-01"), trail("2026-05-01", key=OTHER)) == "2026-01-01"


def test_what_kms_does_not_tell_the_trail_tells_from_below() -> None:
    estate = live("2026-01-01", asked=False)
    assert used(estate, trail()) == "unknown"
    known = with_last_use(estate, trail("2025-06-01"), "use.json")
    assert used(estate, trail("2025-06-01")) == "2025-06-01"
    details = [one.detail for one in judge(known, controls=["KMS:LIVE"], today=TODAY).findings]
    assert "unused" not in details, "a use long ago does not say that there was none since"
    (row,) = inventory(known)
    assert row["last_used"] == "2025-06-01 or later"


def test_a_use_in_the_trail_takes_back_that_a_key_is_unused() -> None:
    def details(estate: Estate) -> list[str]:
        return [one.detail for one in judge(estate, controls=["KMS:LIVE"], today=TODAY).findings]

    estate = live("2025-06-01")
    assert "unused" in details(estate)
    assert "unused" not in details(with_last_use(estate, trail("2026-05-01"), "use.json"))
    assert "unused" in details(with_last_use(estate, trail("2025-07-01"), "use.json"))


@pytest.mark.parametrize(
    "report",
    [
        [],
        {},
        {"reports": [{"name": "by-key", "rows": []}]},
        {"reports": [{"name": "last-use", "rows": {}}]},
        {"reports": [{"name": "last-use", "rows": ["row"]}]},
        {"reports": [{"name": "last-use", "rows": [{"key": KEY_ID, "last_use": "yesterday"}]}]},
        {"reports": [{"name": "last-use", "rows": [{"key": 7, "last_use": "2026-05-01"}]}]},
    ],
)
def test_anything_else_is_refused_by_name(report: object) -> None:
    with pytest.raises(SourceError, match=r"use\.json"):
        with_last_use(live("2026-01-01"), report, "use.json")
