"""The index of IAM policies leaves out none that may reach a key."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given

from kms_constructs.analysis.holdings import HoldingsIndex
from kms_constructs.analysis.identity import identity_grants, may_reach
from kms_constructs.model.actions import ACTIONS
from kms_constructs.model.estate import Estate
from kms_constructs.model.policy import parse_policy
from tests.analysis.test_within import a_key, an_iam_policy, estates
from tests.strategies import HOME


@given(estates)
def test_what_reaches_a_key_is_found_whatever_it_is_called(estate: Estate) -> None:
    index = HoldingsIndex(estate.identity_policies, ACTIONS)
    for key in estate.keys:
        found = {
            (id(one.grant.policy), one.grant.action)
            for groups in index.of(key)
            for group in groups
            for one in group.members
        }
        assert found == {
            (id(policy), grant.action)
            for policy in estate.identity_policies
            for grant in identity_grants(policy, ACTIONS)
            if may_reach(grant, key)
        }


def test_what_is_left_out_is_asked_for_each_key() -> None:
    one, two = (f"arn:aws:kms:us-east-1:{HOME}:key/{name}" for name in ("one", "two"))
    policy = an_iam_policy("kms:Decrypt", one)
    statement = {"Effect": "Allow", "Action": "kms:Decrypt", "NotResource": two}
    left_out = replace(policy, policy=parse_policy({"Statement": statement}))
    index = HoldingsIndex((policy, left_out), ACTIONS)
    reached = {
        name: [len(groups) for groups in index.of(a_key(name=name))] for name in ("one", "two", "three")
    }
    assert reached == {"one": [1, 1], "two": [0, 0], "three": [1, 0]}
