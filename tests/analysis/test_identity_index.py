from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kms_constructs.analysis.identity_index import IdentityIndex
from kms_constructs.analysis.separation import MANAGING_ACTIONS, overlaps
from kms_constructs.model.estate import Grant, IdentityPolicy, Key
from kms_constructs.model.text import HoleKind, hole
from kms_constructs.model.unknown import Unknown
from tests.guardrails.factories import (
    ACCOUNT,
    ROOT,
    a_key,
    a_policy,
    allow,
    an_iam_policy,
    iam_allow,
    role,
    service,
)

KEY_ARN = f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/Key"
ENVIRONMENT = hole(HoleKind.ENVIRONMENT, "AWS::AccountId")
RESOURCES = ("*", KEY_ARN, f"{KEY_ARN}2", f"arn:aws:kms:*:{ACCOUNT}:key/*", "arn:aws:s3:::bucket")
HOLDERS = (
    (role("App"),),
    (role("Else"),),
    (role("Else"), role("App")),
    (),
    (f"arn:aws:iam::{ENVIRONMENT}:role/App",),
    Unknown("attached elsewhere"),
)
MADE = (role(hole(HoleKind.GENERATED, "Shop.AppRole.Name")),)
"""A role whose name a template does not tell, and which a policy may spell out all the same."""
USERS = (
    role("App"),
    [role("App"), role("Other")],
    role("Other"),
    role("Shop-AppRole-1ABCDEFGHIJKL"),
    ROOT,
    service("logs.amazonaws.com"),
    "*",
    f"arn:aws:sts::{ACCOUNT}:assumed-role/App/s",
    f"arn:aws-cn:iam::{ACCOUNT}:role/App",
    Unknown("who knows"),
)


def named(policies: Sequence[IdentityPolicy]) -> list[str]:
    return sorted(policy.name for policy in policies)


def test_each_policy_is_asked_once_for_what_it_reaches() -> None:
    policies = [an_iam_policy(iam_allow("kms:*", resource), name=resource) for resource in RESOURCES]
    index = IdentityIndex(policies, ["Decrypt", "EnableKey"])
    found = [(grant.policy.name, grant.action) for grant in index.reaching(a_key())]
    reached = ("*", KEY_ARN, f"arn:aws:kms:*:{ACCOUNT}:key/*")
    assert sorted(found) == sorted((name, action) for name in reached for action in ("Decrypt", "EnableKey"))


def test_a_grant_that_names_a_key_twice_over_reaches_it_once() -> None:
    index = IdentityIndex([an_iam_policy(iam_allow("kms:Decrypt", [KEY_ARN, "*"]))], ["Decrypt"])
    assert len(list(index.reaching(a_key()))) == 1


def test_only_policies_of_the_principals_that_a_key_names_matter_to_it() -> None:
    policies = [
        an_iam_policy(iam_allow("kms:*", "*"), name=f"{number}", attached_to=holders)
        for number, holders in enumerate(HOLDERS)
    ]
    index = IdentityIndex(policies, MANAGING_ACTIONS)
    assert named(index.policies_of(a_key(allow(role("App"), "kms:Decrypt")))) == ["0", "2", "4", "5"]
    assert named(index.policies_of(a_key(allow("*", "kms:Decrypt")))) == ["0", "1", "2", "3", "4", "5"]
    assert named(index.policies_of(a_key(grants=(Grant(role("App"), ("Decrypt",)),)))) == ["0", "2", "4", "5"]
    assert named(index.policies_of(a_key())) == ["4", "5"]


@pytest.mark.parametrize("resource", [f"{KEY_ARN}2", "arn:aws:s3:::bucket"])
def test_a_policy_of_a_user_that_does_not_reach_the_key_does_not_matter(resource: str) -> None:
    index = IdentityIndex([an_iam_policy(iam_allow("kms:*", resource))], MANAGING_ACTIONS)
    assert index.policies_of(a_key(allow(role("App"), "kms:Decrypt"))) == ()


@st.composite
def keys(draw: st.DrawFn) -> Key:
    users = draw(st.lists(st.sampled_from(USERS), max_size=2))
    statements = [
        allow({"AWS": user} if isinstance(user, Unknown) else user, "kms:Decrypt") for user in users
    ]
    delegating = allow(ROOT, "kms:EnableKey", "kms:PutKeyPolicy")
    grants = (Grant(role("App"), ("Decrypt",)),) if draw(st.booleans()) else ()
    return a_key(policy=a_policy(delegating, *statements), grants=grants)


@st.composite
def policies(draw: st.DrawFn) -> IdentityPolicy:
    statements = [
        {
            **iam_allow(draw(st.sampled_from(["kms:*", "kms:EnableKey"])), draw(st.sampled_from(RESOURCES))),
            "Effect": effect,
        }
        for effect in draw(st.lists(st.sampled_from(["Allow", "Allow", "Deny"]), min_size=1, max_size=3))
    ]
    return an_iam_policy(*statements, attached_to=draw(st.sampled_from((*HOLDERS, MADE))))


@settings(max_examples=200)
@given(keys(), st.lists(policies(), max_size=4))
def test_the_index_leaves_no_overlap_out(key: Key, given_policies: list[IdentityPolicy]) -> None:
    index = IdentityIndex(given_policies, MANAGING_ACTIONS)
    assert set(overlaps(key, index.policies_of(key))) == set(overlaps(key, given_policies))
