"""KMS keys of templates: properties, metadata, aliases, replicas, and what refers to them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from kms_constructs.model.arn import parse_arn
from kms_constructs.model.changed import changed
from kms_constructs.model.declaration import METADATA_NAME, Declaration
from kms_constructs.model.estate import Key, KeyKind, Location, Reference, SourceProblem
from kms_constructs.model.policy import default_key_policy
from kms_constructs.model.text import display, has_hole, has_unresolved_hole, undecided
from kms_constructs.model.unknown import Maybe, Unknown, is_unknown, or_default
from kms_constructs.sources.cloudformation.documents import policy_of
from kms_constructs.sources.cloudformation.origins import ResourceOrigin
from kms_constructs.sources.cloudformation.properties import Properties
from kms_constructs.sources.cloudformation.resources import KEY_ID, key_id
from kms_constructs.sources.cloudformation.scope import Resource, Scope
from kms_constructs.sources.named_keys import ALIAS_PREFIX, NamedKeys, linked, primaries_by_id

KEY_TYPES: Final = frozenset({"AWS::KMS::Key", "AWS::KMS::ReplicaKey"})
ALIAS_TYPE: Final = "AWS::KMS::Alias"
_OTHER_STACK: Final = Unknown("the primary key is not in the templates given")


@dataclass(slots=True)
class _Draft:
    """A key while what points at it is still being collected."""

    key: Key
    scope: Scope
    aliases: dict[str, bool] = field(default_factory=dict)
    repeated: list[str] = field(default_factory=list)
    references: list[Reference] = field(default_factory=list)
    referenced_outside: bool = False


def location_of(scope: Scope, resource: Resource) -> Location:
    """Where a resource of a template stands."""
    path = (scope.input.construct_paths or {}).get(resource.logical_id)
    if path is None:
        metadata = resource.raw.get("Metadata")
        named = metadata.get("aws:cdk:path") if isinstance(metadata, Mapping) else None
        path = named if isinstance(named, str) else None
    marks = scope.input.marks
    return Location(
        scope.input.source,
        scope.input.stack or _nested_name(scope),
        resource.logical_id,
        path,
        ResourceOrigin(scope, resource, marks, scope.world) if marks is not None else None,
        None if path is None else scope.input.made_at.get(path),
    )


def _nested_name(scope: Scope) -> str:
    return scope.label if scope.parent is not None or scope.input.within else ""


class Keys:
    """Collects the keys of every stack, then what points at them.

    Args:
        problems: Where problems are added.
    """

    def __init__(self, problems: list[SourceProblem]) -> None:
        self._problems = problems
        self._drafts: list[_Draft] = []
        self._names: NamedKeys[_Draft] = NamedKeys()
        self.unattached: list[str] = []

    def __bool__(self) -> bool:
        """Whether there is any key."""
        return bool(self._drafts)

    def add(self, scope: Scope, resource: Resource) -> None:
        """Adds a key or replica key."""
        location = location_of(scope, resource)
        properties = Properties(scope.properties(resource.logical_id), location, self._problems)
        is_replica = resource.type == "AWS::KMS::ReplicaKey"
        key = _key(scope, resource, location, properties, is_replica=is_replica)
        draft = _Draft(key, scope)
        self._drafts.append(draft)
        self._names.add(key.key_id, draft)

    def add_alias(self, scope: Scope, resource: Resource) -> None:
        """Adds an alias; every key has to be added before."""
        location = location_of(scope, resource)
        properties = Properties(scope.properties(resource.logical_id), location, self._problems)
        name, target = properties.text("AliasName"), properties.text("TargetKeyId")
        text = name if isinstance(name, str) else scope.unresolved(f"{resource.logical_id}.AliasName")
        drafts = self._named(target, scope) if isinstance(target, str) else []
        for draft in drafts:
            conditional = resource.conditional and not draft.key.conditional
            if not resource.conditional and draft.aliases.get(text) is False and text not in draft.repeated:
                draft.repeated.append(text)
            draft.aliases[text] = draft.aliases.get(text, True) and conditional
            self._names.add_alias(text, draft)
        if not drafts:
            self.unattached.append(text)

    def add_references(self, scope: Scope, resource: Resource) -> None:
        """Notes the keys that a resource's properties point at."""
        properties = scope.properties(resource.logical_id)
        if is_unknown(properties):
            return
        location: Location | None = None
        tags: Mapping[str, str | Unknown] | Unknown = {}
        for path, text in scope.of_resource(_naming, resource.logical_id):
            for draft in self._named(text, scope):
                if resource.type == "AWS::SSM::Parameter":
                    draft.referenced_outside = True
                    continue
                if location is None:
                    location = location_of(scope, resource)
                    tags = _tags_of(properties, location)
                draft.references.append(Reference(location, resource.type, path, tags))

    def add_output(self, scope: Scope, name: str) -> None:
        """Notes the keys that an output of a stack holds."""
        value = scope.output(name, 0)
        if isinstance(value, str):
            for draft in self._named(value, scope):
                draft.referenced_outside = True

    def passed_on(self, scope: Scope, resource: Resource) -> None:
        """Notes the keys that are passed to a nested stack whose template was not given."""
        for _, text in scope.of_resource(_naming, resource.logical_id):
            for draft in self._named(text, scope):
                draft.referenced_outside = True

    def named(self, text: str, scope: Scope) -> tuple[Key, ...]:
        """The keys that a text names by id, ARN or alias: as they were added."""
        return tuple(draft.key for draft in self._named(text, scope))

    def _named(self, text: str, scope: Scope) -> Sequence[_Draft]:
        """The keys that a text names by id, ARN or alias."""
        found: Sequence[_Draft] = ()
        if has_hole(text):
            found = self._names.generated(text)
        elif ":key/" in text:
            found = self._names.of_id(text)
        return _in_region(found or self._names.of_alias(text), text, scope)

    def finish(self) -> tuple[Key, ...]:
        """The keys, in the order in which they were added, with replicas linked to their primaries."""
        primaries = primaries_by_id(draft.key for draft in self._drafts)
        return tuple(linked(_finished(draft), primaries) for draft in self._drafts)


