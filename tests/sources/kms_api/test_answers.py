from __future__ import annotations

import json
from pathlib import Path

import pytest

from kms_constructs.sources import load
from kms_constructs.sources.kms_api.answers import Answer, Answers, Call, Refusal, clean, read_answers
from kms_constructs.sources.kms_api.estate import estate_from_answers
from tests.sources.kms_api.build import ACCOUNT, REGION, Seed, answers_of


def whole() -> Answers:
    found = answers_of(Seed(), Seed(key_id="other", region="us-east-1"))
    found.given[Call.of(ACCOUNT, REGION, "kms", "ListGrants", KeyId="x")] = Answer(
        refusal=Refusal("AccessDeniedException", "no"), day="2026-06-01"
    )
    return found


def test_a_file_holds_what_was_answered() -> None:
    assert read_answers(json.loads(whole().to_text()), "a.json") == whole()


def test_a_saved_file_is_read_like_any_other_input(tmp_path: Path) -> None:
    file = tmp_path / "answers.json"
    file.write_text(whole().to_text(), "utf-8")
    named, found = load([file]), load([tmp_path])
    assert named.problems == ()
    assert [key.id for key in named.keys] == [key.id for key in estate_from_answers(whole()).keys]
    assert [key.id for key in found.keys] == [key.id for key in named.keys]
    assert named.sources == (f"{ACCOUNT}/{REGION}", f"{ACCOUNT}/us-east-1")


BROKEN = {
    "another version": ({"kms-constructs-answers": 2}, "its answers are of version 2, and 1 is read"),
    "nothing in it": (
        {"kms-constructs-answers": 1},
        "its answers have not the form that audit --save writes",
    ),
    "an answer without a call": (
        {"kms-constructs-answers": 1, "scopes": [], "answers": [{"account": "1"}]},
        "its answers have not the form that audit --save writes",
    ),
    "a text where a list is wanted": (
        {"kms-constructs-answers": 1, "scopes": "x", "answers": []},
        "its answers have not the form that audit --save writes",
    ),
}


@pytest.mark.parametrize(("document", "problem"), BROKEN.values(), ids=BROKEN)
def test_a_file_that_is_none(tmp_path: Path, document: object, problem: str) -> None:
    file = tmp_path / "answers.json"
    file.write_text(json.dumps(document), "utf-8")
    (found,) = load([file]).problems
    assert found.message.startswith(problem)
    assert "audit --save" in found.fix


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("no access for ASIAIOSFODNN7EXAMPLE", "no access for (left out)"),
        ("token " + "Ab1/" * 60 + " expired", "token (left out) expired"),
        (
            "User: arn:aws:iam::111122223333:user/a\n may not",
            "User: arn:aws:iam::111122223333:user/a may not",
        ),
    ],
)
def test_messages_hold_no_credentials(said: str, kept: str) -> None:
    assert clean(said) == kept
