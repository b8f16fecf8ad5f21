"""Builds plans and states in the documented format, the parts that a test is about given by it.

What a plan is made of: instances (`made`), blocks of the configuration (`block`), calls of modules (`call`).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from kms_constructs.model.estate import Deployment, Estate, Key, SourceProblem
from kms_constructs.sources.terraform.plans import estate_from_plans

ACCOUNT = "111122223333"
REGION = "eu-west-1"
ROOT = f"arn:aws:iam::{ACCOUNT}:root"
PROVIDER = {
    "aws": {
        "name": "aws",
        "full_name": "registry.terraform.io/hashicorp/aws",
        "expressions": {"region": {"constant_value": REGION}},
    }
}

Json = dict[str, Any]


def role(name: str) -> str:
    return f"arn:aws:iam::{ACCOUNT}:role/{name}"


def statement(principal: object, actions: object, **more: object) -> Json:
    return {"Effect": "Allow", "Principal": principal, "Action": actions, "Resource": "*", **more}


def policy(*statements: Json) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def _address(address: str) -> tuple[str, str, str, Any, bool]:
    """Module address, type, name, index and whether it is data, of an address."""
    head, index = address, None
    if address.endswith("]"):
        head, _, inner = address.rpartition("[")
        index = json.loads(inner[:-1])
    steps = head.rsplit(".", 2)
    before, type_, name = (steps[0], steps[1], steps[2]) if len(steps) == 3 else ("", steps[0], steps[1])
    data = before == "data" or before.endswith(".data")
    module = before.removesuffix("data").removesuffix(".") if data else before
    return module, type_, name, index, data


def made(
    address: str,
    values: Json | None = None,
    *,
    unknown: Json | None = None,
    sensitive: Json | None = None,
    actions: Iterable[str] = ("create",),
) -> Json:
    """An instance of a resource, and what the plan does with it."""
    return {
        "address": address,
        "values": values or {},
        "unknown": unknown or {},
        "sensitive": sensitive or {},
        "actions": list(actions),
    }


def refers(*references: str) -> Json:
    """An expression, with each reference followed by what it begins with, as Terraform lists them."""
    found: list[str] = []
    for one in references:
        found.append(one)
        parent, _, _ = one.rpartition(".")
        if parent.count(".") >= 1 or parent.startswith("module."):
            found.append(parent)
            if parent.endswith("]"):
                found.append(parent.partition("[")[0])
    return {"references": list(dict.fromkeys(found))}


def constant(value: object) -> Json:
    return {"constant_value": value}


def block(address: str, expressions: Json | None = None, *, provider: str = "aws", **more: object) -> Json:
    """A block of the configuration, by its address in its module."""
    _, type_, name, _, data = _address(address)
    return {
        "address": address,
        "mode": "data" if data else "managed",
        "type": type_,
        "name": name,
        "provider_config_key": provider,
        "expressions": expressions or {},
        "schema_version": 0,
        **more,
    }


def module(
    *blocks: Json,
    outputs: Mapping[str, Json] | None = None,
    calls: Mapping[str, Json] | None = None,
    variables: Json | None = None,
) -> Json:
    """The configuration of a module."""
    return {
        "resources": list(blocks),
        "outputs": {name: {"expression": expression} for name, expression in (outputs or {}).items()},
        "module_calls": dict(calls or {}),
        "variables": variables or {},
    }


def call(of: Json, expressions: Json | None = None, **more: object) -> Json:
    """A call of a module."""
    return {"source": "./module", "expressions": expressions or {}, "module": of, **more}


def plan(
    *instances: Json,
    configuration: Json | None = None,
    identity: bool = True,
    provider: Json | None = None,
    **more: object,
) -> Json:
    """A plan of these instances.

    Args:
        instances: What it makes, changes, reads or deletes.
        configuration: The root module's.
        identity: Whether it has read ``aws_caller_identity``.
        provider: The provider configurations.
        more: Further members of the document.
    """
    blocks = configuration or module()
    prior: list[Json] = []
    if identity:
        prior.append(
            {
                "address": "data.aws_caller_identity.current",
                "mode": "data",
                "type": "aws_caller_identity",
                "name": "current",
                "values": {"account_id": ACCOUNT},
            }
        )
        blocks = {
            **blocks,
            "resources": [*blocks["resources"], block("data.aws_caller_identity.current")],
        }
    kept = [one for one in instances if one["actions"] != ["delete"]]
    return {
        "format_version": "1.2",
        "terraform_version": "1.9.8",
        "planned_values": {"root_module": _tree(kept)},
        "resource_changes": [_change(one) for one in instances],
        "prior_state": {"format_version": "1.0", "values": {"root_module": {"resources": prior}}},
        "configuration": {
            "provider_config": PROVIDER if provider is None else provider,
            "root_module": blocks,
        },
        **more,
    }


def state(*instances: Json, outputs: Json | None = None) -> Json:
    """A state of these instances."""
    return {
        "format_version": "1.0",
        "terraform_version": "1.9.8",
        "values": {"root_module": _tree(instances), "outputs": outputs or {}},
    }


def _resource(one: Json) -> Json:
    _, type_, name, index, data = _address(one["address"])
    found = {
        "address": one["address"],
        "mode": "data" if data else "managed",
        "type": type_,
        "name": name,
        "provider_name": "registry.terraform.io/hashicorp/aws",
        "schema_version": 0,
        "values": one["values"],
        "sensitive_values": one["sensitive"],
    }
    return found if index is None else {**found, "index": index}


def _change(one: Json) -> Json:
    module_address, type_, name, index, data = _address(one["address"])
    deleted = one["actions"] == ["delete"]
    found = {
        "address": one["address"],
        "mode": "data" if data else "managed",
        "type": type_,
        "name": name,
        "change": {
            "actions": ["read"] if data else one["actions"],
            "before": one["values"] if deleted else None,
            "after": None if deleted else one["values"],
            "after_unknown": one["unknown"],
            "before_sensitive": one["sensitive"] if deleted else False,
            "after_sensitive": {} if deleted else one["sensitive"],
        },
    }
    if module_address:
        found["module_address"] = module_address
    return found if index is None else {**found, "index": index}


def _tree(instances: Iterable[Json]) -> Json:
    """The module tree: here every module beside the root hangs at it, with its whole address."""
    modules: dict[str, list[Json]] = {}
    for one in instances:
        modules.setdefault(_address(one["address"])[0], []).append(_resource(one))
    children = [
        {"address": address, "resources": resources} for address, resources in modules.items() if address
    ]
    return {"resources": modules.get("", []), "child_modules": children}


def read(*documents: Json, deployment: Deployment | None = None) -> tuple[Estate, list[SourceProblem]]:
    """The estate of plans, and what could not be read."""
    problems: list[SourceProblem] = []
    sources = [(one, f"plan{number}.json") for number, one in enumerate(documents, start=1)]
    if len(sources) == 1:
        sources = [(documents[0], "plan.json")]
    return estate_from_plans(sources, deployment or Deployment(), problems), problems


def keys_of(*documents: Json) -> dict[str, Key]:
    """The keys of plans that are read without a problem, by address."""
    estate, problems = read(*documents)
    assert problems == []
    return {key.location.logical_id: key for key in estate.keys}
