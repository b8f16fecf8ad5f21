"""The preset for CloudTrail."""

from __future__ import annotations

from collections.abc import Sequence

from kms_constructs.model.service_requirement import ACCOUNT, CONTEXT, SOURCE_ARN
from kms_constructs.model.services.cloudtrail import REQUIREMENT
from kms_constructs.policies.services.parts import Templates, by_service, checked_sources, role_arns
from kms_constructs.policies.target import allow, check_account


def cloudtrail(
    *,
    trail_arns: Sequence[str] = (),
    account: str = ACCOUNT,
    bucket_key: bool = False,
    readers: Sequence[object] = (),
) -> Templates:
    """Lets CloudTrail encrypt the log files of these trails.

    For event data stores of CloudTrail Lake, CloudTrail sends neither `aws:SourceArn` nor
    `aws:SourceAccount`, so such a key cannot be scoped, and there is no preset for it.

    Args:
        trail_arns: The trails; every trail of the account homed in the key's Region by default.
        account: Account of the trails; the management account for an organization trail. The key's own by
            default.
        bucket_key: Whether the trail's bucket uses an S3 Bucket Key: CloudTrail then has to decrypt, too.
        readers: Principals who may decrypt log files, and nothing else: the encryption context has to
            name a trail.

    Raises:
        ArgumentError: An ARN that is no trail's, or of another account.

    See: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/create-kms-key-policy-for-cloudtrail.html
    """
    check_account("account", account)
    sources = {SOURCE_ARN: checked_sources("trail_arns", trail_arns, "cloudtrail", account)}
    made = [
        statement
        for sid in ("Encrypt", "Describe", *(("BucketKey",) if bucket_key else ()))
        for statement in by_service(REQUIREMENT, sid, sources, account)
    ]
    if readers:
        caller = REQUIREMENT.caller("Readers")
        made.append(
            allow(
                "ServiceCloudTrailReaders",
                {"AWS": role_arns("readers", readers)},
                caller.actions,
                {"Null": {f"{CONTEXT}{name}": "false" for name in caller.encryption_context}},
            )
        )
    return tuple(made)
