"""What `SecureKmsKey` refuses when it is constructed, and what it says then."""

import aws_cdk as cdk

from kms_constructs import ArgumentError, SecureKmsKey

stack = cdk.Stack(cdk.App(analytics_reporting=False), "Orders")
security = "arn:aws:iam::111122223333:role/SecurityTeam"
session = "arn:aws:sts::111122223333:assumed-role/Orders/alice"
mistakes = {
    "Nobody": {},
    "Both": {"key_administrators": [security], "key_users": [security]},
    "Session": {"key_administrators": [security], "key_users": [session]},
    "Anyone": {"key_administrators": [security], "key_users": ["*"]},
    "Destroyed": {"key_administrators": [security], "removal_policy": cdk.RemovalPolicy.DESTROY},
    "Aws": {"key_administrators": [security], "alias": "aws/orders"},
}
for name, arguments in mistakes.items():
    try:
        SecureKmsKey(
            stack,
            name,
            **{
                "alias": "prod/orders",
                "description": "Encrypts the orders",
                "environment": "prod",
                "service": "orders",
                "data_classification": "confidential",
                **arguments,
            },
        )
    except ArgumentError as error:
        print(error)  # noqa: T201 - an example that is run by hand
