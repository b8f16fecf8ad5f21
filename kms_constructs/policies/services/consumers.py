"""Which argument of `SecureKmsKey` lets which AWS service use the key.

The table of the README, tested row by row.

A key policy that no IAM policy can widen has to name everyone who uses the key. For a service that acts as
itself that is the service, under a condition on its source; for a service that acts with its caller's
identity it is the caller: whoever reads the bucket, publishes to the topic, creates the database. Where
CloudFormation creates such a database, its execution role is a caller.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Consumer:
    """One construct that takes a key.

    Args:
        construct: How the key is handed over.
        caller: Who calls KMS.
        argument: What gives the statement.
        refused: Whether the construct, at synth, is refused without it. When False it synthesizes either way,
            for the CDK asks for no statement: what is missing shows at run time.
    """

    construct: str
    caller: str
    argument: str
    refused: bool = False


CONSUMERS: dict[str, Consumer] = {
    "S3 bucket": Consumer(
        "s3.Bucket(encryption_key=key)",
        "whoever reads and writes objects",
        "key_users, or bucket.grant_read(role) for a role of the same stack",
    ),
    "S3 notification to SQS": Consumer(
        "bucket.add_event_notification(…, s3n.SqsDestination(queue))",
        "s3.amazonaws.com",
        "services=[ServiceAccess.s3_notifications()]",
        refused=True,
    ),
    "SNS topic": Consumer(
        "sns.Topic(master_key=key)",
        "whoever publishes",
        "services=[ServiceAccess.sns_publishers([…])], or key_users",
    ),
    "SNS subscription of an SQS queue": Consumer(
        "topic.add_subscription(subs.SqsSubscription(queue))",
        "sns.amazonaws.com",
        "services=[ServiceAccess.sns()]",
        refused=True,
    ),
    "SQS queue": Consumer(
        "sqs.Queue(encryption_master_key=key)",
        "whoever sends and receives",
        "services=[ServiceAccess.sqs(producers=[…], consumers=[…])], key_users, or"
        " queue.grant_send_messages(role)",
    ),
    "EventBridge rule to SQS": Consumer(
        "targets.SqsQueue(queue)",
        "events.amazonaws.com",
        "services=[ServiceAccess.eventbridge()]",
        refused=True,
    ),
    "CloudWatch Logs group": Consumer(
        "logs.LogGroup(encryption_key=key)",
        "logs.<region>.amazonaws.com",
        "services=[ServiceAccess.cloudwatch_logs()]",
    ),
    "Secrets Manager secret": Consumer(
        "secretsmanager.Secret(encryption_key=key)",
        "whoever creates, reads and writes the secret",
        "services=[ServiceAccess.secrets_manager([…])]",
        refused=True,
    ),
    "DynamoDB table": Consumer(
        "dynamodb.Table(encryption_key=key)",
        "whoever creates and uses the table",
        "services=[ServiceAccess.dynamodb([…])], or key_users",
    ),
    "RDS database": Consumer(
        "rds.DatabaseInstance(storage_encryption_key=key)",
        "whoever creates the database",
        "services=[ServiceAccess.rds([…])], or key_users",
    ),
    "EFS file system": Consumer(
        "efs.FileSystem(kms_key=key)",
        "whoever creates and mounts the file system",
        "key_users, with via_services=['elasticfilesystem']",
    ),
    "EBS volume": Consumer(
        "ec2.Volume(encryption_key=key)",
        "whoever creates and attaches the volume",
        "key_users, with via_services=['ec2']",
        refused=True,
    ),
    "Lambda environment": Consumer(
        "lambda_.Function(environment_encryption=key)",
        "whoever creates the function; its role is granted Decrypt",
        "services=[ServiceAccess.lambda_([…])], or key_users",
    ),
    "Kinesis stream": Consumer(
        "kinesis.Stream(encryption_key=key)",
        "whoever puts and gets records",
        "key_users, or stream.grant_read(role)",
    ),
    "CloudTrail trail": Consumer(
        "cloudtrail.Trail(encryption_key=key)",
        "cloudtrail.amazonaws.com",
        "services=[ServiceAccess.cloudtrail()]",
    ),
    "Backup vault": Consumer(
        "backup.BackupVault(encryption_key=key)",
        "whoever creates the vault, and the backup role",
        "services=[ServiceAccess.backup([…])], or key_users",
    ),
    "ECR repository": Consumer(
        "ecr.Repository(encryption_key=key)",
        "whoever creates the repository",
        "services=[ServiceAccess.ecr([…])], or key_users",
    ),
    "CodePipeline artifact bucket": Consumer(
        "codepipeline.Pipeline(artifact_bucket=bucket)",
        "the roles of the pipeline, which it is granted to",
        "nothing for roles of the same stack; key_users for others",
    ),
}
