"""Where replica keys go: the Regions that a primary key names, and the stacks that hold its replicas.

A replica key lives in another Region than its primary key, so in another stack: one stack for each Region and
stack with primary keys, made beside the primary's stack. It reads the primary's ARN by a weak reference
(``Fn::GetStackOutput``), for which CloudFormation needs neither a Lambda function nor an SSM parameter.

See: https://docs.aws.amazon.com/kms/latest/developerguide/multi-region-keys-overview.html
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass
from datetime import date
from typing import Any
from weakref import WeakKeyDictionary, WeakSet

from aws_cdk import (
    CrossStackReferences,
    Duration,
    Environment,
    NestedStack,
    ReferenceStrength,
    RemovalPolicy,
    Stack,
    Stage,
)
from aws_cdk.region_info import RegionInfo
from constructs import Construct

from kms_constructs.cdk.annotations import annotations_of
from kms_constructs.cdk.key.stack_facts import StackFacts
from kms_constructs.errors import ArgumentError
from kms_constructs.model.arn import of_region
from kms_constructs.policies.direct_grant import DirectGrant
from kms_constructs.policies.principals import Principals
from kms_constructs.policies.target import StatementSource, is_token

MAXIMUM_STACK_NAME_LENGTH = 128
MAXIMUM_OUTPUTS = 200
"""Outputs that a template may have. The CDK does not count them, so the deployment would fail."""
COMPACT_TEMPLATE_CONTEXT = "@aws-cdk/core:suppressTemplateIndentation"
"""Context of the CDK that makes templates without indentation; a stack's own setting cannot be read back."""


@dataclass(frozen=True, slots=True)
class ReplicaConfig:
    """A replica key of a `SecureKmsKey` in one Region.

    A replica shares key id, material, spec, usage, origin and rotation with its primary key. Its policy,
    aliases, tags and pending window are its own: what is left out (None) is taken from the primary key's
    arguments; an empty list means nobody.

    Args:
        region: The Region, for instance ``eu-west-1``.
        key_administrators: Who manages the replica and may not use it.
        key_users: Who encrypts and decrypts with it.
        encrypt_only_users: Who only encrypts.
        decrypt_only_users: Who only decrypts.
        break_glass_principals: Who deletes and disables it, and changes its policy.
        services: `ServiceAccess` presets; those of the primary key are written anew for the replica's Region.
        external_access: `ExternalAccess` for principals of other accounts.
        via_services: Limits `key_users` to requests that come through these services.
        aliases: Names, the first of which is `alias_name`.
        description: What the replica protects.
        pending_window: 7 to 30 days.
        deployment_principals: Who deploys the stack of the replica. By default the CloudFormation execution
            role of the Region, or, where the primary key was given principals, those; a role whose name ends
            with the primary's Region (bootstrap roles do) becomes the one of the replica's Region. Their own
            IAM policies have to allow ``kms:CreateKey`` and ``cloudformation:DescribeStacks``, too.
        tags: Further tags. Tags that the app puts on the primary's stack do not reach the replica's; those
            that it puts on the app or the stage do.
        policy_reviewed_on: Day of the last review of the replica's policy.
        material_expires: Last day of imported material; each replica gets its own import.
        key_material_importers: Who imports the material.
        direct_grants: `DirectGrant` declarations; those of the primary key are not taken over, for a grant is
            made on one key.
        stack_name: Name of the stack that holds the replica; by default the name of the primary's stack and
            ``-replicas-`` and the Region.
        made_elsewhere: Whether another app makes the replica, with `SecureKmsReplicaKey`. The primary's
            policy then allows the replication, and nothing else is made; the arguments other than
            `deployment_principals` would have no effect and are refused.

    Example:
        >>> ReplicaConfig("eu-west-1", key_users=["arn:aws:iam::111122223333:role/Lake"]).region
        'eu-west-1'
    """

    region: str
    _: KW_ONLY
    key_administrators: Principals | None = None
    key_users: Principals | None = None
    encrypt_only_users: Principals | None = None
    decrypt_only_users: Principals | None = None
    break_glass_principals: Principals | None = None
    services: Sequence[StatementSource] | None = None
    external_access: Sequence[StatementSource] | None = None
    via_services: Sequence[str] | None = None
    aliases: Sequence[str] | None = None
    description: str | None = None
    pending_window: int | Duration | None = None
    deployment_principals: Principals | None = None
    tags: Mapping[str, str] | None = None
    policy_reviewed_on: date | str | None = None
    material_expires: date | str | None = None
    key_material_importers: Principals | None = None
    direct_grants: Sequence[DirectGrant] | None = None
    stack_name: str | None = None
    made_elsewhere: bool = False

    def given(self) -> dict[str, Any]:
        """The arguments that were given, but for the Region."""
        names = (name for name in self.__slots__ if name not in {"region", "made_elsewhere"})
        return {name: value for name in names if (value := getattr(self, name)) is not None}


