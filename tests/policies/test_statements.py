"""The statement builder: its members, their order, and that what was given is not kept hold of."""

from __future__ import annotations

from typing import Any

import pytest

from kms_constructs.policies.statements import one_or_list, qualified, statement

CASES: list[Any] = [
    pytest.param(
        statement("Use", "Allow", ["kms:Decrypt"], principal={"AWS": "*"}),
        {
            "Sid": "Use",
            "Effect": "Allow",
            "Principal": {"AWS": "*"},
            "Action": ["kms:Decrypt"],
            "Resource": "*",
        },
        id="of a key policy",
    ),
    pytest.param(
        statement(
            "Use", "Deny", "kms:*", resource=("a", "b"), conditions={"Bool": {"k": "true"}, "Null": {}}
        ),
        {
            "Sid": "Use",
            "Effect": "Deny",
            "Action": "kms:*",
            "Resource": ["a", "b"],
            "Condition": {"Bool": {"k": "true"}},
        },
        id="of an identity policy",
    ),
    pytest.param(
        statement("Use", "Allow", (), conditions={"Bool": {}}),
        {"Sid": "Use", "Effect": "Allow", "Action": [], "Resource": "*"},
        id="a condition of nothing",
    ),
]


@pytest.mark.parametrize(("made", "expected"), CASES)
def test_a_statement(made: dict[str, Any], expected: dict[str, Any]) -> None:
    assert made == expected
    assert list(made) == list(expected)


def test_a_statement_shares_nothing_with_what_it_was_made_of() -> None:
    actions, equals = ["kms:Decrypt"], {"kms:ViaService": "s3"}
    made = statement("Use", "Allow", actions, conditions={"StringEquals": equals})
    actions.append("kms:*")
    equals.clear()

    assert made["Action"] == ["kms:Decrypt"]
    assert made["Condition"] == {"StringEquals": {"kms:ViaService": "s3"}}


def test_names_of_actions_get_their_prefix() -> None:
    assert qualified(["Encrypt", "Decrypt", "Encrypt"]) == ["kms:Decrypt", "kms:Encrypt"]


@pytest.mark.parametrize(
    ("values", "written"), [("a", "a"), (["a"], "a"), (("a", "b"), ["a", "b"]), ([], [])], ids=str
)
def test_one_value_is_written_as_iam_does(values: Any, written: Any) -> None:
    assert one_or_list(values) == written
