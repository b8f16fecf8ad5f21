"""What sealed key policies refuse: all of an app together, with the lines that asked, and never green."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import jsii
import pytest
from aws_cdk import (
    App,
    Aspects,
    CfnOutput,
    Environment,
    IAspect,
    IStableStringProducer,
    Lazy,
    RemovalPolicy,
    Stack,
    Stage,
)
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from aws_cdk.assertions import Template
from constructs import IConstruct

from kms_constructs.cdk.enforcement.enforce import enforce_guardrails
from kms_constructs.cdk.key.secure_key import SecureKmsKey
from kms_constructs.errors import ArgumentError, KmsConstructsError, SealedPolicyError, SealedSynthError
from tests.cdk.keys import ACCOUNT, ADMIN, REGION, new_key, new_stack

pytestmark = pytest.mark.cdk

FAR = "arn:aws:iam::444455556666:role/App"
HERE = Path(__file__).name


def new_app() -> App:
    return App(analytics_reporting=False)


def ask_of(key: SecureKmsKey, name: str = "sns.amazonaws.com") -> None:
    principals: list[iam.IPrincipal] = [iam.ServicePrincipal(name)]
    key.add_to_resource_policy(
        iam.PolicyStatement(principals=principals, actions=["kms:Decrypt"], resources=["*"])
    )


def of(error: SealedSynthError) -> list[str]:
    """The keys of the refusals, and what was refused, in their order."""
    return [re.split(r"=| \(", one)[0] for one in error.refusals]


def test_all_refusals_of_an_app_are_raised_together() -> None:
    app = new_app()
    first, second = new_stack("First", app), new_stack("Second", app)
    one, other = new_key(first, "One"), new_key(second, "Other")
    ask_of(one)
    one.grant_decrypt(iam.Role.from_role_arn(first, "Far", FAR))
    s3.Bucket(second, "Bucket", encryption_key=other).grant_read(
        iam.Role.from_role_arn(second, "Admin", ADMIN)
    )
    other.grant_admin(iam.ArnPrincipal(FAR))
    with pytest.raises(SealedSynthError) as caught:
        app.synth()
    assert of(caught.value) == [
        "First/One: a statement that a construct asks for",
        "First/One: grantee",
        "Second/Other: grantee",
        "Second/Other: grantee",
    ]
    message = str(caught.value)
    assert message.startswith("4 wishes for more than sealed key policies say are refused:\n1. First/One: ")
    assert message.count(f"{HERE}:") == 4
    assert "services=[ServiceAccess.sns()]" in message
    assert (caught.value.argument, caught.value.where) == ("services", "First/One")


def test_the_keys_of_all_stages_are_told_of() -> None:
    app = new_app()
    for name in ("Dev", "Prod"):
        stage = Stage(app, name, env=Environment(account=ACCOUNT, region=REGION))
        ask_of(new_key(Stack(stage, "Data")))
    with pytest.raises(SealedSynthError) as caught:
        app.synth()
    assert of(caught.value) == [
        f"{stage}/Data/Key: a statement that a construct asks for" for stage in ("Dev", "Prod")
    ]


def test_what_is_asked_twice_is_told_once() -> None:
    app = new_app()
    key = new_key(new_stack("Data", app))
    ask_of(key)
    ask_of(key)
    for _ in range(2):
        with pytest.raises(
            SealedSynthError, match=r"^Data/Key: a statement that a construct asks for \(sns"
        ) as caught:
            app.synth()
        assert len(caught.value.refusals) == 1


@jsii.implements(IAspect)
class _Asks:
    def visit(self, node: IConstruct) -> None:
        if isinstance(node, SecureKmsKey):
            ask_of(node)


def _by_an_aspect(stack: Stack, key: SecureKmsKey) -> None:
    Aspects.of(stack).add(_Asks())


WAYS: dict[str, Callable[[Stack, SecureKmsKey], object]] = {
    "a statement": lambda stack, key: ask_of(key),
    "a grant": lambda stack, key: key.grant_decrypt(iam.Role.from_role_arn(stack, "Far", FAR)),
    "administration": lambda stack, key: key.grant_admin(iam.Role.from_role_arn(stack, "Far", FAR)),
    "an aspect": _by_an_aspect,
    "a grant that CDK could not resolve either": lambda stack, key: key.grant_decrypt(
        iam.Role(
            Stack(App.of(stack), "There", env=Environment(account="444455556666", region=REGION)),
            "Role",
            assumed_by=iam.AccountRootPrincipal(),
        )
    ),
}


@pytest.mark.parametrize("ask", WAYS.values(), ids=WAYS)
class TestNothingRefusedIsGreen:
    def test_the_synth_of_the_app(self, ask: Callable[[Stack, SecureKmsKey], object]) -> None:
        stack = new_stack()
        ask(stack, new_key(stack))
        with pytest.raises(SealedSynthError, match=r"^Data/Key: "):
            App.of(stack).synth()  # type: ignore[union-attr]

    def test_under_guardrails(self, ask: Callable[[Stack, SecureKmsKey], object]) -> None:
        app = new_app()
        stack = new_stack("Data", app)
        key = new_key(stack)
        enforce_guardrails(app)
        ask(stack, key)
        with pytest.raises(SealedSynthError, match=r"^Data/Key: "):
            app.synth()

    def test_without_validation(self, ask: Callable[[Stack, SecureKmsKey], object]) -> None:
        app = new_app()
        stack = new_stack("Data", app)
        ask(stack, new_key(stack))
        with pytest.raises(SealedSynthError, match=r"^Data/Key: "):
            app.synth(skip_validation=True)

    def test_within_node(self, ask: Callable[[Stack, SecureKmsKey], object]) -> None:
        stack = new_stack()
        ask(stack, new_key(stack))
        with pytest.raises(RuntimeError, match=r"Data/Key: .* is refused: .* Fix: "):
            Template.from_stack(stack)


def test_what_comes_after_the_synth_is_not_green_either() -> None:
    app = new_app()
    key = new_key(new_stack("Data", app))
    app.synth()
    ask_of(key)
    with pytest.raises(SealedSynthError):
        app.synth(force=True)


def test_another_app_is_not_concerned() -> None:
    ask_of(new_key(new_stack("Data", new_app())))
    app = new_app()
    new_key(new_stack("Data", app))
    assert app.synth().stacks


def test_what_else_goes_wrong_is_raised_as_it_is() -> None:
    app = new_app()
    stack = new_stack("Data", app)
    new_key(stack)
    CfnOutput(stack, "Nothing", value=Lazy.string(_Fails()))
    with pytest.raises(RuntimeError, match="nothing to tell"):
        app.synth()


@jsii.implements(IStableStringProducer)
class _Fails:
    def produce(self) -> str:
        raise ValueError("nothing to tell")


def test_arguments_are_refused_at_once() -> None:
    stack = new_stack()
    key = new_key(stack)
    everyone = iam.Role.from_role_arn(stack, "All", f"arn:aws:iam::{ACCOUNT}:role/*")
    with pytest.raises(ArgumentError, match="a wildcard is not allowed"):
        key.grant_decrypt(everyone)
    with pytest.raises(ArgumentError, match="removal_policy"):
        key.apply_removal_policy(RemovalPolicy.DESTROY)


def test_it_is_caught_as_what_it_is() -> None:
    for kind in (KmsConstructsError, ArgumentError, SealedPolicyError, ValueError, SystemExit):
        assert issubclass(SealedSynthError, kind)


APP = """
from aws_cdk import App, Environment, Stack, aws_iam as iam
from kms_constructs import SecureKmsKey

app = App(analytics_reporting=False)
stack = Stack(app, "Data", env=Environment(account="111122223333", region="eu-west-1"))
key = SecureKmsKey(
    stack, "Key", alias="a", description="d", environment="dev", service="s",
    data_classification="internal", key_administrators=["arn:aws:iam::111122223333:role/Admin"],
)
key.grant_admin(iam.ArnPrincipal("arn:aws:iam::111122223333:role/Other"))
app.synth()
print("green")
"""


def test_uncaught_it_ends_the_process_without_a_traceback(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(APP, "utf-8")
    done = subprocess.run(
        [sys.executable, "app.py"], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=120
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert "Traceback" not in done.stderr
    assert "Data/Key: grantee='arn:aws:iam::111122223333:role/Other' is refused" in done.stderr
    assert "(asked for at app.py:11; the key is made at app.py:7)" in done.stderr
