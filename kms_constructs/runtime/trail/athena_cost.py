"""What queries of Athena will read and cost, before they run: by the sizes of the files in their folders.

Athena charges for the bytes that it reads, as they lie there, at least 10 MB a query. A query that reads the
files twice is counted twice. The price is an assumption: it differs by Region, and AWS may change it.

See: https://aws.amazon.com/athena/pricing/
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from kms_constructs.errors import SourceError
from kms_constructs.model.arn import is_account_id
from kms_constructs.runtime.trail.athena_table import Layout, folders
from kms_constructs.runtime.trail.compile import Asked

PRICE_PER_TB: Final = 5.0
"""US dollars for each 10¹² bytes, as most Regions have it."""
LEAST_BYTES: Final = 10 * 1000 * 1000
_TB: Final = 10**12


@dataclass(frozen=True, slots=True)
class Files:
    """The files of the days asked.

    Args:
        count: How many.
        size: Their bytes, as they lie there.
    """

    count: int
    size: int

    def read(self, times: int) -> int:
        """Bytes that a query is charged for, which reads them so often."""
        return max(self.size * times, LEAST_BYTES)


def cost(size: int, price_per_tb: float = PRICE_PER_TB) -> float:
    """US dollars for bytes.

    Example:
        >>> cost(200 * 10**9)
        1.0
    """
    return size / _TB * price_per_tb


def discovered(s3: Any, layout: Layout) -> Layout:  # noqa: ANN401 - clients have no types
    """The layout with the accounts and Regions that there are folders of, where it names none.

    Args:
        s3: boto3's ``s3`` client.
        layout: What is known of it.

    Raises:
        SourceError: S3 refuses, or there are no folders of a trail.
    """
    accounts = layout.accounts or tuple(
        name for name in _folders(s3, layout.bucket, layout.root) if is_account_id(name)
    )
    regions = layout.regions or tuple(
        sorted(
            {
                name
                for one in accounts
                for name in _folders(s3, layout.bucket, f"{layout.root}{one}/CloudTrail/")
            }
        )
    )
    if not accounts or not regions:
        raise SourceError(
            f"s3://{layout.bucket}/{layout.root}",
            "there are no folders of a trail: ACCOUNT/CloudTrail/REGION/",
            "Give what stands before AWSLogs, and --organization for the trail of an organization",
        )
    return replace(layout, accounts=accounts, regions=regions)


def files(s3: Any, layout: Layout, asked: Asked) -> Files:  # noqa: ANN401 - clients have no types
    """The files in the folders of the days asked.

    Args:
        s3: boto3's ``s3`` client.
        layout: With its accounts and Regions.
        asked: The days.

    Raises:
        SourceError: S3 refuses.
    """
    count = size = 0
    first, last = folders(asked).values()
    for account in layout.accounts:
        for region in layout.regions:
            folder = layout.folder(account, region)
            for one in _objects(s3, layout.bucket, folder, first):
                if one["Key"] > f"{folder}{last}/\U0010ffff":
                    break
                count += 1
                size += one["Size"]
    return Files(count, size)


def _objects(s3: Any, bucket: str, folder: str, first: str) -> Iterator[dict[str, Any]]:  # noqa: ANN401
    pages = s3.get_paginator("list_objects_v2").paginate(
        Bucket=bucket, Prefix=folder, StartAfter=f"{folder}{first}"
    )
    try:
        for page in pages:
            yield from page.get("Contents", ())
    except (ClientError, BotoCoreError) as error:
        raise _refused(bucket, error) from error


def _folders(s3: Any, bucket: str, prefix: str) -> list[str]:  # noqa: ANN401 - clients have no types
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix, Delimiter="/")
    try:
        found = [one["Prefix"] for page in pages for one in page.get("CommonPrefixes", ())]
    except (ClientError, BotoCoreError) as error:
        raise _refused(bucket, error) from error
    return [one.removeprefix(prefix).strip("/") for one in found]


def _refused(bucket: str, error: Exception) -> SourceError:
    return SourceError(
        f"s3://{bucket}", f"S3 does not list it: {error}", "Check the name, the credentials and s3:ListBucket"
    )
