"""Reports fit on a screen, however many keys there are, and say how much they leave out."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

import pytest

from kms_constructs.guardrails.catalogue import CATALOGUE
from kms_constructs.guardrails.engine import judge
from kms_constructs.guardrails.finding import Remark, RemarkKind, Report
from kms_constructs.model.estate import SourceProblem
from kms_constructs.reports.brief import brief_report
from kms_constructs.reports.causes import by_cause, patterns
from kms_constructs.reports.console import Look
from kms_constructs.reports.summary import status_of
from kms_constructs.reports.table import report_table
from kms_constructs.sources.cloudformation.template import TemplateInput
from kms_constructs.sources.cloudformation.templates import estate_from_templates

SCREEN = 40
TITLES = {control.id: control.title for control in CATALOGUE.values()}
ACCOUNT = "111122223333"


def _statement(sid: str, principal: dict[str, str], *actions: str) -> dict[str, Any]:
    return {"Sid": sid, "Effect": "Allow", "Principal": principal, "Action": list(actions), "Resource": "*"}


def _resources(number: int) -> dict[str, Any]:
    """A key as one of several teams made it, and for some of them a role with an IAM policy of its own."""
    statements = [_statement("Root", {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "kms:*")]
    if number % 5 == 3:
        logs = {"Service": "logs.eu-west-1.amazonaws.com"}
        statements.append(_statement("Logs", logs, "kms:Decrypt", "kms:CreateGrant"))
    if number % 5 == 4:
        statements.append(_statement("Partner", {"AWS": "arn:aws:iam::444455556666:root"}, "kms:*"))
    if number % 7 == 0:
        statements.append(
            _statement(
                f"Team{number}",
                {"AWS": f"arn:aws:iam::{ACCOUNT}:role/team-{number}"},
                "kms:Create*",
                "kms:Decrypt",
            )
        )
    key: dict[str, Any] = {
        "Type": "AWS::KMS::Key",
        "Properties": {
            "KeyPolicy": {"Version": "2012-10-17", "Statement": statements},
            "EnableKeyRotation": number % 5 in (1, 2),
        },
    }
    if number % 5 != 2:
        key["DeletionPolicy"] = "Retain"
    found = {f"Key{number}": key}
    if number % 11 == 0:
        found[f"Policy{number}"] = {
            "Type": "AWS::IAM::ManagedPolicy",
            "Properties": {
                "ManagedPolicyName": f"policy-{number}",
                "Roles": [f"adm-{number}"],
                "PolicyDocument": {
                    "Version": "2012-10-17",
                    "Statement": [
                        {
                            "Effect": "Allow",
                            "Action": ["kms:ScheduleKeyDeletion", "kms:PutKeyPolicy"],
                            "Resource": {"Fn::GetAtt": [f"Key{number}", "Arn"]},
                        }
                    ],
                },
            },
        }
    return found


@lru_cache
def legacy() -> Report:
    """Two hundred keys of many kinds."""
    resources: dict[str, Any] = {}
    for number in range(200):
        resources |= _resources(number)
    template = TemplateInput(
        {"Resources": resources}, "legacy.json", stack="Legacy", account=ACCOUNT, region="eu-west-1"
    )
    return judge(estate_from_templates([template]))


NOTES = tuple(
    Remark(
        RemarkKind.DECLARATION,
        f"t.json: Key{number} declares itself who is authorised for IAM-KMS-2, IAM-KMS-3, IAM-KMS-4: "
        f"arn:aws:iam::{ACCOUNT}:role/KeyAdmin, arn:aws:iam::{ACCOUNT}:role/cdk-cfn-exec-role-{number}.",
    )
    for number in range(200)
)
PROBLEMS = tuple(SourceProblem(f"t{number}.json", "it breaks off", "Write it again") for number in range(50))


def reports() -> dict[str, Report]:
    """The legacy app, with notes, with unreadable input, and notes alone."""
    found = legacy()
    return {
        "legacy": found,
        "notes": Report(findings=found.findings, keys=200, remarks=NOTES),
        "unreadable": Report(findings=found.findings, keys=200, remarks=NOTES, problems=PROBLEMS),
        "notes alone": Report(keys=200, remarks=NOTES),
    }


@pytest.mark.parametrize(
    ("name", "width"),
    [
        *((name, width) for name in ("legacy", "notes", "notes alone") for width in (80, 100, 120)),
        ("unreadable", 100),
        ("unreadable", 120),
    ],
)
def test_the_report_for_terminals_fits(name: str, width: int) -> None:
    report = reports()[name]
    text = report_table(report, Look(width=width), titles=TITLES, verbose=False)

    lines = text.splitlines()
    unreadable = 11 if report.problems else 0  # says which, above all else
    assert len(lines) <= SCREEN + unreadable, text
    assert lines[-1].startswith("200 keys: ")
    assert "--verbose lists them" in text


@pytest.mark.parametrize("width", [60, 100, 120])
def test_what_is_left_out_is_counted(width: int) -> None:
    report = legacy()
    text = " ".join(report_table(report, Look(width=width), verbose=False).split())

    listed = [finding for finding in report.findings if not status_of(finding).quiet]
    found = patterns(by_cause(listed))
    shown = len(re.findall(r"✗ violation |! warning ", text))
    counted = re.search(r"and ([\d,]+) more findings of (\d+) other causes; --verbose lists them", text)
    assert counted is not None
    assert shown >= 1
    assert int(counted[2]) == len(found) - shown
    hidden = sum(pattern.number for pattern in found[shown:])
    assert int(counted[1].replace(",", "")) == hidden


def test_notes_and_unreadable_input_are_counted() -> None:
    text = report_table(reports()["unreadable"], Look(width=100), verbose=False)

    assert "and 47 more inputs that could not be read; --verbose lists them" in text
    shown = text.count("note: t.json: ")
    assert f"note: and {200 - shown} more notes; --verbose lists them" in text


def test_verbose_leaves_nothing_out() -> None:
    text = report_table(reports()["unreadable"], Look(width=100))

    assert "--verbose" not in text
    assert text.count("note: t.json: ") == 200
    assert text.count("t49.json") == 1


def test_different_kinds_come_before_more_of_the_same() -> None:
    found = patterns(by_cause(legacy().failures))
    severities = [pattern.first.worst.severity for pattern in found]
    assert severities == sorted(severities, key=["high", "medium", "low"].index)
    ids = [tuple(finding.id for finding in pattern.first.findings) for pattern in found]
    for severity in dict.fromkeys(severities):
        of_it = [one for one, other in zip(ids, severities, strict=True) if other is severity]
        kinds = len(set(of_it))
        assert len(set(of_it[:kinds])) == kinds, of_it[:kinds]


def test_the_brief_report_fits_with_what_a_synth_says_around_it() -> None:
    text = brief_report(legacy().findings, PROBLEMS)

    lines = text.splitlines()
    assert len(lines) <= SCREEN - 8, text
    shown = sum(line.startswith("x violation ") for line in lines)
    found = patterns(by_cause(legacy().failures))
    hidden = sum(pattern.number for pattern in found[shown:])
    assert lines[-2] == f"  and {hidden:,} more findings of {len(found) - shown} other causes"
