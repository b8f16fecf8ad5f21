"""Whoever changes the L1 of a hardened key is told that the change is discarded."""

from __future__ import annotations

from typing import Any

import pytest
from aws_cdk import Stack
from aws_cdk import aws_kms as kms
from aws_cdk.assertions import Annotations, Match, Template

from kms_constructs.cdk.key.escape_hatch import WARNING
from tests.cdk.keys import new_key, new_stack

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
