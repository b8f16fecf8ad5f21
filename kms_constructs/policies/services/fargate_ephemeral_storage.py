"""The preset for ephemeral storage of Fargate tasks."""

from __future__ import annotations

import re
from collections.abc import Sequence

from kms_constructs.errors import ArgumentError
from kms_constructs.model.service_requirement import ACCOUNT, CONTEXT
from kms_constructs.model.services.fargate_ephemeral_storage import REQUIREMENT
from kms_constructs.policies.services.parts import Templates, by_service
from kms_constructs.policies.target import check_account, check_list, is_token


def fargate_ephemeral_storage(*, clusters: Sequence[str] = ("*",), account: str = ACCOUNT) -> Templates:
    """Lets Fargate encrypt the ephemeral storage of tasks.

    What limits it is the cluster, by the encryption context. Fargate creates grants for Decrypt alone.
    Whoever creates the cluster needs DescribeKey besides.

    Args:
        clusters: Names of the clusters, ``*`` for any text; all of the account by default. The generated name
            of a cluster that takes this key makes a circle in CloudFormation: name the cluster.
        account: Account of the clusters; the key's own by default.

    Raises:
        ArgumentError: An empty list, or a malformed account or name.

    See: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-create-storage-key.html
    """
    check_list("clusters", clusters)
    check_account("account", account)
    for name in clusters:
        if not is_token(name) and not re.fullmatch(r"[A-Za-z0-9_*?-]{1,255}", name):
            raise ArgumentError(
                "clusters",
                name,
                "a cluster name holds letters, digits, - and _",
                "give the name, not the ARN: orders",
            )
    sources = {f"{CONTEXT}aws:ecs:clusterName": list(clusters)}
    return (
        *by_service(REQUIREMENT, "", sources, account),
        *by_service(REQUIREMENT, "Task", sources, account),
    )
