"""Every refusal of an argument, with its whole message; and what is accepted next to it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from aws_cdk import (
    App,
    Aws,
    BootstraplessSynthesizer,
    CliCredentialsStackSynthesizer,
    DefaultStackSynthesizer,
    Duration,
    Environment,
    LegacyStackSynthesizer,
    RemovalPolicy,
    Stack,
)
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms

from kms_constructs.cdk.key.secure_key import SecureKmsKey
from kms_constructs.errors import ArgumentError
from kms_constructs.policies.services.service_access import ServiceAccess
from tests.cdk.keys import ACCOUNT, ADMIN, DEPLOY, RESCUE, USER, key_resource, new_key, new_stack

pytestmark = pytest.mark.cdk

TOMORROW = (datetime.now(UTC) + timedelta(days=2)).date()

REFUSED = [
    # Administrators
    ("no administrators", {"key_administrators": []}, "key_administrators", "cannot be managed"),
    ("administrators as text", {"key_administrators": ADMIN}, "key_administrators", "a list of principals"),
    ("administrators as None", {"key_administrators": None}, "key_administrators", "a list of principals"),
    ("no deployment principals", {"deployment_principals": []}, "deployment_principals", "has to be in it"),
    # Principals that name nobody, or everybody
    ("wildcard", {"key_users": ["*"]}, "key_users", "wildcard"),
    ("any principal", {"key_users": [iam.AnyPrincipal()]}, "key_users", "wildcard"),
    ("star principal", {"key_administrators": [iam.StarPrincipal()]}, "key_administrators", "wildcard"),
    ("wildcard account", {"key_users": ["arn:aws:iam::*:role/App"]}, "key_users", "wildcard"),
    (
        "pattern",
        {"key_administrators": [f"arn:aws:iam::{ACCOUNT}:role/Admin*"]},
        "key_administrators",
        "wildcard",
    ),
    (
        "session",
        {"key_users": [f"arn:aws:sts::{ACCOUNT}:assumed-role/App/session"]},
        "key_users",
        "name the role behind it: arn:aws:iam::111122223333:role/App",
    ),
    (
        "federated user",
        {"key_users": [f"arn:aws:sts::{ACCOUNT}:federated-user/ann"]},
        "key_users",
        "session",
    ),
    ("ten digits", {"key_users": ["arn:aws:iam::1111111111:user/root"]}, "key_users", "twelve digits"),
    ("bare ten digits", {"key_users": ["1111111111"]}, "key_users", "twelve digits"),
    ("bare account", {"key_users": [ACCOUNT]}, "key_users", "root principal"),
    (
        "root",
        {"key_administrators": [f"arn:aws:iam::{ACCOUNT}:root"]},
        "key_administrators",
        "root principal",
    ),
    ("account principal", {"key_users": [iam.AccountPrincipal(ACCOUNT)]}, "key_users", "root principal"),
    ("account root", {"key_users": [iam.AccountRootPrincipal()]}, "key_users", "root principal"),
    ("group", {"key_users": [f"arn:aws:iam::{ACCOUNT}:group/Ops"]}, "key_users", "group is no principal"),
    ("service name", {"key_users": ["logs.amazonaws.com"]}, "key_users", "services=[ServiceAccess"),
    (
        "service principal",
        {"key_users": [iam.ServicePrincipal("sns.amazonaws.com")]},
        "key_users",
        "services=[ServiceAccess",
    ),
    (
        "provider",
        {"key_users": [f"arn:aws:iam::{ACCOUNT}:saml-provider/Ad"]},
        "key_users",
        "one role or user",
    ),
    (
        "federated principal",
        {"key_users": [iam.FederatedPrincipal("cognito-identity.amazonaws.com", {})]},
        "key_users",
        "come in through a role",
    ),
    (
        "a policy's ARN",
        {"key_users": [f"arn:aws:iam::{ACCOUNT}:policy/Use"]},
        "key_users",
        "one role or user",
    ),
    ("not an ARN", {"key_users": ["KeyUser"]}, "key_users", "one role or user"),
    ("unique id", {"key_users": ["AROAEXAMPLE"]}, "key_users", "one role or user"),
    ("a number", {"key_users": [7]}, "key_users", "a principal is a role or a user"),
    (
        "user of another account",
        {"key_users": ["arn:aws:iam::444455556666:role/App"]},
        "key_users",
        "external_access=[ExternalAccess(…)]",
    ),
    (
        "administrator of another account",
        {"key_administrators": ["arn:aws:iam::444455556666:role/App"]},
        "key_administrators",
        "no other account administer a key",
    ),
    # The same principal on both sides
    ("administrator uses", {"key_users": [USER, ADMIN]}, "key_users", "stands in key_administrators,"),
    ("administrator encrypts", {"encrypt_only_users": [ADMIN]}, "encrypt_only_users", "key_administrators"),
    ("administrator decrypts", {"decrypt_only_users": [ADMIN]}, "decrypt_only_users", "key_administrators"),
    (
        "break-glass uses",
        {"break_glass_principals": [RESCUE], "key_users": [RESCUE]},
        "key_users",
        "break_glass_principals",
    ),
    (
        "deployer uses",
        {"deployment_principals": [DEPLOY], "key_users": [DEPLOY]},
        "key_users",
        "deployment_principals",
    ),
    (
        "deployer uses: it is not sent away, for without it KMS refuses the policy",
        {"deployment_principals": [DEPLOY], "key_users": [DEPLOY]},
        "key_users",
        "Fix: take it out of key_users: without its deployer KMS refuses the key policy",
    ),
    (
        "other partition",
        {"key_users": [f"arn:aws-us-gov:iam::{ACCOUNT}:role/KeyAdmin"]},
        "key_users",
        f"(there spelt {ADMIN})",
    ),
    (
        "partition as token",
        {"key_users": [f"arn:{Aws.PARTITION}:iam::{ACCOUNT}:role/KeyAdmin"]},
        "key_users",
        f"(there spelt {ADMIN})",
    ),
    (
        "other path and case: an IAM name is unique without them",
        {"key_users": [f"arn:aws:iam::{ACCOUNT}:role/ops/keyadmin"]},
        "key_users",
        f"(there spelt {ADMIN})",
    ),
    ("as ArnPrincipal", {"key_users": [iam.ArnPrincipal(ADMIN)]}, "key_users", "key_administrators"),
    (
        "administrator through a service",
        {"services": [ServiceAccess.rds([ADMIN])]},
        "services",
        "key_administrators",
    ),
    # Texts
    ("blank alias", {"alias": " "}, "alias", "an alias is a name"),
    ("alias with colon", {"alias": "prod:data"}, "alias", "'prod-data'"),
    ("alias of AWS", {"alias": "alias/aws/s3"}, "alias", "AWS managed keys"),
    ("alias of AWS without prefix", {"alias": "aws/s3"}, "alias", "AWS managed keys"),
    ("alias of 257", {"alias": "a" * 251}, "alias", "at most 256 characters"),
    ("alias with a blank", {"alias": "my key"}, "alias", "'my-key'"),
    ("second alias bad", {"additional_aliases": ["a b"]}, "additional_aliases", "letters, digits"),
    ("second alias twice", {"additional_aliases": ["x", "alias/x"]}, "additional_aliases", "there already"),
    ("aliases as text", {"additional_aliases": "x"}, "additional_aliases", "a list of texts"),
    ("aliases as numbers", {"additional_aliases": [1]}, "additional_aliases", "a list of texts"),
    ("blank description", {"description": ""}, "description", "required"),
    ("long description", {"description": "x" * 8193}, "description", "may have 8192"),
    ("blank environment", {"environment": " "}, "environment", "required"),
    ("no service", {"service": None}, "service", "required"),
    ("blank classification", {"data_classification": ""}, "data_classification", "required"),
    ("long owner", {"owner": "x" * 257}, "owner", "may have 256"),
    # Days
    ("window of 6", {"pending_window": 6}, "pending_window", "7 to 30 days"),
    ("window of 31", {"pending_window": Duration.days(31)}, "pending_window", "7 to 30 days"),
    ("window of hours", {"pending_window": Duration.hours(180)}, "pending_window", "whole days"),
    ("window as truth", {"pending_window": True}, "pending_window", "whole days"),
    ("window as text", {"pending_window": "7"}, "pending_window", "whole days"),
    ("period of 89", {"rotation_period": 89}, "rotation_period", "90 to 2560 days"),
    ("period of 2561", {"rotation_period": 2561}, "rotation_period", "90 to 2560 days"),
    ("period off", {"rotation_period": 0}, "rotation_period", "90 to 2560 days"),
    (
        "period of an RSA key",
        {"key_spec": "RSA_2048", "key_usage": "SIGN_VERIFY", "rotation_period": 365},
        "rotation_period",
        "no RSA_2048 key",
    ),
    # Kinds of key
    ("unknown spec", {"key_spec": "AES_256"}, "key_spec", "no such key spec"),
    ("unknown usage", {"key_usage": "WRAP"}, "key_usage", "no such key usage"),
    ("usage missing", {"key_spec": "RSA_2048"}, "key_usage", "ENCRYPT_DECRYPT, SIGN_VERIFY"),
    ("symmetric signs", {"key_usage": kms.KeyUsage.SIGN_VERIFY}, "key_usage", "for ENCRYPT_DECRYPT"),
    (
        "HMAC encrypts",
        {"key_spec": kms.KeySpec.HMAC_256, "key_usage": "ENCRYPT_DECRYPT"},
        "key_usage",
        "GENERATE_VERIFY_MAC",
    ),
    ("imported without expiry", {"origin": "EXTERNAL"}, "material_expires", "the day on which it has to be"),
    ("custom key store", {"origin": "AWS_CLOUDHSM"}, "origin", "AWS_KMS and EXTERNAL only"),
    # Removal, root, deployment
    ("snapshot", {"removal_policy": RemovalPolicy.SNAPSHOT}, "removal_policy", "retained or destroyed"),
    *(
        (
            f"destroyed in {name}",
            {"environment": name, "removal_policy": RemovalPolicy.DESTROY},
            "removal_policy",
            "KMS:002: DeletionPolicy is Delete",
        )
        for name in ("prod", "PROD", " Production ", "prd", "live", "Live", "staging", "qa")
    ),
    ("root mode", {"root_access": "everything"}, "root_access", "RootAccess.ADMINISTRATION"),
    # The rest
    ("tags as list", {"tags": ["a"]}, "tags", "a mapping"),
    ("own tag", {"tags": {"Environment": "x"}}, "tags['Environment']", "the argument environment"),
    ("tag of AWS", {"tags": {"aws:x": "y"}}, "tags['aws:x']", "belong to AWS"),
    ("blank tag", {"tags": {"": "y"}}, "tags['']", "1 to 128 characters"),
    ("long tag", {"tags": {"x": "y" * 257}}, "tags['x']", "at most 256"),
    ("45 tags", {"tags": {f"t{n}": "" for n in range(45)}}, "tags", "at most 43 of your own"),
    ("logical id", {"logical_id": "My-Key"}, "logical_id", "letters and digits"),
    ("parameter", {"parameter_name": "keys/data"}, "parameter_name", "start with /"),
    ("parameter of AWS", {"parameter_name": "/aws/key"}, "parameter_name", "aws or ssm"),
    ("review tomorrow", {"policy_reviewed_on": TOMORROW}, "policy_reviewed_on", "has not come yet"),
    ("review in words", {"policy_reviewed_on": "spring"}, "policy_reviewed_on", "a date is wanted"),
    ("services as text", {"services": "sns"}, "services", "a list is wanted"),
    ("services by name", {"services": ["sns"]}, "services", "ServiceAccess.…"),
    ("external by name", {"external_access": ["444455556666"]}, "external_access", "ExternalAccess(…)"),
    ("via services as text", {"via_services": "s3"}, "via_services", "a list of texts"),
    ("via service unknown form", {"via_services": ["S3!"]}, "via_services", "as kms:ViaService does"),
]


@pytest.fixture(scope="module")
def stack() -> Stack:
    return new_stack()


@pytest.mark.parametrize(
    ("arguments", "argument", "said"),
    [pytest.param(arguments, argument, said, id=name) for name, arguments, argument, said in REFUSED],
)
def test_refused(stack: Stack, arguments: dict[str, Any], argument: str, said: str) -> None:
    with pytest.raises(ArgumentError) as caught:
        new_key(stack, "Refused", **arguments)
    error = caught.value
    assert error.argument == argument
    assert error.where == "Data/Refused"
    assert said in str(error)
    assert error.rule
    assert error.fix
    assert stack.node.try_find_child("Refused") is None, "a refused key may leave nothing behind"


def test_a_refusal_reads_as_one_sentence_each() -> None:
    with pytest.raises(ArgumentError) as caught:
        new_key(new_stack(), pending_window=6)
    assert str(caught.value) == (
        "Data/Key: pending_window=6 is refused: KMS allows 7 to 30 days. Fix: give 7 to 30 days"
    )


@pytest.mark.parametrize(
    "synthesizer",
    [
        DefaultStackSynthesizer,
        CliCredentialsStackSynthesizer,
        LegacyStackSynthesizer,
        BootstraplessSynthesizer,
    ],
)
def test_a_synthesizer_that_knows_no_deployer_wants_one_named(synthesizer: Any) -> None:
    stack = new_stack(synthesizer=synthesizer())
    with pytest.raises(ArgumentError, match="does not say which role CloudFormation deploys with") as caught:
        new_key(stack)
    assert caught.value.argument == "deployment_principals"
    new_key(stack, deployment_principals=[DEPLOY])


def test_role_object_and_its_arn_are_one_principal() -> None:
    stack = new_stack()
    role = iam.Role(
        stack,
        "Role",
        role_name="KeyAdmin",
        path="/ops/",
        assumed_by=iam.ServicePrincipal("ec2.amazonaws.com"),
    )
    with pytest.raises(ArgumentError, match="stands in key_administrators"):
        new_key(stack, key_users=[role])


def test_one_role_object_on_both_sides() -> None:
    stack = new_stack()
    role = iam.Role(stack, "Role", assumed_by=iam.ServicePrincipal("ec2.amazonaws.com"))
    with pytest.raises(ArgumentError, match="stands in key_administrators"):
        new_key(stack, key_administrators=[role], key_users=[role])


def test_imported_role_and_its_arn_are_one_principal() -> None:
    stack = new_stack()
    with pytest.raises(ArgumentError, match="stands in key_administrators"):
        new_key(stack, key_users=[iam.Role.from_role_name(stack, "Role", "KeyAdmin")])


def test_a_user_and_a_role_of_one_name_are_two_principals() -> None:
    new_key(new_stack(), key_users=[f"arn:aws:iam::{ACCOUNT}:user/KeyAdmin"])


ACCEPTED: list[Any] = [
    pytest.param({"pending_window": 7}, {"PendingWindowInDays": 7}, id="shortest window"),
    pytest.param({"pending_window": Duration.days(30)}, {"PendingWindowInDays": 30}, id="window as Duration"),
    pytest.param({"rotation_period": 90}, {"RotationPeriodInDays": 90}, id="shortest period"),
    pytest.param({"rotation_period": Duration.days(365)}, {"RotationPeriodInDays": 365}, id="longest period"),
    pytest.param({"description": "x" * 8192}, {"Description": "x" * 8192}, id="longest description"),
    pytest.param({"multi_region": True}, {"MultiRegion": True}, id="multi-Region"),
    pytest.param(
        {"key_spec": kms.KeySpec.RSA_4096, "key_usage": kms.KeyUsage.SIGN_VERIFY},
        {"KeySpec": "RSA_4096", "KeyUsage": "SIGN_VERIFY"},
        id="enums of the CDK",
    ),
    pytest.param(
        {"key_spec": "ML_KEM_1024"},
        {"KeySpec": "ML_KEM_1024", "KeyUsage": "ENCAPSULATE_DECAPSULATE"},
        id="a spec that the CDK's enum lacks",
    ),
]


@pytest.mark.parametrize(("arguments", "expected"), ACCEPTED)
def test_accepted(arguments: dict[str, Any], expected: dict[str, Any]) -> None:
    stack = new_stack()
    new_key(stack, **arguments)
    properties = key_resource(stack)["Properties"]
    assert {name: properties[name] for name in expected} == expected


@pytest.mark.parametrize("alias", ["dev/key", "alias/dev/key"])
def test_an_alias_with_or_without_prefix(alias: str) -> None:
    assert new_key(new_stack(), alias=alias).alias_name == "alias/dev/key"


def test_review_date_as_date() -> None:
    stack = new_stack()
    new_key(stack, policy_reviewed_on=date(2026, 1, 31))
    assert {"Key": "kms:policy-reviewed-on", "Value": "2026-01-31"} in key_resource(stack)["Properties"][
        "Tags"
    ]


def test_unknown_account_accepts_principals_of_any() -> None:
    stack = Stack(App(analytics_reporting=False), "Anywhere")
    new_key(stack, key_users=["arn:aws:iam::444455556666:role/App"])


def test_tokens_are_left_for_the_synthesized_check() -> None:
    stack = new_stack()
    new_key(stack, alias=f"dev/{Aws.STACK_NAME}", key_users=[f"arn:aws:iam::{Aws.ACCOUNT_ID}:role/App"])


def test_a_region_without_account_is_enough() -> None:
    stack = new_stack(env=Environment(region="eu-west-1"))
    assert isinstance(new_key(stack), SecureKmsKey)
