"""The trail that rules over API calls live on: taken, made, or refused."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import aws_cdk as cdk
import jsii
from aws_cdk import aws_cloudtrail as cloudtrail
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from constructs import Construct, IValidation

from kms_constructs.cdk.key.secure_key import SecureKmsKey
from kms_constructs.errors import ArgumentError
from kms_constructs.model.unknown import is_unknown
from kms_constructs.sources.event_selectors import recorded

NEEDED = (
    "rules over API calls see only what a trail records that logs management events, KMS events included, "
    "and is switched on"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class MonitoringTrail:
    """Where the events of API calls come from; made by its class methods.

    Example:
        >>> MonitoringTrail.outside("arn:aws:cloudtrail:eu-west-1:111122223333:trail/organization").arn
        'arn:aws:cloudtrail:eu-west-1:111122223333:trail/organization'
    """

    arn: str = ""
    log_group_name: str | None = None
    retention_days: int = 0

    @classmethod
    def create(cls, *, retention_days: int = 365) -> MonitoringTrail:
        """A trail that the construct makes, for an account that has none.

        It records management events of all Regions, KMS events included, validates its log files, and is
        encrypted with a key of its own, as is its log group. Bucket and key outlive the stack.

        Args:
            retention_days: How long log files are kept, at least 90 days; the log group keeps a year.

        Raises:
            ArgumentError: Fewer days.
        """
        if retention_days < 90:
            raise ArgumentError(
                "retention_days", retention_days, "log files are kept for at least 90 days", "write 365"
            )
        return cls(retention_days=retention_days)

    @classmethod
    def outside(cls, arn: str, *, log_group_name: str | None = None) -> MonitoringTrail:
        """A trail that another stack or the organization has, and of which nothing can be checked here.

        Args:
            arn: Its ARN. You say with it that it logs management events, KMS events included.
            log_group_name: Its log group in this account and Region, for metric filters.

        Raises:
            ArgumentError: The ARN is none of a trail.
        """
        parts = arn.split(":", 5)
        token = "${Token[" in arn
        if not token and (len(parts) != 6 or parts[2] != "cloudtrail" or not parts[5].startswith("trail/")):
            raise ArgumentError(
                "arn", arn, "it is the ARN of a trail", "write arn:aws:cloudtrail:REGION:ACCOUNT:trail/NAME"
            )
        return cls(arn=arn, log_group_name=log_group_name)


def trail_log_group(
    scope: Construct,
    trail: object,
    *,
    name: str,
    key_administrators: Sequence[object],
    key_arguments: dict[str, object],
) -> logs.ILogGroup | None:
    """Checks the trail or makes it; returns its log group, if it has one.

    Args:
        scope: The construct.
        trail: What was given.
        name: Prefix of names.
        key_administrators: Of the key of a trail that is made.
        key_arguments: Further arguments of that key.

    Raises:
        ArgumentError: There is no trail, or it does not record what is needed.
    """
    if isinstance(trail, MonitoringTrail):
        if trail.retention_days:
            return _made(scope, trail, name, key_administrators, key_arguments)
        if trail.log_group_name is None:
            return None
        return logs.LogGroup.from_log_group_name(scope, "TrailLogGroup", trail.log_group_name)
    if isinstance(trail, cloudtrail.Trail):
        resource = trail.node.default_child
        assert isinstance(resource, cloudtrail.CfnTrail)  # noqa: S101 - what the L2 is made of
        _hold(scope, resource)
        return trail.log_group
    if isinstance(trail, cloudtrail.CfnTrail):
        _hold(scope, trail)
        return None
    raise ArgumentError(
        "trail",
        trail,
        NEEDED,
        "give the Trail of this app, MonitoringTrail.outside(arn) for one that is there, or "
        "MonitoringTrail.create() to make one",
        where=scope.node.path,
    )


def problem(trail: cloudtrail.CfnTrail) -> str | None:
    """What a trail does not record of what is needed; None for nothing."""
    stack = cdk.Stack.of(trail)
    logging = stack.resolve(trail.is_logging)
    if logging is False:
        return "it is switched off (IsLogging)"
    basic, advanced = (
        _spelt(stack.resolve(value)) for value in (trail.event_selectors, trail.advanced_event_selectors)
    )
    excluded, management, place = recorded(basic, advanced)
    if excluded is True:
        return f"it leaves KMS events out ({place})"
    if management is False:
        return "it records no management events"
    for value in (excluded, management):
        if is_unknown(value):
            return f"whether it records KMS events is not known: {value.reason}"
    return None


def _hold(scope: Construct, trail: cloudtrail.CfnTrail) -> None:
    """Checks the trail now, and again at synth, when all selectors are added."""
    found = problem(trail)
    if found is not None:
        raise ArgumentError(
            "trail",
            trail.node.path,
            f"{NEEDED}, and of this one {found}",
            "let it record all management events, without ExcludeManagementEventSources",
            where=scope.node.path,
        )
    scope.node.add_validation(_AtSynth(trail))


@jsii.implements(IValidation)
class _AtSynth:
    def __init__(self, trail: cloudtrail.CfnTrail) -> None:
        self._trail = trail

    def validate(self) -> list[str]:
        found = problem(self._trail)
        return [] if found is None else [f"trail {self._trail.node.path}: {NEEDED}, and of this one {found}"]


_RENAMED = {"equalTo": "Equals"}
"""What the CDK's structs call otherwise than CloudFormation, beside the case of the first letter."""


