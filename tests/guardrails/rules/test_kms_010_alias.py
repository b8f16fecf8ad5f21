from __future__ import annotations

from kms_constructs.model.estate import KeyKind
from kms_constructs.model.text import HoleKind, hole
from kms_constructs.model.vocabulary import KEY_POLICY_FILE
from tests.guardrails.factories import C, N, Said, U, V, a_key, judge, said


def test_a_key_with_an_alias_complies() -> None:
    assert said(judge("KMS:010", a_key())) == [Said(C, "", "", "The key has an alias.")]


def test_a_key_without_one_does_not() -> None:
    assert said(judge("KMS:010", a_key(aliases=()))) == [Said(V, "missing", "", "The key has no alias.")]


def test_a_replica_needs_its_own() -> None:
    assert said(judge("KMS:010", a_key(aliases=(), kind=KeyKind.REPLICA))) == [
        Said(V, "missing", "", "The replica key has no alias of its own.")
    ]


def test_an_alias_that_may_point_at_the_key_leaves_it_open() -> None:
    loose = (f"alias/{hole(HoleKind.UNRESOLVED, 'Name')}",)
    assert said(judge("KMS:010", a_key(aliases=()), unattached_aliases=loose)) == [
        Said(
            U,
            "missing",
            "",
            "No alias is seen to point at the key; where alias/${Name} points is not known.",
        )
    ]


def test_an_alias_that_may_not_exist_leaves_it_open() -> None:
    key = a_key(aliases=("alias/a", "alias/b"), conditional_aliases=("alias/a", "alias/b"))

    assert said(judge("KMS:010", key)) == [
        Said(
            U,
            "conditional",
            "",
            "Whether alias/a, alias/b exists is not known: a condition decides it that is not resolved.",
        )
    ]


def test_one_alias_that_exists_is_enough() -> None:
    key = a_key(aliases=("alias/a", "alias/b"), conditional_aliases=("alias/b",))

    assert said(judge("KMS:010", key)) == [Said(C, "", "", "The key has an alias.")]


def test_a_policy_alone_has_none() -> None:
    assert said(judge("KMS:010", a_key(aliases=(), vocabulary=KEY_POLICY_FILE))) == [
        Said(N, "", "", "Not applicable: only the key policy was given.")
    ]
