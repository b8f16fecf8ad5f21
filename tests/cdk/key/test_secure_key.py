"""SecureKmsKey as it is synthesized: whole resources, and what others may do to it afterwards."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import aws_cdk as cdk
import jsii
import pytest
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk.assertions import Template
from constructs import Construct, IConstruct
from jsii._kernel.providers.process import _NodeProcess

from kms_constructs.cdk.key.secure_key import SecureKmsKey
from kms_constructs.errors import ArgumentError
from kms_constructs.model.actions import KeyUsage
from kms_constructs.model.declaration import METADATA_NAME
from kms_constructs.model.key_specs import KEY_SPECS
from kms_constructs.policies.key_policy import KeyPolicySpec, key_policy
from tests.cdk.keys import (
    ACCOUNT,
    ADMIN,
    DEPLOY,
    REGION,
    RESCUE,
    USER,
    key_resource,
    new_key,
    new_stack,
    resources,
    statements,
)

pytestmark = pytest.mark.cdk

ROOT = f"arn:aws:iam::{ACCOUNT}:root"
EXECUTION_ROLE = f"arn:aws:iam::{ACCOUNT}:role/cdk-hnb659fds-cfn-exec-role-{ACCOUNT}-{REGION}"
SPEC = KeyPolicySpec(root_arn=ROOT, administrators=(ADMIN,), deployment=(EXECUTION_ROLE,))


def plain(document: Any) -> Any:
    """A document in which the partition is written out, as it is in this Region."""
    if isinstance(document, dict):
        if document.keys() == {"Fn::Join"}:
            separator, parts = document["Fn::Join"]
            return separator.join(
                "aws" if part == {"Ref": "AWS::Partition"} else plain(part) for part in parts
            )
        return {key: plain(value) for key, value in document.items()}
    if isinstance(document, list):
        return [plain(one) for one in document]
    return document


def test_a_development_key() -> None:
    stack = new_stack()
    key = new_key(stack, "Key", removal_policy=cdk.RemovalPolicy.DESTROY, pending_window=7, key_users=[USER])
    spec = KeyPolicySpec(
        root_arn=ROOT,
        administrators=(ADMIN,),
        deployment=(EXECUTION_ROLE,),
        users=(USER,),
        pending_window=7,
        deployment_may_delete=True,
    )
    assert key.alias_name == "alias/dev/key"
    assert plain(key_resource(stack)) == {
        "Type": "AWS::KMS::Key",
        "DeletionPolicy": "Delete",
        "UpdateReplacePolicy": "Delete",
        "Properties": {
            "Description": "Data of the tests",
            "EnableKeyRotation": True,
            "KeyPolicy": key_policy(spec),
            "KeySpec": "SYMMETRIC_DEFAULT",
            "KeyUsage": "ENCRYPT_DECRYPT",
            "MultiRegion": False,
            "PendingWindowInDays": 7,
            "RotationPeriodInDays": 365,
            "Tags": [
                {"Key": "data-classification", "Value": "internal"},
                {"Key": "environment", "Value": "dev"},
                {"Key": "kms:alias", "Value": "dev/key"},
                {"Key": "service", "Value": "lake"},
            ],
        },
        "Metadata": {
            "kms-constructs": {
                "authorised": {
                    "IAM-KMS-2": [ADMIN],
                    "IAM-KMS-3": [ADMIN, EXECUTION_ROLE],
                    "IAM-KMS-4": [ADMIN],
                    "IAM-KMS-5": [ADMIN, EXECUTION_ROLE],
                    "IAM-KMS-7": [],
                }
            }
        },
    }


def test_a_production_key() -> None:
    stack = new_stack()
    new_key(
        stack,
        "Key",
        alias="prod/s3-data",
        environment="prod",
        data_classification="confidential",
        owner="data platform",
        break_glass_principals=[RESCUE],
        key_users=[USER],
        via_services=["s3"],
        rotation_period=180,
        multi_region=True,
        tags={"soc2": "CC6.1"},
        policy_reviewed_on="2026-01-31",
        deployment_principals=[DEPLOY],
    )
    spec = KeyPolicySpec(
        root_arn=ROOT,
        administrators=(ADMIN,),
        break_glass=(RESCUE,),
        deployment=(DEPLOY,),
        users=(USER,),
        via_services=("s3.eu-west-1.amazonaws.com",),
        multi_region=True,
    )
    assert plain(key_resource(stack)) == {
        "Type": "AWS::KMS::Key",
        "DeletionPolicy": "RetainExceptOnCreate",
        "UpdateReplacePolicy": "Retain",
        "Properties": {
            "Description": "Data of the tests",
            "EnableKeyRotation": True,
            "KeyPolicy": key_policy(spec),
            "KeySpec": "SYMMETRIC_DEFAULT",
            "KeyUsage": "ENCRYPT_DECRYPT",
            "MultiRegion": True,
            "PendingWindowInDays": 30,
            "RotationPeriodInDays": 180,
            "Tags": [
                {"Key": "data-classification", "Value": "confidential"},
                {"Key": "environment", "Value": "prod"},
                {"Key": "kms:alias", "Value": "prod/s3-data"},
                {"Key": "kms:policy-reviewed-on", "Value": "2026-01-31"},
                {"Key": "owner", "Value": "data platform"},
                {"Key": "service", "Value": "lake"},
                {"Key": "soc2", "Value": "CC6.1"},
            ],
        },
        "Metadata": {
            "kms-constructs": {
                "authorised": {
                    "IAM-KMS-2": [RESCUE],
                    "IAM-KMS-3": [RESCUE],
                    "IAM-KMS-4": [RESCUE],
                    "IAM-KMS-5": [RESCUE, DEPLOY],
                    "IAM-KMS-7": [],
                }
            }
        },
    }


@pytest.fixture(scope="module")
def one_of_each() -> dict[tuple[str, KeyUsage], dict[str, Any]]:
    stack = new_stack()
    keys: dict[tuple[str, KeyUsage], SecureKmsKey] = {}
    for name, spec in KEY_SPECS.items():
        for usage in spec.usages:
            construct_id = f"{name}-{usage}".replace("_", "-")
            keys[name, usage] = new_key(stack, construct_id, key_spec=name, key_usage=usage)
    found = Template.from_stack(stack).to_json()["Resources"]
    return {kind: found[stack.resolve(key.key_id)["Ref"]]["Properties"] for kind, key in keys.items()}


@pytest.mark.parametrize(
    ("name", "usage"),
    [
        pytest.param(name, usage, id=f"{name}-{usage}")
        for name, spec in KEY_SPECS.items()
        for usage in spec.usages
    ],
)
def test_every_kind_of_key(one_of_each: Any, name: str, usage: KeyUsage) -> None:
    properties = one_of_each[name, usage]
    assert (properties["KeySpec"], properties["KeyUsage"]) == (name, usage)
    rotates = name == "SYMMETRIC_DEFAULT"
    assert properties.get("RotationPeriodInDays") == (365 if rotates else None)
    assert properties.get("EnableKeyRotation", False) is rotates


def test_aliases_outputs_and_parameter() -> None:
    stack = new_stack()
    key = new_key(
        stack,
        "Key",
        alias="alias/one",
        additional_aliases=["foo/bar"],
        outputs=True,
        parameter_name="/keys/dev",
        logical_id="PinnedKey",
    )
    template = Template.from_stack(stack).to_json()
    arn = {"Fn::GetAtt": ["PinnedKey", "Arn"]}
    names = [one["Properties"] for one in template["Resources"].values() if one["Type"] == "AWS::KMS::Alias"]
    assert names == [
        {"AliasName": "alias/one", "TargetKeyId": arn},
        {"AliasName": "alias/foo/bar", "TargetKeyId": arn},
    ]
    (parameter,) = resources(stack, "AWS::SSM::Parameter").values()
    assert parameter["Properties"] == {
        "Name": "/keys/dev",
        "Type": "String",
        "Value": arn,
        "Description": "ARN of the KMS key alias/one",
    }
    outputs = [plain(one["Value"]) for one in template["Outputs"].values()]
    alias_arn = f"arn:aws:kms:{REGION}:{ACCOUNT}:alias/one"
    assert outputs == [arn, {"Ref": "PinnedKey"}, "alias/one", alias_arn]
    assert stack.resolve(key.key_arn) == arn
    assert plain(stack.resolve(key.alias_arn)) == alias_arn


def test_a_role_of_another_stack_is_imported() -> None:
    app = cdk.App(analytics_reporting=False)
    people, data = new_stack("People", app), new_stack("Data", app)
    role = iam.Role(people, "Role", assumed_by=iam.ServicePrincipal("ec2.amazonaws.com"))
    new_key(data, key_users=[role])
    principal = statements(data)["KeyUsers"]["Principal"]["AWS"]
    assert principal["Fn::ImportValue"].startswith("People:ExportsOutputFnGetAttRole")


# What others do to the key afterwards.

STABILIZE = "@aws-cdk/core:aspectStabilization"
"""Context under which the CDK goes over the tree until no aspect is left to run; new apps have it."""


@jsii.implements(cdk.IPropertyInjector)
class Weaken:
    """A property injector that wants keys without rotation, policy or retention."""

    @property
    def construct_unique_id(self) -> str:
        return kms.Key.PROPERTY_INJECTION_ID

    def inject(self, original_props: Any, *, scope: Any = None, id: str = "") -> Any:  # noqa: A002
        return {
            **original_props,
            "enableKeyRotation": False,
            "policy": iam.PolicyDocument(),
            "removalPolicy": cdk.RemovalPolicy.DESTROY,
            "pendingWindow": cdk.Duration.days(7),
        }


@jsii.implements(cdk.IAspect)
class Meddle:
    """An aspect that rewrites every KMS key it meets."""

    def visit(self, node: IConstruct) -> None:
        if isinstance(node, kms.CfnKey):
            node.enable_key_rotation = False
            node.key_policy = {"Statement": []}
            node.apply_removal_policy(cdk.RemovalPolicy.DESTROY)
            node.add_property_override("EnableKeyRotation", False)
            node.add_property_override("KeyPolicy.Statement", [])
            node.add_override("DeletionPolicy", "Delete")


def _escape(stack: cdk.Stack, key: SecureKmsKey) -> None:
    resource = key.node.default_child
    assert isinstance(resource, kms.CfnKey)
    resource.add_property_override("KeyPolicy.Statement", [])
    resource.enable_key_rotation = False


WEAKENINGS: list[Any] = [
    pytest.param(lambda app, stack: cdk.RemovalPolicies.of(app).destroy(), None, id="RemovalPolicies of app"),
    pytest.param(
        lambda app, stack: cdk.RemovalPolicies.of(stack).destroy(), None, id="RemovalPolicies of stack"
    ),
    pytest.param(
        lambda app, stack: cdk.RemovalPolicies.of(app).destroy(priority=2000),
        None,
        id="RemovalPolicies, last",
    ),
    pytest.param(
        lambda app, stack: cdk.PropertyInjectors.of(app).add(Weaken()), None, id="property injector"
    ),
    pytest.param(lambda app, stack: cdk.Aspects.of(app).add(Meddle()), None, id="aspect"),
    pytest.param(
        lambda app, stack: cdk.Aspects.of(stack).add(Meddle(), priority=3000), None, id="aspect, last of all"
    ),
    pytest.param(None, _escape, id="escape hatch"),
]


@pytest.mark.parametrize(("before", "after"), WEAKENINGS)
@pytest.mark.parametrize("late", [False, True], ids=["before the key", "after the key"])
def test_what_was_declared_is_what_is_written(before: Any, after: Any, late: bool) -> None:
    calm = new_stack()
    new_key(calm)
    app = cdk.App(analytics_reporting=False)
    stack = new_stack(app=app)
    scope = Construct(stack, "Nested")
    if before and not late:
        before(app, stack)
    key = new_key(scope, alias="dev/key")
    if before and late:
        before(app, stack)
    if after:
        after(stack, key)
    assert key_resource(stack) == key_resource(calm)


@pytest.mark.parametrize("before", [pytest.param(one.values[0], id=one.id) for one in WEAKENINGS[:-1]])
def test_the_same_weakens_a_plain_key(before: Any) -> None:
    """Control: what the test above withstands is real."""
    app = cdk.App(analytics_reporting=False)
    stack = new_stack(app=app)
    before(app, stack)
    kms.Key(stack, "Plain", enable_key_rotation=True, removal_policy=cdk.RemovalPolicy.RETAIN)
    assert key_resource(stack)["DeletionPolicy"] == "Delete"


def test_the_key_refuses_another_removal_policy() -> None:
    key = new_key(new_stack())
    with pytest.raises(ArgumentError, match="RETAIN_ON_UPDATE_OR_DELETE was declared"):
        key.apply_removal_policy(cdk.RemovalPolicy.DESTROY)
    key.apply_removal_policy(cdk.RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE)


def test_tags_of_app_and_key_join_and_the_declared_ones_win() -> None:
    app = cdk.App(analytics_reporting=False)
    stack = new_stack(app=app)
    cdk.Tags.of(app).add("cost-centre", "42")
    cdk.Tags.of(app).add("environment", "wrong")
    key = new_key(stack)
    cdk.Tags.of(key).add("team", "lake")
    tags = {tag["Key"]: tag["Value"] for tag in key_resource(stack)["Properties"]["Tags"]}
    assert tags == {
        "cost-centre": "42",
        "data-classification": "internal",
        "environment": "dev",
        "kms:alias": "dev/key",
        "service": "lake",
        "team": "lake",
    }


def test_a_second_synthesis_writes_the_same() -> None:
    app = cdk.App(analytics_reporting=False)
    stack = new_stack(app=app)
    cdk.Tags.of(app).add("cost-centre", "42")
    new_key(stack)
    first = app.synth().get_stack_by_name("Data").template
    assert app.synth(force=True).get_stack_by_name("Data").template == first


def test_a_second_synthesis_sees_an_aspect_that_the_first_did_not() -> None:
    app = cdk.App(analytics_reporting=False)
    stack = new_stack(app=app)
    new_key(stack)
    app.synth()
    calm = key_resource(stack)
    cdk.RemovalPolicies.of(app).destroy()
    template = app.synth(force=True).get_stack_by_name("Data").template
    assert [one for one in template["Resources"].values() if one["Type"] == "AWS::KMS::Key"] == [calm]


@jsii.implements(cdk.IAspect)
class Weakens:
    """An aspect that writes over what the key says, in the way that wins over properties."""

    def __init__(self, path: str, value: object) -> None:
        self._path, self._value = path, value

    def visit(self, node: IConstruct) -> None:
        if isinstance(node, kms.CfnKey):
            node.add_override(self._path, self._value)


@pytest.mark.parametrize("on_resource", [False, True], ids=["on the key", "on its resource"])
@pytest.mark.parametrize(
    ("path", "value"),
    [
        pytest.param("Properties.KeyPolicy.Statement", [], id="no statement"),
        pytest.param("Properties.KeyPolicy", None, id="no policy"),
        pytest.param("Properties", {}, id="no property"),
        pytest.param("Properties.EnableKeyRotation", False, id="no rotation"),
        pytest.param(f"Metadata.{METADATA_NAME}", {}, id="no declaration"),
    ],
)
def test_an_aspect_on_the_key_itself_changes_nothing(path: str, value: object, on_resource: bool) -> None:
    calm, stack = new_stack(), new_stack()
    new_key(calm)
    key = new_key(stack)
    where = key.node.default_child if on_resource else key
    assert where is not None
    cdk.Aspects.of(where).add(Weakens(path, value))
    assert key_resource(stack) == key_resource(calm)


@jsii.implements(cdk.IAspect)
class Look:
    """An aspect that changes nothing, and knows what it saw."""

    def __init__(self) -> None:
        self.seen: list[IConstruct] = []

    def visit(self, node: IConstruct) -> None:
        self.seen.append(node)


@jsii.implements(cdk.IAspect)
class AddsAnAspectLate:
    """An aspect on what stands behind the key, that gives the key an aspect when it was visited already."""

    def __init__(self, key: kms.Key, added: Look) -> None:
        self._key: kms.Key | None = key
        self._added = added

    def visit(self, node: IConstruct) -> None:
        if self._key is not None:
            key, self._key = self._key, None
            cdk.Aspects.of(key).add(self._added, priority=600)


def test_the_guard_keeps_nobody_from_adding_aspects_late() -> None:
    """The CDK refuses an aspect for a construct that one with a higher number has visited already."""
    calm = new_stack()
    new_key(calm)
    stack = new_stack(app=cdk.App(analytics_reporting=False, context={STABILIZE: True}))
    key = new_key(stack)
    look = Look()
    cdk.Aspects.of(Construct(stack, "Behind")).add(AddsAnAspectLate(key, look))
    assert key_resource(stack) == key_resource(calm)
    assert look.seen[0] is key


def test_a_key_in_a_stage_and_in_a_nested_stack() -> None:
    app = cdk.App(analytics_reporting=False)
    stage = cdk.Stage(app, "Prod", env=cdk.Environment(account=ACCOUNT, region=REGION))
    parent = cdk.Stack(stage, "Data")
    new_key(cdk.NestedStack(parent, "Nested"), "Inner")
    new_key(parent, "Outer")
    app.synth()
    for stack, name in ((parent, "dev/outer"), (parent.node.find_child("Nested"), "dev/inner")):
        assert isinstance(stack, cdk.Stack)
        properties = key_resource(stack)["Properties"]
        assert {"Key": "kms:alias", "Value": name} in properties["Tags"]
        by_sid = {one["Sid"]: one for one in plain(properties["KeyPolicy"])["Statement"]}
        assert by_sid["Deployment"]["Principal"] == {"AWS": EXECUTION_ROLE}


def test_a_key_that_is_taken_out_again() -> None:
    stack = new_stack()
    new_key(stack, "Gone")
    stack.node.try_remove_child("Gone")
    new_key(stack, "Stays")
    tags = key_resource(stack)["Properties"]["Tags"]
    assert {"Key": "kms:alias", "Value": "dev/stays"} in tags


@jsii.implements(cdk.IAspect)
class MakeKey:
    """An aspect that makes a key."""

    def visit(self, node: IConstruct) -> None:
        if isinstance(node, cdk.Stack) and node.node.try_find_child("Late") is None:
            new_key(node, "Late")


def test_a_key_that_an_aspect_makes() -> None:
    app = cdk.App(analytics_reporting=False)
    stack = new_stack(app=app)
    new_key(stack, "Early")
    cdk.Aspects.of(app).add(MakeKey(), priority=500)
    found = resources(stack, "AWS::KMS::Key")
    sids = {name: one["Properties"]["KeyPolicy"]["Statement"][0]["Sid"] for name, one in found.items()}
    assert list(sids.values()) == ["RootAccount", "RootAccount"]


# Costs.


@contextmanager
def counted_messages() -> Iterator[list[str]]:
    """The messages sent to the Node process, answers to its callbacks included."""
    sent: list[str] = []
    original = _NodeProcess.send

    def counting(self: Any, request: Any, *rest: Any, **named: Any) -> Any:
        sent.append(type(request).__name__)
        return original(self, request, *rest, **named)

    _NodeProcess.send = counting  # type: ignore[method-assign,assignment]
    try:
        yield sent
    finally:
        _NodeProcess.send = original  # type: ignore[method-assign]


def _messages(keys: int) -> tuple[int, int]:
    stack = new_stack()
    with counted_messages() as sent:
        for number in range(keys):
            new_key(stack, f"Key{number}", key_users=[USER], owner="platform", tags={"team": "lake"})
        built = len(sent)
        cdk.App.of(stack).synth()  # type: ignore[union-attr]
        return built, len(sent)


def test_calls_into_node() -> None:
    _messages(1)
    few, many = _messages(2), _messages(12)
    assert (many[0] - few[0]) / 10 == 1, "one call builds a key"
    assert (many[1] - few[1]) / 10 <= 5, "four more bring it into the template, past every aspect"


VALIDATED = """
import aws_cdk as cdk
from tests.cdk.keys import new_key, new_stack
app = cdk.App(analytics_reporting=False)
stack = new_stack(app=app)
new_key(stack)
signing = {"key_spec": "ECC_NIST_P256", "key_usage": "SIGN_VERIFY"}
new_key(stack, "Signing", **signing, outputs=True, parameter_name="/a/b")
app.synth()
print("synthesized")
"""


@pytest.mark.validation
@pytest.mark.slow
def test_cdk_finds_no_fault_with_the_template() -> None:
    """CDK's own validation of templates, in a process of its own, for it is chosen when that starts."""
    environment = {**os.environ, "CDK_VALIDATION": "true", "NODE_ENV": "test"}
    done = subprocess.run(
        [sys.executable, "-c", VALIDATED],
        env=environment,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert (done.returncode, done.stdout.strip()) == (0, "synthesized"), done.stderr[-3000:]
    assert "ERROR" not in done.stderr
    assert "Warning" not in done.stderr
