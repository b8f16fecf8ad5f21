from __future__ import annotations

from collections.abc import Mapping

import pytest

from kms_constructs.guardrails.finding import Severity
from kms_constructs.model.estate import Key, Location, Reference
from kms_constructs.model.unknown import Unknown
from tests.guardrails.factories import C, N, Said, U, V, a_key, judge, said

WHY = Unknown("parameter Service has no default")
GOOD = Said(C, "", "", "What is tagged agrees on one service and one data classification.")


def use(
    name: str, tags: Mapping[str, str | Unknown] | Unknown, resource_type: str = "AWS::S3::Bucket"
) -> Reference:
    return Reference(Location("app.json", "App", name), resource_type, "Properties/Key", tags)


def key(tags: Mapping[str, str | Unknown] | Unknown, *uses: Reference) -> Key:
    return a_key(tags=tags, references=uses)


PUBLIC = {"data-classification": "public"}
NONE = "Neither the key nor what uses it declares a data-classification"
CASES = {
    "agrees": (key({"service": "orders"} | PUBLIC, use("Bucket", {"Service": "Orders"})), [GOOD]),
    "classified": (key(PUBLIC, use("Bucket", {})), [GOOD]),
    "classified by what uses it": (key({}, use("Bucket", PUBLIC)), [GOOD]),
    "nothing tagged": (key({}, use("Bucket", {})), [Said(V, "unclassified", "Properties/Tags", f"{NONE}.")]),
    "nothing tagged that is known": (
        key({}, use("Bucket", WHY)),
        [
            Said(
                U,
                "unclassified",
                "Properties/Tags",
                f"{NONE}, as far as the tags are known: parameter Service has no default.",
            )
        ],
    ),
    "two services": (
        key(PUBLIC, use("Bucket", {"service": "orders"}), use("Queue", {"service": "payroll"})),
        [
            Said(
                V,
                "service",
                "",
                "The key serves more than one service: 'orders' (Bucket), 'payroll' (Queue).",
            )
        ],
    ),
    "another service than the key's": (
        key({"service": "orders"} | PUBLIC, use("Queue", {"service": "payroll"})),
        [
            Said(
                V,
                "service",
                "",
                "The key serves more than one service: 'orders' (the key), 'payroll' (Queue).",
            )
        ],
    ),
    "two classifications, in two spellings": (
        key({}, use("A", {"DataClassification": "public"}), use("B", {"data_category": "restricted"})),
        [
            Said(
                V,
                "data-classification",
                "",
                "The key serves more than one data-classification: 'public' (A), 'restricted' (B).",
            )
        ],
    ),
    "one is not known": (
        key({"service": "orders"} | PUBLIC, use("Bucket", {"service": WHY})),
        [
            Said(
                U,
                "service",
                "",
                "Whether the key serves one service is not known: parameter Service has no default.",
            )
        ],
    ),
    "aliases and replicas do not count": (
        key({"service": "orders"}, use("Alias", {"service": "x"}, "AWS::KMS::Alias")),
        [Said(N, "", "", "Not applicable: no resource of the app uses the key.")],
    ),
}


@pytest.mark.parametrize(("key", "expected"), CASES.values(), ids=CASES)
def test_purpose(key: Key, expected: list[Said]) -> None:
    assert said(judge("KMS:006", key)) == expected


def test_a_missing_classification_is_a_warning() -> None:
    (finding,) = judge("KMS:006", key({}, use("Bucket", {})))
    assert (finding.id, finding.severity) == ("KMS:006[unclassified]", Severity.WARNING)
