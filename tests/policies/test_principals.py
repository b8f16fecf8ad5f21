"""Principals: one for each spelling, and which two are one."""

from __future__ import annotations

import pytest
from aws_cdk import Aws
from aws_cdk import aws_iam as iam

from kms_constructs.policies.principals import named_principal, named_principals, overlap
from tests.cdk.keys import ADMIN, USER, new_stack

pytestmark = pytest.mark.cdk

SAME = [
    pytest.param("arn:aws:iam::111122223333:role/A", "arn:aws:iam::111122223333:role/A", id="itself"),
    pytest.param("arn:aws:iam::111122223333:role/A", "arn:aws-cn:iam::111122223333:role/A", id="partition"),
    pytest.param(
        "arn:aws:iam::111122223333:role/A",
        f"arn:{Aws.PARTITION}:iam::111122223333:role/A",
        id="partition token",
    ),
    pytest.param("arn:aws:iam::111122223333:role/A", "arn:aws:iam::111122223333:role/x/y/A", id="path"),
    pytest.param("arn:aws:iam::111122223333:user/Ann", "arn:aws:iam::111122223333:user/ANN", id="case"),
]
DIFFERENT = [
    pytest.param("arn:aws:iam::111122223333:role/A", "arn:aws:iam::111122223333:user/A", id="role and user"),
    pytest.param("arn:aws:iam::111122223333:role/A", "arn:aws:iam::444455556666:role/A", id="accounts"),
    pytest.param("arn:aws:iam::111122223333:role/A", "arn:aws:iam::111122223333:role/AB", id="names"),
    pytest.param(
        "arn:aws:iam::111122223333:role/A", f"arn:aws:iam::{Aws.ACCOUNT_ID}:role/A", id="account not known"
    ),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_one_principal_in_two_spellings(one: str, other: str) -> None:
    left, right = (named_principal("key_users", arn, where="") for arn in (one, other))
    assert left.same_as(right)
    assert overlap([left], [right]) == (left, right)
    assert [found.arn for found in named_principals("key_users", [one, other], where="")] == [one]


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_two_principals(one: str, other: str) -> None:
    left, right = (named_principal("key_users", arn, where="") for arn in (one, other))
    assert not left.same_as(right)
    assert overlap([left], [right]) is None
    assert [found.arn for found in named_principals("key_users", [one, other], where="")] == [one, other]


def test_every_form_of_a_role() -> None:
    stack = new_stack()
    service = iam.ServicePrincipal("ec2.amazonaws.com")
    forms = [
        ADMIN,
        iam.ArnPrincipal(ADMIN),
        iam.Role.from_role_arn(stack, "ByArn", ADMIN),
        iam.Role.from_role_name(stack, "ByName", "KeyAdmin"),
        iam.Role(stack, "Made", role_name="KeyAdmin", assumed_by=service),
    ]
    principals = [named_principal("key_users", form, where="") for form in forms]
    assert all(one.same_as(principals[0]) for one in principals)
    generated = named_principal("key_users", iam.Role(stack, "Generated", assumed_by=service), where="")
    assert not generated.same_as(principals[0])


def test_every_form_of_a_user() -> None:
    stack = new_stack()
    arn = "arn:aws:iam::111122223333:user/Ann"
    forms = [arn, iam.User.from_user_arn(stack, "ByArn", arn), iam.User(stack, "Made", user_name="Ann")]
    principals = [named_principal("key_users", form, where="") for form in forms]
    assert all(one.same_as(principals[0]) for one in principals)
    assert not principals[0].same_as(named_principal("key_users", USER, where=""))
