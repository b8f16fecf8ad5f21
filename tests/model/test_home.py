"""The account that a key policy gives away."""

from __future__ import annotations

import pytest

from kms_constructs.model.home import home_account
from kms_constructs.model.policy import Policy, parse_policy
from kms_constructs.model.text import HoleKind, hole
from kms_constructs.model.unknown import Maybe, Unknown

HERE, THERE = "111122223333", "444455556666"
OPEN = hole(HoleKind.UNRESOLVED, "App.Who")
PSEUDO = hole(HoleKind.ENVIRONMENT, "AWS::AccountId")


def root(account: str) -> dict[str, str]:
    return {"AWS": f"arn:aws:iam::{account}:root"}


def allow(principal: object, action: object = "kms:*", **more: object) -> dict[str, object]:
    return {"Effect": "Allow", "Principal": principal, "Action": action, "Resource": "*", **more}


PUBLIC_USE = allow("*", "kms:Decrypt")
POLICIES: dict[str, tuple[list[object], str | None]] = {
    "its root": ([allow(root(HERE))], HERE),
    "its id": ([allow({"AWS": HERE}, "kms:Put*")], HERE),
    "a role alone": ([allow({"AWS": f"arn:aws:iam::{HERE}:role/Admin"}, "KMS:putkeypolicy")], HERE),
    "others may only use it": ([allow(root(HERE)), allow(root(THERE), "kms:Decrypt"), PUBLIC_USE], HERE),
    "a service does not write policies": ([allow(root(HERE)), allow({"Service": "s3.amazonaws.com"})], HERE),
    "under a condition": ([allow(root(HERE), Condition={"Bool": {"aws:SecureTransport": "true"}})], HERE),
    "perhaps, and nobody else": ([Maybe(allow(root(HERE)), "it is open")], HERE),
    "two accounts": ([allow(root(HERE)), allow(root(THERE))], None),
    "a role of another account": ([allow(root(HERE)), allow({"AWS": f"arn:aws:iam::{THERE}:role/A"})], None),
    "everyone": ([allow(root(HERE)), allow("*")], None),
    "everyone but some": (
        [allow(root(HERE)), {"Effect": "Allow", "NotPrincipal": root(THERE), "Action": "*", "Resource": "*"}],
        None,
    ),
    "another account perhaps": ([allow(root(HERE)), Maybe(allow(root(THERE)), "it is open")], None),
    "an account that is not known": ([allow(root(HERE)), allow({"AWS": OPEN})], None),
    "the account of the stack": ([allow(root(PSEUDO))], None),
    "and the account of the stack": ([allow(root(HERE)), allow(root(PSEUDO))], None),
    "an action that is not known": ([allow(root(HERE)), allow(root(THERE), OPEN)], None),
    "an effect that is not known": (
        [allow(root(HERE)), {**allow(root(THERE)), "Effect": Unknown("?")}],
        None,
    ),
    "a unique id": ([allow({"AWS": "AROAEXAMPLEEXAMPLE"})], None),
    "an identity provider": (
        [allow(root(HERE)), allow({"Federated": "cognito-identity.amazonaws.com"})],
        None,
    ),
    "nobody": ([PUBLIC_USE, {**allow(root(HERE)), "Effect": "Deny"}], None),
}


@pytest.mark.parametrize(("statements", "home"), POLICIES.values(), ids=POLICIES.keys())
def test_home(statements: list[object], home: str | None) -> None:
    assert home_account(parse_policy({"Statement": statements})) == home


def test_not_action() -> None:
    both = [
        {"Effect": "Allow", "Principal": root(HERE), "NotAction": "kms:Get*", "Resource": "*"},
        {"Effect": "Allow", "Principal": root(THERE), "NotAction": "kms:Put*", "Resource": "*"},
    ]
    assert home_account(parse_policy({"Statement": both})) == HERE


def test_a_policy_that_is_not_known() -> None:
    assert home_account(Policy(unknown=Unknown("it is open"))) is None
