"""A key as `kms.Key` makes it, to hold against the guardrails."""

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms

app = cdk.App(analytics_reporting=False)
stack = cdk.Stack(app, "PlainKey", env=cdk.Environment(account="111122223333", region="eu-west-1"))
security_team = iam.Role.from_role_name(stack, "SecurityTeam", "SecurityTeam")
key = kms.Key(stack, "Key", alias="prod/orders", admins=[security_team], enable_key_rotation=True)
key.grant_encrypt_decrypt(iam.Role.from_role_name(stack, "Orders", "Orders"))
app.synth()
