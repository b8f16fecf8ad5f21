"""The one declaration of the arguments: signature, documentation, and that a replica has all of them."""

from __future__ import annotations

import inspect
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from typing import Any, get_type_hints

import pytest
from aws_cdk import App, Environment, RemovalPolicy, Stack
from aws_cdk.assertions import Template

from kms_constructs import ExternalAccess, KeyArguments, RootAccess, ServiceAccess
from kms_constructs.cdk.key.key_arguments import (
    ARGUMENTS,
    DEFAULTS,
    OF_ONE_KEY,
    PRINCIPAL_ARGUMENTS,
    SHARED_ARGUMENTS,
    ReplicaKeyArguments,
    described,
)
from kms_constructs.cdk.key.replica import SecureKmsReplicaKey
from kms_constructs.cdk.key.replica_plan import ReplicaConfig
from kms_constructs.cdk.key.secure_key import SecureKmsKey
from kms_constructs.errors import ArgumentError
from tests.cdk.keys import ACCOUNT, ADMIN, DEPLOY, RESCUE, USER, new_key, new_stack

pytestmark = pytest.mark.cdk

HOME, EUROPE = "us-east-1", "eu-west-1"
PRIMARY_ARN = f"arn:aws:kms:{HOME}:{ACCOUNT}:key/mrk-1234abcd12ab34cd56ef1234567890ab"
TODAY = datetime.now(UTC).date()
REQUIRED: dict[str, Any] = {
    "alias": "dev/key",
    "description": "Data of the tests",
    "key_administrators": [ADMIN],
    "environment": "dev",
    "service": "lake",
    "data_classification": "internal",
}
ONLY_OF_A_PRIMARY = {"rotation_period", "multi_region", "replica_regions"}
KINDS = [
    pytest.param(SecureKmsKey, set(ARGUMENTS), id="key"),
    pytest.param(SecureKmsReplicaKey, {*SHARED_ARGUMENTS, "primary_key_arn"}, id="replica"),
]


# The declaration


def test_what_is_required() -> None:
    assert KeyArguments.__required_keys__ == set(REQUIRED)
    assert ReplicaKeyArguments.__required_keys__ == {*REQUIRED, "primary_key_arn"}


def test_what_a_replica_cannot_have() -> None:
    assert set(ARGUMENTS) - set(SHARED_ARGUMENTS) == ONLY_OF_A_PRIMARY
    assert set(SHARED_ARGUMENTS) <= set(ARGUMENTS)


def test_whatever_may_be_left_out_has_a_default() -> None:
    assert set(DEFAULTS) == KeyArguments.__optional_keys__ | {"key_administrators"}


def test_every_argument_is_documented_and_nothing_else_is() -> None:
    documents = described(KeyArguments)

    assert set(documents) == set(ARGUMENTS)
    assert [name for name, text in documents.items() if not text.endswith(".")] == []


def test_arguments_that_name_principals_are_known_by_their_type() -> None:
    assert set(PRINCIPAL_ARGUMENTS) == {
        "key_administrators",
        "break_glass_principals",
        "deployment_principals",
        "key_users",
        "encrypt_only_users",
        "decrypt_only_users",
        "key_material_importers",
    }


def test_a_replica_config_has_arguments_of_the_key_with_their_types() -> None:
    """None stands for what the primary key has."""
    own = {"region", "aliases", "stack_name", "made_elsewhere"}
    types = get_type_hints(ReplicaConfig)
    named = {one.name for one in fields(ReplicaConfig)} - {"_"} - own

    assert named <= set(SHARED_ARGUMENTS)
    assert {name: types[name] for name in named} == {name: SHARED_ARGUMENTS[name] | None for name in named}
    assert all(one.default is None for one in fields(ReplicaConfig) if one.name in named)


# What people see


@pytest.mark.parametrize(("construct", "names"), KINDS)
def test_signature_and_documentation_name_every_argument(construct: Any, names: set[str]) -> None:
    init = construct.__init__
    parameters = inspect.signature(init).parameters
    keywords = {name: one for name, one in parameters.items() if one.kind is one.KEYWORD_ONLY}
    left_out = {name for name, one in keywords.items() if one.default is one.empty}

    assert list(parameters)[:3] == ["self", "scope", "construct_id"]
    assert set(keywords) == names
    assert left_out == names & {*REQUIRED, "primary_key_arn"}
    assert {name: one.default for name, one in keywords.items() if name not in left_out} == {
        name: DEFAULTS[name] for name in names - left_out
    }
    for name, text in described(KeyArguments, ReplicaKeyArguments).items():
        assert (f"            {name}: {text}\n" in init.__doc__) == (name in names)
    assert "**arguments" not in init.__doc__


