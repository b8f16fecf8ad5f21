from __future__ import annotations

import pytest

from kms_constructs.model.estate import Trail
from kms_constructs.model.unknown import Unknown
from tests.guardrails.factories import C, N, Said, U, V, a_key, a_trail, judge, said

WHY = Unknown("parameter Quiet has no default")
PATH = "Properties/EventSelectors"
GOOD = Said(C, "", "", "The trail leaves no KMS events out.")
EXCLUDED = Said(
    V,
    "excluded",
    PATH,
    "The trail leaves KMS events out: nobody will see who decrypted, disabled or deleted.",
)
NONE = Said(
    V,
    "none",
    PATH,
    "The app has trails, and none of them records KMS events: "
    "they are switched off or record no management events.",
)
CASES = {
    "records": ([a_trail()], [GOOD]),
    "excludes": ([a_trail(kms_excluded=True)], [EXCLUDED]),
    "one of two excludes": ([a_trail(kms_excluded=True), a_trail(id="Second")], [GOOD, EXCLUDED]),
    "data events only, beside one that records": (
        [a_trail(management_events=False), a_trail(id="Second")],
        [GOOD, GOOD],
    ),
    "data events only": ([a_trail(management_events=False)], [GOOD, NONE]),
    "switched off": ([a_trail(logging=False)], [GOOD, NONE]),
    "exclusion unknown": (
        [a_trail(kms_excluded=WHY)],
        [
            Said(
                U,
                "excluded",
                PATH,
                "Whether the trail leaves KMS events out is not known: parameter Quiet has no default.",
            )
        ],
    ),
    "logging unknown": (
        [a_trail(logging=WHY)],
        [
            Said(
                U,
                "none",
                PATH,
                "Whether the trail records management events is not known: parameter Quiet has no default.",
            )
        ],
    ),
    "logging unknown, beside one that records": (
        [a_trail(logging=WHY), a_trail(id="Second")],
        [GOOD, GOOD],
    ),
}


@pytest.mark.parametrize(("trails", "expected"), CASES.values(), ids=CASES)
def test_trails(trails: list[Trail], expected: list[Said]) -> None:
    assert said(judge("KMS:005", a_key(), trails=tuple(trails))) == expected


def test_without_a_trail_it_does_not_apply() -> None:
    assert said(judge("KMS:005", a_key())) == [
        Said(
            N,
            "",
            "",
            "Not applicable: no trail was given; a trail of the account or organization is outside it.",
        )
    ]
