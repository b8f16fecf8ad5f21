"""The preset for CloudWatch Logs."""

from __future__ import annotations

import re
from collections.abc import Sequence

from kms_constructs.errors import ArgumentError
from kms_constructs.model.service_requirement import ACCOUNT, CONTEXT, PARTITION, REGION
from kms_constructs.model.services.cloudwatch_logs import REQUIREMENT
from kms_constructs.policies.services.parts import Templates, by_service
from kms_constructs.policies.target import check_account, check_list, is_token


def cloudwatch_logs(*, log_groups: Sequence[str] = ("*",), account: str = ACCOUNT) -> Templates:
    """Lets CloudWatch Logs of the key's Region encrypt log groups of one account.

    What names the log group is the encryption context `aws:logs:arn`. DescribeKey carries no encryption
    context, so naming it under that condition, as AWS's example does, would allow nothing: it is left
    out.

    Args:
        log_groups: Names of log groups, ``*`` for any text; all of the account by default.
        account: Account of the log groups; the key's own by default.

    Raises:
        ArgumentError: An empty list, or a malformed account or name.

    See: https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html
    """
    check_list("log_groups", log_groups)
    check_account("account", account)
    for name in log_groups:
        if not is_token(name) and not re.fullmatch(r"[A-Za-z0-9_/.#*?-]{1,512}", name):
            raise ArgumentError(
                "log_groups",
                name,
                "a log group name holds letters, digits and _ - / . #",
                "give the name, not the ARN: /aws/lambda/orders",
            )
    arns = [f"arn:{PARTITION}:logs:{REGION}:{account}:log-group:{name}" for name in log_groups]
    return by_service(REQUIREMENT, "", {f"{CONTEXT}aws:logs:arn": arns}, account)
