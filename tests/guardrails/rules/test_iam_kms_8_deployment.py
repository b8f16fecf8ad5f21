"""IAM-KMS-8 where whoever deploys the key uses it: through named services a warning, else a violation."""

from __future__ import annotations

from typing import Any

import pytest

from kms_constructs.guardrails.config import GuardrailConfig
from kms_constructs.guardrails.engine import judge as run
from kms_constructs.guardrails.finding import Finding, Outcome
from kms_constructs.model.estate import Estate, Key
from tests.guardrails.factories import ACCOUNT, ROOT, TODAY, a_key, allow, deny, role

DEPLOY = role("Deploy")
WRITES = allow(DEPLOY, "kms:PutKeyPolicy", "kms:TagResource")
DECLARED = {"IAM-KMS-4": (role("Admin"),), "IAM-KMS-5": (role("Admin"), DEPLOY)}
S3 = "s3.eu-west-1.amazonaws.com"
EKS = "eks.eu-west-1.amazonaws.com"


def through(value: Any, operator: str = "StringEquals") -> dict[str, Any]:
    return {"Condition": {operator: {"kms:ViaService": value}}}


def key(*statements: object, authorised: Any = DECLARED) -> Key:
    return a_key(WRITES, *statements, authorised=authorised)


def findings(judged: Key, config: GuardrailConfig | None = None) -> list[Finding]:
    report = run(Estate(keys=(judged,)), config or GuardrailConfig(), today=TODAY)
    return [
        one
        for one in report.findings
        if one.control == "IAM-KMS-8"
        and one.outcome is not Outcome.COMPLIANT
        and one.detail != "delegated-management"
    ]


USE = ("kms:Decrypt", "kms:GenerateDataKey")
NAMED: dict[str, Key] = {
    "one service": key(allow(DEPLOY, *USE, **through(S3))),
    "two": key(allow(DEPLOY, *USE, **through([S3, "rds.eu-west-1.amazonaws.com"]))),
    "two statements": key(
        allow(DEPLOY, "kms:Decrypt", **through(S3)), allow(DEPLOY, "kms:Encrypt", **through(S3))
    ),
    "StringLike that names it": key(allow(DEPLOY, *USE, **through(S3, "StringLike"))),
    "further conditions": key(
        allow(
            DEPLOY,
            *USE,
            Condition={"StringEquals": {"kms:ViaService": S3, "kms:CallerAccount": ACCOUNT}},
        )
    ),
}


@pytest.mark.parametrize("judged", NAMED.values(), ids=NAMED)
def test_through_named_services_is_a_warning(judged: Key) -> None:
    (found,) = findings(judged)
    assert (found.detail, found.outcome, found.fails) == (
        "deployment-via-service",
        Outcome.VIOLATION,
        False,
    )
    assert found.principals == (DEPLOY,)
    assert (
        f"uses it through {'rds.eu-west-1.amazonaws.com, ' if 'rds' in found.message else ''}{S3} only"
        in (found.message)
    )
    assert found.witness is not None


def test_grants_of_a_service_that_does_not_flag_its_own_are_a_warning() -> None:
    (found,) = findings(key(allow(DEPLOY, "kms:CreateGrant", **through(EKS))))
    assert (found.detail, found.fails) == ("deployment-via-service", False)
    assert f"uses it through {EKS} only" in found.message


BOTH = {"aws:PrincipalArn": [DEPLOY, role("Other")]}
FAILS: dict[str, Key] = {
    "no condition": key(allow(DEPLOY, *USE)),
    "beside a limited statement": key(
        allow(DEPLOY, "kms:Decrypt", **through(S3)), allow(DEPLOY, "kms:Encrypt")
    ),
    "any service": key(allow(DEPLOY, *USE, **through("*.amazonaws.com", "StringLike"))),
    "if it comes through one at all": key(allow(DEPLOY, *USE, **through(S3, "StringEqualsIfExists"))),
    "through all but one": key(allow(DEPLOY, *USE, **through(S3, "StringNotEquals"))),
    "for all values": key(allow(DEPLOY, *USE, **through(S3, "ForAllValues:StringEquals"))),
    "grants": key(allow(DEPLOY, "kms:CreateGrant", "kms:Decrypt", **through(S3))),
    "not declared": key(allow(DEPLOY, *USE, **through(S3)), authorised={}),
    "an administrator": key(
        allow(DEPLOY, *USE, **through(S3)), authorised={"IAM-KMS-4": (DEPLOY,), "IAM-KMS-5": (DEPLOY,)}
    ),
    "somebody else as well": key(
        allow([DEPLOY, role("Other")], *USE, **through(S3)), allow(role("Other"), "kms:TagResource")
    ),
    "a condition on something else": key(
        allow(DEPLOY, *USE, Condition={"StringEquals": {"aws:SourceVpce": "vpce-1"}})
    ),
    "a pattern of deployers": key(
        allow(DEPLOY, *USE, **through(S3)),
        authorised={"IAM-KMS-4": (role("Admin"),), "IAM-KMS-5": (role("Dep*"),)},
    ),
    "somebody beside the deployer in each condition": key(
        allow("*", "kms:TagResource", Condition={"ArnEquals": BOTH}),
        allow("*", *USE, Condition={"ArnEquals": BOTH, "StringEquals": {"kms:ViaService": S3}}),
    ),
    "the whole account": key(allow(ROOT, *USE, **through(S3))),
}


@pytest.mark.parametrize("judged", FAILS.values(), ids=FAILS)
def test_anything_else_fails(judged: Key) -> None:
    failing = [one for one in findings(judged) if one.fails]
    assert failing
    assert {one.detail for one in failing} & {"key-policy", "delegation", "CreateGrant"}


def test_the_configuration_may_name_who_deploys() -> None:
    judged = key(allow(DEPLOY, *USE, **through(S3)), authorised={})
    config = GuardrailConfig.from_mapping({"authorised": {"IAM-KMS-5": [DEPLOY]}})
    assert [one.detail for one in findings(judged, config)] == ["deployment-via-service"]


def test_a_deny_leaves_nothing_to_say() -> None:
    denied = deny("*", "kms:*", Condition={"ArnEquals": {"aws:PrincipalArn": DEPLOY}})
    assert findings(key(allow(DEPLOY, *USE, **through(S3)), denied)) == []
