from __future__ import annotations

from collections import Counter

import pytest

from kms_constructs.analysis.access import Access, AccessMatrix, Capability, MatrixRow
from kms_constructs.analysis.diff import AccessChange
from kms_constructs.guardrails.finding import Report
from kms_constructs.reports.access_table import access_table, diff_table
from kms_constructs.reports.console import MINIMUM_WIDTH, Look
from kms_constructs.reports.table import report_table
from tests.reports import samples

VIOLATION = """\
AppStack/DataKey/Resource
cdk.out/AppStack.template.json, DataKey961B73FD, stack AppStack
  ✗ violation  IAM-KMS-8[CreateGrant]  high
    arn:aws:iam::111122223333:role/KeyAdmin manages the key and can use it: it
    may call kms:CreateGrant and hand itself Decrypt
    at  Properties/KeyPolicy/Statement/1/Action
    via statement KeyAdministrators → kms:Create* → kms:CreateGrant → a grant
        that carries Decrypt
    fix Take kms:CreateGrant out of statement KeyAdministrators, or replace
        kms:Create* by kms:CreateAlias

control    violation
IAM-KMS-8          1

1 key: 1 violation, 0 compliant checks
"""


def test_a_violation_in_full() -> None:
    report = Report(findings=(samples.SEPARATION,), keys=1)
    assert report_table(report, Look(width=80)) == VIOLATION


def test_a_finding_in_a_text_has_its_line() -> None:
    report = Report(findings=(samples.placed(samples.SEPARATION, 42, 9),), keys=1)
    lines = report_table(report, Look(width=110)).splitlines()
    assert lines[1] == "cdk.out/AppStack.template.json:42, DataKey961B73FD, stack AppStack"
    assert "    at  Properties/KeyPolicy/Statement/1/Action (cdk.out/AppStack.template.json:42)" in lines


def test_titles_stand_where_there_is_room() -> None:
    report = Report(findings=(samples.SEPARATION,), keys=1)
    titles = {"IAM-KMS-8": "No principal both manages and uses"}
    assert "No principal both" in report_table(report, Look(width=120), titles=titles)
    assert "No principal both" not in report_table(report, Look(width=80), titles=titles)


@pytest.mark.parametrize(
    ("everything", "ids"),
    [
        pytest.param(
            False, {"IAM-KMS-8[CreateGrant]", "KMS:001", "IAM-KMS-3", "KMS:003", "KMS:007"}, id="by-default"
        ),
        pytest.param(
            True,
            {
                "IAM-KMS-8[CreateGrant]",
                "KMS:001",
                "IAM-KMS-3",
                "KMS:003",
                "KMS:007",
                "KMS:002",
                "KMS:009",
            },
            id="everything",
        ),
    ],
)
def test_what_is_shown(everything: bool, ids: set[str]) -> None:
    text = report_table(samples.MIXED, Look(width=100), everything=everything)
    lines = [line for line in text.splitlines() if line.startswith("  ") and not line.startswith("    ")]
    shown = {word for line in lines for word in line.split() if word.startswith(("IAM-KMS", "KMS:"))}
    assert shown == ids


def test_an_acknowledgement_shows_its_reason_and_no_fix() -> None:
    text = report_table(Report(findings=(samples.ACCEPTED,), keys=1), Look(width=100))
    assert "why The data may not leave the Region (DPA-12)" in text
    assert "fix" not in text


def test_what_could_not_be_read_comes_first() -> None:
    text = report_table(samples.BROKEN, Look(width=100))
    assert text.splitlines()[:4] == [
        "Input that could not be read",
        "  ✗ broken.yaml: BadKey",
        "    line 3, column 7: a mapping value is not allowed here",
        "    fix Correct the YAML",
    ]


@pytest.mark.parametrize("width", [40, 60, 80, 100, 160, 250])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    look = Look(width=width)
    texts = [
        report_table(samples.MIXED, look, everything=True),
        report_table(samples.HOSTILE_REPORT, look),
        access_table([samples.matrix()], look),
        diff_table([samples.GAIN, samples.OTHER_CONDITIONS], look),
    ]
    assert max(len(line) for text in texts for line in text.splitlines()) <= width


def test_a_terminal_of_no_width_still_gets_a_report() -> None:
    assert report_table(samples.MIXED, Look(width=0)) == report_table(
        samples.MIXED, Look(width=MINIMUM_WIDTH)
    )


def test_without_colour_there_are_no_escapes() -> None:
    text = report_table(samples.HOSTILE_REPORT, Look(colour=False)) + access_table([samples.HOSTILE_MATRIX])
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "\\x1b[2J\\u202e" in text


def test_with_colour_only_styles_are_written() -> None:
    text = report_table(samples.HOSTILE_REPORT, Look(colour=True))
    assert "\x1b[1;31m" in text
    assert "\x1b[2J" not in text


def test_ascii_terminals_get_ascii() -> None:
    look = Look(unicode=False)
    text = report_table(samples.MIXED, look) + access_table([samples.matrix()], look) + diff_table([], look)
    assert text.isascii()
    assert "x violation" in text
    assert " -> " in text


def test_markup_of_rich_is_text() -> None:
    report = Report(findings=(samples.finding(message="[red]really[/red] :warning:"),), keys=1)
    assert "[red]really[/red] :warning:" in report_table(report)


