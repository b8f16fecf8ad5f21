"""Requests that show what a region says."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings

from kms_constructs.analysis.contribution import Contribution
from kms_constructs.analysis.evaluate import Request, evaluate
from kms_constructs.analysis.principals import Cell, PrincipalKind
from kms_constructs.analysis.reach import reach_of
from kms_constructs.analysis.witness import Witness, refusal, witness
from kms_constructs.model.estate import Organization
from kms_constructs.model.policy import parse_policy
from kms_constructs.model.text import HoleKind, hole
from tests import strategies as world
from tests.strategies import HOME, OTHER, key_of

few = settings(max_examples=settings.default.max_examples // 4)
APP = f"arn:aws:iam::{HOME}:role/App"
ROOT = f"arn:aws:iam::{HOME}:root"
ACCOUNT = hole(HoleKind.ENVIRONMENT, "AWS::AccountId")
P = hole(HoleKind.UNRESOLVED, "Admin")


def allow(principal: object, *actions: str, **more: Any) -> dict[str, Any]:
    who = principal if principal == "*" or isinstance(principal, dict) else {"AWS": principal}
    return {"Effect": "Allow", "Principal": who, "Action": list(actions), "Resource": "*", **more}


def deny(*actions: str, **more: Any) -> dict[str, Any]:
    return {"Effect": "Deny", "Principal": "*", "Action": list(actions), "Resource": "*", **more}


def when(operator: str, key: str, *values: str) -> dict[str, Any]:
    return {"Condition": {operator: {key: list(values)}}}


def like(*patterns: str) -> dict[str, Any]:
    return when("ArnLike", "aws:PrincipalArn", *patterns)


# statements, action, what is not counted, and the witness as a person reads it
CASES: dict[str, tuple[list[object], str, tuple[str, ...], str]] = {
    "a role": ([allow(APP, "kms:Decrypt")], "Decrypt", (), f"{APP} may call kms:Decrypt"),
    "the account, without its root user": (
        [allow(ROOT, "kms:*")],
        "DisableKey",
        (ROOT,),
        f"arn:aws:iam::{HOME}:user/Example may call kms:DisableKey, given an IAM policy that allows it",
    ),
    "the root user": (
        [allow(ROOT, "kms:*", **like(ROOT))],
        "DisableKey",
        (),
        f"{ROOT} may call kms:DisableKey",
    ),
    "a pattern": (
        [allow(ROOT, "kms:*", **like(f"arn:aws:iam::{HOME}:role/ops-?"))],
        "DisableKey",
        (),
        f"arn:aws:iam::{HOME}:role/ops-x may call kms:DisableKey, given an IAM policy that allows it",
    ),
    "two patterns at once": (
        [
            allow(
                ROOT,
                "kms:*",
                Condition={
                    "ArnLike": {"aws:PrincipalArn": f"arn:aws:iam::{HOME}:role/*-ops"},
                    "StringLike": {"aws:PrincipalArn": f"arn:aws:iam::{HOME}:role/prod*"},
                },
            )
        ],
        "DisableKey",
        (),
        f"arn:aws:iam::{HOME}:role/prod-ops may call kms:DisableKey, given an IAM policy that allows it",
    ),
    "a condition of the Allow": (
        [allow(APP, "kms:Decrypt", **when("StringEquals", "kms:ViaService", "s3.us-east-1.amazonaws.com"))],
        "Decrypt",
        (),
        f"{APP} may call kms:Decrypt with kms:viaservice=s3.us-east-1.amazonaws.com",
    ),
    "a condition of a Deny, which is escaped": (
        [
            allow(APP, "kms:Decrypt"),
            deny("kms:Decrypt", **when("StringNotEquals", "aws:SourceVpce", "vpce-1")),
        ],
        "Decrypt",
        (),
        f"{APP} may call kms:Decrypt with aws:sourcevpce=vpce-1",
    ),
    "several at once": (
        [
            allow(APP, "kms:Decrypt", **when("IpAddress", "aws:SourceIp", "10.0.0.0/8")),
            deny("kms:Decrypt", **when("DateGreaterThan", "aws:CurrentTime", "2020-01-01T00:00:00Z")),
            deny("kms:Decrypt", **when("Bool", "aws:SecureTransport", "true")),
        ],
        "Decrypt",
        (),
        f"{APP} may call kms:Decrypt with aws:currenttime=2020-01-01T00:00:00Z, aws:securetransport=false, "
        "aws:sourceip=10.0.0.0",
    ),
    "another account": (
        [allow(f"arn:aws:iam::{OTHER}:root", "kms:Decrypt", **like("arn:aws:iam::*:role/App"))],
        "Decrypt",
        (f"arn:aws:iam::{OTHER}:root",),
        f"arn:aws:iam::{OTHER}:role/App may call kms:Decrypt, given an IAM policy that allows it",
    ),
    "a service": (
        [allow({"Service": "logs.amazonaws.com"}, "kms:Decrypt")],
        "Decrypt",
        (),
        "logs.amazonaws.com may call kms:Decrypt",
    ),
    "an account that deployment decides": (
        [allow(f"arn:aws:iam::{ACCOUNT}:role/App", "kms:Decrypt")],
        "Decrypt",
        (),
        f"{APP} may call kms:Decrypt (taking ${{AWS::AccountId}} for {HOME})",
    ),
    "a principal that is not known": (
        [allow(P, "kms:Decrypt")],
        "Decrypt",
        (),
        f"arn:aws:iam::{HOME}:role/Admin may call kms:Decrypt "
        f"(taking ${{Admin}} for arn:aws:iam::{HOME}:role/Admin)",
    ),
}


@pytest.mark.parametrize(("statements", "action", "but", "line"), CASES.values(), ids=CASES)
def test_witnesses(statements: list[object], action: str, but: tuple[str, ...], line: str) -> None:
    open_ = any(ACCOUNT in str(statement) for statement in statements)
    key = key_of({"Statement": statements}, **({"account": ACCOUNT} if open_ else {}))
    found = [witness(part, key, action, but=but) for part in reach_of(key, action).escapes(but)]
    assert line in [one.describe() for one in found if one is not None]


def test_a_key_lies_in_an_account_that_may_change_its_policy() -> None:
    account = hole(HoleKind.ENVIRONMENT, "AWS::AccountId")
    theirs = f"arn:aws:iam::{OTHER}:root"
    key = key_of({"Statement": [allow(theirs, "kms:*")]}, account=account)
    (part,) = reach_of(key, "DisableKey").escapes((theirs,))
    found = witness(part, key, "DisableKey", but=(theirs,))
    assert found is not None
    assert found.principal == f"arn:aws:iam::{OTHER}:user/Example"
    elsewhere = key_of(
        {"Statement": [allow(theirs, "kms:DisableKey"), allow(ROOT, "kms:PutKeyPolicy")]}, account=account
    )
    (part,) = reach_of(elsewhere, "DisableKey").contributions
    assert witness(part, elsewhere, "DisableKey") is None


def test_there_is_none_where_every_request_is_denied() -> None:
    # Both Denies together hit every request, which no region knows.
    key = key_of(
        {
            "Statement": [
                allow(APP, "kms:Decrypt"),
                *(deny("kms:Decrypt", **when("Bool", "aws:ViaAWSService", value)) for value in ("true",)),
                deny("kms:Decrypt", **when("BoolIfExists", "aws:ViaAWSService", "false")),
            ]
        }
    )
    (part,) = reach_of(key, "Decrypt").contributions
    assert witness(part, key, "Decrypt") is None


def test_what_is_known_of_the_request_is_kept_to() -> None:
    key = key_of({"Statement": [allow(APP, "kms:CreateGrant")]})
    asked = key_of(
        {
            "Statement": [
                allow(APP, "kms:CreateGrant", **when("Bool", "kms:GrantIsForAWSResource", "true")),
            ]
        }
    )
    (part,) = reach_of(key, "CreateGrant").contributions
    assert witness(part, asked, "CreateGrant", known={"kms:grantisforawsresource": None}) is None
    found = witness(part, asked, "CreateGrant")
    assert found is not None
    assert found.context == {"kms:grantisforawsresource": "true"}


def test_a_refusal() -> None:
    policy = parse_policy({"Statement": [deny("kms:PutKeyPolicy")]})
    key = key_of({"Statement": [allow(ROOT, "kms:PutKeyPolicy")]})
    assert refusal(ROOT, "PutKeyPolicy", key) is None
    found = refusal(ROOT, "PutKeyPolicy", key, organization=Organization(scps=(policy,)))
    assert found == Witness(ROOT, "PutKeyPolicy", allowed=False)
    assert found.describe() == f"{ROOT} may not call kms:PutKeyPolicy"


def test_a_refusal_in_circumstances_that_nobody_foresees() -> None:
    by_address = deny("kms:PutKeyPolicy", **when("IpAddress", "aws:SourceIp", "203.0.113.0/24"))
    key = key_of({"Statement": [allow(ROOT, "kms:PutKeyPolicy"), by_address]})
    assert refusal(ROOT, "PutKeyPolicy", key) is None
    found = refusal(ROOT, "PutKeyPolicy", key, unforeseen={"aws:sourceip"})
    assert found is not None
    assert found.context == {"aws:sourceip": "203.0.113.0"}


@few
@given(document=world.documents(), scp=world.organization_documents)
def test_a_witness_is_what_the_evaluator_says(document: dict[str, Any], scp: dict[str, Any]) -> None:
    key = world.key_of(document)
    organization = Organization(scps=(parse_policy(scp),))
    for action in ("Decrypt", "PutKeyPolicy", "CreateGrant"):
        for part in reach_of(key, action, scps=organization.scps).contributions:
            found = witness(part, key, action, organization=organization)
            if found is None:
                continue
            request = Request(
                principal=found.principal,
                action=action,
                context={"aws:requestedregion": "us-east-1", **found.context},
            )
            identity = [parse_policy(world.EVERYTHING)] if found.needs_iam else []
            decision = evaluate(request, key, identity_policies=identity, scps=organization.scps)
            assert decision.allowed, (found, document)
            if found.needs_iam:
                assert not evaluate(request, key, scps=organization.scps).allowed


@pytest.mark.parametrize(("nameless", "found"), [(0, True), (256, True), (257, False)])
def test_thousands_of_sets_without_a_name_are_not_searched(nameless: int, found: bool) -> None:
    """A hostile condition has thousands of patterns that no user matches, and each is searched to its end."""
    user = f"arn:aws:iam::{HOME}:user/App"
    allow = {"Effect": "Allow", "Principal": {"AWS": user}, "Action": "kms:Decrypt", "Resource": "*"}
    key = key_of({"Statement": allow})
    (part,) = reach_of(key, "Decrypt").contributions
    none = Cell(PrincipalKind.USER, (f"arn:aws:iam::{HOME}:user/*", "arn:aws:iam::*:role/*x*"))
    cells = (*[none] * nameless, *part.cells)
    seen = witness(Contribution(cells, part.statement), key, "Decrypt")
    assert (seen is not None and seen.principal == user) is found
