from __future__ import annotations

import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from kms_constructs.guardrails.catalogue import CATALOGUE
from kms_constructs.guardrails.finding import Report
from kms_constructs.reports.json_report import (
    access_json,
    catalogue_json,
    diff_json,
    output_schema,
    report_json,
)
from tests.reports import samples

VALIDATOR = Draft202012Validator(output_schema())
DOCUMENTS = {
    "mixed": report_json(samples.MIXED),
    "clean": report_json(samples.CLEAN),
    "broken": report_json(samples.BROKEN),
    "hostile": report_json(samples.HOSTILE_REPORT),
    "access": access_json([samples.matrix(), samples.EMPTY_MATRIX], [samples.PROBLEM]),
    "access-hostile": access_json([samples.HOSTILE_MATRIX]),
    "access-of-nothing": access_json([]),
    "diff": diff_json([samples.GAIN, samples.LOSS, samples.OTHER_CONDITIONS], [samples.PROBLEM]),
    "diff-hostile": diff_json([samples.HOSTILE_CHANGE]),
    "no-diff": diff_json([]),
    "guardrails": catalogue_json(CATALOGUE.values()),
}


def parsed(name: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(DOCUMENTS[name])
    return document


def test_the_schema_is_a_schema() -> None:
    Draft202012Validator.check_schema(output_schema())


@pytest.mark.parametrize("name", DOCUMENTS)
def test_what_is_written_follows_the_schema(name: str) -> None:
    VALIDATOR.validate(parsed(name))


@pytest.mark.parametrize("name", DOCUMENTS)
def test_what_is_written_in_parts_looks_like_what_is_written_whole(name: str) -> None:
    assert DOCUMENTS[name] == json.dumps(parsed(name), indent=2, ensure_ascii=False) + "\n"


@pytest.mark.parametrize(
    ("path", "value"),
    [
        pytest.param(("version",), "2.0", id="another-major-version"),
        pytest.param(("report",), "else", id="unknown-report"),
        pytest.param(("findings", 0, "status"), "passed", id="unknown-status"),
        pytest.param(("findings", 0, "location"), None, id="no-location"),
    ],
)
def test_the_schema_refuses(path: tuple[str | int, ...], value: object) -> None:
    document: Any = parsed("mixed")
    place = document
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    assert not VALIDATOR.is_valid(document)


def test_the_summary() -> None:
    assert parsed("mixed")["summary"] == {
        "verdict": "violations",
        "exitCode": 1,
        "keys": 3,
        "problems": 0,
        "violation": 2,
        "undetermined": 1,
        "warning": 1,
        "acknowledged": 1,
        "compliant": 1,
        "notApplicable": 1,
    }


def test_a_finding_in_full() -> None:
    findings = parsed("mixed")["findings"]
    assert findings[1] == {
        "id": "IAM-KMS-8[CreateGrant]",
        "control": "IAM-KMS-8",
        "detail": "CreateGrant",
        "status": "violation",
        "outcome": "violation",
        "severity": "high",
        "fails": True,
        "location": {
            "source": "cdk.out/AppStack.template.json",
            "stack": "AppStack",
            "logicalId": "DataKey961B73FD",
            "constructPath": "AppStack/DataKey/Resource",
        },
        "path": "Properties/KeyPolicy/Statement/1/Action",
        "line": None,
        "column": None,
        "message": samples.SEPARATION.message,
        "fix": samples.SEPARATION.fix,
        "chain": list(samples.SEPARATION.chain),
        "principals": [samples.ADMIN],
        "acknowledged": None,
        "witness": None,
    }
    assert len(findings) == len(samples.MIXED.findings)


def test_a_finding_in_a_text_has_line_and_column() -> None:
    document = json.loads(report_json(Report(findings=(samples.placed(samples.SEPARATION, 42, 9),))))
    VALIDATOR.validate(document)
    assert [(found["line"], found["column"]) for found in document["findings"]] == [(42, 9)]


def test_access_names_statements_and_conditions() -> None:
    (key,) = [item for item in parsed("access")["keys"] if item["principals"]]
    user = next(row for row in key["principals"] if row["principal"] == samples.USER)
    assert user["access"] == [
        {"capability": "read", "access": "allowed", "statements": ["KeyUsers"], "conditions": []},
        {
            "capability": "create grant",
            "access": "conditional",
            "statements": ["KeyUsersGrants"],
            "conditions": ["kms:GrantIsForAWSResource Bool true"],
        },
        {"capability": "encrypt", "access": "allowed", "statements": ["KeyUsers"], "conditions": []},
        {"capability": "decrypt", "access": "unknown", "statements": ["KeyUsers", "Extra"], "conditions": []},
    ]


def test_the_diff_counts_changed_conditions_as_gains() -> None:
    document = parsed("diff")
    assert document["summary"] == {"gained": 2, "lost": 1}
    assert [change["gain"] for change in document["changes"]] == [True, False, True]
    assert document["problems"][0]["source"] == "broken.yaml"


def test_nothing_unprintable_is_written() -> None:
    for text in (DOCUMENTS["hostile"], DOCUMENTS["access-hostile"], DOCUMENTS["diff-hostile"]):
        assert "\\u001b" not in text
        assert "\u202e" not in text
