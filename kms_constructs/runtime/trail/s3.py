"""Log files in a bucket, those of the days and Regions that are asked for.

Trails deliver to ``[prefix/]AWSLogs/[o-id/]ACCOUNT/CloudTrail/REGION/YYYY/MM/DD/``. Below a Region names sort
by day, so that one listing that begins at the first day and ends behind the last is enough.

See: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/get-and-view-cloudtrail-log-files.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from kms_constructs.errors import SourceError
from kms_constructs.runtime.asking import refusal_of
from kms_constructs.runtime.trail.sources import LeftOut, Scope, UnreadableError, has_no_records

SCHEME: Final = "s3://"
_ROOT: Final = "AWSLogs/"
_REGION: Final = re.compile(r"(?:^|/)AWSLogs/(?:o-[a-z0-9]+/)?[0-9]{12}/CloudTrail/(?P<region>[a-z0-9-]+)/$")
_ABOVE: Final = re.compile(r"(?:^|/)AWSLogs/(?:o-[a-z0-9]+/)?(?:[0-9]{12}/)?(?:CloudTrail/)?$")
_DAY: Final = re.compile(r"/CloudTrail/(?P<region>[a-z0-9-]+)/(?P<day>[0-9]{4}/[0-9]{2}/[0-9]{2})/[^/]*$")


@dataclass(frozen=True, slots=True)
class S3Object:
    """An object of a bucket.

    Args:
        client: Of S3.
        bucket: Name of the bucket.
        key: Of the object.
        etag: As listed.
        size: Bytes.
    """

    client: Any
    bucket: str
    key: str
    etag: str
    size: int

    @property
    def name(self) -> str:
        """Its address."""
        return f"{SCHEME}{self.bucket}/{self.key}"

    @property
    def mark(self) -> str:
        """Its ETag and size."""
        return f"{self.size}:{self.etag}"

    @property
    def is_file(self) -> bool:
        """It is."""
        return True

    def read(self) -> bytes:
        """The content."""
        try:
            answer = self.client.get_object(Bucket=self.bucket, Key=self.key)
            content: bytes = answer["Body"].read()
        except (ClientError, BotoCoreError) as error:
            refusal = refusal_of(error)
            raise UnreadableError(f"S3 does not hand it out: {refusal}") from error
        return content


@dataclass(slots=True)
class S3Prefix:
    """Log files below a prefix of a bucket.

    Args:
        client: Of S3.
        bucket: Name of the bucket.
        prefix: Of the keys; empty for all.
        scope: Which log files are asked for.
        left_out: What was left out, as far as it was listed.
    """

    client: Any
    bucket: str
    prefix: str
    scope: Scope
    left_out: LeftOut = field(default_factory=LeftOut)

    def items(self) -> Iterator[S3Object]:
        """The objects, in the order of their keys.

        Raises:
            SourceError: The bucket cannot be listed.
        """
        found = False
        folder = f"{self.prefix}/"
        is_folder = _ABOVE.search(folder) or _REGION.search(folder)
        for told in self._below(folder if is_folder else self.prefix):
            found = True
            key = str(told["Key"])
            if key.endswith("/"):
                continue
            if has_no_records(key):
                self.left_out.other += 1
            elif not (self._in_days(key) and self.scope.takes(key)):
                self.left_out.outside += 1
            else:
                yield S3Object(self.client, self.bucket, key, str(told["ETag"]).strip('"'), int(told["Size"]))
        if not found and not self._has(self.prefix):
            raise SourceError(
                f"{SCHEME}{self.bucket}/{self.prefix}", "there is nothing under this prefix",
                "Give the prefix that the trail delivers to, or one below it",
            )  # fmt: skip

    def _in_days(self, key: str) -> bool:
        """Whether the folders of a key are those of the scope, where they tell a day and a Region."""
        told = _DAY.search(key)
        if told is None:
            return True
        day, scope = told["day"], self.scope
        return not (
            (scope.regions and told["region"] not in scope.regions)
            or (scope.since is not None and day < f"{scope.since:%Y/%m/%d}")
            or (scope.last is not None and day > f"{scope.last:%Y/%m/%d}")
        )

    def _below(self, prefix: str) -> Iterator[Mapping[str, Any]]:
        """What is below a prefix: folder by folder as far as trails have them, then in one listing."""
        told = _REGION.search(prefix)
        if told is not None:
            if not self.scope.regions or told["region"] in self.scope.regions:
                yield from self._days(prefix)
            return
        if _ABOVE.search(prefix[: prefix.rfind("/") + 1]):
            yield from self._folders(prefix)
            return
        for root in (f"{prefix}{_ROOT}", f"{prefix}/{_ROOT}"):
            if self._has(root):
                yield from self._folders(root)
                return
        yield from self._listed(Prefix=prefix)

    def _folders(self, prefix: str) -> Iterator[Mapping[str, Any]]:
        """What is below folders of accounts and Regions; other services log to the same bucket."""
        for page in self._pages(Prefix=prefix, Delimiter="/"):
            yield from page.get("Contents", ())
            for one in page.get("CommonPrefixes", ()):
                inner = str(one["Prefix"])
                if has_no_records(inner):
                    self.left_out.other += 1
                elif _ABOVE.search(inner) or _REGION.search(inner):
                    yield from self._below(inner)

    def _has(self, prefix: str) -> bool:
        return bool(self._asked("list_objects_v2", Prefix=prefix, MaxKeys=1).get("KeyCount"))

    def _days(self, prefix: str) -> Iterator[Mapping[str, Any]]:
        since, last = self.scope.since, self.scope.last
        after = {} if since is None else {"StartAfter": f"{prefix}{since:%Y/%m/%d}/"}
        end = None if last is None else f"{prefix}{last:%Y/%m/%d}/\U0010ffff"
        for one in self._listed(Prefix=prefix, **after):
            if end is not None and str(one["Key"]) > end:
                return
            yield one

    def _listed(self, **request: object) -> Iterator[Mapping[str, Any]]:
        for page in self._pages(**request):
            yield from page.get("Contents", ())

    def _pages(self, **request: object) -> Iterator[Mapping[str, Any]]:
        more: dict[str, object] = {}
        while True:
            page = self._asked("list_objects_v2", **request, **more)
            yield page
            if not page.get("IsTruncated"):
                return
            more = {"ContinuationToken": page["NextContinuationToken"]}

    def _asked(self, operation: str, **request: object) -> Mapping[str, Any]:
        try:
            answer: Mapping[str, Any] = getattr(self.client, operation)(Bucket=self.bucket, **request)
        except (ClientError, BotoCoreError) as error:
            raise SourceError(
                f"{SCHEME}{self.bucket}", f"it cannot be listed ({refusal_of(error)})",
                "Check the name of the bucket, and that s3:ListBucket is allowed; give another --profile",
            ) from error  # fmt: skip
        return answer


def split_address(address: str) -> tuple[str, str]:
    """Bucket and prefix of an address.

    Raises:
        SourceError: It has no bucket.

    Example:
        >>> split_address("s3://logs/AWSLogs/")
        ('logs', 'AWSLogs/')
    """
    bucket, _, prefix = address.removeprefix(SCHEME).partition("/")
    if not bucket:
        raise SourceError(address, "it names no bucket", "Write s3://BUCKET/PREFIX")
    return bucket, prefix
