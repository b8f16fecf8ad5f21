"""Statements that constructs ask for: taken up for roles of the stack, known however spelt, or refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from aws_cdk import App, Aws, CfnParameter, Environment, Fn, PhysicalName, Stack
from aws_cdk import aws_cloudfront as cloudfront
from aws_cdk import aws_cloudfront_origins as origins
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_secretsmanager as secretsmanager

from kms_constructs.cdk.key.refused import raise_refusals, refused_in
from kms_constructs.cdk.key.secure_key import SecureKmsKey
from kms_constructs.errors import SealedSynthError
from kms_constructs.policies.external_access import ExternalAccess
from kms_constructs.policies.root_access import RootAccess
from kms_constructs.policies.services.service_access import ServiceAccess
from tests.cdk.keys import ACCOUNT, ADMIN, DEPLOY, REGION, USER, new_key, new_stack, resources, statements

pytestmark = pytest.mark.cdk

OTHER = "444455556666"
THEIRS = f"arn:aws:iam::{OTHER}:role/Reader"
SECRETS = f"secretsmanager.{REGION}.amazonaws.com"
CREATOR = f"arn:aws:iam::{ACCOUNT}:role/Creator"
SERVICES = {"services": [ServiceAccess.secrets_manager([CREATOR])]}
EC2 = iam.ServicePrincipal("ec2.amazonaws.com")


def role_of(stack: Stack, name: str = "Role", **more: Any) -> iam.Role:
    return iam.Role(stack, name, assumed_by=EC2, **more)


def secret_of(stack: Stack, key: kms.IKey) -> secretsmanager.Secret:
    return secretsmanager.Secret(stack, "Secret", encryption_key=key)


def function_of(stack: Stack, **more: Any) -> lambda_.Function:
    code = lambda_.Code.from_inline("def handler(event, context): ...")
    runtime = lambda_.Runtime.PYTHON_3_13
    return lambda_.Function(stack, "Function", runtime=runtime, handler="index.handler", code=code, **more)


def granted(stack: Stack) -> list[dict[str, Any]]:
    return [one for sid, one in statements(stack).items() if sid.startswith("Granted")]


def ask(principal: str | iam.IPrincipal, *actions: str, **more: Any) -> iam.PolicyStatement:
    who = iam.ArnPrincipal(principal) if isinstance(principal, str) else principal
    return iam.PolicyStatement(principals=[who], actions=list(actions), resources=["*"], **more)


def through(service: str = SECRETS) -> dict[str, Any]:
    return {"conditions": {"StringEquals": {"kms:ViaService": service}}}


Ask = Callable[[Stack, SecureKmsKey], object]
ROTATES = [
    "kms:Decrypt",
    "kms:Encrypt",
    "kms:GenerateDataKey",
    "kms:GenerateDataKeyPair",
    "kms:GenerateDataKeyPairWithoutPlaintext",
    "kms:GenerateDataKeyWithoutPlaintext",
    "kms:ReEncryptFrom",
    "kms:ReEncryptTo",
]
TAKEN_UP: dict[str, tuple[Ask, list[str]]] = {
    "a function that reads a secret": (
        lambda stack, key: secret_of(stack, key).grant_read(function_of(stack)),
        ["kms:Decrypt"],
    ),
    "a task that is given a secret": (
        lambda stack, key: ecs.FargateTaskDefinition(stack, "Task").add_container(
            "App",
            image=ecs.ContainerImage.from_registry("app"),
            secrets={"PASSWORD": ecs.Secret.from_secrets_manager(secret_of(stack, key))},
        ),
        ["kms:Decrypt"],
    ),
    "a function that rotates a secret": (
        lambda stack, key: secret_of(stack, key).add_rotation_schedule(
            "Rotation", rotation_lambda=function_of(stack)
        ),
        ROTATES,
    ),
    "an imported role": (
        lambda stack, key: secret_of(stack, key).grant_read(iam.Role.from_role_arn(stack, "Given", USER)),
        ["kms:Decrypt"],
    ),
    "a role of the stack, asked for twice": (
        lambda stack, key: (
            [secret_of(stack, key).grant_read(role_of(stack)) for _ in "a"]
            + [
                key.add_to_resource_policy(
                    ask(stack.node.find_child("Role").role_arn, "kms:Decrypt", **through())
                )
            ]
        ),  # type: ignore[attr-defined]
        ["kms:Decrypt"],
    ),
}


@pytest.mark.parametrize(("attempt", "actions"), TAKEN_UP.values(), ids=TAKEN_UP)
def test_use_through_a_service_by_a_role_of_the_stack(attempt: Ask, actions: list[str]) -> None:
    stack = new_stack()
    attempt(stack, new_key(stack, **SERVICES))
    (statement,) = granted(stack)
    assert statement["Action"] == actions
    assert statement["Condition"] == {"StringEquals": {"kms:ViaService": SECRETS}}
    assert statement["Principal"]["AWS"] == USER or statement["Principal"]["AWS"]["Fn::GetAtt"][1] == "Arn"


def test_what_a_grant_gives_without_limit_is_not_written_again() -> None:
    stack = new_stack()
    key, function = new_key(stack, **SERVICES), function_of(stack)
    key.grant_decrypt(function)
    secret_of(stack, key).grant_read(function)
    assert [one.get("Condition") for one in granted(stack)] == [None]


def test_what_is_limited_to_a_service_gives_no_other_use() -> None:
    stack = new_stack()
    role = role_of(stack)
    key = new_key(stack, services=[ServiceAccess.ebs([role])])
    key.grant_decrypt(role)
    assert [(one["Action"], one.get("Condition")) for one in granted(stack)] == [(["kms:Decrypt"], None)]


NOT_TAKEN_UP: dict[str, tuple[Ask, str]] = {
    "a role of a later stack": (
        lambda stack, key: secret_of(stack, key).grant_read(role_of(new_stack("Later", App.of(stack)))),
        r"hand it to stack Later \(role=…\).*services=\[ServiceAccess.secrets_manager",
    ),
    "an administrator": (
        lambda stack, key: secret_of(stack, key).grant_read(iam.Role.from_role_arn(stack, "Admin", ADMIN)),
        "stands in key_administrators",
    ),
    "the deployer": (
        lambda stack, key: key.add_to_resource_policy(ask(DEPLOY, "kms:Decrypt", **through())),
        rf"stands in deployment_principals.*services=\[ServiceAccess.secrets_manager\(\['{DEPLOY}'\]\)\]",
    ),
    "another account": (
        lambda stack, key: secret_of(stack, key).grant_read(iam.AccountPrincipal(OTHER)),
        rf"external_access=\[ExternalAccess\(principals=\['arn:aws:iam::{OTHER}:root'\]",
    ),
    "a role of another account": (
        lambda stack, key: secret_of(stack, key).grant_read(iam.Role.from_role_arn(stack, "Far", THEIRS)),
        rf"external_access=\[ExternalAccess\(principals=\['{THEIRS}'\]",
    ),
    "all services but one": (
        lambda stack, key: key.add_to_resource_policy(
            ask(USER, "kms:Decrypt", conditions={"StringNotEquals": {"kms:ViaService": SECRETS}})
        ),
        "sealed",
    ),
    "a service, if at all": (
        lambda stack, key: key.add_to_resource_policy(
            ask(USER, "kms:Decrypt", conditions={"StringEqualsIfExists": {"kms:ViaService": SECRETS}})
        ),
        "sealed",
    ),
    "administration": (
        lambda stack, key: key.add_to_resource_policy(ask(USER, "kms:PutKeyPolicy", **through())),
        "nothing that administers it",
    ),
    "a principal that is not known": (
        lambda stack, key: key.add_to_resource_policy(
            ask(CfnParameter(stack, "Who").value_as_string, "kms:Decrypt", **through())
        ),
        "sealed",
    ),
    "a pattern": (
        lambda stack, key: key.add_to_resource_policy(
            ask(f"arn:aws:iam::{ACCOUNT}:role/*", "kms:Decrypt", **through())
        ),
        "sealed",
    ),
    "uploads through CloudFront, of which reading is declared": (
        lambda stack, key: cloudfront.Distribution(
            stack,
            "Distribution",
            default_behavior=cloudfront.BehaviorOptions(
                origin=origins.S3BucketOrigin.with_origin_access_control(
                    s3.Bucket(stack, "Bucket", encryption_key=key),
                    origin_access_levels=[cloudfront.AccessLevel.READ, cloudfront.AccessLevel.WRITE],
                )
            ),
        ),
        r"services=\[ServiceAccess.cloudfront",
    ),
}


@pytest.mark.parametrize(("attempt", "said"), NOT_TAKEN_UP.values(), ids=NOT_TAKEN_UP)
def test_everything_else_is_refused(attempt: Ask, said: str) -> None:
    stack = new_stack()
    reading = ServiceAccess.custom(
        "cloudfront.amazonaws.com",
        ["Decrypt"],
        source_arns=[f"arn:aws:cloudfront::{ACCOUNT}:distribution/*"],
    )
    key = new_key(stack, deployment_principals=[DEPLOY], services=[*SERVICES["services"], reading])
    attempt(stack, key)
    with pytest.raises(SealedSynthError, match=said):
        raise_refusals(stack)
    with pytest.raises(RuntimeError, match="is refused"):
        granted(stack)


def _foreign(stack: Stack, **more: Any) -> str:
    there = Stack(App.of(stack), "There", env=Environment(account=OTHER, region=REGION))
    return role_of(there, **more).role_arn


SPELLINGS: dict[str, Callable[[Stack], str]] = {
    "literal": lambda stack: THEIRS,
    "partition as a reference": lambda stack: f"arn:{Aws.PARTITION}:iam::{OTHER}:role/Reader",
    "partition of the stack": lambda stack: f"arn:{stack.partition}:iam::{OTHER}:role/Reader",
    "Fn::Sub": lambda stack: Fn.sub(f"arn:${{AWS::Partition}}:iam::{OTHER}:role/Reader"),
    "Fn::Join": lambda stack: Fn.join(":", ["arn", Aws.PARTITION, "iam", "", OTHER, "role/Reader"]),
    "Fn::Select": lambda stack: Fn.select(0, [THEIRS, "other"]),
    "formatted": lambda stack: stack.format_arn(
        service="iam", region="", account=OTHER, resource="role", resource_name="Reader"
    ),
    "imported": lambda stack: iam.Role.from_role_arn(stack, "Imported", THEIRS).role_arn,
    "imported by name": lambda stack: (
        iam.Role.from_role_arn(stack, "Imported", f"arn:{Aws.PARTITION}:iam::{OTHER}:role/Reader").role_arn
    ),
    "made in another stack": lambda stack: _foreign(stack, role_name="Reader"),
}


@pytest.mark.parametrize("declared", [THEIRS, f"arn:aws:iam::{OTHER}:root"], ids=["role", "account"])
@pytest.mark.parametrize("spelt", SPELLINGS.values(), ids=SPELLINGS)
def test_a_declared_role_of_another_account_is_known_in_each_spelling(
    spelt: Callable[[Stack], str], declared: str
) -> None:
    stack = new_stack()
    access = ExternalAccess(principals=[declared], permissions=["decrypt"], via_services=["s3"])
    key = new_key(stack, external_access=[access])
    before, who = key.declared_policy(), spelt(stack)
    assert key.add_to_resource_policy(ask(who, "kms:Decrypt", "kms:DescribeKey")).statement_added
    assert key.declared_policy() == before
    raise_refusals(stack)
    for number, more in enumerate((["kms:Encrypt"], ["kms:Decrypt", "kms:PutKeyPolicy"]), 1):
        key.add_to_resource_policy(ask(who, *more))
        assert len(refused_in(stack)) == number
        assert "external_access" in refused_in(stack)[-1]


@pytest.mark.parametrize(
    "account",
    [OTHER, f"arn:aws:iam::{OTHER}:root", f"arn:{Aws.PARTITION}:iam::{OTHER}:root"],
    ids=["id", "ARN", "ARN with a reference"],
)
def test_a_declared_account_is_known_in_each_spelling(account: str) -> None:
    stack = new_stack()
    access = ExternalAccess(
        principals=[f"arn:aws:iam::{OTHER}:root"], permissions=["decrypt"], via_services=["s3"]
    )
    key = new_key(stack, external_access=[access])
    assert key.add_to_resource_policy(ask(account, "kms:Decrypt")).statement_added
    s3.Bucket(stack, "Bucket", encryption_key=key).grant_read(iam.AccountPrincipal(OTHER))
    key.grant_decrypt(iam.Role.from_role_arn(stack, "Far", THEIRS))
    assert granted(stack) == []
    key.add_to_resource_policy(ask(account, "kms:Decrypt", **through()))
    with pytest.raises(SealedSynthError, match="external_access"):
        raise_refusals(stack)


OWN: dict[str, Callable[[Stack], str]] = {
    "literal": lambda stack: USER,
    "partition as a reference": lambda stack: f"arn:{Aws.PARTITION}:iam::{ACCOUNT}:role/App",
    "account as a reference": lambda stack: f"arn:aws:iam::{Aws.ACCOUNT_ID}:role/App",
    "Fn::Sub": lambda stack: Fn.sub("arn:${AWS::Partition}:iam::${AWS::AccountId}:role/App"),
    "Fn::GetAtt": lambda stack: role_of(stack, role_name="App").role_arn,
    "Fn::GetAtt as text": lambda stack: Fn.get_att(
        stack.get_logical_id(role_of(stack, role_name="App").node.default_child),
        "Arn",  # type: ignore[arg-type]
    ).to_string(),
    "Fn::GetAtt of another stack": lambda stack: (
        role_of(new_stack("There", App.of(stack)), role_name="App").role_arn
    ),
}


@pytest.mark.parametrize("spelt", OWN.values(), ids=OWN)
def test_a_key_user_is_known_in_each_spelling(spelt: Callable[[Stack], str]) -> None:
    stack = new_stack()
    key = new_key(stack, key_users=[USER])
    who = spelt(stack)
    assert key.add_to_resource_policy(ask(who, "kms:Decrypt")).statement_added
    assert granted(stack) == []
    key.add_to_resource_policy(ask(who, "kms:PutKeyPolicy"))
    with pytest.raises(SealedSynthError):
        raise_refusals(stack)


def test_one_declared_role_is_not_its_account() -> None:
    access = ExternalAccess(principals=[THEIRS], permissions=["decrypt"], via_services=["s3"])
    for who in (OTHER, f"arn:aws:iam::{OTHER}:role/Reader2", f"arn:aws:iam::{OTHER}:role/x/Reader"):
        stack = new_stack()
        key = new_key(stack, external_access=[access])
        key.add_to_resource_policy(ask(who, "kms:Decrypt"))
        with pytest.raises(SealedSynthError, match="external_access"):
            raise_refusals(stack)


ABROAD = "us-east-1"
PLACES: dict[str, tuple[str | None, str, bool]] = {
    "the key's Region": (REGION, f"secretsmanager.{REGION}.amazonaws.com", True),
    "the key's Region by reference": (REGION, f"secretsmanager.{Aws.REGION}.amazonaws.com", True),
    "the key's suffix by reference": (REGION, f"secretsmanager.{Aws.REGION}.{Aws.URL_SUFFIX}", True),
    "another Region": (REGION, f"secretsmanager.{ABROAD}.amazonaws.com", False),
    "a Region, where the key's is decided at deployment": (
        None,
        f"secretsmanager.{ABROAD}.amazonaws.com",
        True,
    ),
    "whatever Region it will be": (None, f"secretsmanager.{Aws.REGION}.amazonaws.com", True),
}
WISHING: dict[str, Callable[[Stack], iam.IPrincipal]] = {
    "the account": lambda stack: iam.AccountRootPrincipal(),
    "a role": lambda stack: iam.ArnPrincipal(role_of(stack).role_arn),
    "another account": lambda stack: iam.AccountPrincipal(OTHER),
}


@pytest.mark.parametrize("who", WISHING.values(), ids=WISHING)
@pytest.mark.parametrize(("region", "service", "accepted"), PLACES.values(), ids=PLACES)
def test_services_use_keys_of_their_own_region(
    region: str | None, service: str, accepted: bool, who: Callable[[Stack], iam.IPrincipal]
) -> None:
    stack = new_stack(env=None if region is None else Environment(account=ACCOUNT, region=region))
    access = ExternalAccess(
        principals=[f"arn:aws:iam::{OTHER}:root"], permissions=["decrypt"], via_services=["secretsmanager"]
    )
    key = new_key(stack, external_access=[access], **SERVICES)
    key.add_to_resource_policy(ask(who(stack), "kms:Decrypt", **through(service)))
    if accepted:
        assert refused_in(stack) == []
    else:
        with pytest.raises(SealedSynthError, match=rf"replica_regions=\['{ABROAD}'\]"):
            raise_refusals(stack)


def test_advice_for_another_region_is_a_replica() -> None:
    app = App(analytics_reporting=False)
    key = new_key(new_stack("Data", app), replica_regions=[ABROAD], **SERVICES)
    there = new_stack("There", app, env=Environment(account=ACCOUNT, region=ABROAD))
    secret_of(there, key.replica(ABROAD))
    app.synth()


def test_full_delegation_answers_what_the_account_is_asked_for() -> None:
    stack = new_stack()
    key = new_key(stack, root_access=RootAccess.FULL_DELEGATION)
    _exec(stack, key)
    (logs,) = granted(stack)
    assert logs["Principal"] == {"Service": f"logs.{REGION}.amazonaws.com"}
    assert "kms:EncryptionContext:aws:logs:arn" in logs["Condition"]["ArnLike"]


@pytest.mark.parametrize(
    "conditions",
    [
        {},
        {"ArnLike": {"aws:SourceArn": "arn:aws:logs:*:*:*"}},
        {"ArnNotLike": {"aws:SourceArn": f"arn:aws:logs:eu-west-1:{ACCOUNT}:*"}},
        {"ArnLike": {"aws:SourceArn": f"arn:aws:logs:eu-west-1:{OTHER}:*"}},
        {"StringEquals": {"aws:SourceAccount": [ACCOUNT, OTHER]}},
    ],
)
def test_full_delegation_lets_no_service_in_for_others(conditions: dict[str, Any]) -> None:
    stack = new_stack()
    key = new_key(stack, root_access=RootAccess.FULL_DELEGATION)
    service = iam.ServicePrincipal("logs.amazonaws.com")
    key.add_to_resource_policy(ask(service, "kms:Decrypt", conditions=conditions))
    with pytest.raises(SealedSynthError):
        raise_refusals(stack)


def _exec(stack: Stack, key: kms.IKey) -> ecs.FargateTaskDefinition:
    execute = ecs.ExecuteCommandConfiguration(kms_key=key)
    cluster = ecs.Cluster(stack, "Cluster", execute_command_configuration=execute)
    task = ecs.FargateTaskDefinition(stack, "Task")
    task.add_container("App", image=ecs.ContainerImage.from_registry("app"))
    ecs.FargateService(stack, "Service", cluster=cluster, task_definition=task, enable_execute_command=True)
    return task


# What each refusal advises, followed as it stands.


def test_advice_for_ecs_exec() -> None:
    stack = new_stack()
    _exec(stack, new_key(stack))
    with pytest.raises(SealedSynthError, match=r"kms.Key.from_key_arn\(stack, 'ExecKey', key.key_arn\)"):
        raise_refusals(stack)
    stack = new_stack()
    key = new_key(stack)
    task = _exec(stack, kms.Key.from_key_arn(stack, "ExecKey", key.key_arn))
    key.grant_decrypt(task.task_role)
    assert [one["Action"] for one in granted(stack)] == [["kms:Decrypt"]]


def test_advice_for_a_role_of_a_later_stack() -> None:
    app = App(analytics_reporting=False)
    stack, later = new_stack("Data", app), new_stack("Later", app)
    key = new_key(stack, **SERVICES)
    role = iam.Role(stack, "Role", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
    secret_of(stack, key).grant_read(role)
    key.grant_encrypt_decrypt(role)
    function_of(later, role=role, environment_encryption=key)
    app.synth()
    assert len(granted(stack)) == 2
    assert resources(later, "AWS::Lambda::Function")


ADVISED: dict[str, Callable[[Stack, SecureKmsKey], object]] = {
    "account": lambda stack, key: secret_of(stack, key).grant_read(iam.AccountPrincipal(OTHER)),
    "role": lambda stack, key: key.grant_encrypt_decrypt(iam.Role.from_role_arn(stack, "Far", THEIRS)),
    "bucket": lambda stack, key: s3.Bucket(stack, "Bucket", encryption_key=key).grant_read(
        iam.AccountPrincipal(OTHER)
    ),
}


@pytest.mark.parametrize("attempt", ADVISED.values(), ids=ADVISED)
def test_advice_for_another_account_is_followed_as_it_is_written(attempt: Ask) -> None:
    stack = new_stack()
    attempt(stack, new_key(stack, **SERVICES))
    with pytest.raises(SealedSynthError) as caught:
        raise_refusals(stack)
    advice = str(caught.value).partition("external_access=[ExternalAccess(principals")[2]
    call = f"[ExternalAccess(principals{advice}".split("\n")[0].rpartition("]")[0] + "]"
    followed = eval(call, {"ExternalAccess": ExternalAccess})  # noqa: S307 - the advice of this package
    stack = new_stack()
    attempt(stack, new_key(stack, **SERVICES, external_access=followed))
    assert granted(stack) == []


def test_a_generated_name_is_nobody_that_was_declared() -> None:
    stack = new_stack()
    access = ExternalAccess(principals=[THEIRS], permissions=["decrypt"], via_services=["s3"])
    key = new_key(stack, external_access=[access])
    key.add_to_resource_policy(ask(_foreign(stack, role_name=PhysicalName.GENERATE_IF_NEEDED), "kms:Decrypt"))
    with pytest.raises(SealedSynthError):
        raise_refusals(stack)
