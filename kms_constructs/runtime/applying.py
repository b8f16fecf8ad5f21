"""Makes the changes of a plan, one by one, each after a last look at the key.

See: https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-modifying.html
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from kms_constructs.errors import SourceError
from kms_constructs.runtime.asking import refusal_of

ALLOWED: Final = frozenset({"CancelKeyDeletion", "EnableKeyRotation", "PutKeyPolicy"})
"""All that is ever called: nothing that deletes, disables or revokes."""
_CALLS: Final[Mapping[str, str]] = {
    "CancelKeyDeletion": "cancel_key_deletion",
    "EnableKeyRotation": "enable_key_rotation",
    "PutKeyPolicy": "put_key_policy",
}


def apply(client: Any, operation: str, parameters: Mapping[str, Any], before: str = "") -> None:  # noqa: ANN401 - clients have no types
    """Makes one change.

    Args:
        client: A client of KMS for the account and Region of the key.
        operation: One of `ALLOWED`.
        parameters: Its parameters.
        before: The key policy that a new one was judged against.

    Raises:
        SourceError: It is no change that is made here, the policy is another by now, or AWS refused.
    """
    key = str(parameters.get("KeyId", ""))
    if operation not in ALLOWED:
        raise SourceError(key, f"{operation} is never called here", "Do it by hand, if it is meant")
    try:
        if operation == "PutKeyPolicy":
            now = client.get_key_policy(KeyId=key, PolicyName=parameters["PolicyName"])["Policy"]
            if now != before:
                raise SourceError(
                    key, "its policy has changed since it was judged", "Audit again, and plan anew"
                )
        call: Callable[..., Any] = getattr(client, _CALLS[operation])
        call(**parameters)
    except (ClientError, BotoCoreError) as error:
        raise SourceError(
            key, f"AWS did not take the change ({refusal_of(error)})", "See what it says, and plan anew"
        ) from error
