"""Whether a declared policy gives a wish already: what cannot be told is not given."""

from __future__ import annotations

from typing import Any

import pytest
from aws_cdk import CfnParameter

from kms_constructs.cdk.key.coverage import covers
from tests.cdk.keys import ACCOUNT, USER, new_stack

pytestmark = pytest.mark.cdk

DECLARED = {"Effect": "Allow", "Principal": {"AWS": USER}, "Action": "kms:Decrypt", "Resource": "*"}


def wish(**elements: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": "kms:*", "Resource": "*", **elements}


@pytest.mark.parametrize(
    ("asked", "actions", "expected"),
    [
        (wish(Principal={"AWS": USER}), ["Decrypt"], True),
        (wish(Principal={"AWS": [USER, USER]}), ["Decrypt"], True),
        (wish(Principal={"AWS": USER}), ["Decrypt", "Encrypt"], False),
        (wish(Principal={"AWS": USER}), [], False),
        (wish(Principal={"AWS": [USER, f"arn:aws:iam::{ACCOUNT}:role/Other"]}), ["Decrypt"], False),
        (wish(Principal={"AWS": ACCOUNT}), ["Decrypt"], False),
        (wish(Principal="*"), ["Decrypt"], False),
        (wish(NotPrincipal={"AWS": USER}), ["Decrypt"], False),
        (wish(), ["Decrypt"], False),
    ],
    ids=[
        "the user",
        "twice",
        "more actions",
        "nothing",
        "another as well",
        "the account",
        "everybody",
        "everybody but the user",
        "nobody",
    ],
)
def test_covers(asked: dict[str, Any], actions: list[str], expected: bool) -> None:
    assert covers([DECLARED], asked, actions, via=(), stack=new_stack()) is expected


def test_a_principal_that_deployment_decides_is_not_declared() -> None:
    stack = new_stack()
    who = CfnParameter(stack, "Who").value_as_string
    assert not covers([DECLARED], wish(Principal={"AWS": who}), ["Decrypt"], via=(), stack=stack)


ROOT = f"arn:aws:iam::{ACCOUNT}:root"
ALL = {"Effect": "Allow", "Principal": {"AWS": ROOT}, "Action": "kms:*", "Resource": "*"}
ROLES = {
    "Effect": "Allow",
    "Principal": "*",
    "Action": "kms:*",
    "Resource": "*",
    "Condition": {"ArnLike": {"aws:PrincipalArn": f"arn:aws:iam::{ACCOUNT}:role/*"}},
}


@pytest.mark.parametrize(
    ("declared", "who", "expected"),
    [
        pytest.param(ALL, ROOT, True, id="the account, which is declared"),
        pytest.param(ALL, USER, False, id="a role, to which IAM policies could give it"),
        pytest.param(ROLES, USER, True, id="one of all roles"),
        pytest.param(ROLES, ROOT, False, id="the account, of which all roles are declared"),
    ],
)
def test_an_account_and_its_roles(declared: dict[str, Any], who: str, expected: bool) -> None:
    asked = wish(Principal={"AWS": who})
    assert covers([declared], asked, ["Decrypt"], via=(), stack=new_stack()) is expected
