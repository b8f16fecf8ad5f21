from __future__ import annotations

import re

import pytest

from kms_constructs.guardrails.catalogue import CATALOGUE
from kms_constructs.guardrails.finding import Report
from kms_constructs.reports.markdown import (
    access_markdown,
    catalogue_markdown,
    code,
    diff_markdown,
    escaped,
    report_markdown,
)
from tests.reports import samples

ACCESS = """\
## AppStack/DataKey/Resource

`cdk.out/AppStack.template.json`, `alias/prod/orders`, `SYMMETRIC_DEFAULT`, `ENCRYPT_DECRYPT`, \
`111122223333`, `eu-central-1`

| Principal | Access | To | By | If |
| --- | --- | --- | --- | --- |
| `any user or role of account 111122223333` | ○ delegated | read, put policy | `RootAccount` |  |
| `arn:aws:iam::111122223333:role/KeyAdmin` | ● allowed | read, manage, create grant | `KeyAdministr\
ators` |  |
| `arn:aws:iam::111122223333:role/OrderService` | ● allowed | read, encrypt | `KeyUsers` |  |
|  | ◐ conditional | create grant | `KeyUsersGrants` | `kms:GrantIsForAWSResource Bool true` |
|  | ? unknown | decrypt | `KeyUsers`, `Extra` |  |
| `arn:aws:iam::111122223333:role/Nobody` | no access |  |  |  |
"""


def test_the_access_matrix() -> None:
    assert access_markdown([samples.matrix()]).startswith(ACCESS)


def test_nobody_and_nothing() -> None:
    assert "**Nobody has access to this key.**" in access_markdown([samples.EMPTY_MATRIX])
    assert access_markdown([]) == "No KMS key was given.\n"


def test_the_diff() -> None:
    assert diff_markdown([samples.GAIN, samples.LOSS]).splitlines()[2:] == [
        "| `alias/prod/orders` | `arn:aws:iam::111122223333:role/KeyAdmin` | **gains** | create grant "
        "| no access → allowed | `KeyAdministrators` |  |",
        "| `alias/prod/orders` | `arn:aws:iam::111122223333:role/KeyAdmin` | loses | put policy "
        "| allowed → no access | `KeyAdministrators` |  |",
    ]
    assert diff_markdown([]) == "No change of access to KMS keys.\n"


def test_the_catalogue_has_a_row_for_every_control() -> None:
    rows = catalogue_markdown(CATALOGUE.values()).splitlines()[2:]
    assert [row.split("`")[1] for row in rows] == list(CATALOGUE)
    assert len({row.count("|") for row in rows}) == 1


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("a*b_c", "a\\*b\\_c", id="emphasis"),
        pytest.param("<img src=x>", "\\<img src=x\\>", id="html"),
        pytest.param("a|b\nc", "a\\|b c", id="table"),
        pytest.param("[x](y) & z", "\\[x\\](y) &amp; z", id="link-and-entity"),
    ],
)
def test_escaped(text: str, expected: str) -> None:
    assert escaped(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("kms:*", "`kms:*`", id="plain"),
        pytest.param("a`b", "``a`b``", id="backtick"),
        pytest.param("`a", "`` `a ``", id="leading-backtick"),
        pytest.param("a|b", "`a\\|b`", id="table"),
        pytest.param("", "", id="empty"),
    ],
)
def test_code(text: str, expected: str) -> None:
    assert code(text) == expected


def test_hostile_names_stay_in_code_spans() -> None:
    text = access_markdown([samples.HOSTILE_MATRIX]) + diff_markdown([samples.HOSTILE_CHANGE])
    for line in text.splitlines():
        outside = "".join(line.split("`")[::2])
        assert "<script" not in outside.replace("\\<script", "")


REPORT = """\
**3 keys: 2 violations, 1 undetermined, 1 warning, 1 acknowledged, 1 compliant check**

## AppStack/DataKey/Resource

`cdk.out/AppStack.template.json, DataKey961B73FD, stack AppStack`

| Result | Severity | Control | Finding | Where | What to do |
| --- | --- | --- | --- | --- | --- |
| **violation** | high | `IAM-KMS-8[CreateGrant]` | arn:aws:iam::111122223333:role/KeyAdmin manages the \
key and can use it: it may call kms:CreateGrant and hand itself Decrypt. By `statement KeyAdministrators` → \
`kms:Create*` → `kms:CreateGrant` → `a grant that carries Decrypt`. | \
`Properties/KeyPolicy/Statement/1/Action` | Take kms:CreateGrant out of statement KeyAdministrators, or \
replace kms:Create\\* by kms:CreateAlias |
| acknowledged | low | `KMS:007` | data classification restricted asks for a multi-Region key | \
`Properties/MultiRegion` | Acknowledged: The data may not leave the Region (DPA-12) |

## AppStack/LogKey/Resource
"""


def test_the_findings() -> None:
    assert report_markdown(samples.MIXED).startswith(REPORT)


def test_no_findings() -> None:
    assert report_markdown(samples.CLEAN) == "**1 key: no violations, 1 compliant check**\n"


def test_everything() -> None:
    assert "| compliant | high | `KMS:002` |" in report_markdown(samples.CLEAN, everything=True)


def test_a_finding_has_file_and_line() -> None:
    text = report_markdown(Report(findings=(samples.placed(samples.ROTATION, 12, 7),)))
    assert "| `Properties/EnableKeyRotation`, `cdk.out/AppStack.template.json:12` |" in text


def test_unreadable_input_comes_first() -> None:
    assert report_markdown(samples.BROKEN).splitlines()[2:7] == [
        "## Input that could not be read",
        "",
        "| Input | Problem | Fix |",
        "| --- | --- | --- |",
        "| `broken.yaml: BadKey` | line 3, column 7: a mapping value is not allowed here "
        "| Correct the YAML |",
    ]


def test_a_hostile_report_keeps_its_table() -> None:
    lines = report_markdown(samples.HOSTILE_REPORT).splitlines()
    rows = [line for line in lines if line.startswith("|")]
    assert rows
    assert {len(re.findall(r"(?<!\\)\|", row)) for row in rows} == {4, 7}
    assert "<script>" not in re.sub(r"`+[^`]*`+", "", "\n".join(lines))
