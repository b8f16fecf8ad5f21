"""The schema of catalogues knows every preset and its arguments."""

from __future__ import annotations

import json
import os
from importlib.resources import files

import pytest

from kms_constructs.cdk.fleet.catalog_file import SCHEMA_FILE
from kms_constructs.cdk.fleet.key_catalog import KeyCatalog
from kms_constructs.errors import SourceError
from tests.policies.services.preset_schema import service_schema

pytestmark = pytest.mark.cdk

UPDATE = os.environ.get("SCHEMA_UPDATE") == "1"
USER = "arn:aws:iam::111122223333:role/Orders"


def test_the_schema_of_catalogues_is_up_to_date() -> None:
    file = files("kms_constructs.cdk.fleet").joinpath("data", SCHEMA_FILE)
    schema = json.loads(file.read_text("utf-8"))
    if UPDATE:
        schema["$defs"]["service"] = service_schema()
        text = json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
        file.write_text(text, "utf-8")  # type: ignore[attr-defined]  # in a checkout it is a path

    assert schema["$defs"]["service"] == service_schema(), "run this test with SCHEMA_UPDATE=1"


def catalogue(service: object) -> dict[str, object]:
    return {
        "version": 1,
        "stacks": 1,
        "keys": {"orders": {"description": "Orders", "services": [service]}},
    }


TAKEN: dict[str, object] = {
    "a name": "sns",
    "arguments": {"sns": {"topic_arns": ["arn:aws:sns:eu-west-1:111122223333:alerts"]}},
    "no arguments": {"sns": {}},
    "principals": {"efs": {"principals": [USER]}},
    "one role": {"s3_replication": {"role": USER, "source_buckets": ["arn:aws:s3:::orders"]}},
    "zones": {"route53_dnssec": {"hosted_zones": ["Z1"]}},
    "zones by account": {"route53_dnssec": {"hosted_zones": {"111122223333": ["Z1"]}}},
    "a truth value": {"cloudtrail": {"bucket_key": True}},
    "conditions": {
        "custom": {
            "principal": "x.amazonaws.com",
            "actions": ["kms:Decrypt"],
            "conditions": {"StringEquals": {"aws:SourceAccount": "111122223333"}},
        }
    },
}
REFUSED: dict[str, tuple[object, str]] = {
    "an unknown preset": ("lamda", r"services\.0: 'lamda' is not one of"),
    "an unknown argument": ({"sns": {"topics": ["x"]}}, r"'topics' was unexpected"),
    "a text for a list": ({"sns": {"topic_arns": "x"}}, r"topic_arns: 'x' is not of type 'array'"),
    "an empty list": ({"efs": {"principals": []}}, r"principals: \[\] should be non-empty"),
    "a missing argument": ({"efs": {}}, r"'principals' is a required property"),
    "two presets in one": ({"sns": {}, "sqs": {}}, r"services\.0: .* is not one of"),
}


@pytest.mark.parametrize("service", TAKEN.values(), ids=TAKEN)
def test_takes(service: object) -> None:
    (entry,) = KeyCatalog.from_mapping(catalogue(service)).entries

    assert entry.settings["services"] == [service]


@pytest.mark.parametrize(("service", "message"), REFUSED.values(), ids=REFUSED)
def test_refuses(service: object, message: str) -> None:
    with pytest.raises(SourceError, match=message):
        KeyCatalog.from_mapping(catalogue(service))
