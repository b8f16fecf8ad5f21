"""The access matrix: rows, what each may do, and by which statements."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from kms_constructs.analysis.access import (
    Access,
    AccessMatrix,
    Capability,
    MatrixCell,
    capabilities_of,
)
from kms_constructs.analysis.reach import reach_of
from kms_constructs.analysis.within import EstateAccess
from kms_constructs.model.estate import Estate, Grant, IdentityPolicy, IdentityPolicyKind, Key, Location
from kms_constructs.model.policy import parse_policy
from kms_constructs.model.unknown import Unknown
from tests.strategies import HOME, KEY_ARN, key_of

ADMIN = f"arn:aws:iam::{HOME}:role/Admin"
APP = f"arn:aws:iam::{HOME}:role/App"
ROOT_USER = f"the root user of account {HOME}"
REST = f"any principal of account {HOME}"
WHY = Unknown("a test says so")


def access_matrix(key: Key, policies: Iterable[IdentityPolicy] = ()) -> AccessMatrix:
    return EstateAccess(Estate(keys=(key,), identity_policies=tuple(policies))).matrix(key)


SERVICES_ONLY = {"Bool": {"kms:GrantIsForAWSResource": "true"}}


def allow(principal: object, action: object, sid: str, **more: Any) -> dict[str, Any]:
    return {"Sid": sid, "Effect": "Allow", "Principal": principal, "Action": action, "Resource": "*", **more}


def iam(action: object, resource: object = "*", **facts: Any) -> IdentityPolicy:
    condition = facts.pop("condition", {})
    statement = {
        "Sid": "Mine",
        "Effect": "Allow",
        "Action": action,
        "Resource": resource,
        "Condition": condition,
    }
    return IdentityPolicy(
        **{
            "id": "policy",
            "location": Location("test"),
            "name": "Ops",
            "kind": IdentityPolicyKind.MANAGED,
            "policy": parse_policy({"Statement": statement}),
            "attached_to": (APP,),
            "account": HOME,
            **facts,
        }
    )


def told(key: Key, *policies: IdentityPolicy) -> dict[str, dict[str, str]]:
    """Principal, capability, access; what is denied left out."""
    return {
        row.principal: {
            capability.value: cell.access.value
            for capability, cell in row.cells.items()
            if cell.access is not Access.DENIED
        }
        for row in access_matrix(key, policies).rows
    }


root = allow({"AWS": f"arn:aws:iam::{HOME}:root"}, "kms:*", "Root")
puts = allow({"AWS": ADMIN}, "kms:PutKeyPolicy", "Admin")
deny = {
    "Effect": "Deny",
    "Principal": "*",
    "Action": "kms:*",
    "Resource": "*",
    "Condition": {"ArnNotEquals": {"aws:PrincipalArn": ADMIN}},
}
DEFAULT = dict.fromkeys(
    (
        *("read", "manage", "disable", "schedule deletion", "put policy", "rotation off", "create grant"),
        *("encrypt", "decrypt"),
    ),
    "allowed",
)

CASES: dict[str, tuple[list[dict[str, Any]], dict[str, dict[str, str]]]] = {
    "nobody": ([], {}),
    "the account": ([root], {ROOT_USER: DEFAULT, REST: dict.fromkeys(DEFAULT, "delegated")}),
    "a role": ([puts], {ADMIN: {"put policy": "allowed"}}),
    "two roles": (
        [puts, allow({"AWS": APP}, ["kms:Decrypt", "kms:DescribeKey"], "Use")],
        {ADMIN: {"put policy": "allowed"}, APP: {"read": "allowed", "decrypt": "allowed"}},
    ),
    "through a service": (
        [allow({"AWS": APP}, "kms:Decrypt", "Use", Condition={"StringEquals": {"kms:ViaService": "s3"}})],
        {APP: {"decrypt": "conditional"}},
    ),
    "grants for services": (
        [allow({"AWS": APP}, "kms:CreateGrant", "Use", Condition=SERVICES_ONLY)],
        {APP: {"create grant": "conditional"}},
    ),
    "direct grants": ([allow({"AWS": APP}, "kms:CreateGrant", "Use")], {APP: {"create grant": "allowed"}}),
    "unknown": (
        [allow({"AWS": APP}, WHY, "Use")],
        {APP: dict.fromkeys(DEFAULT, "unknown")},
    ),
    "denied but to one": (
        [root, puts, deny],
        {ADMIN: {**dict.fromkeys(DEFAULT, "delegated"), "put policy": "allowed"}},
    ),
    "a role has what anyone has": (
        [puts, allow("*", "kms:Decrypt", "Open")],
        {
            ADMIN: {"put policy": "allowed", "decrypt": "allowed"},
            "the root user of any account": {"decrypt": "allowed"},
            "any principal of any account, any AWS service": {"decrypt": "allowed"},
        },
    ),
}


@pytest.mark.parametrize(("statements", "expected"), CASES.values(), ids=CASES)
def test_matrix(statements: list[dict[str, Any]], expected: dict[str, dict[str, str]]) -> None:
    assert told(key_of({"Statement": statements})) == expected


def test_a_cell_names_statements_and_conditions() -> None:
    condition = {"StringLike": {"kms:ViaService": ["s3.*", "rds.*"]}, "Bool": {"aws:SecureTransport": WHY}}
    key = key_of({"Statement": [allow({"AWS": APP}, "kms:Decrypt", "Use", Condition=condition)]})
    row = access_matrix(key).row(APP)
    assert row is not None
    assert row.kind == "role"
    assert row.cells[Capability.DECRYPT] == MatrixCell(
        Access.CONDITIONAL,
        ("Use",),
        ("kms:ViaService StringLike s3.*, rds.*", "aws:SecureTransport Bool not resolved: a test says so"),
    )
    assert row.cells[Capability.ENCRYPT] == MatrixCell(Access.DENIED)
    assert access_matrix(key).row("nobody") is None


def test_grants_for_services_say_so() -> None:
    key = key_of({"Statement": [allow({"AWS": APP}, "kms:CreateGrant", "Use", Condition=SERVICES_ONLY)]})
    row = access_matrix(key).row(APP)
    assert row is not None
    assert row.cells[Capability.CREATE_GRANT] == MatrixCell(
        Access.CONDITIONAL, ("Use",), ("kms:GrantIsForAWSResource Bool true",)
    )


@pytest.mark.parametrize(
    ("operator", "expected"),
    [
        pytest.param(
            "BoolIfExists",
            MatrixCell(Access.CONDITIONAL, ("Use",), ("only for AWS services (kms:GrantIsForAWSResource)",)),
            id="whether the request carries the key or not",
        ),
        pytest.param(
            "Bool", MatrixCell(Access.ALLOWED, ("Use",)), id="a request without the key is not denied"
        ),
    ],
)
def test_a_deny_on_direct_grants_makes_them_conditional(operator: str, expected: MatrixCell) -> None:
    no_direct = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "kms:CreateGrant",
        "Resource": "*",
        "Condition": {operator: {"kms:GrantIsForAWSResource": "false"}},
    }
    row = access_matrix(
        key_of({"Statement": [allow({"AWS": APP}, "kms:CreateGrant", "Use"), no_direct]})
    ).row(APP)
    assert row is not None
    assert row.cells[Capability.CREATE_GRANT] == expected


def test_a_grant_makes_a_row() -> None:
    key = key_of({"Statement": []}, grants=(Grant(APP, ("Decrypt",), name="reports"),))
    row = access_matrix(key).row(APP)
    assert row is not None
    assert row.cells[Capability.DECRYPT] == MatrixCell(Access.ALLOWED, ("grant 'reports'",))


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        pytest.param(iam("kms:Decrypt"), {"decrypt": "allowed"}, id="all keys"),
        pytest.param(iam("kms:Decrypt", KEY_ARN), {"decrypt": "allowed"}, id="this key"),
        pytest.param(iam("kms:Decrypt", KEY_ARN[:-1]), None, id="another key"),
        pytest.param(
            iam("kms:Decrypt", condition={"Bool": {"aws:MultiFactorAuthPresent": "true"}}),
            {"decrypt": "conditional"},
            id="conditional",
        ),
        pytest.param(iam(WHY), dict.fromkeys(DEFAULT, "unknown"), id="unknown"),
        pytest.param(iam("kms:Decrypt", attached_to=()), None, id="attached to nobody"),
        pytest.param(iam("kms:Decrypt", attached_to=WHY), None, id="attached to whom"),
    ],
)
def test_iam_policies_of_the_estate(policy: IdentityPolicy, expected: dict[str, str] | None) -> None:
    found = told(key_of({"Statement": [root]}), policy)
    assert found.get(APP) == expected
    assert found[REST] == dict.fromkeys(DEFAULT, "delegated")


def test_what_iam_gives_adds_to_what_the_key_policy_gives() -> None:
    statements = [root, allow({"AWS": APP}, "kms:Encrypt", "Use")]
    matrix = access_matrix(key_of({"Statement": statements}), [iam("kms:Decrypt")])
    row = matrix.row(APP)
    assert row is not None
    assert {name: cell for name, cell in row.cells.items() if cell.access is not Access.DENIED} == {
        Capability.ENCRYPT: MatrixCell(Access.ALLOWED, ("Use",)),
        Capability.DECRYPT: MatrixCell(Access.ALLOWED, ("statement 'Root' → managed policy 'Ops', Mine",)),
    }
    assert [row.principal for row in matrix.rows].count(APP) == 1


GENERAL = (
    Capability.READ,
    Capability.MANAGE,
    Capability.DISABLE,
    Capability.SCHEDULE_DELETION,
    Capability.PUT_POLICY,
    Capability.ROTATION_OFF,
    Capability.CREATE_GRANT,
)


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({}, (*GENERAL, Capability.ENCRYPT, Capability.DECRYPT)),
        ({"key_usage": "SIGN_VERIFY"}, (*GENERAL, Capability.SIGN, Capability.VERIFY)),
        (
            {"origin": "EXTERNAL"},
            (
                *GENERAL[:4],
                Capability.DELETE_MATERIAL,
                Capability.IMPORT,
                *GENERAL[4:],
                Capability.ENCRYPT,
                Capability.DECRYPT,
            ),
        ),
        (
            {"multi_region": WHY, "key_usage": "KEY_AGREEMENT"},
            (*GENERAL[:6], Capability.REPLICATE, Capability.CREATE_GRANT, Capability.AGREE),
        ),
        (
            {"key_usage": WHY},
            (
                *GENERAL,
                Capability.ENCRYPT,
                Capability.DECRYPT,
                Capability.SIGN,
                Capability.VERIFY,
                Capability.GENERATE_MAC,
                Capability.VERIFY_MAC,
                Capability.AGREE,
                Capability.ENCAPSULATE,
                Capability.DECAPSULATE,
            ),
        ),
    ],
)
def test_capabilities_fit_the_key(facts: dict[str, Any], expected: tuple[Capability, ...]) -> None:
    assert capabilities_of(key_of({"Statement": []}, **facts)) == expected


def test_who_can() -> None:
    key = key_of({"Statement": [root, puts, puts]})
    parts = reach_of(key, "PutKeyPolicy").contributions
    assert list(dict.fromkeys(part.principals for part in parts)) == [REST, ADMIN]


def test_the_conditions_of_two_statements_are_alternatives() -> None:
    via = {
        "StringEquals": {"kms:ViaService": "s3.eu-west-1.amazonaws.com"},
        "Bool": {"aws:SecureTransport": "true"},
    }
    account = {"StringEquals": {"kms:EncryptionContext:app": "orders"}}
    key = key_of(
        {
            "Statement": [
                allow({"AWS": APP}, "kms:Decrypt", "One", Condition=via),
                allow({"AWS": APP}, "kms:Decrypt", "Two", Condition=account),
            ]
        }
    )
    row = access_matrix(key).row(APP)
    assert row is not None
    assert row.cells[Capability.DECRYPT].alternatives == (
        ("kms:ViaService StringEquals s3.eu-west-1.amazonaws.com", "aws:SecureTransport Bool true"),
        ("kms:EncryptionContext:app StringEquals orders",),
    )


@pytest.mark.parametrize("partition", ["aws-cn", "aws-us-gov", "aws-eusc"])
def test_principals_are_called_as_they_are_in_their_partition(partition: str) -> None:
    ops = f"arn:{partition}:iam::{HOME}:role/Ops"
    document = {
        "Effect": "Allow",
        "Principal": {"AWS": [ops, HOME]},
        "Action": "kms:PutKeyPolicy",
        "Resource": "*",
    }
    key = key_of({"Statement": document}, partition=partition)
    assert {row.principal for row in access_matrix(key).rows} == {
        ops,
        f"the root user of account {HOME}",
        f"any principal of account {HOME}",
    }
    assert (
        EstateAccess(Estate(keys=(key,))).row(key, ops).cells[Capability.PUT_POLICY].access is Access.ALLOWED
    )
    assert (
        EstateAccess(Estate(keys=(key,)))
        .row(key, ops.replace(partition, "aws"))
        .cells[Capability.PUT_POLICY]
        .access
        is Access.DENIED
    )
