from __future__ import annotations

import pytest

from kms_constructs.analysis.narrowing import (
    ENCRYPTION_CONTEXT,
    SOURCE_KEYS,
    covered_actions,
    narrowed_by,
    narrows,
)
from kms_constructs.model.policy import Condition, Effect, Statement
from kms_constructs.model.text import HoleKind, hole
from kms_constructs.model.unknown import Unknown

WHY = Unknown("why")


def on(operator: str, *values: str, key: str = "aws:SourceArn") -> Condition:
    return Condition(operator, key, values)


NARROWS = {
    "equals": (on("StringEquals", "111122223333"), True),
    "like, with an account": (on("ArnLike", "arn:aws:sns:*:111122223333:*"), True),
    "a bucket": (on("ArnLike", "arn:aws:s3:::reports"), True),
    "anything": (on("StringLike", "*"), False),
    "if it exists": (on("StringEqualsIfExists", "a"), False),
    "for all values": (on("ForAllValues:StringEquals", "a"), False),
    "not": (on("StringNotEquals", "a"), False),
    "presence": (on("Null", "false"), False),
    "an operator that IAM has not": (on("StringMatches", "a"), False),
    "not known": (Condition("StringEquals", "aws:SourceArn", WHY), None),
    "a pattern with a parameter": (on("StringLike", hole(HoleKind.UNRESOLVED, "Account")), None),
}


@pytest.mark.parametrize(("condition", "expected"), NARROWS.values(), ids=NARROWS)
def test_narrows(condition: Condition, expected: bool | None) -> None:
    assert narrows(condition) is expected


def test_the_best_answer_of_the_conditions_on_the_keys_counts() -> None:
    good, open_, bad = (
        on("StringEquals", "a"),
        on("StringLike", hole(HoleKind.UNRESOLVED, "A")),
        on("Null", "false"),
    )
    assert narrowed_by((bad, open_, good), SOURCE_KEYS) is True
    assert narrowed_by((bad, open_), SOURCE_KEYS) is None
    assert narrowed_by((bad,), SOURCE_KEYS) is False
    assert narrowed_by((good,), ["aws:sourceaccount"]) is False


def test_keys_are_compared_without_case_and_by_prefix() -> None:
    context = on("StringEquals", "a", key="KMS:EncryptionContext:Stage")
    assert narrowed_by((context,), [ENCRYPTION_CONTEXT]) is True
    assert (
        narrowed_by((on("StringEquals", "a", key="kms:EncryptionContextKeys"),), [ENCRYPTION_CONTEXT])
        is False
    )


def test_covered_actions() -> None:
    assert covered_actions(Statement(0, Effect.ALLOW, actions=("kms:ReEncrypt*", "kms:decrypt"))) == {
        "Decrypt",
        "ReEncryptFrom",
        "ReEncryptTo",
    }
    everything = covered_actions(Statement(0, Effect.ALLOW, actions=WHY))
    assert {"Decrypt", "PutKeyPolicy"} <= everything
    assert covered_actions(Statement(0, Effect.ALLOW, not_actions=("kms:Decrypt",))) == everything - {
        "Decrypt"
    }
