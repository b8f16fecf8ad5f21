"""Writes what `SecureKmsKey` declares into the template, late enough that nothing undoes it.

A key's L1 can be changed by many hands after the key was made: property injectors, aspects such as
``RemovalPolicies.of(app).destroy()``, escape hatches. So the construct hands its declaration to the guard of
its stack, and the guard writes it as raw overrides, which win over every property:

* while aspects run, when references to other stacks are still seen: properties;
* while the tree is validated, after the last aspect: properties again, metadata, and the tags, united with
  those that the app gave; where an aspect or a property injector reaches the scope of the key, the removal
  policy, too.

Properties are written again whether somebody changed them or not: to ask each key for its own aspects would
cost more calls into Node than the writing, and an override on a key that nobody asked would stay.

One guard serves all keys of a stack with one walk over the stack's tree; a call into Node for each key and
each property would cost more than making the keys.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol
from weakref import WeakKeyDictionary, WeakSet

import jsii
from aws_cdk import Aspects, CfnResource, IAspect, PropertyInjectors, RemovalPolicy, RemoveTag, Stack, Tag
from aws_cdk.aws_kms import CfnKey
from constructs import IConstruct, IValidation

from kms_constructs.cdk.key.escape_hatch import tell_of_overrides, tell_of_properties, tell_of_removal
from kms_constructs.cdk.key.held_to_guardrails import POLICIES
from kms_constructs.cdk.key.refused import refused_in, watch
from kms_constructs.model.declaration import METADATA_NAME

_EARLY = 10
"""Aspect priority: before the aspects of others. Raw overrides win whenever they are written, and an aspect
that has run late forbids others to add earlier ones."""


class Declared(Protocol):
    """A key that the guard writes."""

    def declared_properties(self) -> Mapping[str, object]:
        """CloudFormation properties but for the tags."""
        ...

    def made_with(self) -> Mapping[str, object]:
        """Properties that the L1 was made with, as the L1 names them."""
        ...

    def declared_type(self) -> str | None:
        """Type of the resource, where it is none of AWS::KMS::Key."""
        ...

    def foreign_properties(self) -> Iterable[str]:
        """Properties that the resource may not have, whoever sets them."""
        ...

    def declared_tags(self) -> Mapping[str, str]:
        """Tags."""
        ...

    def declared_metadata(self) -> Mapping[str, object]:
        """Resource metadata."""
        ...

    def declared_removal_policy(self) -> RemovalPolicy:
        """What happens to the key when it leaves the stack."""
        ...


@dataclass(slots=True)
class _Entry:
    scope: IConstruct
    key: IConstruct
    declared: Declared
    resource: CfnKey | None = None


def guard(stack: Stack, scope: IConstruct, key: IConstruct, declared: Declared) -> None:
    """Has a key, made in a scope, written by the guard of its stack."""
    found = _GUARDS.get(stack)
    if found is None:
        found = _GUARDS[stack] = StackGuard(stack, key)
    found.entries.append(_Entry(scope, key, declared))
    _GUARDED.add(key)


@dataclass
class StackGuard:
    """Writes the keys of one stack.

    Args:
        stack: The stack.
        anchor: Its first guarded key, on which the aspect and the validation hang.
    """

    stack: Stack
    anchor: IConstruct
    entries: list[_Entry] = field(default_factory=list)
    _verdicts: dict[IConstruct, bool] = field(default_factory=dict)

    def __post_init__(self) -> None:
        Aspects.of(self.anchor).add(_OnVisit(self.anchor, self.write), priority=_EARLY)
        node = self.stack.node
        node.add_validation(_OnValidate(self.settle))
        watch(node.root)

    def write(self) -> None:
        """Writes the properties of every key; idempotent."""
        self._find_resources()
        for entry in self.entries:
            if entry.resource is not None:
                _write_properties(entry, entry.resource, {})

    def settle(self) -> list[str]:
        """Writes what others may have changed since; answers the validation with what was refused."""
        self._verdicts.clear()
        self._find_resources()  # a key that an aspect made
        for entry in self.entries:
            resource = entry.resource
            if resource is None:
                continue  # the key was taken out of the tree again
            current = resource._cfn_properties  # one call for all of them
            tell_of_properties(resource, current, entry.declared.made_with(), partial(_written, entry))
            inherited = {str(tag["key"]): str(tag["value"]) for tag in current.get("tags") or ()}
            _write(entry, resource, inherited)
            if self._disturbed(entry.scope):
                deletion, replacement = POLICIES[entry.declared.declared_removal_policy()]
                tell_of_removal(resource, deletion)
                CfnResource.add_override(resource, "DeletionPolicy", deletion)
                CfnResource.add_override(resource, "UpdateReplacePolicy", replacement)
            for name in entry.declared.foreign_properties():
                if current.get(f"{name[0].lower()}{name[1:]}") is not None:
                    CfnResource.add_property_deletion_override(resource, name)
        return refused_in(self.stack)

    def _disturbed(self, scope: IConstruct) -> bool:
        """Whether an aspect or a property injector reaches the keys of a scope.

        Aspects that only tag do not count. Asked once for each scope, so that the common app pays nothing for
        each key.
        """
        known = self._verdicts.get(scope)
        if known is None:
            known = self._verdicts[scope] = any(
                PropertyInjectors.has_property_injectors(one)
                or any(not isinstance(aspect, Tag | RemoveTag) for aspect in Aspects.of(one).all)
                for one in scope.node.scopes
            )
        return known

    def _find_resources(self) -> None:
        if all(entry.resource is not None for entry in self.entries):
            return
        wanted = {id(entry.key): entry for entry in self.entries}
        tree = self.stack.node.find_all()
        for position, construct in enumerate(tree):
            entry = wanted.get(id(construct))
            if entry is not None and entry.resource is None:
                resource = tree[position + 1]
                if not isinstance(resource, CfnKey):
                    raise RuntimeError(
                        "the first child of kms.Key is no AWS::KMS::Key: this CDK is not known"
                    )
                entry.resource = resource


def _written(entry: _Entry) -> dict[str, object]:
    """What is written over the properties of an L1, None for what is taken out."""
    return {**dict.fromkeys(entry.declared.foreign_properties()), **entry.declared.declared_properties()}


def _write_properties(entry: _Entry, resource: CfnKey, inherited: Mapping[str, str]) -> None:
    properties = {**entry.declared.declared_properties(), "Tags": _tags(inherited, entry)}
    CfnResource.add_override(resource, "Properties", properties)


def _write(entry: _Entry, resource: CfnKey, inherited: Mapping[str, str]) -> None:
    _write_properties(entry, resource, inherited)
    kind = entry.declared.declared_type()
    if kind is not None:
        CfnResource.add_override(resource, "Type", kind)
    CfnResource.add_override(resource, f"Metadata.{METADATA_NAME}", entry.declared.declared_metadata())


def _tags(inherited: Mapping[str, str], entry: _Entry) -> list[dict[str, str]]:
    """The tags as the template writes them, sorted; the declared ones win over those that the app gave."""
    united = {**inherited, **entry.declared.declared_tags()}
    return [{"Key": key, "Value": value} for key, value in sorted(united.items())]


@jsii.implements(IAspect)
class _OnVisit:
    """Runs an action at the first visit of a synthesis; the visits of the anchor's children do not matter."""

    def __init__(self, anchor: IConstruct, action: Callable[[], None]) -> None:
        self._anchor = anchor
        self._action = action

    def visit(self, node: IConstruct) -> None:
        """Runs the action when the anchor itself is visited."""
        if node is self._anchor:
            self._action()


@jsii.implements(IValidation)
class _OnValidate:
    """Runs an action when the tree is validated, which is after the last aspect."""

    def __init__(self, action: Callable[[], list[str]]) -> None:
        self._action = action

    def validate(self) -> list[str]:
        """Runs the action; answers with its complaints."""
        return self._action()


_GUARDS: WeakKeyDictionary[Stack, StackGuard] = WeakKeyDictionary()

_GUARDED: WeakSet[IConstruct] = WeakSet()
"""Every key that is written."""

tell_of_overrides(lambda scope: scope in _GUARDED)
