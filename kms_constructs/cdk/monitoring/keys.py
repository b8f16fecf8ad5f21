"""The keys of an app, as rules watch them: names, replicas, and who is authorised."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import aws_cdk as cdk
from aws_cdk import aws_kms as kms
from constructs import Construct

from kms_constructs.cdk.annotations import annotations_of
from kms_constructs.cdk.key.hardened_key import HardenedKey
from kms_constructs.cdk.key.secure_key import SecureKmsKey
from kms_constructs.detections.patterns import WatchedKey
from kms_constructs.detections.routes import GuardedKey
from kms_constructs.errors import ArgumentError
from kms_constructs.policies.key_policy import declaration
from kms_constructs.policies.target import is_token


def guarded_keys(scope: Construct, keys: Sequence[kms.IKey], *, everywhere: bool) -> list[GuardedKey]:
    """The keys to watch.

    Args:
        scope: The construct, for its Region and for errors.
        keys: What was given.
        everywhere: Whether events of other Regions arrive here. Then the replicas of a key are watched as
            well; otherwise a warning names them.

    Raises:
        ArgumentError: No key, or one of a Region whose events do not arrive here.
    """
    where = scope.node.path
    if not keys:
        raise ArgumentError(
            "keys", list(keys), "no key is to be watched", "leave it out to watch every key", where=where
        )
    here = cdk.Stack.of(scope).region
    found: list[GuardedKey] = []
    for key in keys:
        region = key.env.region
        if not everywhere and region != here and not is_token(region) and not is_token(here):
            raise ArgumentError(
                "keys",
                key.node.path,
                f"EventBridge is regional: events of {region} do not arrive in {here}",
                f"make a KmsMonitoring in {region}, or give organization_id or accounts here and make a "
                f"KmsEventForwarder in {region}",
                where=where,
            )
        found.append(_guarded(key))
        replicas = list(_replicas(key))
        if replicas and everywhere:
            found += replicas
        elif replicas:
            annotations_of(scope).add_warning_v2(
                f"kms-constructs:unwatched-replicas:{key.node.path}",
                f"The replicas of {key.node.path} are not watched from here: EventBridge is regional. Make a "
                f"KmsMonitoring in {', '.join(_regions(key))}, or a KmsEventForwarder to a central bus",
            )
    return found


def _guarded(key: kms.IKey) -> GuardedKey:
    if not isinstance(key, HardenedKey):
        return GuardedKey(key=WatchedKey(arn=key.key_arn, key_id=key.key_id))
    return GuardedKey(
        key=WatchedKey(arn=key.key_arn, key_id=key.key_id, alias=key.alias_name),
        authorised=declaration(key.policy_spec).authorised,
    )


def _replicas(key: kms.IKey) -> Iterator[GuardedKey]:
    """The replicas of a key, by ARNs made of the key id that all share."""
    if isinstance(key, SecureKmsKey):
        for region, arn in key.replica_arns.items():
            spec = key.replicas[region].policy_spec if region in key.replicas else key.policy_spec
            yield GuardedKey(
                key=WatchedKey(arn=arn, key_id=key.key_id, alias=f"{key.alias_name} in {region}"),
                authorised=declaration(spec).authorised,
            )


def _regions(key: kms.IKey) -> list[str]:
    return list(key.replica_arns) if isinstance(key, SecureKmsKey) else []
