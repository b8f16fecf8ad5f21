"""Worlds, and what to call some of them."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kms_constructs.model.worlds import Assignment, World, described, together

STAGES = [(("Stage", one),) for one in ("dev", "test", "prod")]
BOTH: list[Assignment] = [
    (("Stage", stage), ("Open", flag)) for stage, flag in product(("dev", "test", "prod"), ("no", "yes"))
]
SOME: dict[str, tuple[list[Assignment], list[Assignment], str]] = {
    "all": (STAGES, STAGES, ""),
    "one": (STAGES[:1], STAGES, "Stage=dev"),
    "two": (STAGES[::2], STAGES, "Stage=dev or prod"),
    "one of two inputs": (BOTH[1::2], BOTH, "Open=yes"),
    "both of two inputs": (BOTH[5:], BOTH, "Stage=prod and Open=yes"),
    "values of both": ([BOTH[1], BOTH[5]], BOTH, "Stage=dev or prod and Open=yes"),
    "nothing in common": ([BOTH[0], BOTH[5]], BOTH, "Stage=dev and Open=no, for instance"),
    "equal, and not the same": ([(("Stage", "prod"), ("Open", "yes"))], BOTH, "Stage=prod and Open=yes"),
    "an input that one lacks": (
        [(("Stage", "dev"), ("Open", "no"))],
        [(("Stage", "dev"),), (("Stage", "dev"), ("Open", "no"))],
        "Open=no",
    ),
    "one input is enough for an instance": ([BOTH[0], BOTH[1], BOTH[3]], BOTH, "Stage=dev, for instance"),
}


@pytest.mark.parametrize(("some", "every", "text"), SOME.values(), ids=SOME.keys())
def test_described(some: list[Assignment], every: list[Assignment], text: str) -> None:
    assert described(some, every) == text


@given(st.sets(st.sampled_from(BOTH), min_size=1))
def test_what_is_named_holds_of_some_and_of_no_other(some: set[Assignment]) -> None:
    text = described(some, BOTH).removesuffix(", for instance")
    if not text:
        assert some == set(BOTH)
        return
    wanted = dict(part.split("=") for part in text.split(" and "))
    meant = {one for one in BOTH if all(dict(one)[at] in wanted[at].split(" or ") for at in wanted)}
    assert meant
    assert meant <= some


def test_together_is_every_choice_with_every_other() -> None:
    stages = (World("a", tuple(STAGES[:2])), World("b", tuple(STAGES[2:])))
    assert together([(World("own"),), stages]) == [
        (("own", "a"), tuple(STAGES[:2])),
        (("own", "b"), tuple(STAGES[2:])),
    ]
