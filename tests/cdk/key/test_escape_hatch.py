"""Whoever changes the L1 of a hardened key is told that the change is discarded."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsii
import pytest
from aws_cdk import (
    App,
    Aspects,
    IAspect,
    IPropertyInjector,
    PropertyInjectors,
    RemovalPolicies,
    RemovalPolicy,
    Stack,
    Tags,
)
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk.assertions import Annotations, Match, Template
from constructs import IConstruct
from jsii._kernel.providers.process import _NodeProcess

from kms_constructs.cdk.key import guard
from kms_constructs.cdk.key.escape_hatch import WARNING
from tests.cdk.keys import key_resource, new_key, new_stack

pytestmark = pytest.mark.cdk


@pytest.fixture
def stack() -> Stack:
    return new_stack()


def hardened(stack: Stack) -> kms.CfnKey:
    resource = new_key(stack).node.default_child
    assert isinstance(resource, kms.CfnKey)
    return resource


def warnings(stack: Stack) -> list[str]:
    found = Annotations.from_stack(stack).find_warning("*", Match.string_like_regexp("is discarded"))
    return [str(one.entry.data) for one in found]


@pytest.mark.parametrize(
    ("hatch", "arguments", "path"),
    [
        ("add_property_override", ("PendingWindowInDays", 7), "PendingWindowInDays"),
        ("add_override", ("Properties.PendingWindowInDays", 7), "Properties.PendingWindowInDays"),
        ("add_property_deletion_override", ("Tags",), "Tags"),
        ("add_deletion_override", ("Properties.KeyPolicy",), "Properties.KeyPolicy"),
    ],
)
def test_an_override_that_is_discarded_warns(
    stack: Stack, hatch: str, arguments: tuple[Any, ...], path: str
) -> None:
    getattr(hardened(stack), hatch)(*arguments)

    (warning,) = warnings(stack)
    assert warning.startswith(f"The override of {path} is discarded: the construct writes ")
    assert WARNING in warning
    properties = {
        "PendingWindowInDays": 30,
        "Tags": Match.any_value(),
        "KeyPolicy": Match.any_value(),
    }
    Template.from_stack(stack).has_resource_properties("AWS::KMS::Key", properties)


def test_an_override_that_lasts_does_not_warn(stack: Stack) -> None:
    resource = hardened(stack)
    resource.add_override("Metadata.owner", "orders")

    assert warnings(stack) == []
    Template.from_stack(stack).has_resource("AWS::KMS::Key", {"Metadata": {"owner": "orders"}})


def test_a_plain_key_keeps_its_overrides_in_silence(stack: Stack) -> None:
    resource = kms.Key(stack, "Plain").node.default_child
    assert isinstance(resource, kms.CfnKey)
    resource.add_property_override("PendingWindowInDays", 7)

    assert warnings(stack) == []
    Template.from_stack(stack).has_resource_properties("AWS::KMS::Key", {"PendingWindowInDays": 7})


def test_what_the_construct_writes_itself_does_not_warn(stack: Stack) -> None:
    hardened(stack)

    assert warnings(stack) == []


SET: dict[str, tuple[dict[str, Any], str]] = {
    "rotation off": ({"enable_key_rotation": False}, "EnableKeyRotation"),
    "rotation unset": ({"enable_key_rotation": None}, "EnableKeyRotation"),
    "shorter window": ({"pending_window_in_days": 7}, "PendingWindowInDays"),
    "another policy": ({"key_policy": {"Statement": []}}, "KeyPolicy"),
    "another document": ({"key_policy": iam.PolicyDocument()}, "KeyPolicy"),
    "several": (
        {"rotation_period_in_days": 90, "description": "Mine", "key_spec": "RSA_2048"},
        "Description, KeySpec, RotationPeriodInDays",
    ),
}


@pytest.mark.parametrize(("values", "names"), SET.values(), ids=SET)
def test_a_property_that_is_set_and_discarded_warns(stack: Stack, values: dict[str, Any], names: str) -> None:
    calm = new_stack()
    new_key(calm)
    resource = hardened(stack)
    for name, value in values.items():
        setattr(resource, name, value)

    (warning,) = warnings(stack)
    assert warning.startswith(f"What was set of {names} is discarded: the construct writes what ")
    assert WARNING in warning
    assert key_resource(stack) == key_resource(calm)


def test_a_property_that_the_construct_does_not_write_stays_and_does_not_warn(stack: Stack) -> None:
    hardened(stack).enabled = False

    assert warnings(stack) == []
    assert key_resource(stack)["Properties"]["Enabled"] is False


def test_what_is_taken_out_of_a_replica_warns() -> None:
    app = App(analytics_reporting=False)
    replica = new_key(new_stack(app=app), replica_regions=["us-east-1"]).replica("us-east-1")
    resource = replica.node.default_child
    assert isinstance(resource, kms.CfnKey)
    resource.rotation_period_in_days = 90

    (warning,) = warnings(Stack.of(replica))
    assert warning.startswith("What was set of RotationPeriodInDays is discarded: ")


@jsii.implements(IAspect)
class _Shorten:
    def visit(self, node: IConstruct) -> None:
        if isinstance(node, kms.CfnKey):
            node.pending_window_in_days = 7


@jsii.implements(IPropertyInjector)
class _Stop:
    @property
    def construct_unique_id(self) -> str:
        return kms.Key.PROPERTY_INJECTION_ID

    def inject(self, original_props: Any, *, scope: Any = None, id: str = "") -> Any:  # noqa: A002
        return {**original_props, "enableKeyRotation": False}


def test_what_an_aspect_sets_and_what_an_injector_puts_in_warns_as_well() -> None:
    app = App(analytics_reporting=False)
    stack = new_stack(app=app)
    Aspects.of(app).add(_Shorten())
    PropertyInjectors.of(app).add(_Stop())
    hardened(stack)

    (warning,) = warnings(stack)
    assert warning.startswith("What was set of EnableKeyRotation, PendingWindowInDays is discarded: ")


def test_a_removal_policy_that_an_aspect_sets_in_vain_warns() -> None:
    app = App(analytics_reporting=False)
    stack = new_stack(app=app)
    RemovalPolicies.of(app).destroy()
    hardened(stack)

    (warning,) = warnings(stack)
    assert warning.startswith("What was set of DeletionPolicy is discarded: ")


def test_what_changes_nothing_does_not_warn(stack: Stack) -> None:
    resource = hardened(stack)
    resource.pending_window_in_days = 30
    resource.description = "Data of the tests"
    Tags.of(stack).add("team", "data")
    Aspects.of(stack).add(_Look())

    assert warnings(stack) == []


@jsii.implements(IAspect)
class _Look:
    def visit(self, node: IConstruct) -> None:
        pass


SILENT: dict[str, dict[str, Any]] = {
    "plain": {},
    "no rotation": {"key_spec": "HMAC_256"},
    "multi-Region": {"multi_region": True},
    "replicas": {"replica_regions": ["us-east-1"]},
    "destroyed": {"removal_policy": RemovalPolicy.DESTROY},
}


@pytest.mark.parametrize("arguments", SILENT.values(), ids=SILENT)
def test_no_key_warns_of_itself(arguments: dict[str, Any]) -> None:
    app = App(analytics_reporting=False)
    Aspects.of(app).add(_Look())
    new_key(new_stack(app=app), **arguments)

    stacks = [one for one in app.node.find_all() if isinstance(one, Stack)]
    assert [warnings(one) for one in stacks] == [[]] * len(stacks)


def test_it_is_told_once_however_often_the_app_is_synthesized(stack: Stack) -> None:
    hardened(stack).enable_key_rotation = False
    Template.from_stack(stack)
    App.of(stack).synth(force=True)  # type: ignore[union-attr]

    assert len(warnings(stack)) == 1


def test_no_temporary_path_is_told(tmp_path: Path) -> None:
    app = App(analytics_reporting=False, outdir=str(tmp_path))
    stack = new_stack(app=app)
    hardened(stack).add_property_override("PendingWindowInDays", 7)
    new_key(stack, "Set").node.default_child.enable_key_rotation = False  # type: ignore[union-attr]
    new_key(stack, "Many", replica_regions=["us-east-1"])
    app.synth()

    found = [
        entry
        for file in tmp_path.glob("*.json")
        for entry in _objects(json.loads(file.read_text()))
        if entry.get("type") in ("aws:cdk:warning", "aws:cdk:info")
    ]
    assert len(found) == 3
    assert [entry.get("trace") for entry in found] == [None] * 3


def _objects(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
    for member in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _objects(member)


def test_to_look_costs_no_call_into_node(monkeypatch: pytest.MonkeyPatch) -> None:
    def calls() -> int:
        stack = new_stack()
        hardened(stack)
        sent: list[object] = []
        with monkeypatch.context() as patched:
            send = _NodeProcess.send
            patched.setattr(
                _NodeProcess, "send", lambda *given, **more: (sent.append(1), send(*given, **more))[1]
            )
            Template.from_stack(stack)
        return len(sent)

    calls()
    looked = calls()
    monkeypatch.setattr(guard, "tell_of_properties", lambda *_: None)
    assert calls() == looked > 0
