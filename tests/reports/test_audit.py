"""What an audit has beside findings: tables of the page, files for Security Hub, the inventory."""

from __future__ import annotations

import csv
import json
from datetime import UTC, date, datetime
from io import StringIO
from typing import Any

import pytest
from botocore.session import get_session
from botocore.validate import ParamValidator

from kms_constructs.guardrails.config import GuardrailConfig
from kms_constructs.guardrails.engine import judge
from kms_constructs.guardrails.finding import Report
from kms_constructs.guardrails.settings import Acknowledgement
from kms_constructs.model.estate import Estate
from kms_constructs.model.key_specs import KEY_SPECS
from kms_constructs.reports.audit import audit_tables
from kms_constructs.reports.html import report_html
from kms_constructs.reports.inventory import COLUMNS, UNKNOWN, inventory, inventory_csv, monthly_cost, quantum
from kms_constructs.reports.security_hub import findings_asff, findings_ocsf
from kms_constructs.sources.kms_api.answers import Call
from kms_constructs.sources.kms_api.estate import estate_from_answers
from tests.guardrails.factories import TODAY, a_key
from tests.runtime.accounts import whole
from tests.sources.kms_api.build import ACCOUNT, KEY_ID, REGION, Seed, answers_of, refused

NOW = datetime(2026, 6, 1, tzinfo=UTC)


def audited() -> tuple[Report, Estate]:
    estate = estate_from_answers(whole())
    config = GuardrailConfig(acknowledgements=(Acknowledgement("KMS:010[*]", "it is found by its ARN"),))
    return judge(estate, config, today=TODAY), estate


def asff() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(findings_asff(audited()[0], NOW))["Findings"]
    return found


def test_security_hub_takes_the_shape_of_every_finding() -> None:
    shape = get_session().get_service_model("securityhub").operation_model("BatchImportFindings").input_shape
    assert ParamValidator().validate({"Findings": asff()}, shape).generate_report() == ""


def test_asff_tells_the_key_what_it_breaks_and_whether_it_is_accepted() -> None:
    (one,) = (one for one in asff() if "KMS:001[enabled]" in one["Title"])
    assert one["Resources"] == [
        {
            "Type": "AwsKmsKey",
            "Id": f"arn:aws:kms:{REGION}:{ACCOUNT}:key/still",
            "Partition": "aws",
            "Region": REGION,
        }
    ]
    assert (one["Compliance"]["Status"], one["Severity"]["Label"]) == ("FAILED", "MEDIUM")
    assert "PCI DSS 4.0.1 3.7.4" in one["Compliance"]["RelatedRequirements"]
    accepted = {one["Workflow"]["Status"] for one in asff() if "KMS:010[missing]" in one["Title"]}
    assert accepted == {"SUPPRESSED"}


def test_a_finding_keeps_its_id_from_day_to_day_and_no_two_share_one() -> None:
    later = json.loads(findings_asff(audited()[0], datetime(2026, 6, 2, tzinfo=UTC)))["Findings"]
    assert [one["Id"] for one in later] == [one["Id"] for one in asff()]
    assert len({one["Id"] for one in later}) == len(later)


def test_texts_are_cut_to_what_security_hub_takes() -> None:
    for one in asff():
        assert len(one["Title"]) <= 256
        assert len(one["Description"]) <= 1024
        assert len(one["Remediation"]["Recommendation"]["Text"]) <= 512
        assert len(one["Id"]) <= 512


def test_ocsf_has_what_its_class_requires() -> None:
    for one in json.loads(findings_ocsf(audited()[0], NOW)):
        assert {
            "activity_id",
            "category_uid",
            "class_uid",
            "type_uid",
            "time",
            "severity_id",
            "metadata",
        } <= set(one)
        assert one["type_uid"] == one["class_uid"] * 100 + one["activity_id"]
        assert {"version", "product"} <= set(one["metadata"])
        assert {"uid", "title"} <= set(one["finding_info"])
        assert one["compliance"]["status_id"] in (1, 2, 3)
        assert one["compliance"]["standards"]
        assert one["cloud"]["provider"] == "AWS"
        assert one["time"] == int(NOW.timestamp() * 1000)


def test_what_was_not_answered_is_a_warning_there_and_no_pass() -> None:
    call = Call.of(ACCOUNT, REGION, "kms", "GetKeyRotationStatus", KeyId=KEY_ID)
    report = judge(estate_from_answers(refused(answers_of(Seed()), call)), today=TODAY)
    found = json.loads(findings_asff(report, NOW))["Findings"]
    assert {one["Compliance"]["Status"] for one in found if one["Title"].startswith("KMS:001")} == {"WARNING"}


def test_findings_of_templates_belong_to_no_account_and_are_left_out() -> None:
    report = judge(Estate(keys=(a_key(aliases=()),)), today=TODAY)
    assert json.loads(findings_asff(report, NOW)) == {"Findings": []}
    assert json.loads(findings_ocsf(report, NOW)) == []


