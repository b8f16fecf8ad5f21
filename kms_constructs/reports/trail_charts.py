"""The charts of trail reports, as numbers that a template draws: bars, a heat map, a matrix.

A template draws them, without a script. Of the light libraries that are kept up, pygal has no heat map and
brings styles and a script of its own, which the page's content security policy refuses.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date, timedelta

from kms_constructs.model.frozen import Frozen
from kms_constructs.reports.text import one_line
from kms_constructs.reports.trail_report import Cell, TrailReport

WIDTH = 720
DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
SHADES = 5
_MOST_LINES = 8
_MOST_PRINCIPALS = 15
_MOST_KEYS = 10
_MOST_BARS = 180


class Bar(Frozen, frozen=True):
    """One bar: where it begins, how wide and high it is and how high its failed part, and what it says."""

    x: float
    width: float
    height: float
    failed: float
    title: str


class Line(Frozen, frozen=True):
    """The bars of one key, or of all together."""

    name: str
    total: int
    bars: tuple[Bar, ...]


class Timeline(Frozen, frozen=True):
    """Calls over time: all keys together, then the busiest by themselves."""

    whole: Line
    highest: int
    first: str
    last: str
    step: str
    lines: tuple[Line, ...]
    left_out: int


class HeatCell(Frozen, frozen=True):
    """An hour of the week, or a principal with a key: its shade, 0 to `SHADES`, its number, what it says."""

    shade: int
    number: int
    title: str


class Matrix(Frozen, frozen=True):
    """Names above, names at the side, and cells."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, tuple[HeatCell, ...]], ...]
    left_out: str = ""


def timeline(report: TrailReport) -> Timeline | None:
    """Bars of the report ``timeline``; None without rows."""
    by_key: dict[str, Counter[date]] = {}
    failed: dict[str, Counter[date]] = {}
    for record in report.records():
        key, day = _text(record["key"]), record["day"]
        if isinstance(day, date):
            by_key.setdefault(key, Counter())[day] += _number(record["calls"])
            failed.setdefault(key, Counter())[day] += _number(record["errors"])
    if not by_key:
        return None
    days = [day for counted in by_key.values() for day in counted]
    first, last = min(days), max(days)
    step = -(-((last - first).days + 1) // _MOST_BARS)
    steps = [first + timedelta(days=number) for number in range(0, (last - first).days + 1, step)]

    def bucketed(counted: Iterable[Counter[date]]) -> Counter[date]:
        sums: Counter[date] = Counter()
        for one in counted:
            for day, number in one.items():
                sums[first + timedelta(days=(day - first).days // step * step)] += number
        return sums

    def line(name: str, keys: Sequence[str], height: float) -> Line:
        calls, errors = bucketed(by_key[key] for key in keys), bucketed(failed[key] for key in keys)
        return Line(one_line(name), sum(calls.values()), _bars(steps, calls, errors, height))

    busiest = sorted(by_key, key=lambda key: (-by_key[key].total(), key))
    whole = line("All keys", busiest, 160)
    return Timeline(
        whole=whole,
        highest=max(bucketed(by_key.values()).values()),
        first=first.isoformat(),
        last=last.isoformat(),
        step="day" if step == 1 else f"{step} days",
        lines=tuple(line(key, [key], 28) for key in busiest[:_MOST_LINES]),
        left_out=max(len(busiest) - _MOST_LINES, 0),
    )


def heat_map(report: TrailReport) -> Matrix | None:
    """The report ``hours``, of all its keys together; None without rows."""
    sums: Counter[tuple[int, int]] = Counter()
    for record in report.records():
        sums[_number(record["weekday"]), _number(record["hour"])] += _number(record["calls"])
    if not sums:
        return None
    highest = max(sums.values())
    rows = tuple(
        (
            name,
            tuple(
                HeatCell(
                    _shade(sums[day, hour], highest),
                    sums[day, hour],
                    f"{name} {hour:02}:00 to {hour:02}:59 UTC: {sums[day, hour]:,}",
                )
                for hour in range(24)
            ),
        )
        for day, name in enumerate(DAYS)
    )
    return Matrix(tuple(f"{hour:02}" for hour in range(24)), rows)


def talkers(report: TrailReport) -> Matrix | None:
    """The report ``top-talkers``: the busiest principals and keys; None without rows."""
    calls: Counter[tuple[str, str]] = Counter()
    for record in report.records():
        calls[_text(record["principal"]), _text(record["key"])] += _number(record["calls"])
    if not calls:
        return None
    of_principal: Counter[str] = Counter()
    of_key: Counter[str] = Counter()
    for (principal, key), number in calls.items():
        of_principal[principal] += number
        of_key[key] += number
    principals, keys = _busiest(of_principal, _MOST_PRINCIPALS), _busiest(of_key, _MOST_KEYS)
    highest = max(calls.values())
    rows = tuple(
        (
            one_line(principal),
            tuple(
                HeatCell(
                    _shade(calls[principal, key], highest),
                    calls[principal, key],
                    f"{one_line(principal)}, {one_line(key)}: {calls[principal, key]:,}",
                )
                for key in keys
            ),
        )
        for principal in principals
    )
    hidden = [
        f"{len(of_principal) - len(principals):,} more principals"
        if len(of_principal) > len(principals)
        else "",
        f"{len(of_key) - len(keys):,} more keys" if len(of_key) > len(keys) else "",
    ]
    return Matrix(tuple(map(one_line, keys)), rows, " and ".join(filter(None, hidden)))


def short(name: str) -> str:
    """The end of an ARN, which tells names apart.

    Example:
        >>> short("arn:aws:kms:eu-central-1:111122223333:key/1234abcd"), short("s3.amazonaws.com")
        ('key/1234abcd', 's3.amazonaws.com')
    """
    return name.split(":", 5)[-1] if name.startswith("arn:") else name


def _bars(
    steps: Sequence[date], calls: Counter[date], errors: Counter[date], height: float
) -> tuple[Bar, ...]:
    highest = max(calls.values(), default=0) or 1
    pitch = WIDTH / len(steps)
    width = round(max(pitch - min(2.0, pitch * 0.25), 0.5), 2)
    return tuple(
        Bar(
            x=round(number * pitch, 2),
            width=width,
            # A day with one call is seen beside one with a million.
            height=round(max(calls[day] / highest * height, 1), 2),
            failed=round(errors[day] / highest * height, 2),
            title=f"{day.isoformat()}: {calls[day]:,} calls, {errors[day]:,} failed",
        )
        for number, day in enumerate(steps)
        if calls[day]
    )


def _busiest(counted: Counter[str], most: int) -> list[str]:
    return sorted(counted, key=lambda name: (-counted[name], name))[:most]


def _shade(number: int, highest: int) -> int:
    """Shades by the square root: what is seldom is still told from what never is."""
    return 0 if not number else max(1, round((number / highest) ** 0.5 * SHADES))


def _number(cell: Cell) -> int:
    return cell if isinstance(cell, int) else 0


def _text(cell: Cell) -> str:
    return cell if isinstance(cell, str) else ""
