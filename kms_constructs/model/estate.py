"""What the rules look at: keys, identity policies, grants, trails, whatever they came from.

The same objects are made from a synthesized cloud assembly, a plain CloudFormation template, a key policy
file or the answers of the KMS API, so a rule cannot tell them apart and its verdict is the same.

Field types follow one convention: a value is known, ``None`` (absent), or `Unknown`.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from functools import partial
from typing import Any

from msgspec import field
from msgspec.structs import replace

from kms_constructs.model.frozen import Frozen
from kms_constructs.model.live import LiveKey, Unanswered
from kms_constructs.model.location import Location as Location  # noqa: PLC0414 - part of this module
from kms_constructs.model.policy import Policy
from kms_constructs.model.unknown import Unknown
from kms_constructs.model.use import Use
from kms_constructs.model.vocabulary import CLOUDFORMATION, Fact, Vocabulary
from kms_constructs.model.worlds import World, together

STANDARD_INPUT = "standard input"
"""What standard input is called as a source: it has no path that would tell anybody anything."""


class Reference(Frozen, frozen=True):
    """A use of a key (or of its alias) by another resource.

    Args:
        location: The resource that uses the key.
        resource_type: For instance ``AWS::S3::Bucket``.
        path: Property path of the use.
        tags: Tags of the resource, by tag key; unknown when the list cannot be resolved.
    """

    location: Location
    resource_type: str
    path: str = ""
    tags: Mapping[str, str | Unknown] | Unknown = field(default_factory=dict)


class Grant(Frozen, frozen=True):
    """A grant on a key, live or declared.

    Args:
        grantee: ARN of the grantee principal, or unknown.
        operations: Grant operations, for instance ``("Decrypt",)``, or unknown.
        retiring: ARN of the retiring principal, or None.
        constraints: ``{"EncryptionContextEquals": {…}}`` or ``{"EncryptionContextSubset": {…}}``.
        for_aws_service: Whether an AWS service made it for its own use.
        name: Name of the grant, if any.
        created_by: ARNs of those who make it, as declared; None where that is not said.
        id: Grant id of a live grant; empty for one that is declared.
        created: Day on which a live grant was made, as ISO date; None where that is not said.
    """

    grantee: str | Unknown
    operations: tuple[str, ...] | Unknown
    retiring: str | None = None
    constraints: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    for_aws_service: bool = False
    name: str | None = None
    created_by: tuple[str, ...] | None = None
    id: str = ""
    created: str | None = None

    @property
    def live(self) -> bool:
        """Whether it is a fact of a live key, and no declaration."""
        return bool(self.id)


class KeyKind(StrEnum):
    """Single-Region or multi-Region primary key, or a replica."""

    KEY = "key"
    REPLICA = "replica"


class Key(Frozen, frozen=True, kw_only=True, weakref=True):
    """A customer managed KMS key.

    Args:
        id: Unique within the estate.
        location: Where it was found.
        kind: Key or replica.
        account: Twelve digits, or text with holes.
        region: Region, text with holes, or unknown.
        partition: ``aws``, ``aws-cn``, …
        policy: Its key policy. A key without one has `default_key_policy`.
        key_spec, key_usage, origin, multi_region: As KMS names them, defaults filled in.
        rotation_enabled: None when absent (KMS's default: off).
        rotation_period: Days; None when absent (KMS's default: 365).
        pending_window: Days; None when absent (CloudFormation's default: 30).
        deletion_policy, update_replace_policy: As in the template; None when absent. A live key has neither.
        tags: By tag key; unknown when the list cannot be resolved. A value may be unknown.
        aliases: Names with ``alias/``; may have holes.
        references: What uses the key, within the estate.
        referenced_outside: Whether the key leaves the estate (output, export, SSM parameter).
        primary: For a replica: `id` of the primary when it is in the estate, else its ARN; or unknown.
        grants: Live or declared grants.
        authorised: Control id (or ``"*"``) to ARN patterns that the key's own declaration authorises.
        bypass_lockout_check: Whether it sets BypassPolicyLockoutSafetyCheck.
        enabled: Whether it is declared enabled; None when absent (KMS's default: enabled). A live key has a
            `key_state`.
        key_state: Live state (``PendingDeletion``, …); None in a template; or unknown.
        material_expires: Imported material: expiry as ISO date, None when absent, or unknown.
        conditional: Whether a condition that cannot be resolved decides that the key exists.
        vocabulary: The words of the source, and which facts of a key it tells.
        key_id: The key id as ARNs hold it, where it differs from `id` (text with holes; a replica has its
            primary's).
        deployer: ARN of the role that makes the key; None where the source does not say.
        repeated_aliases: Those of the `aliases` that several resources make.
        conditional_aliases: Those of the `aliases` that a condition decides which cannot be resolved.
        aliases_unknown: Why there may be other aliases than those known; None when all are known.
        live: What is known of a live key alone; None of one that is declared.
    """

    id: str
    location: Location
    policy: Policy
    kind: KeyKind = KeyKind.KEY
    account: str
    region: str | Unknown
    partition: str = "aws"
    key_spec: str | Unknown = "SYMMETRIC_DEFAULT"
    key_usage: str | Unknown = "ENCRYPT_DECRYPT"
    origin: str | Unknown = "AWS_KMS"
    multi_region: bool | Unknown = False
    rotation_enabled: bool | Unknown | None = None
    rotation_period: int | Unknown | None = None
    pending_window: int | Unknown | None = None
    deletion_policy: str | Unknown | None = None
    update_replace_policy: str | Unknown | None = None
    tags: Mapping[str, str | Unknown] | Unknown = field(default_factory=dict)
    description: str | Unknown | None = None
    aliases: tuple[str, ...] = ()
    references: tuple[Reference, ...] = ()
    referenced_outside: bool = False
    primary: str | Unknown | None = None
    grants: tuple[Grant, ...] = ()
    authorised: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    bypass_lockout_check: bool | Unknown = False
    enabled: bool | Unknown | None = None
    key_state: str | Unknown | None = None
    material_expires: str | Unknown | None = None
    conditional: bool = False
    vocabulary: Vocabulary = CLOUDFORMATION
    key_id: str = ""
    conditional_aliases: tuple[str, ...] = ()
    repeated_aliases: tuple[str, ...] = ()
    deployer: str | None = None
    aliases_unknown: Unknown | None = None
    live: LiveKey | None = None

    @property
    def policy_only(self) -> bool:
        """Whether only the key policy is known: rules about other facts do not apply."""
        terms = self.vocabulary.terms
        return len(terms) <= 1 and all(fact is Fact.POLICY for fact in terms)

    @property
    def arn_pattern(self) -> str:
        """ARN of the key as far as it is known: resources of IAM policies are held against it."""
        region = self.region if isinstance(self.region, str) else "*"
        return f"arn:{self.partition}:kms:{region}:{self.account}:key/{self.key_id or self.id}"


def without_policy(key: Key, reason: str) -> Key:
    """The key as if its policy were not known.

    Args:
        key: The key.
        reason: Why its policy is not.
    """
    return replace(key, policy=Policy(unknown=Unknown(reason), path=key.policy.path))


class IdentityPolicyKind(StrEnum):
    """Where an identity policy hangs."""

    MANAGED = "managed policy"
    INLINE = "inline policy"
    AWS_MANAGED = "AWS managed policy"
    BOUNDARY = "permissions boundary"


class IdentityPolicy(Frozen, frozen=True, kw_only=True):
    """An IAM policy and whom it is attached to.

    Args:
        id: Unique within the estate.
        location: The resource that holds it.
        name: Policy name or ARN, for messages.
        kind: Managed, inline, AWS managed.
        policy: The document. Its resources that point at a key of the estate hold the key's `arn_pattern`
            or its alias ARN; other resources are text with or without holes.
        attached_to: ARNs of roles and users; empty when attached to nobody in the estate. Of the permissions
            boundary of live accounts, those whom it bounds.
        attachable: Whether it may be attached to anyone else later or elsewhere (managed policies, groups).
        account: Account that it lives in.
        vocabulary: The words of the source.
    """

    id: str
    location: Location
    name: str
    kind: IdentityPolicyKind
    policy: Policy
    attached_to: tuple[str, ...] | Unknown = ()
    attachable: bool = False
    account: str
    vocabulary: Vocabulary = CLOUDFORMATION


class Trail(Frozen, frozen=True, kw_only=True):
    """A CloudTrail trail.

    Args:
        id: Unique within the estate.
        location: Where it was found.
        logging: ``IsLogging``.
        kms_excluded: Whether KMS events are excluded from management events.
        management_events: Whether it records management events at all.
        path: Property path of what excludes KMS events.
        vocabulary: The words of the source.
        account: Account whose events a live trail records; empty for a declared one.
        regions: Regions of that account which a live trail reaches; none for a declared one.
    """

    id: str
    location: Location
    logging: bool | Unknown = True
    kms_excluded: bool | Unknown = False
    management_events: bool | Unknown = True
    path: str = ""
    vocabulary: Vocabulary = CLOUDFORMATION
    account: str = ""
    regions: tuple[str, ...] = ()


class SourceProblem(Frozen, frozen=True):
    """An input, or a part of one, that could not be read: reported, and never passed over.

    Args:
        source: File name.
        message: What is wrong.
        fix: What to do about it.
        logical_id: Resource that it concerns, or empty.
    """

    source: str
    message: str
    fix: str
    logical_id: str = ""


class Acceptance(Frozen, frozen=True):
    """What an input says itself of findings about it that are accepted.

    Args:
        id: The finding, as an acknowledgement names it.
        reason: Why it is accepted.
        until: Last day, as ISO date, on which it holds; empty for no end.
        construct_path: The construct that it was said of; it holds for what lies in it. Empty for the app.
        source: The template that it was said in, where it was said of a resource.
        logical_id: That resource.
        pack: Name of the pack whose findings are meant; empty for any.
    """

    id: str
    reason: str
    until: str = ""
    construct_path: str = ""
    source: str = ""
    logical_id: str = ""
    pack: str = ""

    def covers(self, location: Location) -> bool:
        """Whether it was said of a resource, or of what it lies in."""
        if self.logical_id:
            return (location.source, location.logical_id) == (self.source, self.logical_id)
        return not self.construct_path or location.lies_in(self.construct_path) is True

    def __str__(self) -> str:
        if self.logical_id:
            return f"the metadata of {self.source}: {self.logical_id}"
        return f"construct {self.construct_path}" if self.construct_path else "the app"


class Deployment(Frozen, frozen=True):
    """Where and with what the input is deployed, as far as it does not say so itself. Handed in once.

    Args:
        account: Account of stacks and keys that do not say theirs: twelve digits, or None when it is unknown.
        region: Region of stacks and keys that do not say theirs, or None.
        parameters: Values of template parameters by name. Another that decides something is judged with every
            value that it may have; one that decides nothing has its default.
        ignore_defaults: Whether those have no value instead, and what depends on them is undetermined.

    Example:
        >>> Deployment(region="eu-west-1").account is None
        True
    """

    account: str | None = None
    region: str | None = None
    parameters: Mapping[str, str] = field(default_factory=dict)
    ignore_defaults: bool = False


class Organization(Frozen, frozen=True):
    """The policies of AWS Organizations that are in force for the accounts of the keys.

    Args:
        scps: Service control policies.
        rcps: Resource control policies.

    See: https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_authorization_policies.html
    """

    scps: tuple[Policy, ...] = ()
    rcps: tuple[Policy, ...] = ()

    def __bool__(self) -> bool:
        """Whether there is any policy."""
        return bool(self.scps or self.rcps)

    def and_also(self, other: Organization) -> Organization:
        """The policies of both, each once."""
        if not (self and other):
            return self or other
        return Organization(
            tuple(dict.fromkeys((*self.scps, *other.scps))), tuple(dict.fromkeys((*self.rcps, *other.rcps)))
        )


class Estate(Frozen, frozen=True, kw_only=True):
    """Everything that was given to be judged together, whatever it was read from.

    Args:
        keys: The keys.
        identity_policies: The IAM policies.
        trails: The trails.
        organization: The policies of the organization.
        problems: What could not be read.
        sources: What it was read from.
        unattached_aliases: Aliases of keys that are not in it.
        uses: What services do with the keys, and with keys that AWS manages.
        acceptances: What it says of itself that its author accepts.
        worlds: Where choices of deployment make different estates: all of them, the first as this one.
        notes: What a reader has to know of how it was read.
        unanswered: What was asked of live accounts and not answered.
        expected: Keys as a template declares them, to hold live keys against.
    """

    keys: tuple[Key, ...] = ()
    identity_policies: tuple[IdentityPolicy, ...] = ()
    trails: tuple[Trail, ...] = ()
    organization: Organization = Organization()
    problems: tuple[SourceProblem, ...] = ()
    sources: tuple[str, ...] = ()
    unattached_aliases: tuple[str, ...] = ()
    uses: tuple[Use, ...] = ()
    acceptances: tuple[Acceptance, ...] = ()
    worlds: tuple[World[Estate], ...] = ()
    notes: tuple[str, ...] = ()
    unanswered: tuple[Unanswered, ...] = ()
    expected: tuple[Key, ...] = ()

    @property
    def every_world(self) -> tuple[World[Estate], ...]:
        """The worlds; the estate itself when there is no choice."""
        return self.worlds or (World(self),)

    @classmethod
    def merge(cls, *estates: Estate) -> Estate:
        """Everything that the estates hold, as one; in their order.

        Ids stay unique: a key, IAM policy or trail whose id an earlier estate has gets a number. A key keeps
        the ARN that IAM policies name it by.

        Example:
            >>> one = Estate(sources=("a.json",))
            >>> Estate.merge(one, Estate(sources=("b.json",)), one).sources
            ('a.json', 'b.json')
        """
        if len(estates) == 1:
            return estates[0]
        merged = cls._merged(estates)
        if not any(estate.worlds for estate in estates):
            return merged
        every = together(estate.every_world for estate in estates)
        return replace(merged, worlds=tuple(World(cls._merged(one), made_by) for one, made_by in every))

    @classmethod
    def _merged(cls, estates: tuple[Estate, ...]) -> Estate:
        """Everything that the estates themselves hold, without their worlds."""
        taken: set[tuple[type, str]] = set()
        parts: dict[str, list[object]] = {name: [] for name in cls.__struct_fields__ if name != "worlds"}
        organization = Organization()
        for estate in map(partial(_distinct, taken=taken), estates):
            for name, found in parts.items():
                value = getattr(estate, name)
                if isinstance(value, Organization):
                    organization = organization.and_also(value)
                else:
                    found.extend(value)
        del parts["organization"]
        values: dict[str, Any] = {
            name: tuple(dict.fromkeys(found)) if name in _TOLD_ONCE else tuple(found)
            for name, found in parts.items()
        }
        return cls(**values, organization=organization)


_TOLD_ONCE = frozenset({"acceptances", "notes", "problems", "sources", "unanswered", "unattached_aliases"})
"""Parts of an estate in which a second mention says nothing new."""


def _distinct(estate: Estate, taken: set[tuple[type, str]]) -> Estate:
    """The estate with a new id for what has one that is taken; notes its ids."""
    renamed: dict[tuple[type, str], str] = {}
    things: list[Key | IdentityPolicy | Trail] = [*estate.keys, *estate.identity_policies, *estate.trails]
    for thing in things:
        kind, new, number = type(thing), thing.id, 2
        while (kind, new) in taken:
            new, number = f"{thing.id}#{number}", number + 1
        taken.add((kind, new))
        if new != thing.id:
            renamed[kind, thing.id] = new
    if not renamed:
        return estate
    return replace(
        estate,
        keys=tuple(_renamed_key(key, renamed) for key in estate.keys),
        identity_policies=tuple(
            replace(one, id=renamed.get((IdentityPolicy, one.id), one.id)) for one in estate.identity_policies
        ),
        trails=tuple(replace(one, id=renamed.get((Trail, one.id), one.id)) for one in estate.trails),
        uses=tuple(replace(one, key=renamed.get((Key, one.key), one.key)) for one in estate.uses),
    )


def _renamed_key(key: Key, renamed: Mapping[tuple[type, str], str]) -> Key:
    primary = key.primary
    return replace(
        key,
        id=renamed.get((Key, key.id), key.id),
        key_id=key.key_id or key.id,
        primary=renamed.get((Key, primary), primary) if isinstance(primary, str) else primary,
    )