ACCESS = """\
AppStack/DataKey/Resource
cdk.out/AppStack.template.json, DataKey961B73FD, stack AppStack
alias/prod/orders, SYMMETRIC_DEFAULT, ENCRYPT_DECRYPT, 111122223333, eu-central-1

                                                              put    create
  principal                                    read  manage  policy  grant   encrypt  decrypt
  any user or role of account 111122223333      ○      ·       ○       ·        ·        ·
  arn:aws:iam::111122223333:role/KeyAdmin       ●      ●       ·       ●        ·        ·
  arn:aws:iam::111122223333:role/OrderService   ●      ·       ·       ◐        ●        ?
  arn:aws:iam::111122223333:role/Nobody         ·      ·       ·       ·        ·        ·

  any user or role of account 111122223333
    ○ delegated   read, put policy  by RootAccount
  arn:aws:iam::111122223333:role/KeyAdmin
    ● allowed     read, manage, create grant  by KeyAdministrators
  arn:aws:iam::111122223333:role/OrderService
    ● allowed     read, encrypt  by KeyUsers
    ◐ conditional create grant  by KeyUsersGrants  if kms:GrantIsForAWSResource Bool true
    ? unknown     decrypt  by KeyUsers; Extra
  arn:aws:iam::111122223333:role/Nobody
    no access

"""


def test_the_access_matrix_where_it_has_room() -> None:
    assert access_table([samples.matrix()], Look(width=100)).startswith(ACCESS)


@pytest.mark.parametrize(("width", "beside"), [(60, False), (80, False), (90, True), (160, True)])
def test_the_principals_stand_beside_the_matrix_where_it_has_room(width: int, beside: bool) -> None:
    text = access_table([samples.matrix()], Look(width=width))
    assert ("principal  " in text) == beside
    assert "● allowed     read, encrypt  by KeyUsers" in text


@pytest.mark.parametrize("width", range(40, 130, 5))
def test_no_column_is_lost(width: int) -> None:
    every = tuple(Capability)
    cells = {capability: samples.MatrixCell(Access.ALLOWED, ("Sid",)) for capability in every}
    rows = tuple(
        MatrixRow(f"arn:aws:iam::111122223333:role/Role{number}", "role", cells) for number in (1, 2)
    )
    text = access_table([AccessMatrix(samples.key(), every, rows)], Look(width=width))
    matrix = text.partition("● allowed")[0]
    assert matrix.count("●") == 2 * len(every)
    heads = Counter(word for capability in every for word in capability.value.split())
    words = Counter(matrix.split())
    assert {word: words[word] for word in heads} == dict(heads)
    assert max(map(len, text.splitlines())) <= width


def test_the_matrix_in_parts() -> None:
    assert access_table([samples.matrix()], Look(width=44)).splitlines()[6:20] == [
        "                   put",
        "    read  manage  policy",
        "  any user or role of account 111122223333",
        "     ○      ·       ○",
        "  arn:aws:iam::111122223333:role/KeyAdmin",
        "     ●      ●       ·",
        "  arn:aws:iam::111122223333:role/",
        "  OrderService",
        "     ●      ·       ·",
        "  arn:aws:iam::111122223333:role/Nobody",
        "     ·      ·       ·",
        "",
        "    create",
        "    grant   encrypt  decrypt",
    ]


def test_alternatives_are_joined_by_or() -> None:
    groups = (("a Bool true", "b Bool true"), ("c Bool true",))
    flat = tuple(text for group in groups for text in group)
    cell = samples.MatrixCell(Access.CONDITIONAL, ("One", "Two"), flat, groups)
    row = MatrixRow(samples.USER, "role", {Capability.DECRYPT: cell})
    matrix = AccessMatrix(samples.key(), (Capability.DECRYPT,), (row,))
    text = "if (a Bool true and b Bool true) or c Bool true"
    assert text in access_table([matrix], Look(width=160))
    change = AccessChange(
        "k", samples.USER, Capability.DECRYPT, Access.DENIED, Access.CONDITIONAL, ("One",), flat, groups
    )
    assert text in diff_table([change], Look(width=160))


@pytest.mark.parametrize("width", [40, 60, 80, 100, 120])
def test_no_head_is_cut(width: int) -> None:
    text = report_table(samples.MIXED, Look(width=width), everything=True, titles={"KMS:001": "Keys rotate"})
    assert "…" not in text
    for status in ("violation", "undetermined", "warning", "acknowledged", "compliant", "not applicable"):
        assert status in text.partition("control  ")[2] or f"1 {status}" in text


def test_a_key_that_nobody_has_access_to() -> None:
    assert "Nobody has access to this key." in access_table([samples.EMPTY_MATRIX])


def test_the_diff() -> None:
    text = diff_table([samples.LOSS, samples.GAIN, samples.OTHER_CONDITIONS], Look(width=140))
    assert text == (
        "alias/prod/orders\n"
        f"  {samples.ADMIN}\n"
        "    \N{MINUS SIGN} put policy   allowed → no access  by KeyAdministrators\n"
        "    + create grant no access → allowed  by KeyAdministrators\n"
        f"  {samples.USER}\n"
        "    + decrypt conditional under other conditions  by KeyUsers  "
        "if kms:ViaService StringEquals s3.eu-central-1.amazonaws.com\n"
        "\n"
    )


def test_no_difference() -> None:
    assert diff_table([]) == "No change of access.\n"
