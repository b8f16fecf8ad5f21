"""Roles, users and principals of the CDK: one plain principal for each form."""

from __future__ import annotations

from typing import Any

import pytest
from aws_cdk import aws_iam as iam

from kms_constructs.cdk.key.principals import named_grants, named_principal, named_principals
from kms_constructs.errors import ArgumentError
from kms_constructs.policies import principals as plain
from kms_constructs.policies.direct_grant import DirectGrant
from tests.cdk.keys import ACCOUNT, ADMIN, USER, new_stack

pytestmark = pytest.mark.cdk


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
    assert len(named_principals("key_users", forms, where="", account=ACCOUNT)) == 1
    generated = named_principal("key_users", iam.Role(stack, "Generated", assumed_by=service), where="")
    assert not generated.same_as(principals[0])


def test_every_form_of_a_user() -> None:
    stack = new_stack()
    arn = "arn:aws:iam::111122223333:user/Ann"
    forms = [arn, iam.User.from_user_arn(stack, "ByArn", arn), iam.User(stack, "Made", user_name="Ann")]
    principals = [named_principal("key_users", form, where="") for form in forms]
    assert all(one.same_as(principals[0]) for one in principals)
    assert not principals[0].same_as(named_principal("key_users", USER, where=""))


def test_a_role_that_was_asked_for_its_arn_alone_still_gets_its_name() -> None:
    """Presets ask by duck type, and may come first."""
    role = iam.Role(new_stack(), "Made", role_name="KeyAdmin", assumed_by=iam.AccountPrincipal(ACCOUNT))
    by_arn = plain.named_principal("principals", role, where="")
    admin = named_principal("key_administrators", ADMIN, where="")

    assert not by_arn.same_as(admin)
    assert named_principal("key_users", role, where="").same_as(admin)


REFUSED: list[Any] = [
    pytest.param(iam.StarPrincipal(), "a wildcard is not allowed", id="star"),
    pytest.param(iam.AnyPrincipal(), "a wildcard is not allowed", id="any"),
    pytest.param(iam.AccountPrincipal(ACCOUNT), "the account root principal stands for", id="account"),
    pytest.param(iam.AccountRootPrincipal(), "the account root principal stands for", id="root"),
    pytest.param(iam.ServicePrincipal("sns.amazonaws.com"), "an AWS service is no key user", id="service"),
    pytest.param(iam.OrganizationPrincipal("o-abcdefghij"), "a principal is a role or a user", id="org"),
]


@pytest.mark.parametrize(("value", "rule"), REFUSED)
def test_what_is_no_role_or_user_is_refused(value: Any, rule: str) -> None:
    with pytest.raises(ArgumentError) as refused:
        named_principal("key_users", value, where="Stack/Key")
    assert refused.value.rule.startswith(rule)
    assert (refused.value.argument, refused.value.where) == ("key_users", "Stack/Key")


def test_grants_get_plain_principals_and_what_is_no_grant_is_left_to_its_check() -> None:
    stack = new_stack()
    setup = iam.Role.from_role_arn(stack, "Setup", ADMIN)
    grant = DirectGrant(USER, ["Decrypt"], created_by=[setup], retiring_principal=iam.ArnPrincipal(USER))

    named = named_grants([grant, "no grant"], where="")
    user, admin = (plain.named_principal("", arn, where="") for arn in (USER, ADMIN))

    assert named == [
        DirectGrant(user, ["Decrypt"], created_by=[admin], retiring_principal=user),
        "no grant",
    ]
    assert named_grants("text", where="") == "text"
    assert named_grants(grant, where="") is grant
    assert named_grants(7, where="") == 7
