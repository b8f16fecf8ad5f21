"""Steps are counted, and too many of them end a question."""

from __future__ import annotations

import pytest

from kms_constructs.analysis.access import Access
from kms_constructs.analysis.within import EstateAccess
from kms_constructs.guardrails.engine import TOO_COMPLEX, judge
from kms_constructs.guardrails.finding import Outcome
from kms_constructs.model import ceilings, effort
from kms_constructs.model.effort import Effort, Efforts, TooComplexError, limited_to, spend
from kms_constructs.model.estate import Estate
from kms_constructs.model.reading import parsed_json
from kms_constructs.sources.policy_file import key_from_policy

ROOT = {"AWS": "arn:aws:iam::111122223333:root"}


def policy(name: str) -> dict[str, object]:
    """A policy that denies all but a few; of another name, for what was asked once is remembered."""
    few = [f"arn:aws:iam::*:role/{name}-{letter}*" for letter in "ab"]
    return {
        "Statement": [
            {"Effect": "Allow", "Principal": ROOT, "Action": "kms:DescribeKey", "Resource": "*"},
            {"Effect": "Deny", "Principal": "*", "Action": "kms:*", "Resource": "*",
             "Condition": {"ArnNotLike": {"aws:PrincipalArn": few}}},
            {"Effect": "Allow", "Principal": "*", "Action": "kms:DeleteImportedKeyMaterial", "Resource": "*",
             "Condition": {"ArnLike": {"aws:PrincipalArn": f"arn:aws:iam::*:role/{name}-c*"}}},
        ]
    }  # fmt: skip


def test_without_a_limit_nothing_ends() -> None:
    spend(10**12)


def test_one_effort_for_several_questions() -> None:
    one = Effort(10)
    with limited_to(one):
        spend(6)
    spend(100)
    with pytest.raises(TooComplexError, match="more than 10 steps"), limited_to(one):
        spend(6)


def test_the_limit_of_an_outer_question_comes_back() -> None:
    with limited_to(Effort(5)):
        with limited_to(Effort(50)):
            spend(40)
        with pytest.raises(TooComplexError, match="more than 5 steps"):
            spend(6)


def test_each_key_has_its_own() -> None:
    efforts = Efforts()
    assert efforts.of("a") is efforts.of("a")
    assert efforts.of("a") is not efforts.of("b")


def test_a_key_beyond_its_steps_is_as_one_whose_policy_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    first = judge(Estate(keys=(key_from_policy(policy("one"), source="p.json"),))).findings
    assert {one.outcome for one in first if one.control == "IAM-KMS-2"} == {Outcome.COMPLIANT}
    key = key_from_policy(policy("two"), source="p.json")
    estate = Estate(keys=(key,))
    monkeypatch.setattr(effort.Effort.__init__, "__defaults__", (1,))
    after = [one for one in judge(estate).findings if one.control == "IAM-KMS-2"]
    assert {one.outcome for one in after} == {Outcome.UNDETERMINED}
    assert any("more than 1 steps" in one.message for one in after)
    other = key_from_policy(policy("three"), source="p.json")
    rows = EstateAccess(Estate(keys=(other,))).matrix(other).rows
    assert {cell.access for row in rows for cell in row.cells.values()} == {Access.UNKNOWN}


def test_what_is_too_complex_whatever_is_known_of_the_policy(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(_: object, _key: object) -> None:
        spend(2)

    from kms_constructs.guardrails.rules.kms_001_rotation import RotationRule

    monkeypatch.setattr(effort.Effort.__init__, "__defaults__", (1,))
    monkeypatch.setattr(RotationRule, "check_key", never)
    (found,) = judge(
        Estate(keys=(key_from_policy(policy("four"), source="p.json"),)), rules=[RotationRule]
    ).findings
    assert (found.outcome, found.detail) == (Outcome.UNDETERMINED, TOO_COMPLEX)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[" * 200 + "]" * 200, None),
        ("[" * 201 + "]" * 201, "nested more than 200 levels"),
        ("[" * 100_000, "nested more than 200 levels"),
        ("1" * ceilings.MAX_DIGITS, None),
        ("1" * (ceilings.MAX_DIGITS + 1), "a number of more than 4,300 digits"),
        (b"[\xff]", "utf-8"),
        ("[1,", "Expecting value"),
    ],
    ids=["deep", "too deep", "far too deep", "long", "too long", "no text", "no JSON"],
)
def test_json_within_limits(text: str | bytes, said: str | None) -> None:
    if said is None:
        assert parsed_json(text) is not None
    else:
        with pytest.raises(ValueError, match=said):
            parsed_json(text)
