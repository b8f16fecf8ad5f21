from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kms_constructs.detections.trail.notes import Notes
from kms_constructs.detections.trail.volumes import (
    BURST,
    BURST_MINUTES,
    Counted,
    decrypt_volumes,
    denied_bursts,
)

DAYS = 14


def at(minute: int, number: int = 1, *, principal: str = "role", key: str = "key") -> Counted:
    time = f"2026-05-01T{minute // 60:02}:{minute % 60:02}:00Z"
    return Counted(principal, key, minute, number, time, time, (f"{principal}-{key}-{minute}",))


@pytest.mark.parametrize(
    ("name", "denied", "found"),
    [
        ("none", [], []),
        ("ten at once", [at(5, 10)], [("role", "key", 10)]),
        ("nine at once", [at(5, 9)], []),
        ("ten within five minutes", [at(minute, 2) for minute in range(5)], [("role", "key", 10)]),
        ("ten within six minutes", [at(minute, 2) for minute in (0, 1, 2, 3, 5)], []),
        ("now and then", [at(minute, 3) for minute in range(0, 600, 20)], []),
        ("two bursts are one finding", [at(5, 10), at(500, 12), at(700, 3)], [("role", "key", 22)]),
        ("what comes long after is not of it", [at(5, 10), at(60, 1)], [("role", "key", 10)]),
        ("in no order", [at(4, 5), at(0, 5)], [("role", "key", 10)]),
        ("two callers, each a few", [at(1, 6), at(1, 6, principal="other")], []),
        ("one caller over many keys", [at(1, key=f"k{number}") for number in range(12)], [("role", "", 12)]),
        ("one caller over many keys, slowly", [at(9 * n, key=f"k{n}") for n in range(12)], []),
        ("one key is enough, and the rest is not told again",
         [at(1, 11), *(at(1, key=f"k{number}") for number in range(12))], [("role", "key", 11)]),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_bursts(name: str, denied: list[Counted], found: list[tuple[str, str, int]]) -> None:
    assert name
    assert [(one.principal, one.key, one.count) for one in denied_bursts(denied)] == found


@given(st.lists(st.tuples(st.integers(0, 60), st.integers(1, 6)), max_size=12))
def test_a_burst_is_where_a_plain_count_finds_one(calls: list[tuple[int, int]]) -> None:
    every = [minute for minute, number in calls for _ in range(number)]
    within = {
        one
        for start in range(61)
        for one in every
        if start <= one < start + BURST_MINUTES
        and sum(start <= other < start + BURST_MINUTES for other in every) >= BURST
    }
    expected = sum(one in within for one in every)
    found = list(denied_bursts(at(minute, number) for minute, number in calls))
    assert sum(one.count for one in found) == expected


def day(number: int, count: int, *, principal: str = "role", key: str = "key") -> Counted:
    time = f"2026-05-{number + 1:02}T10:00:00Z"
    return Counted(principal, key, number, count, time, time, (f"{principal}-{number}",))


def usual(count: int, **told: str) -> list[Counted]:
    return [day(number, count, **told) for number in range(DAYS)]


@pytest.mark.parametrize(
    ("name", "decrypted", "found"),
    [
        ("as ever", [*usual(50), day(20, 60)], []),
        ("ten times as much", [*usual(50), day(20, 500)], [("role", "key", 500)]),
        ("not quite", [*usual(50), day(20, 499)], []),
        ("little of everything", [*usual(2), day(20, 99)], []),
        ("enough", [*usual(2), day(20, 100)], [("role", "key", 100)]),
        ("no baseline", [day(20, 10_000)], []),
        ("two days of a baseline", [day(1, 5), day(2, 5), day(20, 10_000)], []),
        ("a batch that comes every week", [day(0, 900), day(1, 3), day(7, 900), day(8, 3), day(20, 900)], []),
        ("more than the batch", [day(0, 900), day(1, 3), day(7, 900), day(8, 3), day(20, 901)],
         [("role", "key", 901)]),
        ("restless days are spread", [*(day(n, 1 + 399 * (n % 2)) for n in range(DAYS)), day(20, 2500)], []),
        ("far beyond restless days", [*(day(n, 1 + 399 * (n % 2)) for n in range(DAYS)), day(20, 2570)],
         [("role", "key", 2570)]),
        ("two days", [*usual(5), day(20, 200), day(22, 300)], [("role", "key", 200), ("role", "key", 300)]),
        ("the baseline itself is not judged", [*usual(5), day(3, 5000)], []),
        ("spread over keys", [
            *(one for key in range(8) for one in usual(5, key=f"k{key}")),
            *(day(20, 60, key=f"k{key}") for key in range(8)),
        ], [("role", "", 480)]),
        ("spread over callers", [
            *(one for who in range(8) for one in usual(5, principal=f"r{who}")),
            *(day(20, 60, principal=f"r{who}") for who in range(8)),
        ], [("", "key", 480)]),
        ("a new caller makes the key too busy", [*usual(5), day(20, 4000, principal="new")],
         [("", "key", 4000)]),
        ("told for the pair and not again for caller and key", [
            *usual(5), *usual(5, key="other"), day(20, 4000),
        ], [("role", "key", 4000)]),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_volumes(name: str, decrypted: list[Counted], found: list[tuple[str, str, int]]) -> None:
    notes = Notes()
    told = list(decrypt_volumes(decrypted, baseline_days=DAYS, notes=notes))
    assert [(one.principal, one.key, one.count) for one in told] == found, name
    assert not notes.lines()


def test_it_says_what_is_usual() -> None:
    (finding,) = decrypt_volumes([*usual(7), day(20, 700)], baseline_days=DAYS, notes=Notes())
    assert finding.detail == "700 on 2026-05-21, 7 on a usual day"
    assert (finding.first, finding.events) == ("2026-05-21T10:00:00Z", ("role-20",))


def test_too_short_a_baseline_is_said() -> None:
    notes = Notes()
    assert not list(decrypt_volumes([day(1, 1), day(5, 9999)], baseline_days=4, notes=notes))
    assert notes.lines() == (
        "A baseline of 4 days is too short to say what is far more than ever: 5 are wanted.",
    )