def replica_configs(
    value: object, *, facts: StackFacts, removal_policy: RemovalPolicy, where: str
) -> tuple[ReplicaConfig, ...]:
    """The replicas that a primary key is asked for, checked.

    Args:
        value: The argument ``replica_regions``: Regions and `ReplicaConfig`.
        facts: Of the primary's stack.
        removal_policy: Of the primary key.
        where: Construct path of the primary key, for errors.

    Raises:
        ArgumentError: A Region cannot have a replica, or the primary key none at all.
    """
    argument = "replica_regions"
    if isinstance(value, str | ReplicaConfig) or not isinstance(value, Iterable):
        raise ArgumentError(
            argument, value, "a list of Regions is wanted", f"write {argument}=[{value!r}]", where=where
        )
    configs: list[ReplicaConfig] = []
    for one in value:
        config = ReplicaConfig(one) if isinstance(one, str) else one
        if not isinstance(config, ReplicaConfig):
            raise ArgumentError(
                argument,
                one,
                "a replica is a Region or a ReplicaConfig",
                "write 'eu-west-1', or ReplicaConfig('eu-west-1', key_users=[…])",
                where=where,
            )
        check_replica_region(argument, config.region, facts, where)
        if any(config.region == other.region for other in configs):
            raise ArgumentError(
                argument,
                config.region,
                "a multi-Region key has at most one replica in a Region",
                "name each Region once",
                where=where,
            )
        _check_made_elsewhere(config, where)
        configs.append(config)
    if configs and removal_policy is RemovalPolicy.DESTROY:
        raise ArgumentError(
            "removal_policy",
            removal_policy.name,
            "KMS does not delete a primary key while it has replicas",
            "leave removal_policy out, or replica_regions",
            where=where,
        )
    return tuple(configs)


def check_replica_region(argument: str, region: object, primary: StackFacts, where: str) -> None:
    """Refuses Regions that cannot hold a replica of a key of the primary's stack."""
    if not isinstance(region, str) or not region or is_token(region):
        raise ArgumentError(
            argument,
            region,
            "the stack of a replica is made for one Region, which has to be known at synthesis",
            "write the Region as text: 'eu-west-1'",
            where=where,
        )
    if is_token(primary.region):
        raise ArgumentError(
            argument,
            region,
            "the primary's stack has no fixed Region, so nobody can tell which Region is another one",
            "give the stack one: Stack(…, env=Environment(region='us-east-1'))",
            where=where,
        )
    if region == primary.region:
        raise ArgumentError(
            argument,
            region,
            "the primary key is in this Region, and a Region holds one of the related keys",
            "name other Regions",
            where=where,
        )
    if region not in known_regions():
        raise ArgumentError(
            argument,
            region,
            "AWS has no such Region, as far as this version of aws-cdk-lib knows",
            "check the spelling, or upgrade aws-cdk-lib when the Region is new",
            where=where,
        )
    if partition_of(region) != partition_of(primary.region):
        raise ArgumentError(
            argument,
            region,
            f"it lies in partition {partition_of(region)} and the primary key in"
            f" {partition_of(primary.region)}, and KMS replicates within a partition only",
            "name Regions of the same partition",
            where=where,
        )


def _check_made_elsewhere(config: ReplicaConfig, where: str) -> None:
    if not config.made_elsewhere:
        return
    idle = sorted(set(config.given()) - {"deployment_principals"})
    if idle:
        raise ArgumentError(
            "made_elsewhere",
            True,
            f"another app makes the replica, so {', '.join(idle)} would have no effect here",
            f"give {idle[0]} to SecureKmsReplicaKey there",
            where=where,
        )


_REGIONS: dict[str, str] = {}


def known_regions() -> Mapping[str, str]:
    """Every Region that the CDK knows, with its partition."""
    if not _REGIONS:
        for info in RegionInfo.regions:
            _REGIONS[info.name] = info.partition or "aws"
    return _REGIONS


def partition_of(region: str) -> str:
    """Partition of a Region, as its name tells."""
    return of_region(region).name


def in_region(value: Any, primary: str, region: str) -> Any:  # noqa: ANN401 - principals and texts go through
    """A principal or service name of the primary's Region as it is called in the replica's.

    Bootstrap roles end with their Region, and whole ``kms:ViaService`` names hold theirs.
    """
    if not isinstance(value, str):
        return value
    if value.endswith(f"-{primary}"):
        return f"{value.removesuffix(primary)}{region}"
    return value.replace(f".{primary}.amazonaws.", f".{region}.amazonaws.")


@dataclass(frozen=True, slots=True)
class PrimaryHome:
    """Where primary keys live, asked of the CDK once for each stack.

    Args:
        stack: Their stack; for a nested stack the one that it is in at the end.
        stage: Its stage, or the app.
        name: Name of the stack.
        account: Its account; None when that is not known.
        path: Its construct path.
    """

    stack: Stack
    stage: Stage
    name: str
    account: str | None
    path: str


