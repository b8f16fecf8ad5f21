"""The dashboard: alarms first, then what was called, what was refused, and whether alerts arrive."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

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
    """
    rows: list[list[cloudwatch.IWidget]] = [
        [cloudwatch.TextWidget(markdown=f"# KMS keys\n{title}", width=_WIDE, height=2)],
        [cloudwatch.AlarmStatusWidget(title="Alarms", alarms=list(alarms), width=_WIDE, height=4)],
        [
            _graph("Matches, by rule", list(rules.values()), stacked=True),
            _graph(
                "Calls, percent of the request quota",
                [percent_of_quota(resource) for resource in QUOTAS.values()],
                left_y_axis=cloudwatch.YAxisProps(min=0, max=100, label="%", show_units=False),
            ),
        ],
    ]
    if namespace is not None:
        metrics = {name: _counted(namespace, metric) for name, (metric, _) in FILTERS.items()}
        rows.append(
            [
                _graph("Refused calls, cryptographic ones included", [metrics["Denied"]]),
                _graph("Calls, and the band of usual volume", [
                    cloudwatch.MathExpression(
                        expression="ANOMALY_DETECTION_BAND(m1, 3)", using_metrics={"m1": metrics["Calls"]},
                        label="usual", period=cdk.Duration.minutes(5),
                    ),
                    metrics["Calls"],
                ]),
            ]
        )  # fmt: skip
    if expiring:
        days = [
            cloudwatch.MathExpression(
                expression=f"e{number} / 86400",
                using_metrics={f"e{number}": seconds_until_expiry(key_id)},
                label=called,
                period=cdk.Duration.hours(1),
            )
            for number, (key_id, called) in enumerate(expiring)
        ]
        rows.append([_graph("Days until imported material expires", days, width=_WIDE)])
    rows.append(
        [
            _graph(
                "Notifications sent, and failed",
                [
                    metric
                    for topic in (channels.critical, channels.alerts)
                    for metric in (
                        topic.metric_number_of_notifications_delivered(),
                        topic.metric_number_of_notifications_failed(),
                    )
                ],
            ),
            _graph(
                "Alerts that reached nobody",
                [channels.dead_letters.metric_approximate_number_of_messages_visible(statistic="Maximum")],
            ),
        ]
    )
    return cloudwatch.Dashboard(scope, "Dashboard", default_interval=cdk.Duration.days(7), widgets=rows)


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


def _counted(namespace: str, metric: str) -> cloudwatch.Metric:
    return cloudwatch.Metric(
        namespace=namespace, metric_name=metric, statistic="Sum", period=cdk.Duration.minutes(5)
    )


def _graph(
    title: str,
    metrics: Sequence[cloudwatch.IMetric],
    *,
    width: int = _HALF,
    stacked: bool = False,
    left_y_axis: cloudwatch.YAxisProps | None = None,
) -> cloudwatch.GraphWidget:
    return cloudwatch.GraphWidget(
        title=title,
        left=list(metrics),
        width=width,
        height=6,
        stacked=stacked,
        left_y_axis=left_y_axis or cloudwatch.YAxisProps(min=0, show_units=False),
    )
