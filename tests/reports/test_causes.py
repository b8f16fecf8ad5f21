from __future__ import annotations

from dataclasses import replace

import pytest

from kms_constructs.guardrails.finding import Finding, Severity
from kms_constructs.model.estate import Location, SourceProblem
from kms_constructs.reports.brief import brief_report
from kms_constructs.reports.causes import by_cause, patterns
from kms_constructs.reports.console import Look
from kms_constructs.reports.table import report_table
from tests.reports import samples


def broken(control: str, key: int = 0, statement: int = 0, **more: object) -> Finding:
    place = Location("t.json", "App", f"Key{key}", f"App/Key{key}")
    path = f"Properties/KeyPolicy/Statement/{statement}/Action"
    return samples.finding(control, location=place, path=path, message=f"{control} is broken", **more)


ONE = [broken("IAM-KMS-3", severity=Severity.MEDIUM), broken("IAM-KMS-8"), broken("IAM-KMS-5")]


def test_what_one_statement_breaks_is_one_cause_the_worst_first() -> None:
    (cause,) = by_cause(ONE)
    assert [finding.control for finding in cause.findings] == ["IAM-KMS-5", "IAM-KMS-8", "IAM-KMS-3"]
    assert cause.place == "Properties/KeyPolicy/Statement/0"


PUBLIC = broken("KMS:004", principals=("any principal of any account",), world="Stage=prod")
MIXED = [
    broken("IAM-KMS-8", principals=("arn:aws:iam::111122223333:role/Dev",)),
    PUBLIC,
    broken("IAM-KMS-6", severity=Severity.MEDIUM, principals=("*",), world="Stage=prod"),
]


def test_what_lets_in_everybody_stands_for_its_statement_and_others_are_told_beside_it() -> None:
    (cause,) = by_cause(MIXED)
    assert cause.worst == PUBLIC
    assert [finding.control for finding in cause.along] == ["IAM-KMS-6"]
    assert [finding.control for finding in cause.besides] == ["IAM-KMS-8"]


def test_no_message_about_other_principals_or_deployments_is_folded_away() -> None:
    from kms_constructs.guardrails.finding import Report

    table = report_table(Report(findings=tuple(MIXED), keys=1), Look(width=100), verbose=False).splitlines()
    assert table[2:6] == [
        "  ✗ violation  KMS:004  high",
        "    KMS:004 is broken",
        "    breaks IAM-KMS-6 as well",
        "    and IAM-KMS-8: IAM-KMS-8 is broken",
    ]
    assert brief_report(MIXED).splitlines()[:3] == [
        "x violation  KMS:004, IAM-KMS-8, IAM-KMS-6  high",
        "    KMS:004 is broken",
        "    and IAM-KMS-8: IAM-KMS-8 is broken",
    ]


def test_other_statements_keys_and_standings_are_other_causes() -> None:
    others = [
        broken("IAM-KMS-8", statement=1),
        broken("IAM-KMS-8", key=1),
        replace(broken("IAM-KMS-4"), acknowledged="ticket"),
    ]
    assert len(by_cause([*ONE, *others])) == 4


def test_keys_that_share_what_they_break_are_one_pattern() -> None:
    found = patterns(by_cause([broken("IAM-KMS-8", key=number) for number in range(200)]))
    assert [(len(one.causes), one.number) for one in found] == [(200, 200)]


@pytest.mark.parametrize(
    "message",
    [
        "Statement 0 leaves it to IAM; inline policy 'Policy{0}', statement {0} gives it to Admin.",
        "Inline policy 'Policy{0}', statement {0} gives kms:DisableKey on key t.json: App/Key{0} to Admin.",
    ],
)
def test_the_names_of_policies_and_keys_do_not_keep_a_pattern_apart(message: str) -> None:
    findings = [
        replace(broken("IAM-KMS-4", key=number), message=message.format(number)) for number in range(5)
    ]
    assert [len(one.causes) for one in patterns(by_cause(findings))] == [5]


def test_who_is_let_in_keeps_patterns_apart() -> None:
    message = "Inline policy 'Policy', statement 0 gives kms:DisableKey on key t.json: App/Key to Role{0}."
    findings = [
        replace(broken("IAM-KMS-4", key=number), message=message.format(number)) for number in range(2)
    ]
    assert [len(one.causes) for one in patterns(by_cause(findings))] == [1, 1]


def test_the_brief_report_names_every_control_and_counts_what_it_leaves_out() -> None:
    findings = [broken(f"IAM-KMS-{control}", key=number) for number in range(200) for control in (3, 4, 5, 8)]
    problem = SourceProblem("t.json", "it breaks off", "Write it again")
    assert brief_report(findings, [problem]).splitlines() == [
        "x could not be read  t.json",
        "    it breaks off",
        "    fix Write it again",
        "x violation  IAM-KMS-3, IAM-KMS-4, IAM-KMS-5, IAM-KMS-8  high",
        "    IAM-KMS-3 is broken",
        "    in App/Key0, App/Key1, App/Key2 and 197 more resources, at Properties/KeyPolicy/Statement/0",
        "1 input that could not be read, 800 violations: 200 causes in 200 resources",
    ]


def test_many_causes_are_bounded_and_counted() -> None:
    findings = [replace(broken("IAM-KMS-8", key=number), message=f"another {number}") for number in range(50)]
    lines = brief_report(findings).splitlines()
    assert len(lines) == 9 * 3 + 2
    assert lines[-2:] == [
        "  and 41 more findings of 41 other causes",
        "50 violations: 50 causes in 50 resources",
    ]


def test_the_table_puts_the_controls_of_a_statement_into_one_block() -> None:
    from kms_constructs.guardrails.finding import Report

    text = report_table(Report(findings=tuple(ONE), keys=1), Look(width=100), verbose=False)
    assert text.splitlines()[:6] == [
        "App/Key0",
        "t.json, Key0, stack App",
        "  ✗ violation  IAM-KMS-5  high",
        "    IAM-KMS-5 is broken",
        "    breaks IAM-KMS-8, IAM-KMS-3 as well",
        "    at  Properties/KeyPolicy/Statement/0/Action",
    ]
