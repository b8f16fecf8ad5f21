"""Every requirement of a service is complete, and names what KMS, IAM and CloudFormation know."""

from __future__ import annotations

import pkgutil
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
from cfnlint.schema import ResourceNotFoundError
from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER

from kms_constructs.model import services
from kms_constructs.model.actions import KeyUsage, find_action
from kms_constructs.model.key_specs import KEY_SPECS
from kms_constructs.model.service_requirement import (
    ACCOUNT,
    CONTEXT,
    PARTITION,
    REGION,
    SUFFIX,
    Caller,
    Consumer,
    ServiceRequirement,
    Shape,
    Step,
    Who,
)
from kms_constructs.model.services import requirement_of, requirements

REQUIREMENTS = requirements()
CALLERS = [
    pytest.param(one, caller, id=f"{one.name}-{number}")
    for one in REQUIREMENTS.values()
    for number, caller in enumerate(one.callers)
]
CONSUMERS = [
    pytest.param(consumer, id=f"{one.name}-{number}")
    for one in REQUIREMENTS.values()
    for number, consumer in enumerate(one.consumers)
]
PAGE = re.compile(r"https://docs\.aws\.amazon\.com/[A-Za-z0-9_./#-]+\.html(#[a-z-]+)?")
NO_RESOURCE = {
    "access_analyzer",
    "auto_scaling_other_account",
    "dynamodb_replication",
    "macie",
    "ssm",
}
"""No property of CloudFormation hands these a key, or the key is found in another way."""
CONDITION_KEYS = {
    "aws:SourceAccount",
    "aws:SourceArn",
    "aws:SourceOrgID",
    "kms:CallerAccount",
    "kms:GrantIsForAWSResource",
    "kms:GrantOperations",
    "kms:ViaService",
}
OPERATORS = {"ArnLike", "StringEquals", "StringLike", "ForAllValues:StringEquals"}


def test_there_is_one_file_a_requirement_of_its_name() -> None:
    files = {module.name for module in pkgutil.iter_modules(services.__path__)}

    assert {name: one.name for name, one in REQUIREMENTS.items()} == {name: name for name in files}
    assert all(requirement_of(name) is one for name, one in REQUIREMENTS.items())
    assert requirement_of("custom") is None


@pytest.mark.parametrize("one", REQUIREMENTS.values(), ids=REQUIREMENTS)
def test_it_is_complete(one: ServiceRequirement) -> None:
    assert one.title
    assert one.pages
    assert [page for page in one.pages if not PAGE.fullmatch(page)] == []
    assert one.callers or one.unsupported or one.undocumented
    assert not (one.callers and one.unsupported)
    assert bool(one.consumers) == (one.name not in NO_RESOURCE)
    assert one.rows or one.name in NO_RESOURCE
    assert one.preset or one.rows or one.notes
    assert KeyUsage(one.key_usage) in KEY_SPECS[one.key_spec or "SYMMETRIC_DEFAULT"].usages


@pytest.mark.parametrize(
    "one", [one for one in REQUIREMENTS.values() if one.preset], ids=lambda one: one.name
)
def test_its_preset_says_what_it_does(one: ServiceRequirement) -> None:
    text = one.preset
    assert text is not None
    said = {
        Shape.OWN: (),
        Shape.PRINCIPALS: (text.summary, text.principals),
        Shape.SOURCES: (text.summary, text.source, text.sources),
    }
    assert re.fullmatch(rf"ServiceAccess\.{one.name}\((…|\[…\]|.*=\[…\]|role, …)?\)", text.call)
    assert re.fullmatch(r"[A-Za-z0-9]{1,40}", text.sid)
    assert all(said[text.shape])
    if text.shape is Shape.PRINCIPALS:
        assert one.via
    if text.shape is Shape.SOURCES:
        limited = [caller for caller in one.callers if caller.who is Who.SERVICE and caller.limits]
        assert limited
        assert all("aws:SourceArn" in dict(map(reversed, caller.limits)) for caller in limited)


SAYS_SO = re.compile(r"not document|documents no|does not say|undocumented", re.IGNORECASE)


@pytest.mark.parametrize("one", REQUIREMENTS.values(), ids=REQUIREMENTS)
def test_what_aws_does_not_document_stands_where_the_table_shows_it(one: ServiceRequirement) -> None:
    assert [text for text in one.notes if SAYS_SO.search(text)] == []
    assert all(re.fullmatch(r"[A-Z][^|]*\.", text) for text in one.undocumented)
    unlimited = [
        caller
        for caller in one.callers
        if caller.who is Who.SERVICE and not caller.limits and not caller.omits and not caller.sid
    ]
    assert one.undocumented or not unlimited


def test_no_two_presets_answer_the_same_wish_or_write_the_same_statement() -> None:
    asked = [wish for one in REQUIREMENTS.values() for wish in one.asks_through]
    assert sorted(asked) == sorted(set(asked))
    sids = [one.preset.sid for one in REQUIREMENTS.values() if one.preset]
    assert sorted(sids) == sorted(set(sids))


