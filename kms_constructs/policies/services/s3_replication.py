"""The preset for replication by S3."""

from __future__ import annotations

from collections.abc import Sequence

from kms_constructs.errors import ArgumentError
from kms_constructs.model.service_requirement import CONTEXT, VIA_SERVICE
from kms_constructs.model.services.s3_replication import REQUIREMENT
from kms_constructs.policies.principals import named_principal
from kms_constructs.policies.services.parts import Templates, object_contexts
from kms_constructs.policies.target import PolicyStatementJson, allow


def s3_replication(
    role: object, *, source_buckets: Sequence[str] = (), destination_buckets: Sequence[str] = ()
) -> Templates:
    """Lets a replication role read source objects, or write replicas, that are encrypted with this key.

    The role may live in another account, as it does when replicas go to the owner of this key. Decrypt
    on the destination verifies an S3 Bucket Key; GenerateDataKey encrypts replicas of plain objects.

    Args:
        role: The replication role.
        source_buckets: ARNs of buckets whose objects this key encrypts and the role reads.
        destination_buckets: ARNs of buckets whose replicas this key encrypts.

    Raises:
        ArgumentError: Neither a source nor a destination, or an ARN that is no bucket's.

    See: https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-config-for-kms-objects.html
    """
    principal = {"AWS": named_principal("role", role, where="").arn}
    made: list[PolicyStatementJson] = []
    for sid, argument, buckets in (
        ("Source", "source_buckets", source_buckets),
        ("Destination", "destination_buckets", destination_buckets),
    ):
        if not buckets:
            continue
        caller = REQUIREMENT.caller(sid)
        made.append(
            allow(
                f"ServiceS3Replication{sid}",
                principal,
                caller.actions,
                {
                    "StringEquals": {VIA_SERVICE: caller.sends[VIA_SERVICE]},
                    "StringLike": {f"{CONTEXT}aws:s3:arn": object_contexts(argument, buckets)},
                },
            )
        )
    if not made:
        raise ArgumentError(
            "source_buckets",
            source_buckets,
            "replication has a source or a destination under this key",
            "give source_buckets, destination_buckets, or both",
        )
    return tuple(made)
