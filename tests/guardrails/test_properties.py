"""What holds of the rules for any key policy."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from kms_constructs.guardrails.engine import INTERNAL_ERROR, judge
from kms_constructs.guardrails.finding import Outcome
from kms_constructs.model.estate import Estate, Key
from tests.strategies import blurred, documents, key_of, respelled

POLICY_CONTROLS = (*(f"IAM-KMS-{number}" for number in range(1, 9)), "KMS:004", "KMS:LINT")


def outcomes(key: Key) -> dict[str, set[Outcome]]:
    """Every answer of each control that reads the key policy; a rule that fails is no answer."""
    found: dict[str, set[Outcome]] = {}
    for finding in judge(Estate(keys=(key,)), controls=POLICY_CONTROLS).findings:
        assert finding.detail != INTERNAL_ERROR, finding.message
        found.setdefault(finding.control, set()).add(finding.outcome)
    return found


@st.composite
def pairs(draw: st.DrawFn) -> tuple[dict[str, Any], dict[str, object]]:
    """A policy, and the same with parts that are not known."""
    document = draw(documents())
    return document, draw(blurred(document))


@settings(max_examples=120)
@given(pairs())
def test_what_is_not_known_never_turns_a_violation_into_a_pass(
    pair: tuple[dict[str, Any], dict[str, object]],
) -> None:
    known, unknown = (outcomes(key_of(document, origin="EXTERNAL")) for document in pair)
    for control, found in known.items():
        if Outcome.VIOLATION in found:
            assert unknown[control] & {Outcome.VIOLATION, Outcome.UNDETERMINED}, control


@settings(max_examples=60)
@given(documents())
def test_the_spelling_of_a_policy_does_not_change_the_verdict(document: dict[str, object]) -> None:
    assert outcomes(key_of(document)) == outcomes(key_of(respelled(document)))


@settings(max_examples=60)
@given(documents())
def test_a_control_complies_or_does_not(document: dict[str, object]) -> None:
    for control, found in outcomes(key_of(document)).items():
        assert found == {Outcome.COMPLIANT} or Outcome.COMPLIANT not in found, control
