"""Alarms on metrics that there are.

KMS has no metrics of requests that succeed or fail. What there is: calls against their quota in
``AWS/Usage``, the seconds until imported key material expires in ``AWS/KMS``, and what metric filters count
in the log group of a trail. The monitoring watches itself as well: what was not delivered, or failed to be.

See: https://docs.aws.amazon.com/kms/latest/developerguide/monitoring-cloudwatch.html
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sns as sns
from constructs import Construct

from kms_constructs.cdk.monitoring.channels import Channels
from kms_constructs.errors import ArgumentError

QUOTAS: Mapping[str, str] = {
    "Symmetric": "CryptographicOperationsSymmetric",
    "Rsa": "CryptographicOperationsRsa",
    "Ecc": "CryptographicOperationsEcc",
}
"""Request quotas that many keys share, by a short name: the values of the dimension Resource."""

_MOST_METRICS = 10
"""Metrics that an alarm on an expression may have."""

FILTERS: Mapping[str, tuple[str, str]] = {
    "DisabledOrDeleted": (
        "KeysDisabledOrScheduledForDeletion",
        '{ ($.eventSource = "kms.amazonaws.com") && (($.eventName = "DisableKey") || '
        '($.eventName = "ScheduleKeyDeletion")) }',
    ),
    "Denied": (
        "DeniedCalls",
        '{ ($.eventSource = "kms.amazonaws.com") && ($.errorCode = "AccessDenied*") }',
    ),
    "Calls": ("Calls", '{ $.eventSource = "kms.amazonaws.com" }'),
}
"""Metric filters over the log group of a trail: the metric's name and the pattern. Cryptographic calls are in
the log, and reach no rule of EventBridge."""


_BOUNDS = {
    "quota_percent": (1, 100),
    "expiry_days": (1, 364),
    "denied_calls": (1, 1_000_000),
    "standard_deviations": (1, 10),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class MonitoringLimits:
    """When alarms go off.

    Args:
        quota_percent: Percent of a request quota, 1 to 100, for three minutes out of five.
        expiry_days: Days before imported key material expires, 1 to 364.
        denied_calls: Refused calls within five minutes, cryptographic ones included; at least 1.
        standard_deviations: Width of the band of usual volume, 1 to 10 standard deviations.

    Raises:
        ArgumentError: A figure beyond its bounds.

    Example:
        >>> MonitoringLimits(quota_percent=60).expiry_days
        30
    """

    quota_percent: int = 80
    expiry_days: int = 30
    denied_calls: int = 5
    standard_deviations: int = 3

    def __post_init__(self) -> None:
        for name, (least, most) in _BOUNDS.items():
            value = getattr(self, name)
            if not least <= value <= most:
                raise ArgumentError(name, value, f"it is {least} to {most}", "give a figure within that")


class Alarms:
    """The alarms of a monitoring, by construct id."""

    def __init__(self, scope: Construct, channels: Channels, limits: MonitoringLimits, prefix: str) -> None:
        self._scope = scope
        self._channels = channels
        self._limits = limits
        self._prefix = prefix
        self.made: dict[str, cloudwatch.AlarmBase] = {}

    def quotas(self) -> None:
        """Calls against the request quotas of KMS, which are shared by all of an account in a Region."""
        for name, resource in QUOTAS.items():
            self._add(
                f"{name}QuotaAlarm",
                percent_of_quota(resource, name),
                f"KMS answers ThrottlingException beyond the quota of {resource}. Find the caller in the "
                "trail; ask Service Quotas for more; use S3 Bucket Keys or cached data keys",
                threshold=self._limits.quota_percent,
                periods=5,
                datapoints=3,
            )

    def dead_letters(self) -> None:
        """Alerts that reached nobody."""
        self._add(
            "DeadLettersAlarm",
            self._channels.dead_letters.metric_approximate_number_of_messages_visible(
                period=cdk.Duration.minutes(5), statistic="Maximum"
            ),
            "Alerts about KMS keys were not delivered. Read them in the queue, then see to topic and key",
            topic=self._channels.critical,
        )

    def failed_invocations(self, rule_names: Sequence[str], bus_name: str | None) -> None:
        """Rules that matched and could not notify their topic."""
        for number, start in enumerate(range(0, len(rule_names), _MOST_METRICS), start=1):
            metrics = failed(rule_names[start : start + _MOST_METRICS], bus_name)
            self._add(
                f"FailedInvocationsAlarm{number}",
                cloudwatch.MathExpression(
                    expression="SUM(METRICS())",
                    using_metrics=metrics,
                    label="Failed invocations",
                    period=cdk.Duration.minutes(5),
                ),
                "A rule over KMS events matched and could not notify its topic: nobody was told. See whether "
                "the key of the topics lets events.amazonaws.com use it",
                topic=self._channels.critical,
            )

    def expiring_material(self, keys: Iterable[tuple[str, str]]) -> None:
        """Imported key material that expires soon.

        Args:
            keys: Key ids, and what a person calls the key.
        """
        for number, (key_id, called) in enumerate(keys, start=1):
            self._add(
                f"MaterialExpiryAlarm{number}",
                seconds_until_expiry(key_id),
                f"Imported key material of {called} expires within {self._limits.expiry_days} days. Import "
                "it again, before what it encrypted cannot be decrypted",
                threshold=self._limits.expiry_days * 86_400,
                comparison=cloudwatch.ComparisonOperator.LESS_THAN_OR_EQUAL_TO_THRESHOLD,
                missing=cloudwatch.TreatMissingData.IGNORE,
                topic=self._channels.critical,
            )

    def log_group(self, group: logs.ILogGroup) -> None:
        """What the CIS benchmark wants of a trail's log group, refused calls, and unusual volume."""
        metrics = {name: self._filter(group, name, metric, text) for name, (metric, text) in FILTERS.items()}
        self._add(
            "DisabledOrDeletedAlarm",
            metrics["DisabledOrDeleted"],
            "A key was disabled or scheduled for deletion (CIS AWS Foundations, monitoring)",
            topic=self._channels.critical,
        )
        self._add(
            "DeniedAlarm",
            metrics["Denied"],
            "KMS refused several calls within five minutes, cryptographic ones included. See who called, and "
            "whether they lost a permission that they need",
            threshold=self._limits.denied_calls,
        )
        volume = cloudwatch.AnomalyDetectionAlarm(
            self._scope,
            "VolumeAlarm",
            alarm_name=self._named("VolumeAlarm"),
            metric=metrics["Calls"],
            std_devs=self._limits.standard_deviations,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_UPPER_THRESHOLD,
            evaluation_periods=3,
            alarm_description="More calls to KMS than usual at this time: mass decryption, or a caller in a "
            "loop. Find the caller in the trail",
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )
        self._notify("VolumeAlarm", volume, self._channels.alerts)

    def _filter(self, group: logs.ILogGroup, name: str, metric: str, text: str) -> cloudwatch.Metric:
        return logs.MetricFilter(
            self._scope,
            f"{name}Filter",
            log_group=group,
            filter_pattern=logs.FilterPattern.literal(text),
            metric_namespace=metrics_namespace(self._prefix),
            metric_name=metric,
            metric_value="1",
            default_value=0,
        ).metric(statistic="Sum", period=cdk.Duration.minutes(5))

    def _add(
        self,
        name: str,
        metric: cloudwatch.IMetric,
        description: str,
        *,
        threshold: float = 1,
        periods: int = 1,
        datapoints: int = 1,
        comparison: cloudwatch.ComparisonOperator = (
            cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD
        ),
        missing: cloudwatch.TreatMissingData = cloudwatch.TreatMissingData.NOT_BREACHING,
        topic: sns.Topic | None = None,
    ) -> None:
        alarm = cloudwatch.Alarm(
            self._scope,
            name,
            alarm_name=self._named(name),
            metric=metric,
            alarm_description=f"{description}.",
            threshold=threshold,
            evaluation_periods=periods,
            datapoints_to_alarm=datapoints,
            comparison_operator=comparison,
            treat_missing_data=missing,
        )
        self._notify(name, alarm, topic or self._channels.alerts)

    def _named(self, name: str) -> str:
        """Name of an alarm, as the dashboard and the message show it: ``prod-kms-dead-letters``."""
        words = re.findall(r"[A-Z][a-z]*|\d+", name.replace("Alarm", ""))
        return "-".join([self._prefix, *(word.lower() for word in words)])

    def _notify(self, name: str, alarm: cloudwatch.AlarmBase, topic: sns.Topic) -> None:
        alarm.add_alarm_action(actions.SnsAction(topic))
        self.made[name] = alarm


