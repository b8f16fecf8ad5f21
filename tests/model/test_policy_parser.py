"""A statement is read once, and says of every policy what it would say if that were read alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kms_constructs.model import policy_parser
from kms_constructs.model.policy import Policy, parse_policy
from kms_constructs.model.text import HoleKind, hole
from kms_constructs.model.unknown import Maybe, Unknown
from tests import strategies

PATH = "Properties/KeyPolicy"


@pytest.fixture(autouse=True)
def _nothing_known() -> Iterator[None]:
    policy_parser._KNOWN.clear()
    yield
    policy_parser._KNOWN.clear()


def _read(*statements: object, path: str = PATH) -> Policy:
    return parse_policy({"Version": "2012-10-17", "Statement": list(statements)}, path=path)


def a_statement(**changes: object) -> dict[str, Any]:
    return {"Effect": "Allow", "Principal": "*", "Action": "kms:Decrypt", "Resource": "*", **changes}


def test_two_policies_have_the_statement_that_is_the_same_in_both() -> None:
    one, other = _read(a_statement()), _read(a_statement(), a_statement(Sid="More"))
    assert one.statements[0] is other.statements[0]
    assert one != other


NEARLY: dict[str, tuple[object, object]] = {
    "a number and a boolean": (
        a_statement(Condition={"Bool": {"kms:MultiRegion": True}}),
        a_statement(Condition={"Bool": {"kms:MultiRegion": 1}}),
    ),
    "a number with a point": (
        a_statement(Condition={"NumericEquals": {"a:b": 1}}),
        a_statement(Condition={"NumericEquals": {"a:b": 1.0}}),
    ),
    "a list of one": (a_statement(), a_statement(Action=["kms:Decrypt"])),
    "the order of conditions": (
        a_statement(Condition={"StringEquals": {"a:b": "x", "c:d": "y"}}),
        a_statement(Condition={"StringEquals": {"c:d": "y", "a:b": "x"}}),
    ),
    "there for certain or perhaps": (a_statement(), Maybe(a_statement(), "a condition decides")),
    "known and not known": (a_statement(), a_statement(Action=Unknown("it is not known"))),
    "a text and a hole that is shown like it": (
        a_statement(Action="kms:${a.Name}"),
        a_statement(Action=f"kms:{hole(HoleKind.GENERATED, 'a.Name')}"),
    ),
    "an object and a text": (a_statement(), "kms:Decrypt"),
}


@pytest.mark.parametrize("case", NEARLY)
def test_what_nearly_says_the_same_is_read_by_itself(case: str) -> None:
    one, other = NEARLY[case]
    alone = []
    for statement in (one, other):
        policy_parser._KNOWN.clear()
        alone.append(_read(statement))
    policy_parser._KNOWN.clear()
    assert [_read(one), _read(other)] == alone
    assert alone[0] != alone[1] or case == "a list of one"


def test_a_statement_knows_its_own_place() -> None:
    policy = _read(a_statement(), a_statement())
    assert [(one.index, one.path) for one in policy.statements] == [
        (0, f"{PATH}/Statement/0"),
        (1, f"{PATH}/Statement/1"),
    ]
    (elsewhere,) = _read(a_statement(), path="Policy").statements
    assert elsewhere.path == "Policy/Statement/0"


def test_each_policy_is_told_what_is_wrong_with_a_statement_that_they_share() -> None:
    wrong = a_statement(Effect="Alow", Sid="\u4f60\u597d")
    one, other = _read(wrong), _read(wrong)
    assert one.problems == other.problems
    assert [problem.path for problem in one.problems] == [PATH, f"{PATH}/Statement/0/Effect"]


def test_an_object_that_changes_is_read_again() -> None:
    statement = a_statement()
    first = _read(statement)
    statement["Effect"] = "Deny"
    assert _read(statement) != first


def test_a_source_s_own_way_to_prepare_statements_is_not_taken_for_another_s() -> None:
    def denied(statement: object) -> object:
        return {**statement, "Effect": "Deny"} if isinstance(statement, dict) else statement

    def read(prepare: Callable[[object], object] | None) -> Policy:
        return parse_policy({"Statement": [a_statement()]}, prepare=prepare)

    assert read(denied) != read(None)
    assert read(denied).statements[0] is read(denied).statements[0]


def test_text_is_no_part_of_a_source_s_own_format() -> None:
    text = '{"Statement": {"Effect": "Allow", "Action": "kms:*", "Resource": "*", "Principal": "*"}}'
    assert parse_policy(text, prepare=lambda _: Unknown("never")) == parse_policy(text)


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(policy_parser, "_MOST_KNOWN", 8)
    for number in range(30):
        _read(a_statement(Sid=f"S{number}"))
    assert len(policy_parser._KNOWN) <= 8
    policy_parser._KNOWN.clear()
    _read(a_statement(Sid="long" * 2_000))
    assert not policy_parser._KNOWN


@given(st.lists(strategies.documents(), min_size=2, max_size=4))
def test_policies_read_one_after_the_other_are_as_if_read_alone(documents: list[dict[str, object]]) -> None:
    alone = []
    for document in documents:
        policy_parser._KNOWN.clear()
        alone.append(parse_policy(document, path=PATH))
    policy_parser._KNOWN.clear()
    for _ in range(2):
        assert [parse_policy(document, path=PATH) for document in documents] == alone
