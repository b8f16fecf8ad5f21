"""Keys, policies and findings for the tests of the guardrails, each with one telling difference."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any, NamedTuple

from kms_constructs.guardrails.config import GuardrailConfig
from kms_constructs.guardrails.engine import judge as judge_estate
from kms_constructs.guardrails.finding import Finding, Outcome
from kms_constructs.model.estate import Estate, IdentityPolicy, IdentityPolicyKind, Key, Location, Trail
from kms_constructs.model.policy import Policy, parse_policy

ACCOUNT = "111122223333"
OTHER = "444455556666"
TODAY = date(2026, 6, 1)
ROOT = f"arn:aws:iam::{ACCOUNT}:root"
POLICY_PATH = "Properties/KeyPolicy"

V, U, C, N = Outcome.VIOLATION, Outcome.UNDETERMINED, Outcome.COMPLIANT, Outcome.NOT_APPLICABLE


def role(name: str, account: str = ACCOUNT) -> str:
    return f"arn:aws:iam::{account}:role/{name}"


def allow(principal: object, *actions: str, sid: str | None = None, **elements: object) -> dict[str, object]:
    """One Allow of a key policy on the key; `principal` is an ARN, a list, an element, or ``*``."""
    return _statement("Allow", principal, actions, sid, elements)


def deny(principal: object, *actions: str, sid: str | None = None, **elements: object) -> dict[str, object]:
    return _statement("Deny", principal, actions, sid, elements)


def _statement(
    effect: str, principal: object, actions: Iterable[str], sid: str | None, elements: Mapping[str, object]
) -> dict[str, object]:
    listed = list(actions)
    who = principal if isinstance(principal, Mapping) or principal == "*" else {"AWS": principal}
    return {
        **({"Sid": sid} if sid else {}),
        "Effect": effect,
        "Principal": who,
        "Action": listed if len(listed) != 1 else listed[0],
        "Resource": "*",
        **elements,
    }


def service(name: str) -> dict[str, str]:
    return {"Service": name}


ROOT_STATEMENT = allow(
    ROOT, "kms:DescribeKey", "kms:GetKeyPolicy", "kms:PutKeyPolicy", sid="RootAccount",
    Condition={"ArnEquals": {"aws:PrincipalArn": ROOT}},
)  # fmt: skip
"""A root statement that breaks no guardrail."""

DEPLOYER = role("Deploy")
DEPLOYS = allow(DEPLOYER, "kms:DescribeKey", "kms:PutKeyPolicy", sid="Deployment")
"""Whoever deploys a key has to be able to change its policy."""


def a_policy(*statements: object) -> Policy:
    return parse_policy({"Version": "2012-10-17", "Statement": list(statements)}, path=POLICY_PATH)


def a_key(*statements: object, policy: Policy | None = None, **changes: Any) -> Key:
    """A key that breaks no guardrail, changed as given; statements come after the root statement."""
    facts: dict[str, Any] = {
        "id": "Key",
        "location": Location("app.json", "App", "Key", "App/Key"),
        "account": ACCOUNT,
        "region": "eu-west-1",
        "policy": policy if policy is not None else a_policy(ROOT_STATEMENT, *statements),
        "rotation_enabled": True,
        "pending_window": 30,
        "deletion_policy": "RetainExceptOnCreate",
        "update_replace_policy": "Retain",
        "tags": {"environment": "prod", "kms:policy-reviewed-on": "2026-05-01"},
        "aliases": ("alias/app",),
        "referenced_outside": True,
    }
    return Key(**{**facts, **changes})


def an_iam_policy(*statements: Mapping[str, object], **changes: Any) -> IdentityPolicy:
    """An inline policy on role App, changed as given."""
    facts: dict[str, Any] = {
        "id": "AppPolicy",
        "location": Location("app.json", "App", "AppPolicy", "App/AppPolicy"),
        "name": "AppPolicy",
        "kind": IdentityPolicyKind.INLINE,
        "policy": parse_policy({"Statement": list(statements)}, path="Properties/PolicyDocument"),
        "attached_to": (role("App"),),
        "account": ACCOUNT,
    }
    return IdentityPolicy(**{**facts, **changes})


def iam_allow(action: str | list[str], resource: str | list[str], **elements: object) -> dict[str, object]:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **elements}


def a_trail(**changes: Any) -> Trail:
    facts: dict[str, Any] = {
        "id": "Trail",
        "location": Location("app.json", "App", "Trail", "App/Trail"),
        "path": "Properties/EventSelectors",
    }
    return Trail(**{**facts, **changes})


class Said(NamedTuple):
    """A finding without what all findings of a rule have in common."""

    outcome: Outcome
    detail: str
    path: str
    message: str


def said(findings: Iterable[Finding]) -> list[Said]:
    return [Said(finding.outcome, finding.detail, finding.path, finding.message) for finding in findings]


def judge(
    control: str,
    key: Key | None,
    config: GuardrailConfig | None = None,
    *,
    policies: Iterable[IdentityPolicy] = (),
    **estate: Any,
) -> tuple[Finding, ...]:
    """Every finding of one control."""
    keys = (key,) if key is not None else ()
    found = judge_estate(
        Estate(keys=keys, identity_policies=tuple(policies), **estate),
        config,
        controls=[control],
        today=TODAY,
    )
    return found.findings