def metrics_namespace(prefix: str) -> str:
    """Namespace of what the metric filters count."""
    return f"KmsConstructs/{prefix}"


def calls(resource: str) -> cloudwatch.Metric:
    """The calls that count against a quota, each minute.

    Args:
        resource: A value of `QUOTAS`.
    """
    return cloudwatch.Metric(
        namespace="AWS/Usage",
        metric_name="CallCount",
        dimensions_map={"Service": "KMS", "Type": "API", "Class": "None", "Resource": resource},
        statistic="Sum",
        period=cdk.Duration.minutes(1),
    )


def percent_of_quota(resource: str, label: str) -> cloudwatch.MathExpression:
    """The calls in percent of their quota; CloudWatch gives the quota for the period of the metric.

    Args:
        resource: A value of `QUOTAS`.
        label: What the legend calls it.
    """
    name = f"{resource[:1].lower()}{resource[1:]}"  # ids of metrics are unique within a graph
    return cloudwatch.MathExpression(
        expression=f"100 * {name} / SERVICE_QUOTA({name})",
        using_metrics={name: calls(resource)},
        label=label,
        period=cdk.Duration.minutes(1),
    )


def seconds_until_expiry(key_id: str) -> cloudwatch.Metric:
    """Seconds until the imported material of a key expires; there is no such metric for other keys."""
    return cloudwatch.Metric(
        namespace="AWS/KMS",
        metric_name="SecondsUntilKeyMaterialExpiration",
        dimensions_map={"KeyId": key_id},
        statistic="Minimum",
        period=cdk.Duration.hours(1),
    )


def failed(rule_names: Sequence[str], bus_name: str | None) -> dict[str, cloudwatch.IMetric]:
    """Failed invocations of rules, each by an id for expressions."""
    on_bus = {} if bus_name is None else {"EventBusName": bus_name}
    return {
        f"m{number}": cloudwatch.Metric(
            namespace="AWS/Events",
            metric_name="FailedInvocations",
            dimensions_map={**on_bus, "RuleName": name},
            statistic="Sum",
            period=cdk.Duration.minutes(5),
        )
        for number, name in enumerate(rule_names)
    }
