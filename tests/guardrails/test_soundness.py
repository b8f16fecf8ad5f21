"""Compliant is a proof: no request that the evaluator decides refutes what a guardrail says.

What each control claims, and so what would refute it, is written down in `tests.worlds.claims`: in short,
whatever IAM policies exist and whatever the holes of a policy become,

* IAM-KMS-1: the root user of the key's account may call PutKeyPolicy, by a plain call;
* IAM-KMS-2, 3, 4, 5, 7: nobody may call the action but that root user and the authorised principals;
* IAM-KMS-6: no service acts for an attacker, nobody uses the key as ``*`` in a direct call, and nobody
  makes grants that are not an AWS service's own;
* IAM-KMS-8: nobody but that root user both manages and uses the key;
* KMS:004: no attacker and no account that is not trusted gets in without a limit, nobody but the account
  may do everything, and no IAM policy decrypts with keys that it does not name.

The random cases leave out the classes in `KNOWN_UNSOUND`; the example of each class fails as long as it is
there. ``KMS_CONSTRUCTS_DEEP=1 pytest tests/guardrails/test_soundness.py`` looks further.
"""

from __future__ import annotations

import os
import random

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from kms_constructs.guardrails.engine import judge
from kms_constructs.guardrails.finding import Outcome
from kms_constructs.sources.cloudformation.template import TemplateInput
from kms_constructs.sources.cloudformation.templates import estate_from_templates
from tests.strategies import cases
from tests.worlds.case import CONTROLS, KEY_PLACE, Case, judged, policy_place
from tests.worlds.claims import refutations, refuted
from tests.worlds.draw import FEATURES, draw_case
from tests.worlds.examples import EXAMPLES, FALSE_ALARMS, Example
from tests.worlds.known import KNOWN_FALSE, KNOWN_UNSOUND, SIGNS, classes_of
from tests.worlds.resolution import is_open, resolutions
from tests.worlds.shrink import shrunk, still_unsound
from tests.worlds.templates import TEMPLATES
from tests.worlds.vocabulary import HOME, PARTITIONS

DEEP = os.environ.get("KMS_CONSTRUCTS_DEEP") == "1"
searching = settings(
    max_examples=2_500 if DEEP else 60,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


def classes(names: object, known: object) -> list[object]:
    """The names as parameters, those that are known to fail marked so."""
    return [
        pytest.param(name, marks=pytest.mark.xfail(strict=True, reason=known[name]))  # type: ignore[index]
        if name in known  # type: ignore[operator]
        else name
        for name in names  # type: ignore[attr-defined]
    ]


def _asked(example: Example) -> tuple[list[str], list[tuple[str, int]]]:
    return ([example.control], []) if example.place is None else ([], [(example.control, example.place)])


@pytest.mark.parametrize("name", classes(EXAMPLES, KNOWN_UNSOUND))
def test_the_smallest_case_of_each_class(name: str) -> None:
    example = EXAMPLES[name]
    place = KEY_PLACE if example.place is None else policy_place(example.place)
    assert not judged(example.case, (example.control,)).complies(example.control, place)


@pytest.mark.parametrize("name", EXAMPLES)
def test_each_class_can_be_refuted(name: str) -> None:
    """Else its example would prove nothing, and the random cases would not find it."""
    example = EXAMPLES[name]
    keys, policies = _asked(example)
    found = [(control, witness) for control, witness in refuted(example.case, keys, policies)]
    assert [control for control, _ in found] == [example.control]
    if name in KNOWN_UNSOUND:
        assert name in classes_of(example.control, example.case, found[0][1]), (
            "the class has no sign of its own"
        )


@pytest.mark.parametrize("name", classes(TEMPLATES, KNOWN_UNSOUND))
def test_what_a_template_leaves_open_is_no_proof(name: str) -> None:
    example = TEMPLATES[name]
    read = TemplateInput(example.template, "app.json", stack="App", account=HOME, region=example.region)
    estate = estate_from_templates([read])
    findings = judge(estate, controls=[example.control]).findings
    # A warning that is due whatever the template leaves open shows nothing.
    assert estate.problems or any(one.fails for one in findings if one.location.logical_id == "Key")


@pytest.mark.parametrize("name", classes(FALSE_ALARMS, KNOWN_FALSE))
def test_an_objection_has_a_witness(name: str) -> None:
    """The other direction: a violation that no request can show is a false alarm."""
    example = FALSE_ALARMS[name]
    outcomes = judged(example.case, (example.control,)).outcomes(example.control)
    keys, policies = _asked(example)
    assert Outcome.VIOLATION not in outcomes or list(refuted(example.case, keys, policies))


@pytest.mark.parametrize("control", CONTROLS)
@searching
@given(case=cases())
def test_compliant_is_a_proof(control: str, case: Case) -> None:
    verdict = judged(case, (control,))
    assert not verdict.crashed, verdict.crashed
    for wrong, witness in refutations(case, verdict):
        smallest = shrunk(case, still_unsound(wrong, witness.place))
        again = list(refutations(smallest, judged(smallest, (wrong,))))
        shown = next((found for of, found in again if of == wrong and found.place == witness.place), witness)
        known = classes_of(wrong, smallest, shown)
        assert known & set(KNOWN_UNSOUND), (wrong, smallest, shown, "of no known class", sorted(known))


def test_every_class_that_is_known_is_looked_at() -> None:
    assert set(KNOWN_UNSOUND) <= {*EXAMPLES, *TEMPLATES}
    assert set(KNOWN_FALSE) <= set(FALSE_ALARMS)
    assert set(SIGNS) <= set(EXAMPLES)


def test_the_random_cases_are_worth_something() -> None:
    """They have every feature, every outcome of every control, and enough that is open."""
    drawn = [draw_case(random.Random(f"worth {number}")) for number in range(250)]  # noqa: S311 - no secrets
    seen = {control: set() for control in CONTROLS}
    for case in drawn:
        verdict = judged(case)
        for control in CONTROLS:
            seen[control] |= verdict.outcomes(control)
    wanted = {Outcome.COMPLIANT, Outcome.VIOLATION, Outcome.UNDETERMINED}
    assert all(wanted <= outcomes for outcomes in seen.values()), seen
    assert sum(map(is_open, drawn)) > 100
    assert all(not is_open(resolved) for case in drawn for resolved in resolutions(case))
    drawn = [draw_case(random.Random(number), ["partition"]) for number in range(80)]  # noqa: S311 - no secrets
    assert {case.partition for case in drawn} == set(PARTITIONS)
    assert all(draw_case(random.Random(1), [feature]) for feature in FEATURES)  # noqa: S311 - no secrets
