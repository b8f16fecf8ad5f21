"""The preset for Secrets Manager."""

from __future__ import annotations

from collections.abc import Sequence

from kms_constructs.model.service_requirement import ACCOUNT, CONTEXT
from kms_constructs.model.services.secrets_manager import REQUIREMENT
from kms_constructs.policies.services.parts import Templates, checked_sources, through_caller


def secrets_manager(principals: Sequence[object], *, secret_arns: Sequence[str] = ()) -> Templates:
    """Lets principals of the key's account read and write secrets that are encrypted with this key.

    Args:
        principals: Roles and users.
        secret_arns: When given, only these secrets, by the encryption context `SecretARN`. Secrets
            Manager appends six random characters to a name, so end the ARN of a new secret in ``-*``.

    Raises:
        ArgumentError: No principal, a principal that is none, an ARN that is no secret's.

    See: https://docs.aws.amazon.com/secretsmanager/latest/userguide/security-encryption.html
    """
    arns = checked_sources("secret_arns", secret_arns, "secretsmanager", ACCOUNT)
    return through_caller(REQUIREMENT, "", principals, {f"{CONTEXT}SecretARN": arns} if arns else {})
