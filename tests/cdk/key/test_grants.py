"""The sealed policy: which grants go in, and what is refused with which advice."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from aws_cdk import App, Environment, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from aws_cdk import aws_sqs as sqs

from kms_constructs.cdk.key.grants import wishes
from kms_constructs.cdk.key.refused import raise_refusals, refused_in
from kms_constructs.cdk.key.secure_key import SecureKmsKey
from kms_constructs.errors import SealedSynthError
from kms_constructs.policies.services.service_access import ServiceAccess
from tests.cdk.keys import ACCOUNT, ADMIN, REGION, USER, new_key, new_stack, resources, statements

pytestmark = pytest.mark.cdk

EC2 = iam.ServicePrincipal("ec2.amazonaws.com")
ENCRYPTS = [
    "kms:Encrypt",
    "kms:GenerateDataKey",
    "kms:GenerateDataKeyPair",
    "kms:GenerateDataKeyPairWithoutPlaintext",
    "kms:GenerateDataKeyWithoutPlaintext",
    "kms:ReEncryptFrom",
    "kms:ReEncryptTo",
]


def role_of(stack: Stack, name: str = "Role", **more: Any) -> iam.Role:
    return iam.Role(stack, name, assumed_by=EC2, **more)


def granted(stack: Stack) -> dict[str, dict[str, Any]]:
    return {sid: one for sid, one in statements(stack).items() if sid.startswith("Granted")}


GRANTS: list[Any] = [
    pytest.param("decrypt", {}, ["kms:Decrypt"], id="decrypt"),
    pytest.param("encrypt", {}, ENCRYPTS, id="encrypt"),
    pytest.param("encrypt_decrypt", {}, ["kms:Decrypt", *ENCRYPTS], id="encrypt-decrypt"),
    pytest.param("sign", {"key_spec": "ML_DSA_65"}, ["kms:Sign"], id="sign"),
    pytest.param("verify", {"key_spec": "ML_DSA_65"}, ["kms:Verify"], id="verify"),
    pytest.param("sign_verify", {"key_spec": "ML_DSA_65"}, ["kms:Sign", "kms:Verify"], id="sign-verify"),
    pytest.param("generate_mac", {"key_spec": "HMAC_256"}, ["kms:GenerateMac"], id="generate-mac"),
    pytest.param("verify_mac", {"key_spec": "HMAC_256"}, ["kms:VerifyMac"], id="verify-mac"),
]


@pytest.mark.parametrize("through_grants", [False, True], ids=["key.grant_…", "key.grants.…"])
@pytest.mark.parametrize(("name", "arguments", "actions"), GRANTS)
def test_a_role_of_the_stack_becomes_a_key_user(
    name: str, arguments: dict[str, Any], actions: list[str], through_grants: bool
) -> None:
    stack = new_stack()
    key, role = new_key(stack, **arguments), role_of(stack)
    grant = getattr(key.grants, name) if through_grants else getattr(key, f"grant_{name}")
    assert isinstance(grant(role), iam.Grant)
    (statement,) = granted(stack).values()
    assert statement == {
        "Sid": "Granted1",
        "Effect": "Allow",
        "Principal": {"AWS": {"Fn::GetAtt": [stack.resolve(role.role_arn)["Fn::GetAtt"][0], "Arn"]}},
        "Action": actions,
        "Resource": "*",
    }
    (policy,) = resources(stack, "AWS::IAM::Policy").values()
    assert stack.resolve(key.key_arn) == policy["Properties"]["PolicyDocument"]["Statement"][0]["Resource"]


def test_a_construct_that_grants() -> None:
    stack = new_stack()
    key, role = new_key(stack), role_of(stack)
    bucket = s3.Bucket(stack, "Bucket", encryption=s3.BucketEncryption.KMS, encryption_key=key)
    bucket.grant_read(role)
    assert [one["Action"] for one in granted(stack).values()] == [["kms:Decrypt", "kms:DescribeKey"]]
    assert "DenyDestruction" in statements(stack)


def test_a_function_is_its_role() -> None:
    stack = new_stack()
    key = new_key(stack)
    code = lambda_.Code.from_inline("def handler(event, context): ...")
    function = lambda_.Function(
        stack, "Function", runtime=lambda_.Runtime.PYTHON_3_13, handler="index.handler", code=code
    )
    key.grant_decrypt(function)
    assert [one["Action"] for one in granted(stack).values()] == [["kms:Decrypt"]]


def test_grants_to_one_principal_are_one_statement() -> None:
    stack = new_stack()
    key, role = new_key(stack), role_of(stack)
    key.grant_decrypt(role)
    key.grant_decrypt(role_of(stack, "Other"))
    key.grant(role, "kms:DescribeKey")
    actions = {sid: one["Action"] for sid, one in granted(stack).items()}
    assert actions == {"Granted1": ["kms:Decrypt", "kms:DescribeKey"], "Granted2": ["kms:Decrypt"]}


def test_create_grant_is_for_aws_resources_only() -> None:
    stack = new_stack()
    key, role = new_key(stack), role_of(stack)
    key.grant(role, "kms:CreateGrant", "kms:Decrypt", "kms:RetireGrant")
    assert {sid: (one["Action"], one.get("Condition")) for sid, one in granted(stack).items()} == {
        "Granted1": (["kms:Decrypt"], None),
        "Granted1Grants": (["kms:CreateGrant"], {"Bool": {"kms:GrantIsForAWSResource": "true"}}),
    }


def test_what_is_declared_already_is_not_written_again() -> None:
    stack = new_stack()
    role = role_of(stack)
    key = new_key(stack, key_users=[role])
    key.grant_encrypt_decrypt(role)
    assert granted(stack) == {}


def test_a_declared_role_of_another_stack_may_be_granted() -> None:
    """The key policy names it by its physical name, so that no cycle arises."""
    app = App(analytics_reporting=False)
    keys, people = new_stack("Keys", app), new_stack("People", app)
    key = new_key(keys, key_users=[USER])
    key.grant_decrypt(role_of(people, role_name="App"))
    app.synth()
    assert granted(keys) == {}
    assert list(resources(people, "AWS::IAM::Policy"))


def test_an_imported_role_is_granted_by_its_arn() -> None:
    stack = new_stack()
    key = new_key(stack)
    key.grant_decrypt(iam.Role.from_role_arn(stack, "Imported", USER))
    assert granted(stack)["Granted1"]["Principal"] == {"AWS": USER}


def test_a_grant_through_an_alias() -> None:
    stack = new_stack()
    key, role = new_key(stack), role_of(stack)
    key.add_alias("second").grant_decrypt(role)
    assert granted(stack)["Granted1"]["Action"] == ["kms:Decrypt"]


Refuse = Callable[[Stack, SecureKmsKey], Any]


def _foreign(stack: Stack, **more: Any) -> iam.Role:
    return role_of(Stack(App.of(stack), "Elsewhere", env=Environment(account=ACCOUNT, region=REGION)), **more)


def _statement(principal: iam.IPrincipal, *actions: str, **more: Any) -> iam.PolicyStatement:
    return iam.PolicyStatement(principals=[principal], actions=list(actions), resources=["*"], **more)


REFUSED: list[tuple[str, Refuse, str, str]] = [
    (
        "role of another stack",
        lambda stack, key: key.grant_decrypt(_foreign(stack)),
        "grantee",
        "the role or user belongs to stack Elsewhere",
    ),
    (
        "role of another account",
        lambda stack, key: key.grant_decrypt(
            iam.Role.from_role_arn(stack, "Far", "arn:aws:iam::444455556666:role/App")
        ),
        "grantee",
        "external_access=[ExternalAccess(…)]",
    ),
    (
        "administrator",
        lambda stack, key: key.grant_decrypt(iam.Role.from_role_arn(stack, "Admin", ADMIN)),
        "grantee",
        "stands in key_administrators",
    ),
    (
        "administrator by its name",
        lambda stack, key: key.grant_decrypt(role_of(stack, "Boss", role_name="KeyAdmin")),
        "grantee",
        "stands in key_administrators",
    ),
    (
        "administration",
        lambda stack, key: key.grant(role_of(stack, "R"), "kms:PutKeyPolicy"),
        "actions",
        "kms:PutKeyPolicy",
    ),
    (
        "everything",
        lambda stack, key: key.grant(role_of(stack, "R"), "kms:Put*", "kms:Decrypt"),
        "actions",
        "key_administrators=[role]",
    ),
    (
        "another usage",
        lambda stack, key: key.grant_sign(role_of(stack, "R")),
        "actions",
        "use of a SYMMETRIC_DEFAULT key",
    ),
    (
        "grant_admin",
        lambda stack, key: key.grant_admin(role_of(stack, "R")),
        "grantee",
        "name it there: key_administrators=[role]",
    ),
    (
        "grant_admin names the construct",
        lambda stack, key: key.grant_admin(role_of(stack, "R")),
        "grantee",
        "/R' is refused: administrators",
    ),
    (
        "grant_admin names a principal",
        lambda stack, key: key.grant_admin(iam.ArnPrincipal(USER)),
        "grantee",
        f"grantee='{USER}' is refused",
    ),
    (
        "grants.admin",
        lambda stack, key: key.grants.admin(role_of(stack, "R")),
        "grantee",
        "name it there: key_administrators=[role]",
    ),
    (
        "a statement for a role",
        lambda stack, key: key.add_to_resource_policy(_statement(iam.ArnPrincipal(USER), "kms:Decrypt")),
        "key_users",
        "key.grant_decrypt(role)",
    ),
    (
        "a statement for a known service",
        lambda stack, key: key.add_to_resource_policy(
            _statement(iam.ServicePrincipal("cloudtrail.amazonaws.com"), "kms:GenerateDataKey*")
        ),
        "services",
        "services=[ServiceAccess.cloudtrail()]",
    ),
    (
        "a statement for an unknown service",
        lambda stack, key: key.add_to_resource_policy(
            _statement(iam.ServicePrincipal("workmail.amazonaws.com"), "kms:GenerateDataKey*")
        ),
        "services",
        "ServiceAccess.custom('workmail.amazonaws.com', ['GenerateDataKey'",
    ),
    (
        "a statement for the account",
        lambda stack, key: key.add_to_resource_policy(_statement(iam.AccountRootPrincipal(), "kms:*")),
        "key_users",
        "a whole account is no key user",
    ),
    (
        "a statement for everybody",
        lambda stack, key: key.add_to_resource_policy(_statement(iam.StarPrincipal(), "kms:Decrypt")),
        "key_users",
        "key_users=[role]",
    ),
    (
        "a statement without limits on a principal",
        lambda stack, key: key.add_to_resource_policy(
            iam.PolicyStatement(
                not_principals=[iam.ArnPrincipal(USER)], actions=["kms:Decrypt"], resources=["*"]
            )
        ),
        "key_users",
        "key_users=[role]",
    ),
    (
        "a statement with NotAction",
        lambda stack, key: key.add_to_resource_policy(
            iam.PolicyStatement(
                principals=[iam.ArnPrincipal(USER)], not_actions=["kms:Sign"], resources=["*"]
            )
        ),
        "key_users",
        "",
    ),
    (
        "a Deny",
        lambda stack, key: key.add_to_resource_policy(
            _statement(iam.ArnPrincipal(USER), "kms:Decrypt", effect=iam.Effect.DENY)
        ),
        "key_users",
        "",
    ),
    (
        "an account through a service",
        lambda stack, key: key.add_to_resource_policy(
            _statement(
                iam.AccountRootPrincipal(),
                "kms:Decrypt",
                conditions={"StringEquals": {"kms:ViaService": f"secretsmanager.{REGION}.amazonaws.com"}},
            )
        ),
        "services",
        "ServiceAccess.secrets_manager([…])",
    ),
]


@pytest.mark.parametrize(
    ("attempt", "argument", "said"), [pytest.param(*rest, id=name) for name, *rest in REFUSED]
)
def test_refused(attempt: Refuse, argument: str, said: str) -> None:
    stack = new_stack()
    key = new_key(stack)
    before = key.declared_policy()
    attempt(stack, key)
    with pytest.raises(SealedSynthError) as caught:
        raise_refusals(stack)
    assert caught.value.argument == argument
    assert said in str(caught.value)
    assert caught.value.where == "Data/Key"
    assert key.declared_policy() == before
    with pytest.raises(RuntimeError, match="is refused"):  # in Node, where a stack is synthesized by itself
        statements(stack)


def test_a_refusal_that_comes_back_through_node_keeps_its_text() -> None:
    stack = new_stack()
    bucket = s3.Bucket(stack, "Bucket", encryption=s3.BucketEncryption.KMS, encryption_key=new_key(stack))
    bucket.grant_read(_foreign(stack))
    with pytest.raises(
        SealedSynthError, match=r"^Data/Key: grantee='Elsewhere/Role' is refused: .*physical name"
    ):
        stack.node.root.synth()


def test_a_declared_statement_is_accepted_again() -> None:
    stack = new_stack()
    key = new_key(stack, services=[ServiceAccess.sns()], key_users=[USER])
    before = key.declared_policy()
    for statement in (
        _statement(iam.ServicePrincipal("sns.amazonaws.com"), "kms:Decrypt", "kms:GenerateDataKey*"),
        _statement(iam.ArnPrincipal(USER), "kms:Decrypt"),
    ):
        assert key.add_to_resource_policy(statement).statement_added
    assert key.declared_policy() == before
    raise_refusals(stack)
    key.add_to_resource_policy(_statement(iam.ArnPrincipal(USER), "kms:Decrypt", effect=iam.Effect.DENY))
    with pytest.raises(SealedSynthError):
        raise_refusals(stack)


THROUGH: list[Any] = [
    pytest.param(["s3"], True, id="the declared service"),
    pytest.param(["rds"], False, id="another"),
    pytest.param(["s3", "rds"], False, id="the declared one and another"),
]


@pytest.mark.parametrize(("services", "accepted"), THROUGH)
def test_an_account_through_services_is_accepted_when_all_of_them_are_declared(
    services: list[str], accepted: bool
) -> None:
    key = new_key(new_stack(), key_users=[USER], via_services=["s3"])
    through = {"StringEquals": {"kms:ViaService": [f"{one}.{REGION}.amazonaws.com" for one in services]}}
    statement = _statement(iam.AccountRootPrincipal(), "kms:Decrypt", conditions=through)
    before = key.declared_policy()
    assert key.add_to_resource_policy(statement).statement_added
    assert (not refused_in(Stack.of(key))) is accepted
    assert key.declared_policy() == before


def test_wishes_are_read_whole() -> None:
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": {"Fn::GetAtt": ["Role", "Arn"]}, "Service": ["a.amazonaws.com"]},
        "Action": "kms:ReEncrypt*",
        "Condition": {"StringEquals": {"KMS:viaService": {"Fn::Sub": "s3.${AWS::Region}.amazonaws.com"}}},
    }
    read = wishes(statement)
    assert [(wish.kind, wish.principals) for wish in read] == [
        ("AWS", ("${Role.Arn}",)),
        ("Service", ("a.amazonaws.com",)),
    ]
    assert {(wish.actions, wish.via) for wish in read} == {
        (frozenset({"ReEncryptFrom", "ReEncryptTo"}), ("s3.${AWS::Region}.amazonaws.com",))
    }


def test_it_is_a_key() -> None:
    stack = new_stack()
    key = new_key(stack)
    assert isinstance(key, kms.Key)
    assert isinstance(key.grants, kms.KeyGrants)


def test_whoever_gets_a_grant_or_reaches_the_key_through_a_service_does_not_manage_it() -> None:
    """The deployment principal, which does both, stays out of the Deny, however a service spells it."""
    stack = new_stack()
    deployer = f"arn:aws:iam::{ACCOUNT}:role/Deploy"
    caller = f"arn:aws:iam::{ACCOUNT}:role/Caller"
    key = new_key(
        stack,
        deployment_principals=[deployer],
        services=[ServiceAccess.secrets_manager([caller, deployer.replace("role/", "role/ci/")])],
    )
    key.grant_decrypt(iam.Role(stack, "Later", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com")))
    (key_resource,) = resources(stack, "AWS::KMS::Key").values()
    found = {one["Sid"]: one for one in key_resource["Properties"]["KeyPolicy"]["Statement"]}
    later = found["Granted1"]["Principal"]["AWS"]
    assert found["DenyManagementToUsers"]["Condition"] == {"ArnEquals": {"aws:PrincipalArn": [caller, later]}}


def test_a_refused_wish_of_a_construct_is_not_told_as_an_argument_of_the_caller() -> None:
    stack = new_stack()
    queue = sqs.Queue(stack, "Queue", encryption_master_key=new_key(stack))

    sns.Topic(stack, "Topic").add_subscription(subscriptions.SqsSubscription(queue))
    with pytest.raises(SealedSynthError) as refused:
        App.of(stack).synth()  # type: ignore[union-attr]

    (told,) = refused.value.refusals
    assert told.startswith("Data/Key: a statement that a construct asks for (sns.amazonaws.com: Decrypt, Gen")
    assert "Fix: declare services=[ServiceAccess.sns()] on the key" in told
