"""`SecureKmsReplicaKey`: a replica key of a multi-Region primary key, hardened like the primary."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Unpack

from aws_cdk import Reference, Stack, Tokenization
from aws_cdk import aws_iam as iam
from constructs import Construct

from kms_constructs.cdk.key.hardened_key import HardenedKey
from kms_constructs.cdk.key.key_arguments import PRINCIPAL_ARGUMENTS, ReplicaKeyArguments, documented
from kms_constructs.cdk.key.principals import named_principal
from kms_constructs.cdk.key.replica_plan import (
    ReplicaConfig,
    check_replica_region,
    home_of,
    in_region,
    is_replica_stack,
    replica_scope,
    replica_stack,
)
from kms_constructs.cdk.key.stack_facts import StackFacts, child_path, facts_of, stack_of
from kms_constructs.errors import ArgumentError
from kms_constructs.policies.target import arn_parts, is_token

_REFERENCES_CONTEXT = "@aws-cdk/core:defaultCrossStackReferences"


class SecureKmsReplicaKey(HardenedKey):
    """A replica key whose administrators cannot use it and whose users cannot manage it.

    `SecureKmsKey` makes it for each of its ``replica_regions``; use this class for a replica of a primary key
    that another app or another tool made. That key has to let the deployment principals of this stack
    replicate it: ``ReplicaConfig(region, made_elsewhere=True)`` among the ``replica_regions`` of a
    `SecureKmsKey` does.

    Key id, material, spec, usage, origin and rotation are the primary's. The policy is written here,
    independent of the primary's, with the same statements and the same guarantees; so are aliases and tags.
    It is a `kms.Key`, with the grants and the sealed policy of a `SecureKmsKey`.

    A replica cannot be moved to another primary key: another `primary_key_arn` replaces it.

    Its arguments are those of `SecureKmsKey`, but for `rotation_period`, `multi_region` and
    `replica_regions`, and `primary_key_arn`. The spec, usage and origin have to be the primary's: they decide
    which actions users get. Imported material has to be imported into each replica by itself. DESTROY
    schedules the deletion of the replica and leaves the other related keys; it is refused in production.

    Raises:
        ArgumentError: An argument was refused; the message names argument, value, rule and fix.

    Example:
        >>> from aws_cdk import App, Environment, Stack
        >>> europe = Environment(account="111122223333", region="eu-west-1")
        >>> stack = Stack(App(analytics_reporting=False), "Europe", env=europe)
        >>> replica = SecureKmsReplicaKey(
        ...     stack, "Key",
        ...     primary_key_arn="arn:aws:kms:us-east-1:111122223333:key/mrk-1234abcd12ab34cd56ef1234567890ab",
        ...     alias="dev/s3-data",
        ...     description="Objects of the data lake",
        ...     environment="dev", service="lake", data_classification="internal",
        ...     key_administrators=["arn:aws:iam::111122223333:role/KeyAdmin"],
        ... )
        >>> replica.alias_name
        'alias/dev/s3-data'

    See: https://docs.aws.amazon.com/kms/latest/developerguide/multi-region-keys-replicate.html
    """

    _ARGUMENTS: ClassVar[type] = ReplicaKeyArguments
    _IS_REPLICA: ClassVar[bool] = True

    @documented(ReplicaKeyArguments)
    def __init__(self, scope: Construct, construct_id: str, **arguments: Unpack[ReplicaKeyArguments]) -> None:
        """Makes a replica key, hardened like its primary key.

        Args:
            scope: Parent construct, in a stack of the replica's Region and the primary's account.
            construct_id: Id in the parent.
            **arguments: ARN of the primary key as `primary_key_arn`, and what `SecureKmsKey` takes; see
                `KeyArguments`, where each is explained.

        Raises:
            ArgumentError: An argument was refused; the message names argument, value, rule and fix.
        """
        stack = stack_of(scope)
        where = child_path(scope, construct_id)
        self._primary_key_arn = _primary_arn(arguments.get("primary_key_arn"), stack, where)
        for argument in PRINCIPAL_ARGUMENTS:
            _check_reachable(argument, arguments.get(argument), stack, where)
        super().__init__(scope, construct_id, arguments)

    @property
    def primary_key_arn(self) -> str:
        """ARN of the primary key."""
        return self._primary_key_arn

    def declared_properties(self) -> dict[str, object]:
        """CloudFormation properties but for the tags; all others are the primary's."""
        declared = super().declared_properties()
        own = {name: declared[name] for name in ("Description", "KeyPolicy", "PendingWindowInDays")}
        return {**own, "PrimaryKeyArn": self._primary_key_arn}

    def declared_type(self) -> str:
        """The type of the resource, which the guard writes in place of AWS::KMS::Key.

        `kms.Key` is what other constructs take for a key, and that is the type it makes. Ref, Arn and KeyId
        of both types are the same, so nothing but the type and the properties has to change.
        """
        return "AWS::KMS::ReplicaKey"

    def foreign_properties(self) -> frozenset[str]:
        """Properties that an AWS::KMS::Key has and a replica has not; aspects may set them."""
        return _PRIMARY_ONLY


_PRIMARY_ONLY = frozenset(
    {
        "BypassPolicyLockoutSafetyCheck",
        "EnableKeyRotation",
        "KeySpec",
        "KeyUsage",
        "MultiRegion",
        "Origin",
        "RotationPeriodInDays",
    }
)


