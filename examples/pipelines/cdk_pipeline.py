"""CDK Pipelines: the keys of every stage pass the guardrails, in the app and then in what it wrote."""

import os

import aws_cdk as cdk
from aws_cdk import aws_s3 as s3
from aws_cdk import pipelines
from constructs import Construct

from kms_constructs import SecureKmsKey, enforce_guardrails

HOME = cdk.Environment(account="111122223333", region="eu-west-1")


class Orders(cdk.Stage):
    """What is deployed for one environment: here a key and a bucket."""

    def __init__(self, scope: Construct, name: str, *, env: cdk.Environment) -> None:
        super().__init__(scope, name, env=env)
        stack = cdk.Stack(self, "Data")
        key = SecureKmsKey(
            stack,
            "Key",
            alias=f"{name}/orders",
            description="Encrypts the orders",
            environment=name,
            service="orders",
            data_classification="confidential",
            key_administrators=[f"arn:aws:iam::{env.account}:role/SecurityTeam"],
            key_users=[f"arn:aws:iam::{env.account}:role/Orders"],
            policy_reviewed_on="2026-11-26",
        )
        s3.Bucket(stack, "Bucket", encryption_key=key, enforce_ssl=True)


app = cdk.App(analytics_reporting=False, outdir=os.environ.get("CDK_OUTDIR", "cdk.out"))
pipeline = pipelines.CodePipeline(
    cdk.Stack(app, "Pipeline", env=HOME),
    "Pipeline",
    synth=pipelines.ShellStep(
        "Synth",
        input=pipelines.CodePipelineSource.connection(
            "security/orders",
            "main",
            connection_arn="arn:aws:codestar-connections:eu-west-1:111122223333:connection/11111111-2222-3333-4444-555555555555",
        ),
        install_commands=["pip install --quiet -r requirements.txt", "npm install --global aws-cdk@2"],
        commands=[
            "cdk synth --quiet",
            # Stages are assemblies of their own within cdk.out; check judges them all together.
            "kms-constructs check cdk.out",
        ],
    ),
)
pipeline.add_stage(Orders(app, "dev", env=HOME))
pipeline.add_stage(Orders(app, "prod", env=HOME))
enforce_guardrails(app)
app.synth()
