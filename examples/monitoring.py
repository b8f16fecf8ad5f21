"""A key with imported material, and the monitoring that watches it."""

from __future__ import annotations

import aws_cdk as cdk

from kms_constructs import KmsMonitoring, MonitoringTrail, SecureKmsKey, enforce_guardrails

ACCOUNT = "111122223333"
ADMINISTRATOR = f"arn:aws:iam::{ACCOUNT}:role/KeyAdmin"

app = cdk.App(analytics_reporting=False)
stack = cdk.Stack(app, "Security", env=cdk.Environment(account=ACCOUNT, region="eu-west-1"))

orders = SecureKmsKey(
    stack,
    "Orders",
    alias="prod/orders",
    description="Orders, under key material of our own",
    environment="prod",
    service="orders",
    data_classification="confidential",
    origin="EXTERNAL",
    material_expires="2027-06-30",
    key_administrators=[ADMINISTRATOR],
    key_material_importers=[f"arn:aws:iam::{ACCOUNT}:role/Importer"],
    break_glass_principals=[f"arn:aws:iam::{ACCOUNT}:role/BreakGlass"],
    policy_reviewed_on="2026-11-20",
)
KmsMonitoring(
    stack,
    "Monitoring",
    environment="prod",
    keys=[orders],
    trail=MonitoringTrail.create(),
    emails=["security@example.com"],
    key_administrators=[ADMINISTRATOR],
    policy_reviewed_on="2026-11-20",
)
enforce_guardrails(app, {})
app.synth()
