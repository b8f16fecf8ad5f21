"""What sources are meant by the words of a command line."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError

from kms_constructs.errors import SourceError
from kms_constructs.runtime import sessions
from kms_constructs.runtime.trail.lookup import NAME, Lookups
from kms_constructs.runtime.trail.s3 import SCHEME, S3Prefix, split_address
from kms_constructs.runtime.trail.sources import LocalFiles, Scope, Source


def sources_of(
    words: Sequence[str], scope: Scope, profile: str | None = None, *, without: Path | None = None
) -> list[Source]:
    """The sources that are meant.

    Args:
        words: ``s3://BUCKET/PREFIX``, ``lookup-events``, files and directories.
        scope: Which log files are asked for.
        profile: Name of the profile to ask AWS with; None for the default credentials.
        without: A directory that is not looked into.

    Raises:
        SourceError: AWS is to be asked and cannot be, or an address is wrong.
    """
    found: list[Source] = []
    paths = tuple(Path(word) for word in words if word != NAME and not word.startswith(SCHEME))
    if paths:
        found.append(LocalFiles(paths, scope, without))
    buckets = [split_address(word) for word in dict.fromkeys(words) if word.startswith(SCHEME)]
    if buckets:
        client = _s3(profile)
        found.extend(S3Prefix(client, bucket, prefix, scope) for bucket, prefix in buckets)
    if NAME in words:
        found.append(_lookups(scope, profile))
    return found


def _s3(profile: str | None) -> Any:  # noqa: ANN401 - clients have no types
    label = f"profile {profile}" if profile else "the default credentials"
    try:
        session = boto3.Session(profile_name=profile)
        if session.get_credentials() is None:
            raise SourceError(label, "there are no credentials", "Sign in, or give another --profile")
        return session.client("s3", config=sessions.CONFIG)
    except BotoCoreError as error:
        raise SourceError(
            label, f"S3 cannot be asked with it ({error})", "Sign in again, or give another --profile"
        ) from error


def _lookups(scope: Scope, profile: str | None) -> Lookups:
    wanted = sessions.Wanted(profiles=(profile,) if profile else (), regions=tuple(sorted(scope.regions)))
    signed = sessions.sessions_for(wanted)
    places = []
    for one in signed.scopes:
        if one.refusal is not None:
            raise SourceError(
                NAME, f"account {one.account} cannot be asked ({one.refusal})",
                "Sign in again, or give another --profile",
            )  # fmt: skip
        for region in one.regions:
            places.append((one.account, region, signed.client(one.account, region, "cloudtrail")))
    return Lookups(places, scope, datetime.now(UTC))
