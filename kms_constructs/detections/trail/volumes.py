"""Too much: refusals in a burst, decryption far beyond its baseline."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from statistics import median
from typing import NamedTuple

from kms_constructs.detections.trail.catalogue import DENIED_BURST, VOLUME
from kms_constructs.detections.trail.detection import EXAMPLES, Detection, TrailFinding
from kms_constructs.detections.trail.notes import Notes

BURST = 10
BURST_MINUTES = 5
"""As many refusals within as many minutes are a burst."""

LEAST = 100
TIMES = 10
DEVIATIONS = 8
LEAST_ACTIVE_DAYS = 3
"""A day is far beyond its baseline with as many decryptions, as many times the median, as many deviations
above it and more than on any day before; what was active on fewer days of the baseline has none."""

LEAST_BASELINE = 5
"""Days without which no baseline is one."""

_NORMAL = 1.4826  # makes a median absolute deviation comparable with a standard deviation


class Counted(NamedTuple):
    """Calls of one caller on one key in a minute or on a day.

    Args:
        principal: The caller.
        key: ARN of the key; empty where the record tells none.
        at: Number of the minute, or of the day, from any beginning.
        number: Number of calls.
        first: Time of the first.
        last: Time of the last.
        events: Ids of some.
    """

    principal: str
    key: str
    at: int
    number: int
    first: str
    last: str
    events: tuple[str, ...]


def denied_bursts(denied: Iterable[Counted]) -> Iterator[TrailFinding]:
    """Bursts of refusals: of one caller on one key, else of one caller over several.

    Args:
        denied: Refused calls by minute.
    """
    by_caller: dict[str, list[Counted]] = defaultdict(list)
    for one in denied:
        by_caller[one.principal].append(one)
    for principal, calls in by_caller.items():
        by_key: dict[str, list[Counted]] = defaultdict(list)
        for one in calls:
            by_key[one.key].append(one)
        bursts = {key: burst for key, listed in by_key.items() if (burst := _burst(listed))}
        for key, burst in bursts.items():
            yield _finding(DENIED_BURST, principal, key, burst, "")
        if not bursts and len(by_key) > 1 and (burst := _burst(calls)):
            keys = len({one.key for one in burst})
            yield _finding(DENIED_BURST, principal, "", burst, f"{keys} keys")


def _burst(calls: Sequence[Counted]) -> list[Counted]:
    """The calls that are in a window with enough of them."""
    ordered = sorted(calls, key=lambda one: one.at)
    within: set[int] = set()
    begin = total = 0
    for end, one in enumerate(ordered):
        total += one.number
        while ordered[begin].at <= one.at - BURST_MINUTES:
            total -= ordered[begin].number
            begin += 1
        if total >= BURST:
            within.update(range(begin, end + 1))
    return [ordered[place] for place in sorted(within)]


def decrypt_volumes(
    decrypted: Iterable[Counted], *, baseline_days: int, notes: Notes
) -> Iterator[TrailFinding]:
    """Days on which far more was decrypted than ever.

    By caller and key first. A caller over all keys, and a key over all callers, are told only for days on
    which no pair of theirs was: for what is spread.

    Args:
        decrypted: Decryptions by day; days of the baseline are those below `baseline_days`.
        baseline_days: Length of the baseline.
        notes: Takes what cannot be judged.
    """
    if baseline_days < LEAST_BASELINE:
        notes.tell(
            f"A baseline of {baseline_days} days is too short to say what is far more than ever: "
            f"{LEAST_BASELINE} are wanted."
        )
        return
    calls = list(decrypted)
    pairs = _beyond(calls, lambda one: (one.principal, one.key), baseline_days)
    told: dict[int, set[str]] = defaultdict(set)
    for (principal, key), days in pairs.items():
        for day, (listed, usual) in days.items():
            told[day] |= {principal, key}
            yield _finding(VOLUME, principal, key, listed, _compared(listed, usual))
    for who in (True, False):
        name: Callable[[Counted], tuple[str, str]] = (
            (lambda one: (one.principal, "")) if who else (lambda one: ("", one.key))
        )
        for (principal, key), days in _beyond(calls, name, baseline_days).items():
            for day, (listed, usual) in days.items():
                if not {principal or key} & told[day]:
                    yield _finding(VOLUME, principal, key, listed, _compared(listed, usual))


def _beyond(
    calls: Iterable[Counted], name: Callable[[Counted], tuple[str, str]], baseline_days: int
) -> Mapping[tuple[str, str], dict[int, tuple[list[Counted], float]]]:
    """The days of each series that are far beyond its baseline, with the median of that."""
    series: dict[tuple[str, str], dict[int, list[Counted]]] = defaultdict(lambda: defaultdict(list))
    for one in calls:
        series[name(one)][one.at].append(one)
    found: dict[tuple[str, str], dict[int, tuple[list[Counted], float]]] = {}
    for subject, days in series.items():
        usual = [sum(one.number for one in days.get(day, ())) for day in range(baseline_days)]
        if sum(map(bool, usual)) < LEAST_ACTIVE_DAYS:
            continue
        middle = median(usual)
        spread = median(abs(count - middle) for count in usual)
        limit = max(LEAST, TIMES * middle, middle + DEVIATIONS * _NORMAL * spread, max(usual) + 1)
        beyond = {
            day: (listed, middle)
            for day, listed in days.items()
            if day >= baseline_days and sum(one.number for one in listed) >= limit
        }
        if beyond:
            found[subject] = beyond
    return found


def _compared(listed: Sequence[Counted], usual: float) -> str:
    count, day = sum(one.number for one in listed), min(one.first for one in listed)[:10]
    return f"{count} on {day}, {usual:g} on a usual day"


def _finding(
    what: Detection, principal: str, key: str, calls: Sequence[Counted], detail: str
) -> TrailFinding:
    events = [event for one in calls for event in one.events]
    return TrailFinding(
        what=what,
        principal=principal,
        key=key,
        count=sum(one.number for one in calls),
        first=min(one.first for one in calls),
        last=max(one.last for one in calls),
        events=tuple(events[:EXAMPLES]),
        detail=detail,
    )
