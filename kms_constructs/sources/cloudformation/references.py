"""What in templates points at keys: properties of resources, outputs, what nested stacks are given."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from kms_constructs.model.estate import Location, Reference
from kms_constructs.model.exact import is_object
from kms_constructs.model.text import display
from kms_constructs.model.unknown import Maybe, Unknown, is_unknown
from kms_constructs.sources.cloudformation.inner import NESTED
from kms_constructs.sources.cloudformation.keys import ALIAS_TYPE, KEY_TYPES, location_of, may_name
from kms_constructs.sources.cloudformation.own_policies import IDENTITY_TYPES
from kms_constructs.sources.cloudformation.properties import Properties
from kms_constructs.sources.cloudformation.resources import KEY_ID
from kms_constructs.sources.cloudformation.sam import ROLE_MAKERS
from kms_constructs.sources.cloudformation.scope import Scope, section
from kms_constructs.sources.named_keys import ALIAS_PREFIX

# Uses of a key that say nothing of what it protects: policies that allow its use, aliases, replicas.
_NO_REFERENCE: Final = frozenset(
    {*KEY_TYPES, ALIAS_TYPE, "AWS::Organizations::Policy", *IDENTITY_TYPES} - ROLE_MAKERS
)

Pointing = tuple[str, Reference | None]
"""A text that may name keys, and the property that has it; None where the keys leave the templates."""


def pointing(scope: Scope) -> tuple[Pointing, ...]:
    """Every text of a stack that may name a key that it uses, or that others learn of."""
    found: list[Pointing] = []
    for resource in scope.resources.values():
        is_passed_on = resource.type in NESTED
        if resource.logical_id in scope.children if is_passed_on else resource.type in _NO_REFERENCE:
            continue
        properties = scope.properties(resource.logical_id)
        if is_unknown(properties):
            continue
        texts: list[tuple[str, str]] = []
        _collect(properties, "Properties", texts)
        if not texts:
            continue
        if is_passed_on or resource.type == "AWS::SSM::Parameter":
            found.extend((text, None) for _, text in texts)
            continue
        location = location_of(scope, resource)
        tags = _tags_of(properties, location)
        found.extend((text, Reference(location, resource.type, path, tags)) for path, text in texts)
    if scope.parent is None:  # a nested stack's outputs reach no further than its parent
        for name in section(scope.input.template, "Outputs"):
            value = scope.output(name, 0)
            if isinstance(value, str) and may_name(value):
                found.append((value, None))
    return tuple(found)


def _tags_of(properties: Mapping[str, object], location: Location) -> Mapping[str, str | Unknown] | Unknown:
    """Tags of any resource: a list of ``Key`` and ``Value``, or for some types an object."""
    raw = properties.get("Tags")
    listed = [{"Key": name, "Value": value} for name, value in raw.items()] if is_object(raw) else raw
    # Whether CloudFormation takes the tags of such a resource is not for these rules to say.
    return Properties({"Tags": listed}, location, []).tags()


def _may_name(text: str) -> bool:
    """Whether a text may name a key: of what deployment makes up, by the id of a key alone."""
    return KEY_ID in text or ALIAS_PREFIX in text or ":key/" in text


def _collect(value: object, path: str, found: list[tuple[str, str]]) -> None:
    """Adds every text in a resolved value that may name a key, with its path."""
    if isinstance(value, dict):
        for key, member in value.items():
            if type(member) is not str:
                _collect(member, f"{path}/{display(str(key))}", found)
            elif _may_name(member):
                found.append((f"{path}/{display(str(key))}", member))
    elif isinstance(value, list):
        for index, member in enumerate(value):
            _collect(member, f"{path}/{index}", found)
    elif isinstance(value, str):
        if _may_name(value):
            found.append((path, value))
    elif isinstance(value, Maybe):
        _collect(value.value, path, found)