@pytest.mark.parametrize(("one", "caller"), CALLERS)
def test_a_caller_makes_calls_that_kms_knows(one: ServiceRequirement, caller: Caller) -> None:
    for name in (*caller.actions, *caller.called, *caller.operations):
        action = find_action(name)
        assert action is not None
        assert action.name == name
        assert action.on_key
        assert not action.usages or KeyUsage(one.key_usage) in action.usages
    assert caller.actions
    assert set(caller.called) <= set(caller.actions)
    assert set(caller.needed) <= set(caller.actions)
    assert caller.grants or not caller.operations
    assert caller.page in one.pages or PAGE.fullmatch(caller.page)


@pytest.mark.parametrize(("one", "caller"), CALLERS)
def test_a_caller_is_named_as_its_kind_is(one: ServiceRequirement, caller: Caller) -> None:
    named = {
        Who.SERVICE: rf"[a-z0-9-]+(\.[a-z0-9-]+)*(\.{REGION})?\.(amazonaws\.com|{SUFFIX})",
        Who.LINKED_ROLE: (
            rf"arn:{PARTITION}:iam::{ACCOUNT}:role/aws-service-role/[a-z.-]+/AWSServiceRoleFor\w+"
        ),
    }
    assert re.fullmatch(named.get(caller.who, ""), caller.principal)
    assert bool(caller.roles) == (caller.who is Who.ROLE)
    sids = [other.sid for other in one.callers if other.who is caller.who and other.limits]
    assert caller.who is not Who.SERVICE or sids.count(caller.sid) <= 1


@pytest.mark.parametrize(("one", "caller"), CALLERS)
def test_a_caller_sends_what_its_statement_asks_for(one: ServiceRequirement, caller: Caller) -> None:
    keys = {*caller.sends, *caller.omits, *(key for _, key in caller.limits)}
    assert {key for key in keys if not key.startswith(CONTEXT)} <= CONDITION_KEYS
    assert {key for _, key in caller.limits} <= caller.sends.keys()
    assert {operator for operator, _ in caller.limits} <= OPERATORS
    assert not caller.sends.keys() & set(caller.omits)
    for value in caller.sends.values():
        for text in [value] if isinstance(value, str) else value:
            assert set(re.findall("<[^>]*>", text)) <= {PARTITION, ACCOUNT, REGION, SUFFIX}
            assert text
    # Nothing that has a wildcard is compared by StringEquals, which would equal no one.
    for operator, key in caller.limits:
        exact = not {"*", "?"} & set("".join(caller.sends[key]))
        assert exact or operator in ("ArnLike", "StringLike")


@pytest.mark.parametrize("consumer", CONSUMERS)
def test_a_consumer_ends_where_the_key_is_named(consumer: Consumer) -> None:
    assert consumer.forms
    assert consumer.holder is consumer.steps[-1]
    assert consumer.resource == consumer.steps[0].resource
    assert PAGE.fullmatch(consumer.page)


@cache
def schema_of(resource: str) -> dict[str, Any] | None:
    """CloudFormation's schema of a type; None for custom resources and for those it has none for."""
    if resource.startswith("Custom::"):
        return None
    try:
        schema: dict[str, Any] = PROVIDER_SCHEMA_MANAGER.get_resource_schema("us-east-1", resource).schema
    except ResourceNotFoundError:
        pytest.fail(f"CloudFormation has no {resource}")
    return schema


def ends(schema: dict[str, Any], node: dict[str, Any], path: list[str]) -> bool:
    """Whether a property path leads somewhere in a schema."""
    if "$ref" in node:
        found: Any = schema
        for part in node["$ref"].lstrip("#/").split("/"):
            found = found[part]
        return ends(schema, found, path)
    for option in (*node.get("oneOf", ()), *node.get("anyOf", ()), *node.get("allOf", ())):
        if {"properties", "$ref", "items"} & option.keys() and ends(schema, option, path):
            return True
    free = "object" in node.get("type", ()) and "properties" not in node
    if not path or free:
        return True
    head, rest = path[0], path[1:]
    if head == "*":
        inside = node.get("items")
        return inside is not None and ends(schema, inside, rest)
    inside = node.get("properties", {}).get(head)
    return inside is not None and ends(schema, inside, rest)


def steps() -> Iterator[Step]:
    for one in REQUIREMENTS.values():
        for consumer in one.consumers:
            yield from consumer.steps
        for caller in one.callers:
            for way in caller.roles:
                yield from way


@pytest.mark.parametrize(
    ("resource", "path"),
    sorted({(step.resource, path) for step in steps() for path in (*step.properties, *step.where)}),
)
def test_cloudformation_has_the_property(resource: str, path: str) -> None:
    schema = schema_of(resource)
    if schema is not None:
        assert ends(schema, {"properties": schema["properties"]}, path.split("/"))