def _finished(draft: _Draft) -> Key:
    return changed(
        draft.key,
        aliases=tuple(draft.aliases),
        repeated_aliases=tuple(draft.repeated),
        conditional_aliases=tuple(name for name, conditional in draft.aliases.items() if conditional),
        references=tuple(draft.references),
        referenced_outside=draft.referenced_outside,
    )


def _in_region(found: Sequence[_Draft], text: str, scope: Scope) -> Sequence[_Draft]:
    """Of keys that share a name (a primary and its replicas), those of the Region that is meant."""
    if len(found) < 2:
        return found
    arn = parse_arn(text)
    region = arn.region if arn is not None and not has_hole(arn.region) else None
    wanted = region or scope.region
    return [draft for draft in found if draft.key.region == wanted] or found


def _key(
    scope: Scope, resource: Resource, location: Location, properties: Properties, *, is_replica: bool
) -> Key:
    document = properties.raw("KeyPolicy")
    policy = (
        default_key_policy(scope.partition, scope.account)
        if document is None
        else policy_of(document, "Properties/KeyPolicy")
    )
    declared = _declaration(scope, resource)
    key = Key(
        id=f"{scope.label}.{resource.logical_id}",
        key_id=key_id(scope, resource.logical_id, 0),
        location=location,
        policy=policy,
        kind=KeyKind.REPLICA if is_replica else KeyKind.KEY,
        account=scope.account,
        region=scope.region,
        partition=scope.partition,
        pending_window=properties.integer("PendingWindowInDays"),
        deletion_policy=_attribute(scope, resource, "DeletionPolicy"),
        update_replace_policy=_attribute(scope, resource, "UpdateReplacePolicy"),
        tags=properties.tags(),
        description=properties.text("Description"),
        enabled=properties.boolean("Enabled"),
        grants=declared.direct_grants,
        authorised=declared.authorised,
        material_expires=declared.material_expires,
        conditional=resource.conditional,
        deployer=scope.input.creator,
    )
    if is_replica:
        primary = properties.text("PrimaryKeyArn")
        if primary is None:
            primary = properties.problem("PrimaryKeyArn", "a replica key needs the ARN of its primary key")
        elif isinstance(primary, str) and has_unresolved_hole(primary):
            primary = undecided(primary)
        return replace(
            key,
            multi_region=True,
            primary=primary,
            key_spec=_OTHER_STACK,
            key_usage=_OTHER_STACK,
            origin=_OTHER_STACK,
            rotation_enabled=_OTHER_STACK,
            rotation_period=_OTHER_STACK,
        )
    return changed(
        key,
        key_spec=or_default(properties.plain_text("KeySpec"), "SYMMETRIC_DEFAULT"),
        key_usage=or_default(properties.plain_text("KeyUsage"), "ENCRYPT_DECRYPT"),
        origin=or_default(properties.plain_text("Origin"), "AWS_KMS"),
        multi_region=or_default(properties.boolean("MultiRegion"), False),
        rotation_enabled=properties.boolean("EnableKeyRotation"),
        rotation_period=properties.integer("RotationPeriodInDays"),
        bypass_lockout_check=or_default(properties.boolean("BypassPolicyLockoutSafetyCheck"), False),
    )


