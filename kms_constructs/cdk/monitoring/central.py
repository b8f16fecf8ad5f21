"""From many accounts and Regions to one: the event bus of a security account, and what forwards to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_events as events
from constructs import Construct

from kms_constructs.detections.forwarding import checked_bus_arn, forwarding_resources
from kms_constructs.model.text import is_organization_id
from kms_constructs.policies.target import check_account, is_token, organization_refused


def central_bus(
    scope: Construct, name: str, organization_id: str | None, accounts: Sequence[str]
) -> events.EventBus | None:
    """The event bus that an organization or accounts may send to; None when neither is given.

    Args:
        scope: The construct.
        name: Name of the bus.
        organization_id: Whose accounts may send.
        accounts: Accounts that may send.

    Raises:
        ArgumentError: A malformed id.
    """
    where = scope.node.path
    if organization_id is not None and not (is_token(organization_id) or is_organization_id(organization_id)):
        raise organization_refused("organization_id", organization_id, where)
    for account in accounts:
        check_account("accounts", account, where)
    if organization_id is None and not accounts:
        return None
    bus = events.EventBus(scope, "Bus", event_bus_name=name, description="KMS events of other accounts")
    allow = {"Effect": "Allow", "Action": "events:PutEvents", "Resource": bus.event_bus_arn}
    if organization_id is not None:
        condition = {"StringEquals": {"aws:PrincipalOrgID": organization_id}}
        _open(scope, bus, "Organization", {**allow, "Principal": "*", "Condition": condition})
    if accounts:
        partition = cdk.Stack.of(scope).partition
        principals = [f"arn:{partition}:iam::{account}:root" for account in accounts]
        _open(scope, bus, "Accounts", {**allow, "Principal": {"AWS": principals}})
    return bus


def _open(scope: Construct, bus: events.EventBus, sid: str, statement: dict[str, Any]) -> None:
    events.CfnEventBusPolicy(
        scope,
        f"{sid}MaySend",
        event_bus_name=bus.event_bus_name,
        statement_id=sid,
        statement={"Sid": sid, **statement},
    )


class KmsEventForwarder(Construct):
    """Sends the KMS events of an account and Region to the event bus of a monitoring.

    For a Region that has replicas, and for member accounts; `kms-constructs export monitoring` writes the
    same as a template for a StackSet. Only what the monitoring watches is sent. The account needs a trail
    that logs management events, KMS included.

    Example:
        >>> from aws_cdk import App, Stack
        >>> forwarder = KmsEventForwarder(
        ...     Stack(App(analytics_reporting=False), "Member"), "KmsEvents",
        ...     bus_arn="arn:aws:events:eu-west-1:111122223333:event-bus/prod-kms")
        >>> sorted(forwarder.resources)
        ['DeadLetters', 'DeadLettersPolicy', 'Role', 'Rule']

    See: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-cross-account.html
    """

    def __init__(self, scope: Construct, construct_id: str, *, bus_arn: str) -> None:
        """Makes the rule, its role and its dead-letter queue.

        Args:
            scope: The stack.
            construct_id: Id within it.
            bus_arn: ARN of the event bus: ``KmsMonitoring(…).bus_arn``.

        Raises:
            ArgumentError: It is the ARN of no event bus.
        """
        super().__init__(scope, construct_id)
        if not is_token(bus_arn):
            checked_bus_arn("bus_arn", bus_arn, self.node.path)
        described = forwarding_resources(bus_arn)
        self.resources: dict[str, cdk.CfnResource] = {
            name: cdk.CfnResource(self, name, type=one["Type"]) for name, one in described.items()
        }
        for name, one in described.items():
            for key, value in one["Properties"].items():
                self.resources[name].add_property_override(key, self._referring(value))

    def _referring(self, value: Any) -> Any:  # noqa: ANN401 - JSON goes in and comes out
        """References to resources of the template, made references to those of the construct."""
        if isinstance(value, Mapping):
            match dict(value):
                case {"Ref": str(name)} if name in self.resources:
                    return self.resources[name].ref
                case {"Fn::GetAtt": [str(name), str(attribute)]} if name in self.resources:
                    return self.resources[name].get_att(attribute).to_string()
                case mapping:
                    return {key: self._referring(inner) for key, inner in mapping.items()}
        return [self._referring(inner) for inner in value] if isinstance(value, list) else value
