"""The template that hands KMS events of member accounts and Regions over to one event bus.

Deployed as a CloudFormation StackSet to every account and Region of an organization, or as a construct in a
single stack. It sends what the watches need, and no more.

See: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-cross-account.html
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from kms_constructs.detections.catalogue import WATCHES
from kms_constructs.detections.patterns import Pattern
from kms_constructs.detections.watch import Watch
from kms_constructs.errors import ArgumentError

BUS = "CentralBusArn"
"""Parameter of the template: ARN of the event bus that the rules stand on."""

_BUS_ARN = re.compile(r"arn:aws[a-z-]*:events:[a-z0-9-]+:\d{12}:event-bus/[A-Za-z0-9._/-]{1,256}")


def forwarding_pattern(watches: Iterable[Watch] = WATCHES) -> Pattern:
    """What has to reach the bus so that every rule on it can match.

    Example:
        >>> [part["source"] for part in forwarding_pattern()["$or"]]
        [['aws.kms'], ['aws.cloudtrail'], ['aws.kms']]
    """
    names: dict[str, set[str]] = {}
    own: dict[str, list[str]] = {}
    for watch in watches:
        if watch.is_call:
            names.setdefault(watch.source, set()).update(watch.event_names)
        else:
            own.setdefault(watch.source, []).append(watch.detail_type)
    calls = [
        {
            "source": [source],
            "detail-type": ["AWS API Call via CloudTrail"],
            "detail": {"eventName": sorted(found)},
        }
        for source, found in names.items()
    ]
    events = [{"source": [source], "detail-type": types} for source, types in own.items()]
    return {"$or": [*calls, *events]}


def checked_bus_arn(argument: str, arn: str, where: str = "") -> str:
    """The ARN of an event bus.

    Args:
        argument: Name of the argument, for errors.
        arn: The ARN.
        where: Construct path, for errors.

    Raises:
        ArgumentError: It is none.
    """
    if not _BUS_ARN.fullmatch(arn):
        raise ArgumentError(
            argument,
            arn,
            "it is the ARN of an event bus",
            "write arn:aws:events:REGION:ACCOUNT:event-bus/NAME, as KmsMonitoring(…).bus_arn gives it",
            where=where,
        )
    return arn


def forwarding_resources(bus: Any) -> dict[str, Any]:  # noqa: ANN401 - a text, a token or a reference
    """The resources that forward, by logical id.

    Args:
        bus: ARN of the event bus, or a reference to it.
    """
    queue = {"Fn::GetAtt": ["DeadLetters", "Arn"]}
    return {
        "DeadLetters": {
            "Type": "AWS::SQS::Queue",
            "Properties": {"MessageRetentionPeriod": 1209600, "SqsManagedSseEnabled": True},
            "UpdateReplacePolicy": "Delete",
            "DeletionPolicy": "Delete",
        },
        "DeadLettersPolicy": {
            "Type": "AWS::SQS::QueuePolicy",
            "Properties": {
                "Queues": [{"Ref": "DeadLetters"}],
                "PolicyDocument": {
                    "Version": "2012-10-17",
                    "Statement": [
                        {
                            "Sid": "Rule",
                            "Effect": "Allow",
                            "Principal": {"Service": "events.amazonaws.com"},
                            "Action": "sqs:SendMessage",
                            "Resource": queue,
                            "Condition": {"ArnEquals": {"aws:SourceArn": {"Fn::GetAtt": ["Rule", "Arn"]}}},
                        },
                        {
                            "Sid": "TlsOnly",
                            "Effect": "Deny",
                            "Principal": "*",
                            "Action": "sqs:*",
                            "Resource": queue,
                            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
                        },
                    ],
                },
            },
        },
        "Role": {
            "Type": "AWS::IAM::Role",
            "Properties": {
                "Description": "Sends KMS events to the central event bus",
                "AssumeRolePolicyDocument": {
                    "Version": "2012-10-17",
                    "Statement": [
                        {
                            "Effect": "Allow",
                            "Principal": {"Service": "events.amazonaws.com"},
                            "Action": "sts:AssumeRole",
                            "Condition": {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}},
                        }
                    ],
                },
                "Policies": [
                    {
                        "PolicyName": "PutEvents",
                        "PolicyDocument": {
                            "Version": "2012-10-17",
                            "Statement": [{"Effect": "Allow", "Action": "events:PutEvents", "Resource": bus}],
                        },
                    }
                ],
            },
        },
        "Rule": {
            "Type": "AWS::Events::Rule",
            "Properties": {
                "Description": "KMS events for the central event bus",
                "EventPattern": forwarding_pattern(),
                "State": "ENABLED",
                "Targets": [
                    {
                        "Id": "Central",
                        "Arn": bus,
                        "RoleArn": {"Fn::GetAtt": ["Role", "Arn"]},
                        "DeadLetterConfig": {"Arn": queue},
                    }
                ],
            },
        },
    }


def forwarding_template(bus_arn: str | None = None) -> dict[str, Any]:
    """A CloudFormation template for a StackSet, with the capability CAPABILITY_IAM.

    Args:
        bus_arn: ARN of the central event bus, the default of the parameter `BUS`; without it the StackSet has
            to give one.

    Raises:
        ArgumentError: The ARN is none of an event bus.

    Example:
        >>> sorted(forwarding_template()["Resources"])
        ['DeadLetters', 'DeadLettersPolicy', 'Role', 'Rule']
    """
    parameter: dict[str, Any] = {
        "Type": "String",
        "Description": "ARN of the event bus in the security account",
        "AllowedPattern": f"^{_BUS_ARN.pattern}$",
    }
    if bus_arn is not None:
        parameter["Default"] = checked_bus_arn("bus_arn", bus_arn)
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": "Sends KMS events of this account and Region to the event bus of the security "
        "account. The account needs a trail that logs management events, KMS included.",
        "Parameters": {BUS: parameter},
        "Resources": forwarding_resources({"Ref": BUS}),
        "Outputs": {"DeadLettersUrl": {"Value": {"Ref": "DeadLetters"}}},
    }
