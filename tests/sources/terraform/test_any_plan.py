"""Whatever a plan holds: never an exception, never a key that vanishes without a word."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kms_constructs.guardrails.config import GuardrailConfig
from kms_constructs.guardrails.engine import INTERNAL_ERROR, judge
from tests.sources.terraform import samples
from tests.sources.terraform.plans import Json, block, made, module, plan, read, refers

SAMPLES = {"article": samples.article(), "complete": samples.complete()}
VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 400),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from(
        ["", "*", "a", "aws_kms_key.this", "module.x", '["a"]', "{}", "\ue000g:x\ue001", "arn:aws:"]
    ),
    st.just([]),
    st.just({}),
    st.just([None]),
    st.just([True]),
    st.just(
        {"references": ["var.x", "each.value", "module.kms_primary", "module.kms_replica[0].key_arn", "x"]}
    ),
    st.just({"constant_value": [1]}),
)


def _places(node: object, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    members = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    found = [(*path, name) for name, _ in members]
    members = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    return [*found, *(place for name, value in members for place in _places(value, (*path, name)))]


PLACES = {name: _places(sample) for name, sample in SAMPLES.items()}


@st.composite
def mutated(draw: st.DrawFn) -> Json:
    """A plan of which a few parts are replaced or taken out."""
    name = draw(st.sampled_from(sorted(SAMPLES)))
    found: Any = copy.deepcopy(SAMPLES[name])
    for place in draw(st.lists(st.sampled_from(PLACES[name]), min_size=1, max_size=4)):
        node: Any = found
        try:
            for step in place[:-1]:
                node = node[step]
            if draw(st.booleans()):
                node[place[-1]] = draw(VALUES)
            else:
                del node[place[-1]]
        except (KeyError, IndexError, TypeError):
            continue  # an earlier change took the place away
    assert isinstance(found, dict)
    return found


@settings(max_examples=250, deadline=None)
@given(mutated())
def test_no_plan_is_too_broken_to_be_judged(document: Json) -> None:
    estate, problems = read(document)

    findings = judge(estate, GuardrailConfig()).findings

    assert not [one for one in findings if one.detail == INTERNAL_ERROR]
    assert all(problem.message and problem.fix for problem in problems)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from([place for place in PLACES["article"] if place[0] == "planned_values"]), VALUES)
def test_a_key_never_vanishes_without_a_word(place: tuple[Any, ...], value: object) -> None:
    found: Any = copy.deepcopy(SAMPLES["article"])
    node = found
    for step in place[:-1]:
        node = node[step]
    node[place[-1]] = value

    estate, problems = read(found)

    assert len(estate.keys) == 2 or problems


def _deep(levels: int) -> object:
    value: object = "x"
    for _ in range(levels):
        value = [value]
    return value


@pytest.mark.parametrize("levels", [10, 100, 900])
def test_deep_values_are_no_reason_to_break(levels: int) -> None:
    given = made("aws_kms_key.a", {"tags": {"a": _deep(levels)}, "policy": _deep(levels)})

    assert len(read(plan(given, configuration=module(block("aws_kms_key.a"))))[0].keys) == 1


CIRCLES = {
    "a key of its own alias": {"target_key_id": refers("aws_kms_alias.a.target_key_id")},
    "an output of itself": {"target_key_id": refers("module.m.a")},
}


@pytest.mark.parametrize("expressions", CIRCLES.values(), ids=CIRCLES.keys())
def test_references_in_a_circle_end(expressions: Json) -> None:
    alias = made("aws_kms_alias.a", {"name": "alias/a"}, unknown={"target_key_id": True})
    inner = made("module.m.aws_kms_key.k", unknown={"key_id": True})
    calls = {
        "m": {"expressions": {"a": refers("module.m.a")}, "module": module(outputs={"a": refers("var.a")})}
    }

    estate, _ = read(
        plan(alias, inner, configuration=module(block("aws_kms_alias.a", expressions), calls=calls))
    )

    assert estate.unattached_aliases == ("alias/a",)
