from __future__ import annotations

import pytest

from kms_constructs.model.vocabulary import CLOUDFORMATION, KEY_POLICY_FILE, Fact, Vocabulary
from tests.vocabularies import KMS_API, TERRAFORM

ALL = [CLOUDFORMATION, KEY_POLICY_FILE, TERRAFORM, KMS_API]


def named(vocabulary: Vocabulary) -> str:
    return vocabulary.source


REMEDIES = {
    "a template's property": (CLOUDFORMATION, Fact.ROTATION, "true", "Set EnableKeyRotation to true"),
    "a template's attribute": (CLOUDFORMATION, Fact.REMOVAL, "Retain", "Set DeletionPolicy to Retain"),
    "a plan's attribute": (TERRAFORM, Fact.ROTATION, "true", "Set enable_key_rotation to true"),
    "an API has no property": (KMS_API, Fact.ROTATION, "true", "Switch rotation on"),
    "a value": (
        KMS_API,
        Fact.ROTATION_PERIOD,
        "at most 365",
        "Switch rotation on again with a period of at most 365",
    ),
}


@pytest.mark.parametrize(("vocabulary", "fact", "value", "said"), REMEDIES.values(), ids=REMEDIES)
def test_a_remedy_is_in_the_words_of_its_source(
    vocabulary: Vocabulary, fact: Fact, value: str, said: str
) -> None:
    assert vocabulary.remedy(fact, value) == said


def test_a_template_tells_every_fact() -> None:
    assert set(CLOUDFORMATION.terms) == set(Fact)


def test_a_fact_that_a_source_does_not_tell_stands_nowhere() -> None:
    assert KEY_POLICY_FILE.path(Fact.ROTATION) == ""
    assert not KEY_POLICY_FILE.knows(Fact.ROTATION)
    with pytest.raises(KeyError):
        KEY_POLICY_FILE.remedy(Fact.ROTATION, "true")


@pytest.mark.parametrize("vocabulary", ALL, ids=named)
def test_every_sentence_is_one_and_every_clause_is_none(vocabulary: Vocabulary) -> None:
    for sentence in ("resolve", "say_account", "decide", "point", "unused", "no_expiry"):
        assert getattr(vocabulary, sentence).endswith(".")
    for clause in (
        "rotate",
        "keep",
        "hand_on",
        "make_multi_region",
        "alias",
        "record_events",
        "app",
        "stack",
    ):
        assert not getattr(vocabulary, clause).endswith(".")
    assert "{what}" in vocabulary.resolve
    assert "{account}" in vocabulary.say_account


@pytest.mark.parametrize("vocabulary", ALL, ids=named)
def test_slots_are_filled(vocabulary: Vocabulary) -> None:
    assert vocabulary.say("this {app}, {more}", more="x") == f"this {vocabulary.app}, x"
