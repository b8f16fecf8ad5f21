"""IAM-KMS-8 of keys that leave their use to IAM policies and declare it: what follows is a warning."""

from __future__ import annotations

from typing import Any

import pytest

from kms_constructs.guardrails.config import GuardrailConfig
from kms_constructs.guardrails.engine import judge as run
from kms_constructs.guardrails.finding import Finding, Report
from kms_constructs.model.estate import Estate, Key
from tests.guardrails.factories import ACCOUNT, ROOT, TODAY, a_key, a_policy, allow, deny, role

OTHER = "444455556666"
WRITER: dict[str, Any] = {"IAM-KMS-5": (role("Deploy"),)}
DECLARES = {**WRITER, "IAM-KMS-8": (ROOT,)}
OWN_ROOT = allow(ROOT, "kms:*", sid="Root")
NO_POLICY = deny(
    "*", "kms:PutKeyPolicy", Condition={"ArnNotEquals": {"aws:PrincipalArn": [ROOT, role("Deploy")]}}
)
NO_GRANTS = deny("*", "kms:CreateGrant", Condition={"BoolIfExists": {"kms:GrantIsForAWSResource": "false"}})
NO_MANAGING = deny(
    "*",
    "kms:EnableKey",
    "kms:TagResource",
    Condition={"ArnEquals": {"aws:PrincipalArn": role("App")}},
)
KEPT = (NO_POLICY, NO_GRANTS)


def key(*statements: object, authorised: Any = DECLARES) -> Key:
    return a_key(policy=a_policy(*statements), authorised=authorised)


def report(judged: Key, config: GuardrailConfig | None = None, **more: Any) -> Report:
    return run(Estate(keys=(judged,)), config or GuardrailConfig(), today=TODAY, **more)


def failing(judged: Key, config: GuardrailConfig | None = None, **more: Any) -> list[Finding]:
    found = report(judged, config, **more).findings
    return [one for one in found if one.control == "IAM-KMS-8" and one.fails]


WARNS: dict[str, Key] = {
    "the root statement": key(OWN_ROOT, *KEPT),
    "the account by its number": key(allow(ACCOUNT, "kms:*"), *KEPT),
    "administrators, who may be handed use": key(OWN_ROOT, allow(role("Admin"), "kms:EnableKey"), *KEPT),
    "users beside it": key(OWN_ROOT, allow(role("App"), "kms:Decrypt"), *KEPT, deny(
        "*", "kms:*Alias", "kms:CancelKeyDeletion", "kms:D*ImportedKeyMaterial", "kms:DisableKey*",
        "kms:EnableKey*", "kms:ImportKeyMaterial", "kms:PutKeyPolicy", "kms:Rep*", "kms:RotateKeyOnDemand",
        "kms:ScheduleKeyDeletion", "kms:TagResource", "kms:UntagResource", "kms:UpdateKeyDescription",
        "kms:UpdatePrimaryRegion", Condition={"ArnEquals": {"aws:PrincipalArn": role("App")}},
    )),
}  # fmt: skip


@pytest.mark.parametrize("judged", WARNS.values(), ids=WARNS)
def test_what_follows_from_the_declared_statement_is_a_warning(judged: Key) -> None:
    found = [one for one in report(judged).findings if one.control == "IAM-KMS-8"]
    assert [one.detail for one in found if one.fails] == []
    (said,) = [one for one in found if one.detail == "delegation"]
    assert "the separation of duties is given up to them" in said.message
    assert "RootAccess.ADMINISTRATION" in said.fix
    assert said.witness is not None


FAILS: dict[str, tuple[Key, str]] = {
    "nothing is declared": (key(OWN_ROOT, *KEPT, authorised=WRITER), "delegation"),
    "declared for another control": (key(OWN_ROOT, *KEPT, authorised={**WRITER, "*": (ROOT,)}), "delegation"),
    "another account is declared": (
        key(OWN_ROOT, *KEPT, authorised={**WRITER, "IAM-KMS-8": (f"arn:aws:iam::{OTHER}:root",)}),
        "delegation",
    ),
    "a role is declared": (
        key(OWN_ROOT, *KEPT, authorised={**WRITER, "IAM-KMS-8": (role("Admin"),)}),
        "delegation",
    ),
    "IAM policies give the key policy itself": (key(OWN_ROOT, NO_GRANTS), "delegation"),
    "IAM policies give grants for anyone": (key(OWN_ROOT, NO_POLICY), "delegation"),
    "the account by another statement than the root's": (
        key(allow("*", "kms:*", Condition={"StringEquals": {"kms:CallerAccount": ACCOUNT}}), *KEPT),
        "key-policy",
    ),
    "a manager who uses by the key policy": (
        key(OWN_ROOT, allow(role("Ops"), "kms:EnableKey", "kms:Decrypt"), *KEPT),
        "key-policy",
    ),
    "a manager who makes grants": (
        key(OWN_ROOT, allow(role("Ops"), "kms:EnableKey", "kms:CreateGrant"), NO_POLICY),
        "CreateGrant",
    ),
    "users who may be handed the key policy": (
        key(OWN_ROOT, allow(role("App"), "kms:Decrypt"), NO_GRANTS),
        "delegation",
    ),
}


@pytest.mark.parametrize(("judged", "detail"), FAILS.values(), ids=FAILS)
def test_everything_else_fails_as_ever(judged: Key, detail: str) -> None:
    found = report(judged).findings
    details = {one.detail for one in found if one.control == "IAM-KMS-8" and one.fails}
    assert detail in details


def test_a_declaration_that_is_refused_is_none() -> None:
    judged = key(OWN_ROOT, *KEPT)
    assert failing(judged) == []
    assert [one.detail for one in failing(judged, declarations=False)] == ["delegation"]


@pytest.mark.parametrize(
    ("may_declare", "fails"),
    [
        ({}, True),
        ({"IAM-KMS-5": ["arn:aws:iam::*:root"]}, True),
        ({"IAM-KMS-8": [f"arn:aws:iam::{OTHER}:root"]}, True),
        ({"IAM-KMS-5": [role("Deploy")], "IAM-KMS-8": ["arn:aws:iam::*:root"]}, False),
        ({"*": ["arn:aws:iam::111122223333:*"]}, False),
    ],
)
def test_what_may_be_declared_is_limited(may_declare: dict[str, list[str]], fails: bool) -> None:
    config = GuardrailConfig.from_mapping({"may-declare": may_declare})
    assert bool(failing(key(OWN_ROOT, *KEPT), config)) is fails


def test_the_declaration_is_told() -> None:
    told = [remark.text for remark in report(key(OWN_ROOT, *KEPT)).remarks]
    assert any("declares itself" in one and f"IAM-KMS-8: {ROOT}" in one for one in told), told


def test_the_configuration_may_let_it_fail() -> None:
    config = GuardrailConfig.from_mapping({"severities": {"IAM-KMS-8[delegation]": "high"}})
    assert [one.detail for one in failing(key(OWN_ROOT, *KEPT), config)] == ["delegation"]
