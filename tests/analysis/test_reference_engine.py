"""The evaluator against a second engine that was written from the documentation alone."""

from __future__ import annotations

import os
import random
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from kms_constructs.analysis.evaluate import Request, evaluate
from tests.analysis.reference_engine import Call, decide, wild
from tests.strategies import cases
from tests.worlds.case import Case
from tests.worlds.resolution import resolutions
from tests.worlds.vocabulary import GUARDED, SERVICES, USING
from tests.worlds.world import EVERYTHING, World

DEEP = os.environ.get("KMS_CONSTRUCTS_DEEP") == "1"
_ASKED = (*GUARDED.values(), *USING, "CreateGrant", "RetireGrant", "DescribeKey", "TagResource")
_EVERYTHING: list[dict[str, Any]] = [{"Effect": "Allow", "Action": "kms:*", "Resource": "*"}]


@settings(
    max_examples=2_500 if DEEP else 60,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(case=cases(), seed=st.integers(0, 1_000))
def test_both_engines_agree(case: Case, seed: int) -> None:
    rng = random.Random(f"engines {seed}")  # noqa: S311 - random tests, no secrets
    for resolved in resolutions(case, seed):
        if "${" in repr(resolved):
            continue  # policy variables have tests of their own
        world = World(resolved, seed)
        statements = list(resolved.statements)
        scp = [one for document in resolved.scps for one in document["Statement"]]
        rcp = [one for document in resolved.rcps for one in document["Statement"]]
        own = [
            (list(iam.document["Statement"]), policy.policy)
            for iam, policy in zip(resolved.iam, world.iam, strict=True)
        ]
        identities: list[tuple[list[Any], list[Any]]] = [
            ([], []),
            (_EVERYTHING, [EVERYTHING]),
            *(([*_EVERYTHING, *raw], [EVERYTHING, policy]) for raw, policy in own),
            *((raw, [policy]) for raw, policy in own),
        ]
        key = world.key if not world.key.grants else World(_without_grants(resolved)).key
        for _ in range(25):
            caller, action = rng.choice(world.callers), rng.choice(_ASKED)
            context = rng.choice(list(world.contexts(caller, action)))
            raw, policies = rng.choice(identities)
            request = Request(principal=caller, action=action, context=context)
            found = evaluate(request, key, identity_policies=policies, scps=world.scps, rcps=world.rcps)
            carried = {name: (value,) if isinstance(value, str) else value for name, value in context.items()}
            expected = decide(Call(caller, action, key.arn_pattern, carried), statements, raw, scp, rcp)
            # Where the documentation is silent the evaluator may not allow by guessing.
            assert expected is None or found.allowed is expected, (
                caller,
                action,
                context,
                raw,
                resolved,
                found,
            )


def _without_grants(case: Case) -> Case:
    return replace(case, grants=())


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        ("a*", "a", True),
        ("a*c", "abc", True),
        ("a?c", "ac", False),
        ("*", "", True),
        ("", "a", False),
        ("**a", "ba", True),
    ],
)
def test_wildcards_of_the_second_engine(pattern: str, text: str, expected: bool) -> None:
    assert wild(pattern, text) is expected


def test_both_engines_know_services() -> None:
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": SERVICES[0]},
        "Action": "kms:Decrypt",
        "Resource": "*",
    }
    call = Call(SERVICES[0], "Decrypt", "arn:aws:kms:us-east-1:111122223333:key/k")
    assert decide(call, [statement], [], [], []) is True
