"""A request that an IAM policy lets through."""

from __future__ import annotations

from typing import Any

import pytest

from kms_constructs.analysis.holders import holder_witness
from kms_constructs.analysis.identity import identity_grants
from kms_constructs.analysis.witness import Witness
from kms_constructs.model.estate import IdentityPolicy, IdentityPolicyKind, Location, Organization
from kms_constructs.model.policy import parse_policy
from kms_constructs.model.text import HoleKind, hole
from kms_constructs.model.unknown import Unknown
from tests.strategies import HOME, OTHER

APP = f"arn:aws:iam::{HOME}:role/App"
ACCOUNT = hole(HoleKind.ENVIRONMENT, "AWS::AccountId")


def policy(*statements: dict[str, Any], **facts: Any) -> IdentityPolicy:
    return IdentityPolicy(
        **{
            "id": "policy",
            "location": Location("test"),
            "name": "Mine",
            "kind": IdentityPolicyKind.INLINE,
            "policy": parse_policy({"Statement": list(statements)}),
            "attached_to": (APP,),
            "account": HOME,
            **facts,
        }
    )


def allow(resource: str = "*", action: str = "kms:Decrypt", **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def shown(caller: str = APP, action: str = "Decrypt", context: dict[str, str] | None = None) -> Witness:
    return Witness(caller, action, context or {}, needs_iam=True)


CASES: dict[str, tuple[IdentityPolicy, Witness | None]] = {
    "all keys": (policy(allow()), shown()),
    "keys by a pattern": (policy(allow(f"arn:aws:kms:eu-west-1:{HOME}:key/a*")), shown()),
    "a key that is not seen": (policy(allow(f"arn:aws:kms:eu-west-1:{HOME}:key/1")), shown()),
    "a key of another account": (policy(allow(f"arn:aws:kms:eu-west-1:{OTHER}:key/1")), shown()),
    "administration in another account": (
        policy(allow(f"arn:aws:kms:eu-west-1:{OTHER}:key/1", "kms:DisableKey")),
        None,
    ),
    "under a condition": (
        policy(allow(Condition={"StringEquals": {"kms:ViaService": "s3.eu-west-1.amazonaws.com"}})),
        shown(context={"kms:viaservice": "s3.eu-west-1.amazonaws.com"}),
    ),
    "for users with a tag, but for some": (
        policy(
            allow(Condition={"StringLike": {"aws:PrincipalTag/team": "a*"}}),
            {**allow(Condition={"Null": {"aws:PrincipalTag/kind": "true"}}), "Effect": "Deny"},
        ),
        shown(context={"aws:principaltag/team": "a*", "aws:principaltag/kind": "true"}),
    ),
    "for nobody": (policy(allow(Condition={"StringEquals": {"aws:PrincipalArn": f"{APP}2"}})), None),
    "denied in the same policy": (
        policy(allow(), {**allow(Condition={"Null": {"aws:PrincipalArn": "false"}}), "Effect": "Deny"}),
        None,
    ),
    "whoever it is attached to": (
        policy(allow(), attached_to=(), kind=IdentityPolicyKind.MANAGED, attachable=True),
        shown(f"arn:aws:iam::{HOME}:user/Example"),
    ),
    "nobody yet": (policy(allow(), attached_to=()), None),
    "a policy that is not known": (policy(policy=parse_policy(Unknown("x"))), None),
    "all but some": (
        policy({"Effect": "Allow", "Action": "kms:*", "NotResource": f"arn:aws:kms:*:{HOME}:key/x"}),
        shown(),
    ),
}


@pytest.mark.parametrize(("given", "expected"), CASES.values(), ids=CASES)
def test_what_an_iam_policy_lets_through(given: IdentityPolicy, expected: Witness | None) -> None:
    action = "DisableKey" if "DisableKey" in str(given.policy.statements) else "Decrypt"
    found = [
        holder_witness(grant, resource)
        for grant in identity_grants(given, [action])
        for resource in grant.resources[:1]
    ]
    assert [one for one in found if one is not None] == ([expected] if expected is not None else [])


def test_the_authorised_show_nothing() -> None:
    (grant,) = identity_grants(policy(allow()), ["Decrypt"])
    assert holder_witness(grant, "*", but=(APP,)) is None


def test_a_service_control_policy_that_denies_it_shows_nothing() -> None:
    (grant,) = identity_grants(policy(allow()), ["Decrypt"])
    scp = parse_policy({"Statement": {"Effect": "Deny", "Action": "kms:*", "Resource": "*"}})
    assert holder_witness(grant, "*", organization=Organization(scps=(scp,))) is None


def test_an_account_that_deployment_decides() -> None:
    role = f"arn:aws:iam::{ACCOUNT}:role/App"
    (grant,) = identity_grants(policy(allow(), attached_to=(role,), account=ACCOUNT), ["Decrypt"])
    found = holder_witness(grant, "*")
    assert found is not None
    assert (found.principal, dict(found.taken)) == (APP, {"${AWS::AccountId}": HOME})
