from __future__ import annotations

import pytest

from kms_constructs.model.estate import Key
from kms_constructs.model.unknown import Unknown
from tests.guardrails.factories import C, N, Said, U, V, a_key, judge, said
from tests.vocabularies import KMS_API

WHY = Unknown("parameter Until has no default")
PATH = "Metadata/kms-constructs/materialExpires"


def imported(expires: str | Unknown | None, **changes: object) -> Key:
    return a_key(origin="EXTERNAL", material_expires=expires, **changes)


CASES = {
    "expires": (imported("2026-12-31"), Said(C, "", "", "The imported key material expires.")),
    "expires today": (imported("2026-06-01"), Said(C, "", "", "The imported key material expires.")),
    "a time is a date too": (
        imported("2026-12-31T12:00:00Z"),
        Said(C, "", "", "The imported key material expires."),
    ),
    "never declared": (
        imported(None),
        Said(V, "missing", PATH, "No expiry of the imported key material is declared."),
    ),
    "live and for ever": (
        imported(None, vocabulary=KMS_API),
        Said(V, "missing", "DescribeKey/KeyMetadata/ValidTo", "The imported key material does not expire."),
    ),
    "expired": (
        imported("2026-05-31"),
        Said(V, "expired", PATH, "The imported key material expired on 2026-05-31."),
    ),
    "no date": (imported("soon"), Said(V, "expiry", PATH, "The expiry 'soon' is no date.")),
    "not known": (
        imported(WHY),
        Said(
            U,
            "expiry",
            PATH,
            "The expiry of the key material is not known: parameter Until has no default.",
        ),
    ),
    "origin not known": (
        a_key(origin=WHY),
        Said(
            U,
            "origin",
            "Properties/Origin",
            "Whether the key material is imported is not known: parameter Until has no default.",
        ),
    ),
    "made by KMS": (
        a_key(),
        Said(N, "", "", "Not applicable: key material of origin AWS_KMS is not imported."),
    ),
}


@pytest.mark.parametrize(("key", "expected"), CASES.values(), ids=CASES)
def test_expiry(key: Key, expected: Said) -> None:
    assert said(judge("KMS:009", key)) == [expected]