def test_help_explains_the_key_and_not_the_one_of_the_cdk() -> None:
    import pydoc

    text = pydoc.plain(pydoc.render_doc(SecureKmsKey))

    assert "key_administrators: Who manages the key and may not use it" in text
    assert "__init__(self, scope: 'Construct', construct_id: 'str', *, alias: str," in text


@pytest.mark.parametrize("use", ["decrypt", "encrypt_decrypt", "verify_mac"])
def test_the_grants_are_methods_with_names_and_documentation(use: str) -> None:
    key = new_key(new_stack())
    method, of_grants = getattr(type(key), f"grant_{use}"), getattr(type(key.grants), use)

    assert method.__qualname__ == f"HardenedKey.grant_{use}"
    assert of_grants.__qualname__ == f"SealedGrants.{use}"
    assert method.__doc__.startswith("Lets a principal of the same stack ")


WRONG: list[Any] = [
    pytest.param(
        {"key_user": [USER]}, "an unexpected keyword argument 'key_user'. Did you mean 'key_users'?"
    ),
    pytest.param({"colour": "red"}, "got an unexpected keyword argument 'colour'"),
    pytest.param({"alias": ...}, "missing 1 required keyword-only argument: 'alias'"),
    pytest.param(
        {"service": ..., "environment": ...},
        "missing 2 required keyword-only arguments: 'environment', 'service'",
    ),
]


@pytest.mark.parametrize(("change", "message"), WRONG)
def test_wrong_names_are_refused_as_python_does(change: dict[str, Any], message: str) -> None:
    given = {name: value for name, value in {**REQUIRED, **change}.items() if value is not ...}

    with pytest.raises(TypeError) as refused:
        SecureKmsKey(new_stack(), "Key", **given)
    assert str(refused.value).startswith("SecureKmsKey.__init__() ")
    assert str(refused.value).endswith(message)


@pytest.mark.parametrize("name", sorted(ONLY_OF_A_PRIMARY))
def test_a_replica_has_no_such_argument(name: str) -> None:
    with pytest.raises(TypeError, match=f"^SecureKmsReplicaKey.*unexpected keyword argument '{name}'"):
        SecureKmsReplicaKey(new_stack(), "Key", primary_key_arn=PRIMARY_ARN, **{**REQUIRED, name: None})


def test_who_leaves_out_the_administrators_is_told_why_they_are_needed() -> None:
    given = {name: value for name, value in REQUIRED.items() if name != "key_administrators"}

    with pytest.raises(ArgumentError, match="a key without administrators cannot be managed"):
        SecureKmsKey(new_stack(), "Key", **given)


# Replicas

