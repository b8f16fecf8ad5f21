"""Where alerts go: two encrypted topics, their key, and the queue for what was not delivered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from kms_constructs.cdk.key.secure_key import SecureKmsKey
from kms_constructs.detections.watch import Level
from kms_constructs.policies.services.service_access import ServiceAccess


class Channels:
    """The topics of a monitoring, their key and their queue.

    The key lets EventBridge and CloudWatch publish: EventBridge by the encryption context, which names these
    two topics, for towards SNS it sends no source that a condition could ask for.

    See: https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html
    """

    def __init__(
        self, scope: Construct, *, name: str, emails: Sequence[str], key_arguments: Mapping[str, Any]
    ) -> None:
        stack = cdk.Stack.of(scope)
        names = {"Alerts": f"{name}-alerts", "CriticalAlerts": f"{name}-critical-alerts"}
        # By name, not by reference: the key would otherwise wait for the topics, and they for the key.
        arns = [f"arn:{stack.partition}:sns:{stack.region}:{stack.account}:{one}" for one in names.values()]
        arguments: dict[str, Any] = {
            **key_arguments,
            "alias": f"{name}-monitoring",
            "description": "Encrypts alerts about KMS keys, and what could not be delivered of them",
            "service": "sns",
            "services": [
                ServiceAccess.eventbridge_topics(topic_arns=arns),
                ServiceAccess.cloudwatch_alarms(),
                ServiceAccess.eventbridge(),
                *([ServiceAccess.sns(topic_arns=arns)] if emails else []),
            ],
        }
        self.key = SecureKmsKey(scope, "Key", **arguments)
        self.dead_letters = sqs.Queue(
            scope,
            "DeadLetters",
            encryption=sqs.QueueEncryption.KMS,
            encryption_master_key=self.key,
            enforce_ssl=True,
            retention_period=cdk.Duration.days(14),
        )
        cdk.Validations.of(self.dead_letters).acknowledge(
            cdk.Acknowledgment(id="AwsSolutions::AwsSolutions-SQS3", reason="It is the dead-letter queue")
        )
        self.alerts, self.critical = (
            self._topic(scope, construct_id, topic, emails) for construct_id, topic in names.items()
        )

    def topic(self, level: Level) -> sns.Topic:
        """The topic for what is this loud."""
        return self.critical if level is Level.CRITICAL else self.alerts

    def _topic(self, scope: Construct, construct_id: str, name: str, emails: Sequence[str]) -> sns.Topic:
        stack = cdk.Stack.of(scope)
        topic = sns.Topic(scope, construct_id, topic_name=name, master_key=self.key, enforce_ssl=True)
        topic.add_to_resource_policy(
            iam.PolicyStatement(
                sid="EventBridge",
                principals=[iam.ServicePrincipal("events.amazonaws.com")],
                actions=["sns:Publish"],
                resources=[topic.topic_arn],
            )
        )
        topic.add_to_resource_policy(
            iam.PolicyStatement(
                sid="CloudWatch",
                principals=[iam.ServicePrincipal("cloudwatch.amazonaws.com")],
                actions=["sns:Publish"],
                resources=[topic.topic_arn],
                conditions={
                    "StringEquals": {"aws:SourceAccount": stack.account},
                    "ArnLike": {
                        "aws:SourceArn": f"arn:{stack.partition}:cloudwatch:{stack.region}:{stack.account}:"
                        "alarm:*"
                    },
                },
            )
        )
        for email in emails:
            topic.add_subscription(
                subscriptions.EmailSubscription(email, dead_letter_queue=self.dead_letters)
            )
        return topic
