"""The preset for packages of Lambda functions."""

from __future__ import annotations

from collections.abc import Sequence

from kms_constructs.model.service_requirement import ACCOUNT, CONTEXT
from kms_constructs.model.services.lambda_code import REQUIREMENT
from kms_constructs.policies.services.parts import Templates, by_service, checked_sources
from kms_constructs.policies.target import check_account


def lambda_code(*, function_arns: Sequence[str] = (), account: str = ACCOUNT) -> Templates:
    """Lets Lambda encrypt and read the packages of functions with this key.

    What limits the statement is the function, by the encryption context that Lambda sends. Whoever views or
    changes the function needs use of the key besides.

    Args:
        function_arns: The functions; every function of the account in the key's Region by default.
        account: Account of the functions; the key's own by default.

    Raises:
        ArgumentError: An ARN that is no function's, or of another account.

    See: https://docs.aws.amazon.com/lambda/latest/dg/encrypt-zip-package.html
    """
    check_account("account", account)
    arns = checked_sources("function_arns", function_arns, "lambda", account)
    return by_service(REQUIREMENT, "", {f"{CONTEXT}aws:lambda:FunctionArn": arns}, account)
