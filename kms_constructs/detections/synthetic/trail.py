"""A synthetic trail: what happens every day, and what was planted, in the order of time."""

from __future__ import annotations

import heapq
import itertools
import json
import math
import random
from collections.abc import Iterator
from datetime import timedelta
from typing import NamedTuple

from kms_constructs.detections.synthetic.flows import Flow, build_flows
from kms_constructs.detections.synthetic.incidents import Incident, Planted, Spike, plant, routine
from kms_constructs.detections.synthetic.records import Record, moment
from kms_constructs.detections.synthetic.world import TrailOptions, World, build_world

_HOUR = 3600
_SECONDS = tuple(f"{second // 60:02d}:{second % 60:02d}Z" for second in range(_HOUR))
_SATURDAY = 5


class Line(NamedTuple):
    """One record as text.

    Args:
        time: As in the record: ISO 8601, UTC.
        account: Whose trail recorded it.
        region: Where.
        text: The record, JSON on one line.
    """

    time: str
    account: str
    region: str
    text: str


class SyntheticTrail:
    """A trail of KMS that never happened. The same options give the same trail, to the byte.

    Each principal, network and endpoint that is usual for a key calls in the first tenth of the trail;
    incidents are in the second half. So a baseline of half the days sees what is usual and nothing planted.

    Args:
        options: What it is like.

    Example:
        >>> trail = SyntheticTrail(TrailOptions(events=2500))
        >>> sum(1 for _ in trail.lines())
        2500
        >>> sorted(one.kind for one in trail.incidents)[:2]
        ['create-grant', 'decrypt-volume']
    """

    def __init__(self, options: TrailOptions | None = None) -> None:
        self.options = options or TrailOptions()
        rng = random.Random(self.options.seed)  # noqa: S311 - reproducible, and no secret
        self.world: World = build_world(self.options, rng)
        flows = build_flows(self.world, self.options, rng)
        # The first tenth has to have each of them once.
        self._flows = flows[: max(1, self.options.events // 10 // 2)]
        self._weights = list(itertools.accumulate(1 / (rank + 4) for rank in range(len(self._flows))))
        self.incidents: tuple[Incident, ...] = ()
        self._spike: Spike | None = None
        planted: list[Planted] = []
        if self.options.incidents:
            planted, self._spike, self.incidents = plant(
                self.world, self.options, self._flows, self._share, rng
            )
            planted += routine(self.world, self.options, rng)
        self._planted = sorted(planted, key=lambda one: one.at)
        self._seed = rng.getrandbits(64)

    @property
    def authorised(self) -> dict[str, tuple[str, ...]]:
        """Control id to the principals who may: what `detect` has to be told."""
        return self.world.authorised

    @property
    def baseline_days(self) -> int:
        """Days from the beginning in which nothing is planted."""
        return self.options.days // 2

    def lines(self) -> Iterator[Line]:
        """Every record, in the order of time, as text. Memory does not grow with their number."""
        more = len(self._spike.ids) if self._spike else 0
        usual = self._usual(self.options.events - len(self._planted) - more)
        planted = (
            Line(str(one.record["eventTime"]), str(one.record["recipientAccountId"]),
                 str(one.record["awsRegion"]), json.dumps(one.record, separators=(",", ":")))
            for one in self._planted
        )  # fmt: skip
        return heapq.merge(usual, planted, self._spiking(), key=lambda line: line[0])

    def _spiking(self) -> Iterator[Line]:
        if self._spike is None:
            return
        flow, ids = self._spike.flow, self._spike.ids
        (text, account, region), *_ = flow.texts
        for number, event in enumerate(ids):
            time = moment(self._spike.at + number * _HOUR / len(ids))
            address = flow.addresses[number % len(flow.addresses)]
            session = flow.sessions[number % 4] if flow.sessions else ""
            values = {"t": time, "r": event, "h": event, "a": address, "s": session, "e": event}
            yield Line(time, account, region, text % values)

    def records(self) -> Iterator[Record]:
        """Every record, in the order of time."""
        for line in self.lines():
            yield json.loads(line.text)

    def _share(self, flow: Flow) -> float:
        """The share of a caller's decryption under one key among all events."""
        total = self._weights[-1]
        return sum(
            1 / (rank + 4) / total
            for rank, one in enumerate(self._flows)
            if (one.caller, one.key, one.event) == (flow.caller, flow.key, flow.event)
        )

    def _usual(self, count: int) -> Iterator[Line]:
        rng = random.Random(self._seed)  # noqa: S311 - reproducible, and no secret
        bits, choices = rng.getrandbits, rng.choices
        flows, weights = self._flows, self._weights
        alone = next(flow for flow in flows if len(flow.texts) == 1)
        first = iter(flows)
        left = count
        for hour, slots in self._hours(count):
            offsets = sorted(choices(range(_HOUR), k=slots))
            usual = iter(choices(flows, cum_weights=weights, k=slots))
            position = 0
            while position < slots and left > 0:
                flow = next(first, None) or next(usual)
                if len(flow.texts) > min(left, slots - position):
                    flow = alone
                random_bits = f"{bits(512):0128x}"
                values = {
                    "t": f"{hour}{_SECONDS[offsets[position]]}",
                    "r": _uuid(random_bits, 32),
                    "h": _uuid(random_bits, 64),
                    "a": flow.addresses[position % len(flow.addresses)],
                    "s": flow.sessions[position & 3] if flow.sessions else "",
                }
                for number, (text, account, region) in enumerate(flow.texts):
                    values["e"] = _uuid(random_bits, 96 * number)
                    yield Line(values["t"], account, region, text % values)
                position += len(flow.texts)
                left -= len(flow.texts)

    def _hours(self, count: int) -> Iterator[tuple[str, int]]:
        """The hours with their number of events: more by day than by night, fewer on days off."""
        start = self.options.start
        hours = [start + timedelta(hours=number) for number in range(self.options.days * 24)]
        weights = [
            (1.3 + math.sin((one.hour - 8) / 24 * 2 * math.pi)) * (0.5 if one.weekday() >= _SATURDAY else 1.0)
            for one in hours
        ]
        total, done, reached = sum(weights), 0, 0.0
        for one, weight in zip(hours, weights, strict=True):
            reached += weight
            upto = round(count * reached / total)
            yield one.strftime("%Y-%m-%dT%H:"), upto - done
            done = upto


def _uuid(text: str, at: int) -> str:
    """An id in the form of a UUID, of 32 hexadecimal digits."""
    part = text[at : at + 32]
    return f"{part[:8]}-{part[8:12]}-{part[12:16]}-{part[16:20]}-{part[20:]}"
