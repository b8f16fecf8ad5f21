"""KMS keys of templates: properties, metadata, aliases, replicas, and what refers to them."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import Final

from msgspec import Struct, field
from msgspec.structs import replace

from kms_constructs.model.arn import parse_arn
from kms_constructs.model.declaration import METADATA_NAME, Declaration
from kms_constructs.model.estate import Key, KeyKind, Location, Reference, SourceProblem
from kms_constructs.model.exact import is_object
from kms_constructs.model.frozen import Frozen
from kms_constructs.model.policy import default_key_policy
from kms_constructs.model.text import has_generated_hole, has_hole, has_unresolved_hole, undecided
from kms_constructs.model.unknown import Unknown, is_unknown, or_default
from kms_constructs.sources.cloudformation.documents import policy_of
from kms_constructs.sources.cloudformation.origins import ResourceOrigin
from kms_constructs.sources.cloudformation.properties import Properties
from kms_constructs.sources.cloudformation.resources import key_id
from kms_constructs.sources.cloudformation.scope import Resource, Scope
from kms_constructs.sources.named_keys import ALIAS_PREFIX, NamedKeys, linked, primaries_by_id

KEY_TYPES: Final = frozenset({"AWS::KMS::Key", "AWS::KMS::ReplicaKey"})
ALIAS_TYPE: Final = "AWS::KMS::Alias"
_OTHER_STACK: Final = Unknown("the primary key is not in the templates given")


class OwnKey(Struct, eq=False):
    """A key by itself, as it was read for every world that has it.

    Args:
        key: The key.
        problems: What is wrong with it.
        finished: It, with what points at it.
    """

    key: Key
    problems: Sequence[SourceProblem]
    finished: dict[Hashable, Key] = field(default_factory=dict)


class _Draft(Struct):
    """A key while what points at it is still being collected."""

    own: OwnKey
    aliases: dict[str, bool] = field(default_factory=dict)
    repeated: list[str] = field(default_factory=list)
    references: list[Reference] = field(default_factory=list)
    referenced_outside: bool = False

    @property
    def key(self) -> Key:
        """The key by itself."""
        return self.own.key

    def finished(self) -> Key:
        """The key, with what points at it."""
        place = (
            tuple(self.aliases.items()),
            tuple(self.repeated),
            tuple(map(id, self.references)),
            self.referenced_outside,
        )
        found = self.own.finished.get(place)
        if found is None:
            found = self.own.finished[place] = replace(
                self.key,
                aliases=tuple(self.aliases),
                repeated_aliases=tuple(self.repeated),
                conditional_aliases=tuple(name for name, conditional in self.aliases.items() if conditional),
                references=tuple(self.references),
                referenced_outside=self.referenced_outside,
            )
        return found


class OwnAlias(Frozen, frozen=True):
    """An alias by itself.

    Args:
        name: Its name.
        target: What names the key.
        conditional: Whether a condition that cannot be resolved decides that it exists.
        problems: What is wrong with it.
    """

    name: str
    target: str | None
    conditional: bool
    problems: Sequence[SourceProblem]


def location_of(scope: Scope, resource: Resource) -> Location:
    """Where a resource of a template stands."""
    path = (scope.input.construct_paths or {}).get(resource.logical_id)
    if path is None:
        metadata = resource.raw.get("Metadata")
        named = metadata.get("aws:cdk:path") if is_object(metadata) else None
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


def may_name(text: str) -> bool:
    """Whether a text may name a key."""
    return has_generated_hole(text) or ":key/" in text or ALIAS_PREFIX in text


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

    def add(self, keys: Iterable[OwnKey]) -> None:
        """Adds the keys and replica keys of a stack."""
        for own in keys:
            self._problems += own.problems
            draft = _Draft(own)
            self._drafts.append(draft)
            self._names.add(own.key.key_id, draft)

    def add_aliases(self, scope: Scope, aliases: Iterable[OwnAlias]) -> None:
        """Adds the aliases of a stack; every key has to be added before."""
        for alias in aliases:
            self._problems += alias.problems
            name = alias.name
            drafts = () if alias.target is None else self._named(alias.target, scope)
            for draft in drafts:
                conditional = alias.conditional and not draft.key.conditional
                if not alias.conditional and draft.aliases.get(name) is False and name not in draft.repeated:
                    draft.repeated.append(name)
                draft.aliases[name] = draft.aliases.get(name, True) and conditional
                self._names.add_alias(name, draft)
            if not drafts:
                self.unattached.append(name)

    def point(self, scope: Scope, text: str, reference: Reference | None) -> None:
        """Notes the keys that a text names.

        Args:
            scope: The stack that has the text.
            text: The text.
            reference: The property that has it; None where the keys leave the templates.
        """
        for draft in self._named(text, scope):
            if reference is None:
                draft.referenced_outside = True
            else:
                draft.references.append(reference)

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
        return tuple(linked(draft.finished(), primaries) for draft in self._drafts)


def keys_of(scope: Scope) -> tuple[OwnKey, ...]:
    """The keys of a stack."""
    found: list[OwnKey] = []
    for resource in scope.resources.values():
        if resource.type in KEY_TYPES:
            problems: list[SourceProblem] = []
            location = location_of(scope, resource)
            properties = Properties(scope.properties(resource.logical_id), location, problems)
            is_replica = resource.type == "AWS::KMS::ReplicaKey"
            key = _key(scope, resource, location, properties, is_replica=is_replica)
            found.append(OwnKey(key, problems))
    return tuple(found)


def aliases_of(scope: Scope) -> tuple[OwnAlias, ...]:
    """The aliases of a stack."""
    found: list[OwnAlias] = []
    for resource in scope.resources.values():
        if resource.type == ALIAS_TYPE:
            problems: list[SourceProblem] = []
            location = location_of(scope, resource)
            properties = Properties(scope.properties(resource.logical_id), location, problems)
            name, target = properties.text("AliasName"), properties.text("TargetKeyId")
            text = name if isinstance(name, str) else scope.unresolved(f"{resource.logical_id}.AliasName")
            wanted = target if isinstance(target, str) else None
            found.append(OwnAlias(text, wanted, resource.conditional, problems))
    return tuple(found)


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
    return replace(
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
