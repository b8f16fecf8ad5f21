"""Principals: one for each spelling, and which two are one."""

from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import pytest

from kms_constructs.errors import ArgumentError
from kms_constructs.policies.principals import named_principal, named_principals, overlap

USER = "arn:aws:iam::111122223333:role/App"
PARTITION, ANY_ACCOUNT = "${Token[AWS.Partition.3]}", "${Token[AWS.AccountId.4]}"

SAME = [
    pytest.param("arn:aws:iam::111122223333:role/A", "arn:aws:iam::111122223333:role/A", id="itself"),
    pytest.param("arn:aws:iam::111122223333:role/A", "arn:aws-cn:iam::111122223333:role/A", id="partition"),
    pytest.param(
        "arn:aws:iam::111122223333:role/A",
        f"arn:{PARTITION}:iam::111122223333:role/A",
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
        "arn:aws:iam::111122223333:role/A", f"arn:aws:iam::{ANY_ACCOUNT}:role/A", id="account not known"
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


@dataclass
class Person:
    """What has the attributes of a role or a user, and is none of the CDK's."""

    role_arn: str | None = None
    user_arn: str | None = None
    arn: str | None = None


@pytest.mark.parametrize("attribute", ["role_arn", "user_arn", "arn"])
def test_an_object_is_asked_for_its_arn(attribute: str) -> None:
    named = named_principal("key_users", Person(**{attribute: USER}), where="")

    assert named == named_principal("key_users", USER, where="")
    assert named_principal("key_users", named, where="") is named


DUCKS: list[Any] = [
    pytest.param(SimpleNamespace(account_id="111122223333"), "the account root principal", id="account"),
    pytest.param(SimpleNamespace(service="sns.amazonaws.com"), "an AWS service is no key user", id="service"),
    pytest.param(SimpleNamespace(arn="*"), "a wildcard is not allowed", id="any"),
    pytest.param(SimpleNamespace(role_arn=7), "a principal is a role or a user", id="no text"),
    pytest.param([USER], "a principal is a role or a user", id="list"),
    pytest.param(None, "a principal is a role or a user", id="None"),
]


@pytest.mark.parametrize(("value", "rule"), DUCKS)
def test_an_object_that_is_no_role_or_user_is_refused(value: Any, rule: str) -> None:
    with pytest.raises(ArgumentError) as refused:
        named_principal("key_users", value, where="")
    assert refused.value.rule.startswith(rule)
