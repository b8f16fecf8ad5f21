"""The preset for the ephemeral storage of Fargate tasks."""

from __future__ import annotations

from collections.abc import Sequence

from kms_constructs.model.service_requirement import ACCOUNT, CONTEXT
from kms_constructs.model.services.fargate_ephemeral_storage import REQUIREMENT
from kms_constructs.policies.services.parts import Templates, by_service
from kms_constructs.policies.target import check_account, check_list


def fargate_ephemeral_storage(*, cluster_names: Sequence[str] = (), account: str = ACCOUNT) -> Templates:
    """Lets Fargate encrypt the ephemeral storage of tasks.

    Fargate sends no source. What limits the statements is the account of the cluster, by the encryption
    context; its grants are limited to the operations that AWS documents.

    Args:
        cluster_names: The clusters; every cluster of the account by default. The name of a cluster that is
            made in the same template makes a circle there, so give the name as text.
        account: Account of the clusters; the key's own by default.

    Raises:
        ArgumentError: No account id.

    See: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-create-storage-key.html
    """
    check_account("account", account)
    if cluster_names:
        check_list("cluster_names", cluster_names)
    sources = {f"{CONTEXT}aws:ecs:clusterName": list(cluster_names)}
    return tuple(
        statement for sid in ("", "Task") for statement in by_service(REQUIREMENT, sid, sources, account)
    )
