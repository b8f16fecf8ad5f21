"""The dashboard: alarms first, then what was called, what was refused, and whether alerts arrive."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from kms_constructs.cdk.monitoring.alarms import FILTERS, QUOTAS, percent_of_quota, seconds_until_expiry
from kms_constructs.cdk.monitoring.channels import Channels

_WIDE = 24
_HALF = 12


def make_dashboard(
    scope: Construct,
    *,
    title: str,
    alarms: Sequence[cloudwatch.IAlarm],
    rules: Mapping[str, cloudwatch.IMetric],
    namespace: str | None,
    expiring: Sequence[tuple[str, str]],
    channels: Channels,
    standard_deviations: int,
) -> cloudwatch.Dashboard:
    """The dashboard.

    Args:
        scope: The construct.
        title: What is watched, for its first line.
        alarms: The alarms, by urgency.
        rules: How often each rule matched, by the id of its route.
        namespace: Of what metric filters count; None where there is no log group.
        expiring: Ids and names of keys with imported material.
        channels: The topics and the queue.
        standard_deviations: Width of the band of usual volume.
    """
    rows: list[list[cloudwatch.IWidget]] = [
        [cloudwatch.TextWidget(markdown=f"# KMS keys\n{title}", width=_WIDE, height=2)],
        [cloudwatch.AlarmStatusWidget(title="Alarms", alarms=list(alarms), width=_WIDE, height=4)],
        [_graph("Matches, by rule", list(rules.values()), width=_WIDE, height=8, stacked=True)],
        [
            _graph(
                "Calls, percent of the request quota",
                [percent_of_quota(resource, name) for name, resource in QUOTAS.items()],
                left_y_axis=cloudwatch.YAxisProps(min=0, max=100, label="%", show_units=False),
            ),
            _graph("Notifications", list(_notifications(channels))),
        ],
    ]
    if namespace is not None:
        rows.append(_counted_calls(namespace, standard_deviations))
    undelivered = channels.dead_letters.metric_approximate_number_of_messages_visible(
        statistic="Maximum", label="in the dead-letter queue"
    )
    last = [_graph("Days until imported material expires", _days(expiring))] if expiring else []
    rows.append([*last, _graph("Alerts that reached nobody", [undelivered], width=_HALF if last else _WIDE)])
    return cloudwatch.Dashboard(scope, "Dashboard", default_interval=cdk.Duration.days(7), widgets=rows)


def _notifications(channels: Channels) -> Iterator[cloudwatch.Metric]:
    for name, topic in (("critical", channels.critical), ("alerts", channels.alerts)):
        yield topic.metric_number_of_notifications_delivered(label=f"{name}, delivered")
        yield topic.metric_number_of_notifications_failed(label=f"{name}, failed")


def _counted_calls(namespace: str, standard_deviations: int) -> list[cloudwatch.IWidget]:
    """What the metric filters count."""
    denied, calls = (
        cloudwatch.Metric(
            namespace=namespace,
            metric_name=FILTERS[name][0],
            statistic="Sum",
            period=cdk.Duration.minutes(5),
            label=label,
        )
        for name, label in (("Denied", "refused"), ("Calls", "calls"))
    )
    usual = cloudwatch.MathExpression(
        expression=f"ANOMALY_DETECTION_BAND(m1, {standard_deviations})",
        using_metrics={"m1": calls},
        label="usual",
        period=cdk.Duration.minutes(5),
    )
    return [
        _graph("Refused calls, cryptographic ones included", [denied]),
        _graph("Calls, and the band of usual volume", [usual, calls]),
    ]


def _days(expiring: Sequence[tuple[str, str]]) -> list[cloudwatch.IMetric]:
    return [
        cloudwatch.MathExpression(
            expression=f"e{number} / 86400",
            using_metrics={f"e{number}": seconds_until_expiry(key_id)},
            label=called,
            period=cdk.Duration.hours(1),
        )
        for number, (key_id, called) in enumerate(expiring)
    ]


def matches(rule_name: str, bus_name: str | None, label: str) -> cloudwatch.Metric:
    """How often a rule matched."""
    on_bus = {} if bus_name is None else {"EventBusName": bus_name}
    return cloudwatch.Metric(
        namespace="AWS/Events",
        metric_name="TriggeredRules",
        dimensions_map={**on_bus, "RuleName": rule_name},
        statistic="Sum",
        period=cdk.Duration.hours(1),
        label=label,
    )


def _graph(
    title: str,
    metrics: Sequence[cloudwatch.IMetric],
    *,
    width: int = _HALF,
    height: int = 6,
    stacked: bool = False,
    left_y_axis: cloudwatch.YAxisProps | None = None,
) -> cloudwatch.GraphWidget:
    return cloudwatch.GraphWidget(
        title=title,
        left=list(metrics),
        width=width,
        height=height,
        stacked=stacked,
        left_y_axis=left_y_axis or cloudwatch.YAxisProps(min=0, show_units=False),
    )
