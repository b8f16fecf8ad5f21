"""The stack with the key: deployed first, changed rarely, by few."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from constructs import Construct

from kms_constructs import SecureKmsKey, ServiceAccess
from reference_app.environments import ACCOUNT, REGION, Environment


class KeyStack(cdk.Stack):
    """One hardened key for the S3 data of an environment, and the role that may only read it.

    A key with replicas makes a stack beside this one for each of their Regions.
    """

    def __init__(self, scope: Construct, construct_id: str, *, environment: Environment) -> None:
        super().__init__(
            scope,
            construct_id,
            env=cdk.Environment(account=ACCOUNT, region=REGION),
            termination_protection=environment.retained,
        )
        self.reports = iam.Role(
            self,
            "Reports",
            role_name=f"{environment.name}-reports-role",
            assumed_by=iam.AccountPrincipal(self.account),
            description="Reads the data for reports; may decrypt and not encrypt",
        )
        self.key = SecureKmsKey(
            self,
            "DataKey",
            alias=f"{environment.name}/s3-data",
            description=f"Encrypts S3 data bucket objects in the {environment.name} environment",
            environment=environment.name,
            service="s3",
            data_classification=environment.data_classification,
            key_administrators=environment.key_administrators,
            break_glass_principals=environment.break_glass_principals,
            key_users=environment.key_users,
            decrypt_only_users=[self.reports],
            # CloudWatch Logs calls KMS as itself, so it needs a statement of its own. S3 and SQS call it with
            # the identity of whoever reads and writes, who are key users.
            services=[ServiceAccess.cloudwatch_logs(log_groups=[log_group_name(environment)])],
            replica_regions=environment.replica_regions,
            pending_window=environment.pending_window,
            removal_policy=(
                cdk.RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE
                if environment.retained
                else cdk.RemovalPolicy.DESTROY
            ),
            policy_reviewed_on=environment.policy_reviewed_on,
            tags=environment.tags,
        )


def log_group_name(environment: Environment) -> str:
    """Name of the environment's log group, which the key's statement for CloudWatch Logs is limited to."""
    return f"/reference/{environment.name}/data"
