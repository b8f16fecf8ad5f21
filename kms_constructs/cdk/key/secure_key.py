"""`SecureKmsKey`: a customer managed KMS key that nobody has to harden."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import ClassVar, Unpack

from constructs import Construct

from kms_constructs.cdk.key.hardened_key import HardenedKey
from kms_constructs.cdk.key.key_arguments import KeyArguments, documented, taken_over
from kms_constructs.cdk.key.principals import arns, named_principals
from kms_constructs.cdk.key.replica import SecureKmsReplicaKey, make_replica
from kms_constructs.cdk.key.replica_plan import ReplicaConfig, in_region
from kms_constructs.errors import ArgumentError


class SecureKmsKey(HardenedKey):
    """A KMS key whose administrators cannot use it and whose users cannot manage it.

    The key policy is written whole at construction, with explicit actions and one statement for each duty,
    and is sealed then. Whatever IAM policies say: only the principals named here (and the account's root
    user) delete the key, disable it or change its policy, and nobody turns its rotation off.

    It is a `kms.Key`, so it goes wherever an `IKey` goes. An AWS service that uses the key as itself needs a
    statement, which `services` gives; what uses the key with its caller's identity (S3, DynamoDB, RDS, …)
    needs the caller among `key_users`, or a grant to a principal of the same stack:
    ``key.grant_decrypt(role)``, ``bucket.grant_read(role)``.

    What later changes cost: another `key_spec`, `key_usage`, `origin` or `multi_region` cannot be deployed to
    an existing key, and another construct path or `logical_id` makes another key. Properties of the L1 that
    are written by escape hatch are discarded, those that no argument writes included.

    Its arguments are `KeyArguments`, where each of them is explained.

    Raises:
        ArgumentError: An argument was refused; the message names argument, value, rule and fix.

    Example:
        >>> from aws_cdk import App, Stack
        >>> stack = Stack(App(analytics_reporting=False), "Data")
        >>> key = SecureKmsKey(
        ...     stack, "Key",
        ...     alias="dev/s3-data",
        ...     description="Objects of the data lake",
        ...     environment="dev", service="lake", data_classification="internal",
        ...     key_administrators=["arn:aws:iam::111122223333:role/KeyAdmin"],
        ...     key_users=["arn:aws:iam::111122223333:role/Lake"],
        ... )
        >>> key.alias_name
        'alias/dev/s3-data'

    See: https://docs.aws.amazon.com/kms/latest/developerguide/key-policies.html
    """

    _ARGUMENTS: ClassVar[type] = KeyArguments
    _IS_REPLICA: ClassVar[bool] = False

    @documented(KeyArguments)
    def __init__(self, scope: Construct, construct_id: str, **arguments: Unpack[KeyArguments]) -> None:
        """Makes a hardened KMS key, its aliases, and its replicas in stacks of their Regions.

        Args:
            scope: Parent construct.
            construct_id: Id in the parent.
            **arguments: `KeyArguments`, where each is explained. Required are alias, description,
                environment, service, data_classification and key_administrators.

        Raises:
            ArgumentError: An argument was refused; the message names argument, value, rule and fix.
        """
        super().__init__(scope, construct_id, arguments)
        self._replicas: dict[str, SecureKmsReplicaKey] = {}
        if self._checked.replicas:
            self._replicate()

    def replica(self, region: str) -> SecureKmsReplicaKey:
        """The replica key in a Region, for the stacks of that Region.

        Args:
            region: One of the `replica_regions`.

        Raises:
            ArgumentError: This app makes no replica there.

        Example:
            ```python
            key = SecureKmsKey(stack, "Key", replica_regions=["eu-west-1"], …)
            s3.Bucket(european_stack, "Data", encryption_key=key.replica("eu-west-1"))
            ```
        """
        found = self._replicas.get(region)
        if found is None:
            there = ", ".join(self._replicas) or "none"
            raise ArgumentError(
                "region",
                region,
                f"the key has no replica there that this app makes; it has: {there}",
                "name the Region in replica_regions of the key"
                if region != self._facts.region
                else "it is the Region of the key itself: use that",
                where=self.target.where,
            )
        return found

    @property
    def replicas(self) -> Mapping[str, SecureKmsReplicaKey]:
        """The replica keys that this app makes, by Region."""
        return MappingProxyType(self._replicas)

    @property
    def replica_arns(self) -> Mapping[str, str]:
        """ARNs of the replica keys, by Region, including those that another app makes.

        They are made of the primary's key id, which all related keys share: using them makes no stack depend
        on a replica's stack.
        """
        facts = self._facts
        return {
            region: f"arn:{facts.partition}:kms:{region}:{facts.account}:key/{self.key_id}"
            for region, _ in self.policy_spec.replication
        }

    def _replicate(self) -> None:
        """Makes the replicas, and lets those who deploy them replicate the key."""
        given = taken_over(self._given)
        replication: list[tuple[str, tuple[str, ...]]] = []
        for config in self._checked.replicas:
            if config.made_elsewhere:
                replication.append((config.region, self._deployers_in(config)))
                continue
            replica = make_replica(self.key_arn, self._stack, self.target.where, config, given)
            self._replicas[config.region] = replica
            replication.append((config.region, replica.policy_spec.deployment))
        self.policy_spec = replace(self.policy_spec, replication=tuple(replication))
        self._grant_book.spec = self.policy_spec

    def _deployers_in(self, config: ReplicaConfig) -> tuple[str, ...]:
        """Who makes a replica that another app declares."""
        named = config.deployment_principals or [
            in_region(arn, self._facts.region, config.region) for arn in self.policy_spec.deployment
        ]
        return arns(
            named_principals(
                "deployment_principals", named, where=self.target.where, account=self._facts.account
            )
        )
