"""What follows on what: use after an announced deletion, replicas where there was nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

from kms_constructs.detections.trail.calls import Call
from kms_constructs.detections.trail.catalogue import REPLICA_REGION
from kms_constructs.detections.trail.detection import TrailFinding

FOREVER = "9999-12-31T23:59:59Z"
_MINUTE = timedelta(minutes=1)


class Announced(NamedTuple):
    """A time in which a key was to be deleted.

    Args:
        key: ARN of the key.
        since: When the deletion was announced, UTC, ISO 8601.
        until: When it was cancelled; `FOREVER` when it was not.
    """

    key: str
    since: str
    until: str


class Deletions:
    """The times in which keys were to be deleted. Calls are given in the order of time."""

    def __init__(self) -> None:
        self._open: dict[str, str] = {}
        self._closed: list[Announced] = []

    def follow(self, call: Call) -> None:
        """Takes a call up; others than those that announce and cancel count for nothing."""
        if not call.succeeded or not call.key:
            return
        if call.event.event_name == "ScheduleKeyDeletion":
            self._open.setdefault(call.key, call.event.event_time)
        elif call.event.event_name == "CancelKeyDeletion" and call.key in self._open:
            since = self._open.pop(call.key)
            self._closed.append(Announced(call.key, since, call.event.event_time))

    def announced(self) -> tuple[Announced, ...]:
        """All of them, by key and time."""
        still = (Announced(key, since, FOREVER) for key, since in self._open.items())
        return tuple(sorted((*self._closed, *still)))


class Replicas:
    """Replication into Regions of which a trail has nothing of the account before.

    Args:
        first_seen: Account and Region to the time of its first call in the trail, UTC, ISO 8601. What is
            less than a minute before a replication is its own: the key that it makes.
    """

    def __init__(self, first_seen: Mapping[tuple[str, str], str]) -> None:
        self._seen = dict(first_seen)

    def follow(self, call: Call) -> Iterator[TrailFinding]:
        """A finding when a call replicates into a new Region. Calls are given in the order of time."""
        region = call.request.get("replicaRegion")
        if call.event.event_name != "ReplicateKey" or not call.succeeded or not isinstance(region, str):
            return
        account = call.key.split(":")[4] if call.key.startswith("arn:") else call.event.account or ""
        begin = _before(call.event.event_time)
        if self._seen.get((account, region), FOREVER) > begin:
            yield call.finding(REPLICA_REGION, detail=f"Region {region}")
            self._seen[account, region] = begin


def _before(time: str) -> str:
    moment = datetime.fromisoformat(time)
    told = moment - min(_MINUTE, moment - datetime.min.replace(tzinfo=moment.tzinfo))
    return told.strftime("%Y-%m-%dT%H:%M:%SZ")
