from __future__ import annotations

import pytest

from kms_constructs.guardrails.config import GuardrailConfig
from kms_constructs.guardrails.engine import judge as judge_estate
from kms_constructs.guardrails.finding import Severity
from kms_constructs.model.estate import Estate, Location
from kms_constructs.model.text import HoleKind, hole
from kms_constructs.model.unknown import Unknown
from tests.guardrails.factories import TODAY, C, N, Said, U, V, a_key, judge, said

PATH = "Properties/Tags"
GOOD = Said(C, "", "", "The key policy was reviewed lately.")


def reviewed(value: str | Unknown) -> dict[str, str | Unknown]:
    return {"kms:policy-reviewed-on": value}


CASES = {
    "today": (reviewed("2026-06-01"), GOOD),
    "a year ago": (reviewed("2025-06-01"), GOOD),
    "more than a year ago": (
        reviewed("2025-05-31"),
        Said(
            V,
            "age",
            PATH,
            "The last review of the key policy, on 2025-05-31, is 366 days ago; the configuration "
            "allows 365.",
        ),
    ),
    "never": ({"environment": "prod"}, Said(V, "missing", PATH, "No review of the key policy is on record.")),
    "no date": (reviewed("last spring"), Said(V, "date", PATH, "The review date 'last spring' is no date.")),
    "in the future": (
        reviewed("2026-06-02"),
        Said(V, "future", PATH, "The review date 2026-06-02 lies in the future."),
    ),
    "not known": (
        reviewed(Unknown("parameter Day has no default")),
        Said(U, "date", PATH, "The date of the last review is not known: parameter Day has no default."),
    ),
    "tags not known": (
        Unknown("a condition decides"),
        Said(U, "date", PATH, "The date of the last review is not known: a condition decides."),
    ),
    "decided at deployment": (
        reviewed(hole(HoleKind.UNRESOLVED, "Day")),
        Said(U, "date", PATH, "The date of the last review is not known: ${Day} is decided at deployment."),
    ),
}


@pytest.mark.parametrize(("tags", "expected"), CASES.values(), ids=CASES)
def test_review(tags: object, expected: Said) -> None:
    assert said(judge("KMS:008", a_key(tags=tags))) == [expected]


def test_the_age_is_configured_and_the_control_only_warns() -> None:
    (finding,) = judge("KMS:008", a_key(tags=reviewed("2026-05-01")), GuardrailConfig(review_max_age=30))
    assert (finding.detail, finding.severity) == ("age", Severity.WARNING)


def of(*tags: object) -> list[list[Said]]:
    """What is said of the estate, and of each of its two keys."""
    places = [Location("app.json", "App", f"K{at}") for at in range(len(tags))]
    keys = tuple(
        a_key(id=place.logical_id, location=place, tags=one) for place, one in zip(places, tags, strict=True)
    )
    estate = Estate(keys=keys, sources=("app.json",))
    found = judge_estate(estate, controls=["KMS:008"], today=TODAY).findings
    return [said([one for one in found if one.location.logical_id == name]) for name in ("", "K0", "K1")]


def test_dates_that_nobody_uses_are_missed_once() -> None:
    once = Said(N, "", "", "Not applicable: no key carries a review date, which is reported once.")
    missing = Said(V, "missing", "", "No review of a key policy is on record, for none of 2 keys.")
    assert of({}, {"environment": "prod"}) == [[missing], [once], [once]]


def test_a_date_that_one_key_lacks_is_missed_there() -> None:
    missing = Said(V, "missing", PATH, "No review of the key policy is on record.")
    assert of({}, reviewed("2026-06-01")) == [[], [missing], [GOOD]]


def test_a_key_whose_tags_are_not_known_may_have_a_date() -> None:
    missing = Said(V, "missing", PATH, "No review of the key policy is on record.")
    unknown = Said(U, "date", PATH, "The date of the last review is not known: a condition decides.")
    assert of({}, Unknown("a condition decides")) == [[], [missing], [unknown]]