def _attribute(scope: Scope, resource: Resource, name: str) -> str | Unknown | None:
    if name not in resource.raw:
        return None
    value = scope.resolve(resource.raw[name])
    if is_unknown(value):
        return value
    if isinstance(value, str):
        return undecided(value) if has_hole(value) else value
    return Unknown(f"{name} is no text")


def _declaration(scope: Scope, resource: Resource) -> Declaration:
    """What the construct wrote for the rules: grants, who is authorised for what, expiry of the material."""
    raw = resource.raw.get("Metadata")
    if not isinstance(raw, Mapping) or METADATA_NAME not in raw:
        return Declaration()
    return Declaration.from_json(scope.resolve(raw[METADATA_NAME]))


def _tags_of(properties: Mapping[str, object], location: Location) -> Mapping[str, str | Unknown] | Unknown:
    """Tags of any resource: a list of ``Key`` and ``Value``, or for some types an object."""
    raw = properties.get("Tags")
    listed = (
        [{"Key": name, "Value": value} for name, value in raw.items()] if isinstance(raw, Mapping) else raw
    )
    # Whether CloudFormation takes the tags of such a resource is not for these rules to say.
    return Properties({"Tags": listed}, location, []).tags()


def _naming(properties: Mapping[str, object] | Unknown) -> tuple[tuple[str, str], ...]:
    """Every text in the properties of a resource that may name a key, with its path."""
    return tuple(_texts(properties, "Properties"))


def _may_name(text: str) -> bool:
    """Whether a text may name a key: of what deployment makes up, by the id of a key alone."""
    return KEY_ID in text or ALIAS_PREFIX in text or ":key/" in text


def _texts(value: object, path: str) -> Iterator[tuple[str, str]]:
    """Every text in a resolved value that may name a key, with its path."""
    if isinstance(value, str):
        if _may_name(value):
            yield path, value
    elif isinstance(value, dict):
        for key, member in value.items():
            # Asked here, for most members are texts that name none.
            if type(member) is not str or _may_name(member):
                yield from _texts(member, f"{path}/{display(str(key))}")
    elif isinstance(value, list):
        for index, member in enumerate(value):
            yield from _texts(member, f"{path}/{index}")
    elif isinstance(value, Maybe):
        yield from _texts(value.value, path)
