from __future__ import annotations

import pytest

from kms_constructs.guardrails.config import GuardrailConfig
from kms_constructs.model.estate import Key, KeyKind
from kms_constructs.model.unknown import Unknown
from tests.guardrails.factories import C, N, Said, U, V, a_key, judge, said

CONFIG = GuardrailConfig(multi_region_classifications=("Restricted",))
WHY = Unknown("parameter Reach has no default")
GOOD = Said(C, "", "", "The key is a multi-Region key, as its data classification wants.")
RESTRICTED = {"data-classification": "restricted"}
CASES = {
    "multi-Region": (a_key(tags=RESTRICTED, multi_region=True), GOOD),
    "replica": (a_key(tags=WHY, kind=KeyKind.REPLICA), GOOD),
    "one Region": (
        a_key(tags=RESTRICTED),
        Said(
            V,
            "single-region",
            "Properties/MultiRegion",
            "Data classified restricted needs a multi-Region key, and this key is of one Region.",
        ),
    ),
    "not known": (
        a_key(tags=RESTRICTED, multi_region=WHY),
        Said(
            U,
            "single-region",
            "Properties/MultiRegion",
            "Whether it is a multi-Region key is not known: parameter Reach has no default.",
        ),
    ),
    "classification not known": (
        a_key(tags=WHY),
        Said(
            U,
            "classification",
            "Properties/Tags",
            "The data classification is not known: parameter Reach has no default.",
        ),
    ),
    "other classification": (
        a_key(tags={"DataCategory": "public"}),
        Said(N, "", "", "Not applicable: data classified public needs no multi-Region key."),
    ),
    "no classification": (
        a_key(tags={}),
        Said(N, "", "", "Not applicable: the key has no data classification."),
    ),
}


@pytest.mark.parametrize(("key", "expected"), CASES.values(), ids=CASES)
def test_multi_region(key: Key, expected: Said) -> None:
    assert said(judge("KMS:007", key, CONFIG)) == [expected]


def test_by_default_no_classification_needs_it() -> None:
    assert said(judge("KMS:007", a_key(tags=RESTRICTED))) == [
        Said(N, "", "", "Not applicable: no classification is configured to need multi-Region keys.")
    ]
