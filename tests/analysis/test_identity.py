"""What IAM policies allow, whom, and on which keys."""

from __future__ import annotations

from typing import Any

import pytest

from kms_constructs.analysis.identity import holders, identity_grants, reaches
from kms_constructs.analysis.principals import Cell, PrincipalKind, account_cells, everyone
from kms_constructs.analysis.statements import PERHAPS_THERE
from kms_constructs.model.estate import IdentityPolicy, IdentityPolicyKind, Location
from kms_constructs.model.policy import parse_policy
from kms_constructs.model.text import HoleKind, hole
from kms_constructs.model.unknown import Maybe, Unknown
from tests.strategies import HOME, KEY_ARN, key_of

APP = f"arn:aws:iam::{HOME}:role/App"
WHY = Unknown("a test says so")
OPEN_TEXT = hole(HoleKind.UNRESOLVED, "What")
WHY_OPEN = "${What} is undecided"
ANY_KEY = f"arn:aws:kms:*:{HOME}:key/*"
ALIAS = f"arn:aws:kms:us-east-1:{HOME}:alias/app"


def policy(*statements: object, **facts: Any) -> IdentityPolicy:
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


def allow(action: object = "kms:*", resource: object = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def deny(action: object = "kms:*", resource: object = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": "Deny", "Action": action, "Resource": resource, **more}


# statements, then per grant: action, resources, reaches every key, why not known
CASES: dict[str, tuple[list[object], list[tuple[str, tuple[str, ...], bool, str | None]]]] = {
    "everything": (
        [allow("*")],
        [("Decrypt", ("*",), True, None), ("PutKeyPolicy", ("*",), True, None)],
    ),
    "one action on one key": (
        [allow("KMS:decrypt", KEY_ARN)],
        [("Decrypt", (KEY_ARN,), False, None)],
    ),
    "all but one action": (
        [{"Effect": "Allow", "NotAction": "kms:Put*", "Resource": "*"}],
        [("Decrypt", ("*",), True, None)],
    ),
    "another service": ([allow("s3:*")], []),
    "an alias is no key": ([allow("kms:Decrypt", [ALIAS, "arn:aws:s3:::b"])], []),
    "an alias and a key": (
        [allow("kms:Decrypt", [ALIAS, KEY_ARN])],
        [("Decrypt", (KEY_ARN,), False, None)],
    ),
    "a variable may be any key": (
        [allow("kms:Decrypt", "arn:aws:kms:*:*:key/${aws:PrincipalTag/key}")],
        [("Decrypt", ("arn:aws:kms:*:*:key/*",), True, None)],
    ),
    "all but one key": (
        [{"Effect": "Allow", "Action": "kms:Decrypt", "NotResource": KEY_ARN}],
        [("Decrypt", ("*",), True, None)],
    ),
    "denied": ([allow(), deny()], []),
    "denied on some keys": (
        [allow("kms:Decrypt", [KEY_ARN, "arn:aws:kms:*:1:key/*"]), deny("*", "arn:aws:kms:*:1:*")],
        [("Decrypt", (KEY_ARN,), False, None)],
    ),
    "denied on fewer keys": (
        [allow("kms:Decrypt", ANY_KEY), deny("*", KEY_ARN)],
        [("Decrypt", (ANY_KEY,), True, None)],
    ),
    "denied under a condition": (
        [allow("kms:Decrypt"), deny(Condition={"Bool": {"aws:SecureTransport": "false"}})],
        [("Decrypt", ("*",), True, None)],
    ),
    "perhaps denied": ([allow("kms:Decrypt"), Maybe(deny(), "x")], [("Decrypt", ("*",), True, None)]),
    "another action denied": (
        [allow("kms:Decrypt"), deny("kms:PutKeyPolicy")],
        [("Decrypt", ("*",), True, None)],
    ),
    "a Deny by a variable": (
        [allow("kms:Decrypt", KEY_ARN), deny("*", "arn:aws:kms:*:*:key/${aws:PrincipalTag/key}")],
        [("Decrypt", (KEY_ARN,), False, None)],
    ),
    "denied on keys not known": (
        [allow("kms:Decrypt"), deny("*", WHY)],
        [("Decrypt", ("*",), True, None)],
    ),
    "denied on all but": (
        [allow("kms:Decrypt"), {"Effect": "Deny", "Action": "*", "NotResource": "arn:aws:s3:::b"}],
        [("Decrypt", ("*",), True, None)],
    ),
    "unknown resource": ([allow("kms:Decrypt", WHY)], [("Decrypt", ("*",), True, "a test says so")]),
    "unknown action": (
        [allow(WHY, KEY_ARN)],
        [
            ("Decrypt", (KEY_ARN,), False, "a test says so"),
            ("PutKeyPolicy", (KEY_ARN,), False, "a test says so"),
        ],
    ),
    "unknown effect": ([allow("kms:Decrypt", Effect=WHY)], [("Decrypt", ("*",), True, "a test says so")]),
    "perhaps": ([Maybe(allow("kms:Decrypt"), "x")], [("Decrypt", ("*",), True, PERHAPS_THERE)]),
    "an undecided action": (
        [allow(OPEN_TEXT)],
        [("Decrypt", ("*",), True, WHY_OPEN), ("PutKeyPolicy", ("*",), True, WHY_OPEN)],
    ),
    "an undecided action beside one that is decided": (
        [allow([OPEN_TEXT, "kms:Decrypt"])],
        [("Decrypt", ("*",), True, None), ("PutKeyPolicy", ("*",), True, WHY_OPEN)],
    ),
    "all but an undecided action": (
        [{"Effect": "Allow", "NotAction": [OPEN_TEXT, "kms:PutKeyPolicy"], "Resource": "*"}],
        [("Decrypt", ("*",), True, WHY_OPEN)],
    ),
}


@pytest.mark.parametrize(("statements", "expected"), CASES.values(), ids=CASES)
def test_identity_grants(
    statements: list[object], expected: list[tuple[str, tuple[str, ...], bool, str | None]]
) -> None:
    grants = identity_grants(policy(*statements), ("Decrypt", "PutKeyPolicy"))
    assert [(found.action, found.resources, found.all_keys, found.unresolved) for found in grants] == expected


def test_a_policy_that_is_not_known_allows_all() -> None:
    (grant,) = identity_grants(policy(policy=parse_policy(WHY)), ("Decrypt",))
    assert (grant.statement, grant.resources, grant.unresolved) == (None, ("*",), "a test says so")
    assert grant.label == "inline policy 'Mine'"


def test_a_boundary_allows_nothing() -> None:
    assert identity_grants(policy(allow(), kind=IdentityPolicyKind.BOUNDARY), ("Decrypt",)) == ()


def test_labels() -> None:
    (grant,) = identity_grants(policy(allow("kms:Decrypt", Sid="Use")), ("Decrypt",))
    assert grant.label == "inline policy 'Mine', Use"


ROLE = Cell(PrincipalKind.ROLE, (APP,))


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({}, (ROLE,)),
        ({"attached_to": (APP, APP)}, (ROLE,)),
        ({"attached_to": ()}, ()),
        ({"attachable": True}, (ROLE, *account_cells(HOME))),
        ({"attached_to": WHY}, everyone()),
    ],
)
def test_holders(facts: dict[str, Any], expected: tuple[Cell, ...]) -> None:
    assert holders(policy(allow(), **facts)) == expected


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        pytest.param(allow(), True, id="all"),
        pytest.param(allow("kms:*", KEY_ARN), True, id="it"),
        pytest.param(allow("kms:*", ANY_KEY), True, id="its account"),
        pytest.param(allow("kms:*", KEY_ARN[:-1]), False, id="another"),
        pytest.param(
            allow("kms:*", f"arn:aws:kms:us-east-1:{hole(HoleKind.ENVIRONMENT, 'AWS::AccountId')}:key/*"),
            Unknown(
                "whether arn:aws:kms:us-east-1:${AWS::AccountId}:key/* is this key is decided at deployment"
            ),
            id="undecided account",
        ),
        pytest.param(allow("kms:*", "arn:aws:kms:*:*:key/${aws:PrincipalTag/key}"), True, id="variable"),
        pytest.param(allow("kms:*", WHY), True, id="unknown"),
        pytest.param({"Effect": "Allow", "Action": "*", "NotResource": KEY_ARN}, False, id="all but it"),
        pytest.param(
            {"Effect": "Allow", "Action": "*", "NotResource": KEY_ARN[:-1]}, True, id="all but another"
        ),
        pytest.param({"Effect": "Allow", "Action": "*", "NotResource": WHY}, WHY, id="all but what"),
    ],
)
def test_reaches(statement: dict[str, object], expected: bool | Unknown) -> None:
    (grant,) = identity_grants(policy(statement), ("Decrypt",))
    assert reaches(grant, key_of({"Statement": []})) == expected
