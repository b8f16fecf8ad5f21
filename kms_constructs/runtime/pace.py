"""Calls a second that stay below KMS's quotas, which everybody in the account shares."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import Final

QUOTAS: Final[Mapping[str, int]] = {
    "DescribeKey": 2000,
    "GetKeyLastUsage": 5,
    "GetKeyPolicy": 1000,
    "GetKeyRotationStatus": 1000,
    "ListAliases": 500,
    "ListGrants": 100,
    "ListKeyPolicies": 100,
    "ListKeys": 500,
    "ListResourceTags": 2000,
}
"""Requests a second, per account and Region, of all callers together.

See: https://docs.aws.amazon.com/kms/latest/developerguide/requests-per-second.html
"""
SHARE: Final = 0.5
"""How much of a quota an audit takes at most: the rest is for those whose work needs the keys."""


class TokenBucket:
    """Lets through at most so many calls a second, after a burst of at most one second's worth.

    Args:
        rate: Calls a second; above 0.
        clock: Seconds that go forward.
        sleep: Waits for seconds.

    Example:
        >>> bucket = TokenBucket(2.0, clock=lambda: 0.0, sleep=lambda _seconds: None)
        >>> bucket.take(), bucket.take(), bucket.take()
        (0.0, 0.0, 0.5)
    """

    def __init__(
        self,
        rate: float,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._rate = rate
        self._clock = clock
        self._sleep = sleep
        self._lock = threading.Lock()
        self._tokens = max(1.0, rate)
        self._at = clock()

    def take(self) -> float:
        """Waits until a call may be made, and tells for how many seconds it waited."""
        with self._lock:
            now = self._clock()
            self._tokens = min(max(1.0, self._rate), self._tokens + (now - self._at) * self._rate)
            self._at = now
            self._tokens -= 1.0  # below zero: calls that are promised
            wait = max(0.0, -self._tokens / self._rate)
        if wait:
            self._sleep(wait)
        return wait


class Pace:
    """A bucket for each operation of each Region and account.

    Args:
        share: Part of each quota that is taken, above 0 and at most 1.
        clock: Seconds that go forward.
        sleep: Waits for seconds.
    """

    def __init__(
        self,
        share: float = SHARE,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._share = share
        self._clock = clock
        self._sleep = sleep
        self._lock = threading.Lock()
        self._buckets: dict[tuple[str, str, str], TokenBucket] = {}

    def wait(self, account: str, region: str, operation: str) -> None:
        """Waits until the operation may be called; one without a quota here is not held back."""
        quota = QUOTAS.get(operation)
        if quota is None:
            return
        place = account, region, operation
        with self._lock:
            if place not in self._buckets:
                self._buckets[place] = TokenBucket(quota * self._share, clock=self._clock, sleep=self._sleep)
            bucket = self._buckets[place]
        bucket.take()
