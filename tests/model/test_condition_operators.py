"""The table of condition operators, and that nobody treats operators by a list of its own."""

from __future__ import annotations

import pytest

from kms_constructs.analysis.conditions import COMPARISONS, holds
from kms_constructs.analysis.narrowing import narrows
from kms_constructs.model.condition_operators import CONDITION_OPERATORS, ValueType, pinning_operators
from kms_constructs.model.policy import Condition
from kms_constructs.policies.services.parts import names_source

# AWS's list, by hand: what it negates (or nothing), and whether a value can limit anything.
EVERY_OPERATOR = {
    "StringEquals": ("", True),
    "StringNotEquals": ("StringEquals", False),
    "StringEqualsIgnoreCase": ("", True),
    "StringNotEqualsIgnoreCase": ("StringEqualsIgnoreCase", False),
    "StringLike": ("", True),
    "StringNotLike": ("StringLike", False),
    "NumericEquals": ("", False),
    "NumericNotEquals": ("NumericEquals", False),
    "NumericLessThan": ("", False),
    "NumericLessThanEquals": ("", False),
    "NumericGreaterThan": ("", False),
    "NumericGreaterThanEquals": ("", False),
    "DateEquals": ("", False),
    "DateNotEquals": ("DateEquals", False),
    "DateLessThan": ("", False),
    "DateLessThanEquals": ("", False),
    "DateGreaterThan": ("", False),
    "DateGreaterThanEquals": ("", False),
    "Bool": ("", True),
    "BinaryEquals": ("", False),
    "IpAddress": ("", True),
    "NotIpAddress": ("IpAddress", False),
    "ArnEquals": ("", True),
    "ArnNotEquals": ("ArnEquals", False),
    "ArnLike": ("", True),
    "ArnNotLike": ("ArnLike", False),
    "Null": ("", False),
}
VALUES = {
    ValueType.STRING: ("a", "b"),
    ValueType.NUMBER: ("1", "2"),
    ValueType.DATE: ("2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z"),
    ValueType.BOOL: ("true", "false"),
    ValueType.BINARY: ("YQ==", "Yg=="),
    ValueType.ADDRESS: ("10.0.0.1", "10.0.0.2"),
    ValueType.ARN: ("arn:aws:iam::1:role/a", "arn:aws:iam::1:role/b"),
    ValueType.PRESENCE: ("true", "true"),
}


def test_the_table_is_complete() -> None:
    assert {
        operator.name: (CONDITION_OPERATORS[operator.base].name if operator.negated else "", operator.pins)
        for operator in CONDITION_OPERATORS.values()
    } == EVERY_OPERATOR
    assert all(folded == operator.folded for folded, operator in CONDITION_OPERATORS.items())


def test_every_operator_is_compared() -> None:
    bases = {operator.base for operator in CONDITION_OPERATORS.values()}
    assert set(COMPARISONS) | {"null"} == bases


@pytest.mark.parametrize("name", EVERY_OPERATOR)
def test_every_operator_decides(name: str) -> None:
    operator = CONDITION_OPERATORS[name.lower()]
    wanted, other = VALUES[operator.values]
    answers = [holds(Condition(name, "aws:Key", (wanted,)), (value,)) for value in (wanted, other)]
    assert None not in answers
    if operator.negated:
        base = CONDITION_OPERATORS[operator.base].name
        same = [holds(Condition(base, "aws:Key", (wanted,)), (value,)) for value in (wanted, other)]
        assert answers == [not answer for answer in same]


@pytest.mark.parametrize("name", EVERY_OPERATOR)
def test_what_pins_a_value_narrows(name: str) -> None:
    operator = CONDITION_OPERATORS[name.lower()]
    key = "aws:SourceIp" if operator.values is ValueType.ADDRESS else "aws:SourceArn"
    value = "10.0.0.0/8" if operator.values is ValueType.ADDRESS else VALUES[operator.values][0]
    # No key that limits is a Bool, so whether that operator holds there is not known.
    expected = None if operator.values is ValueType.BOOL else operator.pins
    assert narrows(Condition(name, key, (value,))) is expected
    assert (name.lower() in pinning_operators()) is operator.pins


@pytest.mark.parametrize("name", EVERY_OPERATOR)
def test_writers_and_judges_agree_on_what_names_a_source(name: str) -> None:
    operator = CONDITION_OPERATORS[name.lower()]
    named = names_source(name, {"aws:SourceArn": "arn:aws:s3:::bucket"})
    assert named is (operator.pins and operator.takes_variables)
