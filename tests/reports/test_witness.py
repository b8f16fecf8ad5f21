"""The request that shows a finding, in every format that shows findings in full."""

from __future__ import annotations

import json
from dataclasses import replace

from jsonschema import Draft202012Validator

from kms_constructs.analysis.witness import Witness
from kms_constructs.guardrails.finding import Report
from kms_constructs.reports.console import Look
from kms_constructs.reports.html import report_html
from kms_constructs.reports.json_report import output_schema, report_json
from kms_constructs.reports.table import report_table
from tests.reports import samples

WITNESS = Witness(
    samples.USER,
    "CreateGrant",
    {"kms:grantoperations": ("Decrypt", "Encrypt"), "aws:sourceip": "198.51.100.7"},
    needs_iam=True,
    taken={"${Region}": "us-east-1"},
)
REPORT = Report(findings=(replace(samples.SEPARATION, witness=WITNESS),), keys=1)
LINE = (
    f"{samples.USER} may call kms:CreateGrant with aws:sourceip=198.51.100.7, "
    "kms:grantoperations=Decrypt/Encrypt, given an IAM policy that allows it (taking ${Region} for us-east-1)"
)


def test_the_table_has_a_line() -> None:
    assert f"    e.g. {LINE}" in report_table(REPORT, Look(width=300)).splitlines()


def test_json_has_an_object_that_follows_the_schema() -> None:
    document = json.loads(report_json(REPORT))
    Draft202012Validator(output_schema()).validate(document)
    assert document["findings"][0]["witness"] == {
        "principal": samples.USER,
        "action": "kms:CreateGrant",
        "context": {"aws:sourceip": "198.51.100.7", "kms:grantoperations": ["Decrypt", "Encrypt"]},
        "needsIamPolicy": True,
        "allowed": True,
        "taken": {"${Region}": "us-east-1"},
        "beside": None,
    }


def test_the_page_has_a_line() -> None:
    assert f"<dt>For instance</dt><dd>{LINE}</dd>" in report_html(REPORT)


def test_hostile_text_is_text_everywhere() -> None:
    hostile = Witness(samples.HOSTILE, "Decrypt", {"aws:userid": samples.HOSTILE})
    report = Report(findings=(replace(samples.SEPARATION, witness=hostile),), keys=1)
    assert "<script>alert" not in report_html(report)
    for text in (report_table(report, Look(width=300)), report_json(report)):
        assert "\x1b" not in text
        assert "\u202e" not in text