def home_of(key_stack: Stack) -> PrimaryHome:
    """The home of the primary keys of a stack, maybe nested."""
    found = _HOMES.get(key_stack)
    if found is None:
        stack = key_stack
        while isinstance(stack, NestedStack):
            parent = stack.nested_stack_parent
            if parent is None:
                break
            stack = parent
        stage = Stage.of(stack)
        assert stage is not None  # noqa: S101 - every stack is in an App, which is a Stage
        account = stack.account
        found = _HOMES[key_stack] = PrimaryHome(
            stack, stage, stack.stack_name, None if is_token(account) else account, stack.node.path
        )
    return found


def is_replica_stack(stack: Stack) -> bool:
    """Whether the stack was made for replicas, and so takes weak references."""
    return stack in _REPLICA_STACKS


def replica_stack(home: PrimaryHome, config: ReplicaConfig, where: str) -> Stack:
    """The stack that holds the replicas of a primary's stack in a Region; made when it is first asked for.

    Args:
        home: Where the primary key lives.
        config: The replica.
        where: Construct path of the primary key, for errors.

    Raises:
        ArgumentError: The stack's name is taken or too long, or the primary's stack is full.
    """
    primary = home.stack
    replicated = _REPLICATED.setdefault(primary, set())
    replicated.add(where)
    if len(replicated) > MAXIMUM_OUTPUTS:
        raise ArgumentError(
            "replica_regions",
            config.region,
            f"stack {home.name} has {MAXIMUM_OUTPUTS} keys with replicas already; each takes an"
            f" output, by which its replicas find it, and a template has at most {MAXIMUM_OUTPUTS}",
            "make further keys in another stack",
            where=where,
        )
    name = config.stack_name or f"{home.name}-replicas-{config.region}"
    made = _MADE.setdefault(home.stage, {})
    found = made.get((home.account, config.region, name))
    if found is not None:
        owner, stack = found
        if owner is not primary:
            raise ArgumentError(
                "replica_regions",
                config.region,
                f"stack {name} holds the replicas of {owner.node.path}",
                f"name another: ReplicaConfig({config.region!r}, stack_name='…')",
                where=where,
            )
        return stack
    if len(name) > MAXIMUM_STACK_NAME_LENGTH:
        raise ArgumentError(
            "replica_regions",
            config.region,
            f"the stack of its replica would be called {name}, and a stack name has at most"
            f" {MAXIMUM_STACK_NAME_LENGTH} characters",
            f"choose a shorter name: ReplicaConfig({config.region!r}, stack_name='…')",
            where=where,
        )
    stack = Stack(
        home.stage,
        name if config.stack_name else f"{_relative_path(home)}-replicas-{config.region}",
        stack_name=name,
        env=Environment(account=home.account, region=config.region),
        synthesizer=_given_synthesizer(primary),
        termination_protection=primary.termination_protection,
        suppress_template_indentation=primary.node.try_get_context(COMPACT_TEMPLATE_CONTEXT),
        description=f"Replicas in {config.region} of the KMS keys of stack {home.name}. When the"
        " Region is taken out of replica_regions, this stack stays: delete it by hand.",
    )
    # Before the stack has children: a construct that has some accepts no new context.
    CrossStackReferences.of(stack).consume(ReferenceStrength.WEAK)
    annotations_of(stack).add_info_v2(
        "kms-constructs:replica-stack",
        f"Taking {config.region} out of replica_regions leaves this stack and its replica keys behind in AWS:"
        " delete the stack by hand.",
    )
    made[home.account, config.region, name] = (primary, stack)
    _REPLICA_STACKS.add(stack)
    return stack


def replica_scope(home: PrimaryHome, stack: Stack, where: str) -> tuple[Construct, str]:
    """Where in the stack the replica of a key goes, and its id: the same path as in the primary's stack.

    Args:
        home: Where the primary key lives.
        stack: The replica's stack.
        where: Construct path of the primary key.
    """
    *outer, construct_id = where.removeprefix(f"{home.path}/").split("/")
    scope: Construct = stack
    for one in outer:
        child = scope.node.try_find_child(one)
        scope = child if isinstance(child, Construct) else Construct(scope, one)
    return scope, construct_id


def _relative_path(home: PrimaryHome) -> str:
    path = home.path
    if home.stage.node.path:
        path = path.removeprefix(f"{home.stage.node.path}/")
    return path.replace("/", "-")


def _given_synthesizer(stack: Stack) -> Any:  # noqa: ANN401 - IStackSynthesizer is a jsii interface
    """The synthesizer that the app gave the stack, if it gave one.

    jsii hands back the object that the app made, which is not bound to the stack and so knows no role. The
    implicit default is bound; a second stack makes its own.
    """
    synthesizer = stack.synthesizer
    bound = getattr(synthesizer, "cloud_formation_execution_role", None) is not None
    return None if bound else synthesizer


_HOMES: WeakKeyDictionary[Stack, PrimaryHome] = WeakKeyDictionary()
_REPLICA_STACKS: WeakSet[Stack] = WeakSet()
_REPLICATED: WeakKeyDictionary[Stack, set[str]] = WeakKeyDictionary()
"""Keys with replicas, by the stack that writes their outputs."""
_MADE: WeakKeyDictionary[Stage, dict[tuple[str | None, str, str], tuple[Stack, Stack]]] = WeakKeyDictionary()
