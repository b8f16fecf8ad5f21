"""What each refusal advises, followed as it is written: then the app synthesizes, and the guardrails hold."""

from __future__ import annotations

import ast
import inspect
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType
from typing import Any

import pytest
from aws_cdk import App, Aws, Size, Stack
from aws_cdk import aws_codepipeline as codepipeline
from aws_cdk import aws_codepipeline_actions as actions
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_secretsmanager as secretsmanager

from kms_constructs.cdk.key import refusals
from kms_constructs.cdk.key.refused import raise_refusals
from kms_constructs.cdk.key.secure_key import SecureKmsKey
from kms_constructs.errors import SealedSynthError
from kms_constructs.policies.external_access import ExternalAccess
from kms_constructs.policies.services.service_access import ServiceAccess
from kms_constructs.testing import assert_guardrails
from tests.cdk.keys import ACCOUNT, ADMIN, DEPLOY, REGION, new_key, new_stack

pytestmark = pytest.mark.cdk

OTHER = "444455556666"
ORG = "o-a1b2c3d4e5"
FAR = f"arn:aws:iam::{OTHER}:role/Far"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/Named"
NAMES = {
    "ServiceAccess": ServiceAccess,
    "ExternalAccess": ExternalAccess,
    "Aws": Aws,
    "role": ROLE,
    "ARN": FAR,
    "ORGANIZATION": ORG,
}
ARGUMENTS = re.compile(
    r"\b(key_users|encrypt_only_users|decrypt_only_users|key_administrators|services|via_services"
    r"|external_access|replica_regions)=\["
)

Do = Callable[[Stack, SecureKmsKey], object]


@dataclass(frozen=True)
class Case:
    """Something refused, and what is done once the advice is followed.

    Args:
        ask: What is refused.
        then: What is done then: the same again, by default; or what the advice says to do instead.
        given: Arguments of the key in the first place.
        names: What the placeholders of the advice stand for.
        which: The alternative to follow, where the advice names several of one argument.
        instead: Whether the advice to make something else is followed, and its arguments are not.
    """

    ask: Do
    then: Do | None = None
    given: dict[str, Any] = field(default_factory=dict)
    names: dict[str, Any] = field(default_factory=dict)
    which: int = 0
    instead: bool = False


def statement(principal: iam.IPrincipal, *names: str, **more: Any) -> Do:
    """A statement as constructs ask for them."""

    def ask(stack: Stack, key: SecureKmsKey) -> None:
        key.add_to_resource_policy(
            iam.PolicyStatement(principals=[principal], actions=list(names), resources=["*"], **more)
        )

    return ask


def through(service: str, region: str = REGION) -> dict[str, Any]:
    return {"conditions": {"StringEquals": {"kms:ViaService": f"{service}.{region}.amazonaws.com"}}}


def grant(arn: str, method: str = "grant_decrypt") -> Do:
    return lambda stack, key: getattr(key, method)(iam.Role.from_role_arn(stack, "Granted", arn))


def nothing(stack: Stack, key: SecureKmsKey) -> None:
    """The wish is dropped; who needed it was named."""


def later(stack: Stack) -> Stack:
    app = App.of(stack)
    assert app is not None
    return new_stack("Later", app)  # type: ignore[arg-type]


