"""A second application: a key with imported material, its monitoring, and a key that is shared."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3

from kms_constructs import (
    ExternalAccess,
    KmsMonitoring,
    MonitoringTrail,
    SecureKmsKey,
    enforce_guardrails,
)
from reference_app.environments import ACCOUNT, REGION, role

READER_ACCOUNT = "444455556666"
READER = f"arn:aws:iam::{READER_ACCOUNT}:role/analytics"
WRITER = role("reports-writer-role")
ADMINISTRATOR = role("security-admin-role")
BREAK_GLASS = role("security-break-glass-role")
BUCKET = f"shared-reports-{ACCOUNT}"


def main() -> None:
    """Synthesizes into the directory that the CDK's command line names."""
    app = cdk.App(analytics_reporting=False)
    place = cdk.Environment(account=ACCOUNT, region=REGION)
    security = cdk.Stack(app, "security", env=place)
    orders = SecureKmsKey(
        security,
        "Orders",
        alias="prod/orders",
        description="Orders, under key material of our own",
        environment="prod",
        service="orders",
        data_classification="confidential",
        origin="EXTERNAL",
        material_expires="2027-06-30",
        key_administrators=[ADMINISTRATOR],
        key_material_importers=[role("security-importer-role")],
        break_glass_principals=[BREAK_GLASS],
        policy_reviewed_on="2026-11-20",
    )
    KmsMonitoring(
        security,
        "Monitoring",
        environment="prod",
        keys=[orders],
        trail=MonitoringTrail.outside(f"arn:aws:cloudtrail:{REGION}:{ACCOUNT}:trail/organization"),
        emails=["security@example.com"],
        key_administrators=[ADMINISTRATOR],
        policy_reviewed_on="2026-11-20",
    )
    sharing = cdk.Stack(app, "sharing", env=place)
    reports = SecureKmsKey(
        sharing,
        "Reports",
        alias="prod/reports",
        description="Reports that the analytics account reads",
        environment="prod",
        service="s3",
        data_classification="confidential",
        key_administrators=[ADMINISTRATOR],
        break_glass_principals=[BREAK_GLASS],
        encrypt_only_users=[WRITER],
        external_access=[ExternalAccess(principals=[READER], permissions=["decrypt"], via_services=["s3"])],
        policy_reviewed_on="2026-11-20",
    )
    bucket = s3.Bucket(
        sharing,
        "SharedReports",
        bucket_name=BUCKET,
        encryption=s3.BucketEncryption.KMS,
        encryption_key=reports,
        block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
        enforce_ssl=False,  # the emulator speaks HTTP
    )
    # To the account, whose IAM policies then say who: the emulator takes no role of another account here.
    bucket.add_to_resource_policy(
        iam.PolicyStatement(
            actions=["s3:GetObject"],
            principals=[iam.AccountPrincipal(READER_ACCOUNT)],
            resources=[bucket.arn_for_objects("*")],
        )
    )
    enforce_guardrails(app, {"trusted-accounts": [READER_ACCOUNT]})
    app.synth()


if __name__ == "__main__":
    main()