@pytest.mark.parametrize("spec", KEY_SPECS)
def test_every_key_spec_is_told_whether_it_outlives_quantum_computers(spec: str) -> None:
    kind, _, why = quantum(spec, KEY_SPECS[spec].usages[0].value).partition(": ")
    assert kind in ("resistant", "vulnerable", "post-quantum")
    assert why
    assert (kind == "vulnerable") is spec.startswith(("RSA_", "ECC_", "SM2"))


def test_a_key_spec_that_is_not_known_is_not_said_to_be_safe() -> None:
    assert quantum("NEW_SPEC", "SIGN_VERIFY") == UNKNOWN


COSTS: dict[str, tuple[Seed, tuple[str, str]]] = {
    "a key that rotates": (Seed(), ("1", "3")),
    "a key that cannot": (
        Seed(metadata={"KeySpec": "HMAC_256", "KeyUsage": "GENERATE_VERIFY_MAC"}, rotation=None),
        ("1", "1"),
    ),
    "a key that waits for its deletion": (Seed(metadata={"KeyState": "PendingDeletion"}), ("0", "0")),
}


@pytest.mark.parametrize(("seed", "cost"), COSTS.values(), ids=COSTS)
def test_cost(seed: Seed, cost: tuple[str, str]) -> None:
    (key,) = estate_from_answers(answers_of(seed)).keys
    assert monthly_cost(key) == cost


def test_the_inventory_is_a_table_that_no_spreadsheet_runs() -> None:
    estate = estate_from_answers(answers_of(Seed(tags={"=cmd": "x"}, aliases=("alias/a", "alias/b"))))
    (row,) = csv.DictReader(StringIO(inventory_csv(estate)))
    assert tuple(row) == COLUMNS
    assert row["aliases"] == "alias/a alias/b"
    assert row["tags"] == "'=cmd=x"
    assert row["last_used"] == "2026-05-30"


def test_what_is_not_known_of_a_key_is_said_to_be_unknown() -> None:
    call = Call.of(ACCOUNT, REGION, "kms", "ListGrants", KeyId=KEY_ID)
    (row,) = inventory(estate_from_answers(refused(answers_of(Seed()), call)))
    assert row["grants"] == UNKNOWN


def test_the_page_has_score_requirements_inventory_days_ahead_and_grants() -> None:
    report, estate = audited()
    tables = audit_tables(report, estate, date(2026, 6, 1))
    by_title = {one.title.partition(":")[0]: one for one in tables}
    assert list(by_title) == [
        "Score",
        "Findings by cause",
        "Inventory",
        "Days ahead",
        "Grants",
        "Requirements of others",
    ]
    assert {(row[0], row[1], row[3]) for row in by_title["Days ahead"].rows} == {
        ("2026-06-20", "19", "KMS deletes the key"),
        ("2026-06-20", "19", "The imported key material expires"),
    }
    assert len(by_title["Grants"].rows) == 2
    page = report_html(report, tables=tables)
    assert "vulnerable: signatures can be forged later" in page
    assert page.count("<h2>") >= len(tables)


def test_the_page_of_an_audit_tells_each_cause_once() -> None:
    off = {"KeyRotationEnabled": False}
    seeds = [Seed(key_id=f"k{number}", aliases=(f"alias/k{number}",), rotation=off) for number in range(5)]
    estate = estate_from_answers(answers_of(*seeds))
    report = judge(estate, controls=["KMS:001"], today=TODAY)
    (row,) = next(one.rows for one in audit_tables(report, estate, TODAY) if one.title == "Findings by cause")
    assert row[:5] == (
        "violation",
        "medium",
        "KMS:001",
        "Automatic rotation is off.",
        "alias/k0 (k0), alias/k1 (k1), alias/k2 (k2) and 2 more resources",
    )


def test_the_next_rotation_is_ahead_but_not_of_a_key_that_is_deleted() -> None:
    rotates = {"KeyRotationEnabled": True, "NextRotationDate": "2026-07-01T00:00:00+00:00"}
    going = {"KeyState": "PendingDeletion", "DeletionDate": "2026-06-20"}
    estate = estate_from_answers(
        answers_of(Seed(rotation=rotates), Seed(key_id="going", rotation=rotates, metadata=going, aliases=()))
    )
    report = judge(estate, controls=["KMS:001"], today=TODAY)
    rows = next(one.rows for one in audit_tables(report, estate, TODAY) if one.title == "Days ahead")
    assert rows == (
        ("2026-06-20", "19", f"{ACCOUNT}/{REGION}: going", "KMS deletes the key"),
        ("2026-07-01", "30", f"{ACCOUNT}/{REGION}: alias/orders ({KEY_ID})", "KMS rotates the key material"),
    )


def test_the_score_stands_first_on_the_page() -> None:
    report, _ = audited()
    assert "score of 100" in report_html(report, score=42)
    assert "score of 100" not in report_html(report)


def test_what_an_account_says_stays_text_in_the_page() -> None:
    hostile = Seed(
        grants=[{"GrantId": "g", "Name": "<script>alert(1)</script>\u202e", "Operations": ["Decrypt"]}]
    )
    estate = estate_from_answers(answers_of(hostile))
    report = judge(estate, today=TODAY)
    page = report_html(report, tables=audit_tables(report, estate, TODAY))
    assert "<script>alert(1)" not in page
    assert "\u202e" not in page
