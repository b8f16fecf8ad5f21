"""Rules of EventBridge, one for each route, whose messages a person can read."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from constructs import Construct

from kms_constructs.cdk.monitoring.channels import Channels
from kms_constructs.detections.messages import input_paths, input_template
from kms_constructs.detections.routes import Route


def make_rules(
    scope: Construct, routes: Iterable[Route], channels: Channels, bus: events.EventBus | None
) -> dict[str, events.CfnRule]:
    """One rule for each route, by its id.

    Args:
        scope: The construct.
        routes: The routes.
        channels: Where the messages go.
        bus: The bus that the rules stand on; None for the default bus of the account.
    """
    made = {route.id: _rule(scope, route, channels, bus) for route in routes}
    stack = cdk.Stack.of(scope)
    on_bus = "" if bus is None else f"{bus.event_bus_name}/"
    channels.dead_letters.add_to_resource_policy(
        iam.PolicyStatement(
            sid="Rules",
            principals=[iam.ServicePrincipal("events.amazonaws.com")],
            actions=["sqs:SendMessage"],
            resources=[channels.dead_letters.queue_arn],
            conditions={
                "ArnLike": {
                    "aws:SourceArn": f"arn:{stack.partition}:events:{stack.region}:{stack.account}:rule/"
                    f"{on_bus}*"
                }
            },
        )
    )
    return made


def _rule(scope: Construct, route: Route, channels: Channels, bus: events.EventBus | None) -> events.CfnRule:
    topic = channels.topic(route.watch.level)
    content: Any = route.pattern
    return events.CfnRule(
        scope,
        "".join(part.capitalize() for part in route.id.split("-")),
        description=f"{route.watch.control}: {route.watch.title}",
        event_bus_name=None if bus is None else bus.event_bus_name,
        event_pattern=content,
        state="ENABLED",
        targets=[
            events.CfnRule.TargetProperty(
                id="Topic",
                arn=topic.topic_arn,
                dead_letter_config=events.CfnRule.DeadLetterConfigProperty(
                    arn=channels.dead_letters.queue_arn
                ),
                input_transformer=events.CfnRule.InputTransformerProperty(
                    input_paths_map=input_paths(route.watch),
                    input_template=input_template(route.watch, route.keys),
                ),
            )
        ],
    )


def rule_name(rule: events.CfnRule, bus: events.EventBus | None) -> str:
    """The name under which metrics know a rule: on a bus of its own, Ref gives BUS|RULE."""
    return rule.ref if bus is None else cdk.Fn.select(1, cdk.Fn.split("|", rule.ref))
