"""Calls of KMS, and what their errors mean to whoever imports material.

Errors that pass (throttling, a lost connection, an internal error) are retried by the client itself, with
growing pauses; what arrives here is what is left after that.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    NoCredentialsError,
    NoRegionError,
    PartialCredentialsError,
    ProfileNotFound,
)

from kms_constructs.errors import KmsCallError, MaterialError
from kms_constructs.model.arn import is_region_name

ATTEMPTS = 6
"""Of each call, the first included."""

_AGAIN = (
    "run the same command again: it is safe, for importing the same material once more changes nothing else"
)
_NEW_PARAMETERS = (
    "get new ones with kms-constructs material parameters, wrap the material under them, and upload it"
)
_MEANINGS: dict[str, tuple[str, str]] = {
    "AccessDeniedException": (
        "access is denied",
        "let the principal do this in the key policy (key_material_importers, break_glass_principals for "
        "deletion). A key policy of SecureKmsKey also denies material that outlives material_expires",
    ),
    "NotFoundException": (
        "there is no such key in this account and Region",
        "give the key's ARN, or its id or alias with --region and --profile",
    ),
    "KMSInvalidStateException": (
        "the state of the key does not allow this",
        "look at it with kms-constructs material status: enable a disabled key, cancel a scheduled deletion",
    ),
    "IncorrectKeyMaterialException": (
        "KMS refuses the material: it is other material than the key has had, or new where the same was said",
        "give the very material that was imported first (kms-constructs material status lists the ids); a "
        "symmetric key takes other material with kms-constructs material rotate; where an answer was lost, "
        "run kms-constructs material rotate again",
    ),
    "ExpiredImportTokenException": (
        "the import token has expired; it is valid for 24 hours",
        _NEW_PARAMETERS,
    ),
    "InvalidImportTokenException": (
        "the import token is not of this key, or was replaced by a later one",
        _NEW_PARAMETERS,
    ),
    "InvalidCiphertextException": (
        "KMS cannot unwrap the material: it was wrapped under another public key, or altered",
        _NEW_PARAMETERS,
    ),
    "LimitExceededException": (
        "a limit of KMS is reached; a key is rotated on demand 25 times at most",
        "make a new key",
    ),
    "ConflictException": (
        "a rotation of this key is under way already",
        "wait until kms-constructs material status shows its end",
    ),
    "UnsupportedOperationException": (
        "KMS does not do this for such a key",
        "check key spec, origin and Region of the key",
    ),
    "ThrottlingException": (f"KMS is throttling, after {ATTEMPTS} attempts", _AGAIN),
    "KMSInternalException": (f"KMS has an internal error, after {ATTEMPTS} attempts", _AGAIN),
    "DependencyTimeoutException": (f"KMS timed out, after {ATTEMPTS} attempts", _AGAIN),
    "ExpiredTokenException": ("the credentials have expired", "log in again, and run the same command again"),
    "UnrecognizedClientException": ("the credentials are not known", "log in, or give --profile"),
}


@dataclass(frozen=True, slots=True)
class Clients:
    """The clients of KMS, one a Region, made when they are asked for.

    Args:
        make: Makes the client of a Region; None for the Region that is the caller's default.
    """

    make: Callable[[str | None], Any]
    made: dict[str | None, Any] = field(default_factory=dict)

    def of(self, region: str | None) -> Any:  # noqa: ANN401 - boto3 makes its clients at run time
        """The client of a Region.

        Raises:
            MaterialError: It is none; the ARN of a key stands in files, which may be damaged.
        """
        if region is not None and not is_region_name(region):
            raise MaterialError(f"the ARN of a key in {region}", "this is no Region", "give the ARN of a key")
        if region not in self.made:
            self.made[region] = self.make(region)
        return self.made[region]


def clients_of(profile: str | None, region: str | None) -> Clients:
    """Clients of boto3, with its usual ways to find credentials.

    Args:
        profile: Profile of the shared configuration.
        region: The Region that counts where a key does not tell its own.
    """
    retries = Config(retries={"mode": "standard", "total_max_attempts": ATTEMPTS}, connect_timeout=10)

    def make(wanted: str | None) -> Any:  # noqa: ANN401 - boto3 makes its clients at run time
        try:
            session = boto3.Session(profile_name=profile, region_name=wanted or region)
            return session.client("kms", config=retries)
        except ProfileNotFound:
            raise MaterialError(
                f"--profile {profile}", "there is no such profile", "see aws configure list-profiles"
            ) from None
        except NoRegionError:
            raise MaterialError(
                "KEY", "the Region is not known", "give the key's ARN, or --region, or AWS_REGION"
            ) from None

    if region is not None and not is_region_name(region):
        raise MaterialError(f"--region {region}", "this is no Region", "write it as in eu-west-1")
    return Clients(make)


def call(client: Any, operation: str, key: str, **request: Any) -> Mapping[str, Any]:  # noqa: ANN401 - boto3's
    """Calls KMS.

    Args:
        client: The client of the key's Region.
        operation: Name of the method: ``describe_key``.
        key: The key, for errors.
        request: What is sent; material in it is wrapped.

    Raises:
        KmsCallError: KMS refused it, or did not answer.
    """
    try:
        answer: Mapping[str, Any] = getattr(client, operation)(**request)
    except ClientError as error:
        failed = _refused(error, operation, key)
    except (NoCredentialsError, PartialCredentialsError):
        failed = KmsCallError(
            key, "there are no credentials for AWS", "log in, or give --profile", code="NoCredentials"
        )
    except BotoCoreError as error:
        failed = KmsCallError(
            key,
            f"{_api(operation)} got no answer ({type(error).__name__}: {_first_line(error)}), "
            "so whether KMS did it is not known",
            _AGAIN,
        )
    else:
        return answer
    raise failed


def _refused(error: ClientError, operation: str, key: str) -> KmsCallError:
    told = error.response.get("Error", {})
    code = str(told.get("Code", ""))
    meaning, fix = _MEANINGS.get(code, ("KMS refuses it", "see what KMS says"))
    message = _first_line(told.get("Message", "") or "no message")
    return KmsCallError(key, f"{_api(operation)}: {meaning} ({code}: {message})", fix, code=code)


def _api(operation: str) -> str:
    return "".join(word.capitalize() for word in operation.split("_"))


def _first_line(text: object) -> str:
    lines = str(text).strip().splitlines()
    return lines[0].rstrip(".") if lines else ""