def make_replica(
    primary_key_arn: str, key_stack: Stack, where: str, config: ReplicaConfig, given: Mapping[str, Any]
) -> SecureKmsReplicaKey:
    """Makes one replica of a primary key, in the stack of its Region.

    Args:
        primary_key_arn: ARN of the primary key.
        key_stack: Its stack.
        where: Its construct path.
        config: What the replica has of its own.
        given: What the replica takes over from its primary key, by argument.

    Raises:
        ArgumentError: An argument of the replica was refused.
    """
    home = home_of(key_stack)
    stack = replica_stack(home, config, where)
    scope, construct_id = replica_scope(home, stack, where)
    arguments = dict(given)
    for argument in ("via_services", "deployment_principals"):
        if arguments[argument] is not None:
            region = facts_of(key_stack).region
            arguments[argument] = [in_region(one, region, config.region) for one in arguments[argument]]
    own = config.given()
    own.pop("stack_name", None)
    aliases = own.pop("aliases", None)
    if aliases is not None:
        arguments["alias"], *arguments["additional_aliases"] = _names(aliases, where)
    return SecureKmsReplicaKey(
        scope, construct_id, **{**arguments, **own, "primary_key_arn": primary_key_arn}
    )


def _names(aliases: Sequence[str], where: str) -> Sequence[str]:
    """The aliases of a replica that has names of its own."""
    if isinstance(aliases, str) or not aliases:
        raise ArgumentError(
            "aliases",
            aliases,
            "a list of at least one name is wanted",
            "write aliases=['prod/s3-data'], or leave it out to take over the primary's",
            where=where,
        )
    return aliases


def _primary_arn(value: object, stack: Stack, where: str) -> str:
    """The ARN of the primary key, which has to be able to have a replica in this stack."""
    argument = "primary_key_arn"
    if not isinstance(value, str):
        raise ArgumentError(
            argument, value, "an ARN is wanted", "give the ARN of the primary key", where=where
        )
    facts = facts_of(stack)
    parts = arn_parts(value)
    if parts is None and is_token(value):
        _check_reference(value, stack, facts, where)
        return value
    if parts is None or parts[1] != "kms" or not parts[4].startswith("key/"):
        raise ArgumentError(
            argument,
            value,
            "a KMS key ARN is wanted",
            "write arn:aws:kms:us-east-1:111122223333:key/mrk-… (an alias ARN will not do)",
            where=where,
        )
    partition, _, region, account, resource = parts
    if not is_token(resource) and not resource.startswith("key/mrk-"):
        raise ArgumentError(
            argument,
            value,
            "it is a single-Region key (ids of multi-Region keys start with mrk-), which has no replicas",
            "make a new key with multi_region=True; an existing one cannot be changed",
            where=where,
        )
    origin = StackFacts(partition, account, region, None)
    _check_pair(argument, value, origin, facts, where)
    return value


def _check_reference(value: str, stack: Stack, facts: StackFacts, where: str) -> None:
    """A reference to a key of this app has to be weak, and to a place that can have the primary."""
    if is_replica_stack(stack):
        return  # made for it
    reference = Tokenization.reverse_complete_string(value)
    if not isinstance(reference, Reference):
        return
    producer = Stack.of(reference.target)
    _check_pair("primary_key_arn", producer.resolve(value), facts_of(producer), facts, where)
    if stack.node.try_get_context(_REFERENCES_CONTEXT) != "weak":
        raise ArgumentError(
            "primary_key_arn",
            f"the ARN of {reference.target.node.path}",
            "a reference to a stack of another Region is made with Lambda functions and SSM parameters,"
            " unless this stack takes weak ones",
            "declare replica_regions=[…] on the primary key; or, before the stack gets its first child:"
            " CrossStackReferences.of(stack).consume(ReferenceStrength.WEAK)",
            where=where,
        )


def _check_pair(argument: str, value: object, primary: StackFacts, own: StackFacts, where: str) -> None:
    known = not is_token(primary.account + own.account)
    if known and primary.account != own.account:
        raise ArgumentError(
            argument,
            value,
            f"the primary key lies in account {primary.account} and this stack in {own.account}, and KMS"
            " replicates within an account only",
            f"make the replica in account {primary.account}, and let the other account use it:"
            " external_access=[ExternalAccess(…)]",
            where=where,
        )
    if is_token(own.region):
        raise ArgumentError(
            argument,
            value,
            "this stack has no fixed Region, so it could land in the primary's, where no replica can be",
            "give the stack one: Stack(…, env=Environment(region='eu-west-1'))",
            where=where,
        )
    if not is_token(primary.region):
        check_replica_region("env.region", own.region, primary, where)


def _check_reachable(argument: str, values: Any, stack: Stack, where: str) -> None:  # noqa: ANN401 - unchecked input
    """A role of a stack in another Region can be named here only when its name is known."""
    if isinstance(values, str) or not isinstance(values, Sequence):
        return
    for value in values:
        if not isinstance(value, iam.Role | iam.User):
            continue
        home = Stack.of(value)
        if home is stack or home.region == stack.region:
            continue
        person = named_principal(argument, value, where=where)
        if not any(not is_token(one.rpartition("/")[2]) for one in person.identities if "/" in one):
            kind = "role" if isinstance(value, iam.Role) else "user"
            raise ArgumentError(
                argument,
                value.node.path,
                f"this {kind} belongs to stack {home.stack_name} in another Region, where CloudFormation"
                " makes up its name, which cannot be known here",
                f"give it a name ({kind}_name=…), or give the replica other principals:"
                f" ReplicaConfig('{stack.region}', {argument}=[…])",
                where=where,
            )