def _spelt(value: object) -> object:
    """Selectors in CloudFormation's spelling: the CDK resolves those of its own structs in camel case."""
    if isinstance(value, dict):
        spelt = {name: _RENAMED.get(name, name[:1].upper() + name[1:]) for name in value}
        return {spelt[name]: _spelt(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_spelt(inner) for inner in value]
    return value


def _made(
    scope: Construct,
    trail: MonitoringTrail,
    name: str,
    key_administrators: Sequence[object],
    key_arguments: dict[str, object],
) -> logs.ILogGroup:
    from kms_constructs.policies.services.service_access import ServiceAccess

    stack = cdk.Stack.of(scope)
    log_group_name = f"/aws/cloudtrail/{name}"
    arn = f"arn:{stack.partition}:cloudtrail:{stack.region}:{stack.account}:trail/{name}"
    arguments: dict[str, object] = {
        **key_arguments,
        "alias": f"{name}-trail",
        "description": f"Encrypts the trail {name} and its log group",
        "service": "cloudtrail",
        "key_administrators": key_administrators,
        "services": [
            ServiceAccess.cloudtrail(trail_arns=[arn]),
            ServiceAccess.cloudwatch_logs(log_groups=[log_group_name]),
        ],
    }
    key = SecureKmsKey(scope, "TrailKey", **arguments)  # type: ignore[arg-type]  # checked by the key itself
    bucket = s3.Bucket(
        scope,
        "TrailBucket",
        encryption=s3.BucketEncryption.S3_MANAGED,
        block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
        enforce_ssl=True,
        versioned=True,
        lifecycle_rules=[s3.LifecycleRule(expiration=cdk.Duration.days(trail.retention_days))],
        removal_policy=cdk.RemovalPolicy.RETAIN,
    )
    cdk.Validations.of(bucket).acknowledge(
        cdk.Acknowledgment(
            id="AwsSolutions::AwsSolutions-S1",
            reason="It holds the trail's own log files, which CloudTrail signs; who reads them is recorded "
            "as Decrypt of their key",
        )
    )
    group = logs.LogGroup(
        scope,
        "TrailLogs",
        log_group_name=log_group_name,
        encryption_key=key,
        retention=logs.RetentionDays.ONE_YEAR,
        removal_policy=cdk.RemovalPolicy.RETAIN,
    )
    made = cloudtrail.Trail(
        scope,
        "Trail",
        trail_name=name,
        bucket=bucket,
        encryption_key=key,
        enable_file_validation=True,
        include_global_service_events=True,
        is_multi_region_trail=True,
        management_events=cloudtrail.ReadWriteType.ALL,
        send_to_cloud_watch_logs=True,
        cloud_watch_log_group=group,
    )
    _hold(scope, made.node.default_child)  # type: ignore[arg-type]  # what the L2 is made of
    return group
