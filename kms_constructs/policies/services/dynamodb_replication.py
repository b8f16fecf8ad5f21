"""The preset for global tables of DynamoDB over several accounts."""

from __future__ import annotations

from collections.abc import Sequence

from kms_constructs.errors import ArgumentError
from kms_constructs.model.service_requirement import ACCOUNT, SOURCE_ACCOUNT, SOURCE_ARN
from kms_constructs.model.services.dynamodb_replication import REQUIREMENT
from kms_constructs.policies.services.parts import Templates, by_service, checked_sources
from kms_constructs.policies.target import arn_parts, check_list


def dynamodb_replication(table_arns: Sequence[str]) -> Templates:
    """Lets DynamoDB replicate a global table between accounts, for the replica that this key encrypts.

    Args:
        table_arns: The replicas of all accounts, this key's own among them.

    Raises:
        ArgumentError: No table, or an ARN that is no table's or names no account.

    See: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/globaltables_MA_security.html
    """
    check_list("table_arns", table_arns)
    arns = checked_sources("table_arns", table_arns, "dynamodb", ACCOUNT)
    accounts: list[str] = []
    for arn in arns:
        parts = arn_parts(arn)
        if parts is None or not parts[3]:
            raise ArgumentError(
                "table_arns",
                arn,
                "the accounts of the replicas are taken from the ARNs",
                "write it like arn:aws:dynamodb:eu-west-1:111122223333:table/orders",
            )
        accounts.append(parts[3])
    sources = {SOURCE_ARN: arns, SOURCE_ACCOUNT: list(dict.fromkeys(accounts))}
    return by_service(REQUIREMENT, "", sources)