def role_in(stack: Stack, **more: Any) -> iam.Role:
    return iam.Role(stack, "Role", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"), **more)


def secret(stack: Stack, key: SecureKmsKey, reader: iam.IGrantable) -> None:
    secretsmanager.Secret(stack, "Secret", encryption_key=key).grant_read(reader)


def pipeline(own: bool) -> Do:
    """A pipeline that deploys into another account, with roles that CDK makes up or that are given."""

    def ask(stack: Stack, key: SecureKmsKey) -> None:
        there = iam.Role.from_role_arn(stack, "There", FAR, mutable=False)
        roles = {"role": there, "deployment_role": there} if own else {"account": OTHER}
        source = codepipeline.Artifact()
        bucket = s3.Bucket(stack, "Artifacts", encryption_key=key)
        made = codepipeline.Pipeline(stack, "Pipeline", artifact_bucket=bucket)
        sources = s3.Bucket(stack, "Source", versioned=True)
        made.add_stage(
            stage_name="Source",
            actions=[actions.S3SourceAction(action_name="S", bucket=sources, bucket_key="k", output=source)],
        )
        made.add_stage(
            stage_name="Deploy",
            actions=[
                actions.CloudFormationCreateUpdateStackAction(
                    action_name="D",
                    stack_name="x",
                    admin_permissions=False,
                    template_path=source.at_path("t"),
                    **roles,
                )
            ],
        )

    return ask


SECRETS = {"services": [ServiceAccess.secrets_manager([f"arn:aws:iam::{ACCOUNT}:role/Creator"])]}
ROOT = iam.AccountRootPrincipal()
DENY: dict[str, Any] = {"effect": iam.Effect.DENY}

CASES: dict[str, Case] = {
    "a service with one preset": Case(statement(iam.ServicePrincipal("sns.amazonaws.com"), "kms:Decrypt")),
    "a service with several": Case(
        statement(iam.ServicePrincipal("events.amazonaws.com"), "kms:Decrypt", "kms:GenerateDataKey*")
    ),
    "a service with several, another use": Case(
        statement(iam.ServicePrincipal("events.amazonaws.com"), "kms:Decrypt", "kms:GenerateDataKey*"),
        which=2,
    ),
    "a service that no requirement knows": Case(
        statement(iam.ServicePrincipal("workmail.amazonaws.com"), "kms:Decrypt", "kms:GenerateDataKey*")
    ),
    "two services in one statement": Case(
        lambda stack, key: key.add_to_resource_policy(
            iam.PolicyStatement(
                principals=[
                    iam.ServicePrincipal("workmail.amazonaws.com"),
                    iam.ServicePrincipal("sns.amazonaws.com"),
                ],
                actions=["kms:Decrypt"],
                resources=["*"],
            )
        )
    ),
    "everybody": Case(statement(iam.StarPrincipal(), "kms:Decrypt"), then=grant(ROLE)),
    "somebody of an identity provider": Case(
        statement(iam.FederatedPrincipal("accounts.google.com", {}), "kms:Decrypt"), then=nothing
    ),
    "another account": Case(
        lambda stack, key: secret(stack, key, iam.AccountPrincipal(OTHER)), given=SECRETS
    ),
    "a bucket for another account": Case(
        lambda stack, key: s3.Bucket(stack, "Bucket", encryption_key=key).grant_read_write(
            iam.AccountPrincipal(OTHER)
        )
    ),
    "a role of another account": Case(grant(FAR)),
    "a role of another account that writes": Case(grant(FAR, "grant_encrypt")),
    "a role of another account that reads and writes": Case(grant(FAR, "grant_encrypt_decrypt")),
    "a role of another account that signs": Case(
        grant(FAR, "grant_sign"), given={"key_spec": "ECC_NIST_P256", "key_usage": "SIGN_VERIFY"}
    ),
    "a role of another account that signs and verifies": Case(
        grant(FAR, "grant_sign_verify"), given={"key_spec": "ECC_NIST_P256", "key_usage": "SIGN_VERIFY"}
    ),
    "a role of another account that makes MACs": Case(
        grant(FAR, "grant_generate_mac"),
        then=grant(ROLE, "grant_generate_mac"),
        given={"key_spec": "HMAC_256"},
    ),
    "another account that makes MACs": Case(
        statement(iam.AccountPrincipal(OTHER), "kms:GenerateMac"),
        then=grant(ROLE, "grant_generate_mac"),
        given={"key_spec": "HMAC_256"},
    ),
    "a pipeline into another account": Case(pipeline(own=False), then=pipeline(own=True)),
    "the account through a service with a preset": Case(
        lambda stack, key: ec2.Volume(
            stack,
            "Volume",
            availability_zone=f"{REGION}a",
            size=Size.gibibytes(1),
            encrypted=True,
            encryption_key=key,
        )
    ),
    "the account through another service": Case(statement(ROOT, "kms:Decrypt", **through("workspaces"))),
    "the account through a service of another Region": Case(
        statement(
            ROOT, "kms:Decrypt", conditions={"StringEquals": {"kms:ViaService": "s3.us-east-1.amazonaws.com"}}
        ),
        then=nothing,
    ),
    "the account": Case(statement(ROOT, "kms:Decrypt"), then=grant(ROLE)),
    "the account, and all of KMS": Case(statement(ROOT, "kms:*"), then=grant(ROLE)),
    "a role, in a statement": Case(statement(iam.ArnPrincipal(ROLE), "kms:Decrypt")),
    "all but some actions": Case(
        lambda stack, key: key.add_to_resource_policy(
            iam.PolicyStatement(
                principals=[iam.ArnPrincipal(ROLE)], not_actions=["kms:Sign"], resources=["*"]
            )
        ),
        then=grant(ROLE),
    ),
    "a Deny": Case(statement(iam.ArnPrincipal(ROLE), "kms:Decrypt", **DENY), then=nothing),
    "administration": Case(
        lambda stack, key: key.grant(role_in(stack), "kms:PutKeyPolicy", "kms:Decrypt"), then=nothing
    ),
    "grant_admin": Case(grant(ROLE, "grant_admin"), then=nothing),
    "an administrator": Case(
        grant(ROLE),
        then=grant(ROLE),
        given={"key_administrators": [ADMIN, ROLE]},
    ),
    "a role of a later stack": Case(
        lambda stack, key: key.grant_decrypt(role_in(later(stack))),
        then=lambda stack, key: key.grant_decrypt(role_in(stack)),
        instead=True,
    ),
    "a role of a later stack that exists already": Case(
        lambda stack, key: key.grant_decrypt(role_in(later(stack))),
        then=lambda stack, key: key.grant_decrypt(role_in(later(stack), role_name="Named")),
        names={"ARN": ROLE},
    ),
    "a role of a later stack through a service": Case(
        lambda stack, key: secret(stack, key, role_in(later(stack))),
        then=lambda stack, key: secret(stack, key, role_in(stack)),
        given=SECRETS,
        instead=True,
    ),
    "a role of a later stack that exists already, through a service": Case(
        lambda stack, key: secret(stack, key, role_in(later(stack))),
        then=lambda stack, key: secret(stack, key, role_in(later(stack), role_name="Named")),
        given=SECRETS,
        names={"ARN": ROLE},
    ),
    "the deployer": Case(
        lambda stack, key: key.grant_decrypt(iam.Role.from_role_arn(stack, "Deployer", DEPLOY)),
        then=grant(ROLE),
        given={"deployment_principals": [DEPLOY]},
    ),
    "the deployer through a service": Case(
        statement(iam.ArnPrincipal(DEPLOY), "kms:Decrypt", **through("secretsmanager")),
        given={"deployment_principals": [DEPLOY]},
    ),
    "the deployer through a service without a preset": Case(
        statement(iam.ArnPrincipal(DEPLOY), "kms:Decrypt", **through("workspaces")),
        then=nothing,
        given={"deployment_principals": [DEPLOY]},
    ),
}


def advice_of(case: Case) -> list[str]:
    stack = new_stack()
    case.ask(stack, new_key(stack, **case.given))
    with pytest.raises(SealedSynthError) as caught:
        raise_refusals(stack)
    return list(caught.value.refusals)


def followed(advice: str, case: Case) -> dict[str, list[Any]]:
    """The arguments that an advice names, as Python reads them."""
    found: dict[str, list[list[Any]]] = {}
    for match in ARGUMENTS.finditer(advice.partition(" Fix: ")[2]):
        text = _bracketed(advice.partition(" Fix: ")[2], match.end() - 1).replace("[…]", "[role]")
        if "…" not in text:
            found.setdefault(match[1], []).append(eval(text, {**NAMES, **case.names}))  # noqa: S307 - printed by this package
    return {name: values[min(case.which, len(values) - 1)] for name, values in found.items()}


def _bracketed(text: str, start: int) -> str:
    depth = 0
    for place in range(start, len(text)):
        depth += {"[": 1, "]": -1}.get(text[place], 0)
        if not depth:
            return text[start : place + 1]
    raise AssertionError(f"no end of brackets: {text[start:]}")


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_followed_as_it_is_written(case: Case) -> None:
    advice = advice_of(case)
    arguments: dict[str, Any] = {}
    for one in advice:
        for name, values in ({} if case.instead else followed(one, case)).items():
            known = arguments.setdefault(name, [])
            known += [value for value in values if value not in known]
    given = dict(case.given)
    if any("take it out of key_administrators" in one for one in advice):
        given["key_administrators"] = [ADMIN]
    else:
        assert arguments or case.instead, advice
    administrators = [*given.pop("key_administrators", [ADMIN]), *arguments.pop("key_administrators", [])]
    services = [*given.pop("services", []), *arguments.pop("services", [])]

    stack = new_stack()
    key = new_key(stack, key_administrators=administrators, services=services, **given, **arguments)
    (case.then or case.ask)(stack, key)

    assert_guardrails(stack)


@contextmanager
def lines_of(module: Any) -> Iterator[set[int]]:
    """The lines of a module that run."""
    seen: set[int] = set()

    def trace(frame: FrameType, event: str, argument: object) -> Any:
        if frame.f_code.co_filename != module.__file__:
            return None
        seen.add(frame.f_lineno)
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        yield seen
    finally:
        sys.settrace(before)


def test_every_advice_that_can_be_printed_is_in_the_table() -> None:
    with lines_of(refusals) as ran:
        for case in CASES.values():
            advice_of(case)
    tree = ast.parse(inspect.getsource(refusals))
    written = {
        node.lineno: node
        for owner in ast.walk(tree)
        if isinstance(owner, ast.ClassDef)
        for node in ast.walk(owner)
        if isinstance(node, ast.Return | ast.Assign | ast.AugAssign)
    }
    missing = {
        line for line, node in written.items() if not ran & set(range(line, (node.end_lineno or line) + 1))
    }
    assert missing == set()
