from __future__ import annotations

import pytest

from kms_constructs.guardrails.catalogue import CATALOGUE
from kms_constructs.reports.markdown import (
    access_markdown,
    catalogue_markdown,
    code,
    diff_markdown,
    escaped,
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