SOON, LATER = TODAY + timedelta(days=30), TODAY + timedelta(days=60)
IMPORTED = {"origin": "EXTERNAL", "material_expires": SOON}
PARTNER = ExternalAccess(
    principals=["arn:aws:iam::444455556666:role/App"], permissions=["decrypt"], organization_id="o-abcdefghij"
)
TAKEN_OVER: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "alias": ({"alias": "dev/other"}, {}),
    "description": ({"description": "Other data"}, {}),
    "key_administrators": ({"key_administrators": [RESCUE]}, {}),
    "environment": ({"environment": "test"}, {}),
    "service": ({"service": "orders"}, {}),
    "data_classification": ({"data_classification": "secret"}, {}),
    "owner": ({"owner": "platform"}, {}),
    "key_users": ({"key_users": [USER]}, {}),
    "encrypt_only_users": ({"encrypt_only_users": [USER]}, {}),
    "decrypt_only_users": ({"decrypt_only_users": [USER]}, {}),
    "break_glass_principals": ({"break_glass_principals": [RESCUE]}, {}),
    "services": ({"services": [ServiceAccess.sns()]}, {}),
    "external_access": ({"external_access": [PARTNER]}, {}),
    "via_services": ({"key_users": [USER], "via_services": ["s3"]}, {"key_users": [USER]}),
    "key_spec": ({"key_spec": "HMAC_256", "key_users": [USER]}, {"key_users": [USER]}),
    "key_usage": (
        {"key_spec": "ECC_NIST_P256", "key_usage": "SIGN_VERIFY", "key_users": [USER]},
        {"key_spec": "ECC_NIST_P256", "key_usage": "KEY_AGREEMENT", "key_users": [USER]},
    ),
    "origin": (IMPORTED, {}),
    "material_expires": ({**IMPORTED, "material_expires": LATER}, IMPORTED),
    "key_material_importers": ({**IMPORTED, "key_material_importers": [RESCUE]}, IMPORTED),
    "pending_window": ({"pending_window": 14}, {}),
    "removal_policy": ({"removal_policy": RemovalPolicy.RETAIN}, {}),
    "root_access": ({"root_access": RootAccess.ROOT_USER_ONLY}, {}),
    "deployment_principals": ({"deployment_principals": [DEPLOY]}, {}),
    "additional_aliases": ({"additional_aliases": ["dev/second"]}, {}),
    "tags": ({"tags": {"team": "lake"}}, {}),
    "parameter_name": ({"parameter_name": "/keys/dev"}, {}),
    "outputs": ({"outputs": True}, {}),
    "logical_id": ({"logical_id": "Pinned"}, {}),
    "policy_reviewed_on": ({"policy_reviewed_on": TODAY}, {}),
}
"""For each argument: arguments with it, and the same without it or with another value."""


def made_by_its_primary(arguments: dict[str, Any]) -> dict[str, Any]:
    """The template with the replica of a key that has these arguments."""
    stack = Stack(App(analytics_reporting=False), "Data", env=Environment(account=ACCOUNT, region=HOME))
    key = SecureKmsKey(stack, "Key", **{**REQUIRED, **arguments}, replica_regions=[EUROPE])
    return without_primary(Stack.of(key.replica(EUROPE)))


def made_by_itself(arguments: dict[str, Any]) -> dict[str, Any]:
    """The template with a replica that is given these arguments itself."""
    stack = Stack(App(analytics_reporting=False), "Data", env=Environment(account=ACCOUNT, region=EUROPE))
    SecureKmsReplicaKey(stack, "Key", **{**REQUIRED, **arguments}, primary_key_arn=PRIMARY_ARN)
    return without_primary(stack)


def without_primary(stack: Stack) -> dict[str, Any]:
    template: dict[str, Any] = Template.from_stack(stack).to_json()  # type: ignore[assignment]
    (replica,) = (one for one in template["Resources"].values() if one["Type"] == "AWS::KMS::ReplicaKey")
    del replica["Properties"]["PrimaryKeyArn"]
    template.pop("Description", None)
    return template


def test_the_table_below_has_every_argument_that_a_replica_takes_over() -> None:
    assert set(TAKEN_OVER) == set(SHARED_ARGUMENTS) - OF_ONE_KEY


@pytest.mark.parametrize("argument", TAKEN_OVER)
def test_a_replica_takes_the_argument_over_from_its_primary(argument: str) -> None:
    """It becomes what a replica is to which the same is given, and another one than without it."""
    given, otherwise = TAKEN_OVER[argument]
    replica = made_by_its_primary(given)

    assert replica == made_by_itself(given)
    assert replica != made_by_its_primary(otherwise)


def test_what_can_be_read_once_only_reaches_the_replica_too() -> None:
    once = {"key_users": (one for one in [USER]), "additional_aliases": iter(["dev/second"])}
    again = {"key_users": [USER], "additional_aliases": ["dev/second"]}

    assert made_by_its_primary(once) == made_by_itself(again)


def test_a_replica_of_a_key_for_the_root_user_only_delegates_nothing_to_iam() -> None:
    template = made_by_its_primary({"root_access": RootAccess.ROOT_USER_ONLY})
    (replica,) = (one for one in template["Resources"].values() if one["Type"] == "AWS::KMS::ReplicaKey")
    root = next(one for one in replica["Properties"]["KeyPolicy"]["Statement"] if one["Sid"] == "RootAccount")

    assert list(root["Condition"]) == ["ArnEquals"]
    assert list(root["Condition"]["ArnEquals"]) == ["aws:PrincipalArn"]
