"""What policies ask of a request."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kms_constructs.analysis.conditions import holds
from kms_constructs.analysis.recorded.asked import Asked, Compared, asked_of
from kms_constructs.model.estate import Estate, Grant, Organization
from kms_constructs.model.policy import Condition, parse_policy
from tests import strategies as world


def asked(condition: dict[str, Any], **statement: Any) -> Asked:
    document = {
        "Statement": {
            "Effect": "Deny",
            "Action": "kms:*",
            "Resource": "*",
            "Condition": condition,
            **statement,
        }
    }
    return asked_of([Estate(organization=Organization(scps=(parse_policy(document),)))])


BUCKET = "kms:EncryptionContext:aws:s3:arn"
NAME = "kms:encryptioncontext:aws:s3:arn"

CASES = {
    "text": ({"StringEquals": {BUCKET: "a.b"}}, {"aws:s3:arn": frozenset({Compared(r"a\.b")})}),
    "pattern": ({"StringNotLike": {BUCKET: "a?b*"}}, {"aws:s3:arn": frozenset({Compared("a.b.*")})}),
    "in-any-case": (
        {"StringEqualsIgnoreCase": {BUCKET: "a"}},
        {"aws:s3:arn": frozenset({Compared("a", fold=True)})},
    ),
    "arn": (
        {"ArnLike": {BUCKET: "arn:aws:s3:::orders/*"}},
        {
            "aws:s3:arn": frozenset(
                {Compared("arn:aws:s3:::orders/.*"), Compared("arn:aws:s3:::orders/[^:]*")}
            )
        },
    ),
    "presence": ({"Null": {BUCKET: "true"}}, {"aws:s3:arn": frozenset()}),
    "number": ({"NumericEquals": {BUCKET: "1"}}, {"aws:s3:arn": None}),
    "variable": ({"StringEquals": {BUCKET: "${aws:username}"}}, {"aws:s3:arn": None}),
    "other-letters": ({"StringEquals": {BUCKET: "ü"}}, {"aws:s3:arn": None}),
    "one-of-both": (
        {"StringEquals": {BUCKET: "a"}, "NumericEquals": {BUCKET: "1"}},
        {"aws:s3:arn": None},
    ),
    "others": ({"StringEquals": {"kms:ViaService": "x"}}, {}),
}


@pytest.mark.parametrize("name", CASES)
def test_what_values_are_compared_with(name: str) -> None:
    condition, context = CASES[name]

    assert asked(condition).context == context


def test_variables_are_asked_for() -> None:
    found = asked(
        {"StringEquals": {BUCKET: "${aws:username}"}},
        Resource="arn:aws:kms:*:${kms:EncryptionContext:A}:key/*",
    )

    assert found.keys == {NAME, "aws:username", "kms:encryptioncontext:a"}
    assert found.context["a"] is None


def test_constraints_of_grants_are_asked_for() -> None:
    grant = Grant(
        grantee="g", operations=("Decrypt",), constraints={"EncryptionContextSubset": {"Dept": "x"}}
    )
    found = asked_of([Estate(keys=(world.key_of({"Statement": []}, grants=(grant,)),))])

    assert (found.keys, found.context) == ({"kms:encryptioncontext:dept"}, {"dept": None})


OPERATORS = (
    "StringEquals",
    "StringNotLike",
    "StringLike",
    "StringEqualsIgnoreCase",
    "ArnLike",
    "ArnNotEquals",
)
texts = st.text(alphabet="aB:/.*?_-[", max_size=8)
arns = texts.map(lambda end: f"arn:aws:s3:::{end}")


@given(
    operator=st.sampled_from(OPERATORS),
    wanted=st.lists(st.one_of(texts, arns), min_size=1, max_size=3),
    values=st.lists(
        st.one_of(texts, arns).filter(lambda text: not set("*?$") & set(text)), min_size=2, max_size=6
    ),
)
def test_values_that_are_like_the_same_are_judged_alike(
    operator: str, wanted: list[str], values: list[str]
) -> None:
    compared = asked({operator: {BUCKET: wanted}}).context["aws:s3:arn"]
    assert compared is not None
    condition = Condition(operator, BUCKET, tuple(wanted))
    verdicts: dict[tuple[bool, ...], set[bool | None]] = {}
    for value in values:
        like = tuple(
            re.fullmatch(one.expression, value, re.DOTALL | (re.IGNORECASE if one.fold else 0)) is not None
            for one in sorted(compared)
        )
        verdicts.setdefault(like, set()).add(holds(condition, (value,)))

    assert [found for found in verdicts.values() if len(found) > 1] == []
