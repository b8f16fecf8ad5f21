"""A stack that uses the key the way applications do: S3, SQS, CloudWatch Logs and two roles."""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sqs as sqs
from constructs import Construct, IConstruct

from reference_app.environments import ACCOUNT, REGION, Environment
from reference_app.key_stack import log_group_name


class DataStack(cdk.Stack):
    """Encrypted storage for the data of an environment in one Region.

    The key is any `kms.IKey`: nothing here knows that it is hardened.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        environment: Environment,
        key: kms.IKey,
        reports: iam.IRole,
        region: str = REGION,
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            env=cdk.Environment(account=ACCOUNT, region=region),
            termination_protection=environment.retained,
        )
        removal_policy = cdk.RemovalPolicy.RETAIN if environment.retained else cdk.RemovalPolicy.DESTROY

        # S3 delivers access logs to buckets with its own encryption only; they hold no data.
        access_logs = s3.Bucket(
            self,
            "AccessLogs",
            encryption=s3.BucketEncryption.S3_MANAGED,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            enforce_ssl=True,
            versioned=True,
            lifecycle_rules=[s3.LifecycleRule(expiration=cdk.Duration.days(400))],
            removal_policy=removal_policy,
        )
        cast(s3.CfnBucket, access_logs.node.default_child).add_metadata(
            "checkov",
            {
                "skip": [
                    {"id": "CKV_AWS_18", "comment": "It is the access log; logging its own writes has no end"}
                ]
            },
        )
        bucket = s3.Bucket(
            self,
            "Data",
            encryption=s3.BucketEncryption.KMS,
            encryption_key=key,
            bucket_key_enabled=True,  # one call to KMS per session instead of one per object
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            enforce_ssl=True,
            versioned=True,
            server_access_logs_bucket=access_logs,
            removal_policy=removal_policy,
        )
        jobs = sqs.Queue(
            self,
            "Jobs",
            encryption=sqs.QueueEncryption.KMS,
            encryption_master_key=key,
            enforce_ssl=True,
            retention_period=cdk.Duration.days(4),
            dead_letter_queue=sqs.DeadLetterQueue(
                max_receive_count=5,
                queue=sqs.Queue(
                    self,
                    "FailedJobs",
                    encryption=sqs.QueueEncryption.KMS,
                    encryption_master_key=key,
                    enforce_ssl=True,
                    retention_period=cdk.Duration.days(14),
                ),
            ),
        )
        logs.LogGroup(
            self,
            "Log",
            log_group_name=log_group_name(environment),
            encryption_key=key,
            retention=logs.RetentionDays.ONE_YEAR,
            removal_policy=removal_policy,
        )

        application = iam.Role.from_role_name(self, "Application", f"{environment.name}-app-role")
        bucket.grant_read_write(application)
        jobs.grant_send_messages(application)
        data = self.get_logical_id(cast(s3.CfnBucket, bucket.node.default_child))
        _acknowledge(
            application,
            "The application reads and writes every object of its own bucket, and of no other",
            [f"Resource::<{data}.Arn>/*", *(f"Action::s3:{name}*" for name in _S3_PREFIXES)],
        )
        _acknowledge(
            application,
            "What CDK's grants write: the key policy lists the actions without wildcards and decides",
            [f"Action::kms:{name}*" for name in ("GenerateDataKey", "ReEncrypt")],
        )
        # The role belongs to the key's stack. A grant would write its IAM policy there, and the stacks
        # would depend on each other. The bucket's policy does the same from here.
        bucket.add_to_resource_policy(
            iam.PolicyStatement(
                sid="Reports",
                principals=[iam.ArnPrincipal(reports.role_arn)],
                actions=["s3:GetObject"],
                resources=[bucket.arn_for_objects("*")],
            )
        )


_S3_PREFIXES = ("Abort", "DeleteObject", "GetBucket", "GetObject", "List")
"""Wildcards that `grant_read_write` of a bucket writes."""


def _acknowledge(construct: IConstruct, reason: str, findings: Iterable[str]) -> None:
    """Accepts wildcards in the IAM policies of a construct, each by name, so that a further one is found."""
    for finding in findings:
        cdk.Validations.of(construct).acknowledge(
            cdk.Acknowledgment(id=f"AwsSolutions::AwsSolutions-IAM5[{finding}]", reason=reason)
        )
