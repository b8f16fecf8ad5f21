"""What CloudTrail keeps by itself: the management events of the last 90 days, asked a day at a time.

LookupEvents answers twice a second in each account and Region, fifty events at most: a trail is the better
source wherever there is one. It is asked for the events of KMS and of CloudTrail; events of other services
that name a key are not found by it, and data events of S3 it does not know.

See: https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_LookupEvents.html
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from time import sleep
from typing import Any, Final

import msgspec
from botocore.exceptions import BotoCoreError, ClientError

from kms_constructs.detections.watch import CLOUDTRAIL, KMS
from kms_constructs.runtime.asking import refusal_of
from kms_constructs.runtime.pace import TokenBucket
from kms_constructs.runtime.trail.sources import LeftOut, Scope, UnreadableError

NAME: Final = "lookup-events"
DAYS: Final = 90
"""How far back CloudTrail keeps events by itself."""
REQUESTS_A_SECOND: Final = 2.0
"""CloudTrail's quota for an account and Region."""
_LATE: Final = timedelta(hours=1)
"""When all events of a day can be asked for: CloudTrail says about five minutes."""
_COMPLETE: Final = "complete"


@dataclass(frozen=True, slots=True)
class LookedUp:
    """The events of one service on one day.

    Args:
        client: Of CloudTrail, for an account and Region.
        account: Id of the account.
        region: Of the client.
        service: Whose events.
        day: UTC.
        now: When it is asked.
        bucket: Holds back requests.
    """

    client: Any
    account: str
    region: str
    service: str
    day: date
    now: datetime
    bucket: TokenBucket

    @property
    def name(self) -> str:
        """What the manifest calls it."""
        return f"{NAME}:{self.account}:{self.region}:{self.service}:{self.day}"

    @property
    def mark(self) -> str:
        """Whether the day is over; before that it is asked again by each run."""
        end = datetime.combine(self.day + timedelta(days=1), time(), UTC)
        return _COMPLETE if self.now >= end + _LATE else f"until {self.now.isoformat(timespec='seconds')}"

    @property
    def is_file(self) -> bool:
        """Nothing happens on many days."""
        return False

    @property
    def size(self) -> int:
        """Not known before."""
        return 0

    def read(self) -> bytes:
        """What ``aws cloudtrail lookup-events`` would say."""
        start = datetime.combine(self.day, time(), UTC)
        request: dict[str, object] = {
            "LookupAttributes": [{"AttributeKey": "EventSource", "AttributeValue": self.service}],
            "StartTime": start,
            # The end counts, to the second.
            "EndTime": start + timedelta(days=1) - timedelta(seconds=1),
            "MaxResults": 50,
        }
        events: list[dict[str, object]] = []
        while True:
            self.bucket.take()
            try:
                answer = self.client.lookup_events(**request)
            except (ClientError, BotoCoreError) as error:
                raise UnreadableError(f"CloudTrail does not answer: {refusal_of(error)}") from error
            events.extend({"CloudTrailEvent": one.get("CloudTrailEvent")} for one in answer["Events"])
            if not answer.get("NextToken"):
                return msgspec.json.encode({"Events": events})
            request["NextToken"] = answer["NextToken"]


@dataclass(slots=True)
class Lookups:
    """The events of accounts and Regions.

    Args:
        places: Account, Region and a client of CloudTrail for them.
        scope: Which days.
        now: The time.
        sleep: Waits for seconds.
        left_out: Nothing.
    """

    places: Sequence[tuple[str, str, Any]]
    scope: Scope
    now: datetime
    sleep: Callable[[float], None] = sleep
    left_out: LeftOut = field(default_factory=LeftOut)

    def items(self) -> Iterator[LookedUp]:
        """The days, each for KMS and for CloudTrail."""
        today = self.now.date()
        first = max(self.scope.since or date.min, today - timedelta(days=DAYS - 1))
        last = min(self.scope.until or today, today)
        for account, region, client in self.places:
            bucket = TokenBucket(REQUESTS_A_SECOND, sleep=self.sleep)
            for days in range((last - first).days + 1):
                for service in (KMS, CLOUDTRAIL):
                    day = first + timedelta(days=days)
                    yield LookedUp(client, account, region, service, day, self.now, bucket)
