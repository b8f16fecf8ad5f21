"""Templates along the ways of the requirements of services, made from the same data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kms_constructs.model.service_requirement import Caller, Consumer, ServiceRequirement, Step, Who

ROLE = "arn:aws:iam::111122223333:role/Worker"
"""The role of every resource that has one."""


def placed(path: str, value: object) -> Any:
    """The value at a property path: ``A/*/B`` gives ``{"A": [{"B": value}]}``."""
    head, _, rest = path.partition("/")
    if not head:
        return value
    inside = placed(rest, value)
    return [inside] if head == "*" else {head: inside}


def merged(first: Any, second: Any) -> Any:
    """Both values in one."""
    if isinstance(first, Mapping) and isinstance(second, Mapping):
        both = {**first, **second}
        return {name: merged(first.get(name), second.get(name)) for name in both}
    if isinstance(first, list) and isinstance(second, list):
        return [merged(first[0], second[0])]
    return first if second is None else second


def properties_of(step: Step, value: object) -> Any:
    """Properties with which a resource takes a step to what the value names."""
    properties: Any = placed(step.properties[0], value)
    for path, wanted in step.where.items():
        properties = merged(properties, placed(path, wanted))
    return properties


def resources_along(requirement: ServiceRequirement, consumer: Consumer, key: object) -> dict[str, Any]:
    """Resources along a way: the first is called ``Step0`` and the last one names the key."""
    made: dict[str, Any] = {}
    value = key
    for number, step in reversed(list(enumerate(consumer.steps))):
        made[f"Step{number}"] = {"Type": step.resource, "Properties": properties_of(step, value)}
        value = {"Ref": f"Step{number}"}
    for caller in requirement.callers:
        _give_role(made, caller)
    return made


def _give_role(made: dict[str, Any], caller: Caller) -> None:
    if caller.who is not Who.ROLE:
        return
    for way in caller.roles:
        for resource in [one for one in made.values() if one["Type"] == way[0].resource]:
            value: object = ROLE
            for number, step in reversed(list(enumerate(way[1:]))):
                name = f"Behind{number}"
                made[name] = {"Type": step.resource, "Properties": placed(step.properties[0], value)}
                value = {"Ref": name}
            resource["Properties"] = merged(resource["Properties"], placed(way[0].properties[0], value))
