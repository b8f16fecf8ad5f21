from __future__ import annotations

import pytest

from kms_constructs.detections.trail.history import History, Use, never_seen
from kms_constructs.detections.trail.notes import Notes

KEY = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd"
RELATED = "arn:aws:kms:*:111122223333:key/mrk-1234abcd"
ENOUGH = History(uses=20, days=5)


def use(before: int = 0, after: int = 0, **told: str | None) -> Use:
    """A use; what is not said is usual."""
    given = {
        "unit": KEY,
        "principal": "app",
        "network": "192.0.2.0/24",
        "endpoint": None,
        "region": "eu-west-1",
    }
    given |= told
    time = "2026-05-20T10:00:00Z" if after else ""
    return Use(**given, before=before, after=after, first=time, last=time, events=("e",) * bool(after))  # type: ignore[arg-type]


USUAL = use(before=30, after=40)


@pytest.mark.parametrize(
    ("name", "uses", "found"),
    [
        ("as ever", [USUAL], []),
        ("a new caller", [USUAL, use(after=3, principal="new")], [("principal-never-seen", "new", 3)]),
        ("a new network", [USUAL, use(after=1, network="203.0.113.0/24")],
         [("network-never-seen", "app", 1)]),
        ("a new caller from a new network", [USUAL, use(after=1, principal="new", network="203.0.113.0/24")],
         [("principal-never-seen", "new", 1), ("network-never-seen", "new", 1)]),
        ("a network that another caller comes from", [
            USUAL, use(before=1, principal="other", network="203.0.113.0/24"),
            use(after=1, network="203.0.113.0/24")], []),
        ("a new endpoint", [USUAL, use(after=1, network=None, endpoint="vpce-1")],
         [("endpoint-never-seen", "app", 1)]),
        ("a known endpoint", [USUAL, use(before=1, network=None, endpoint="vpce-1"),
                              use(after=1, network=None, endpoint="vpce-1")], []),
        ("a service has no network", [USUAL, use(before=1, principal="s3.amazonaws.com", network=None),
                                      use(after=9, principal="s3.amazonaws.com", network=None)], []),
        ("a new Region of a key of one Region is another key", [USUAL, use(after=1, region="us-east-1")], []),
        ("a new Region of related keys", [use(before=30, unit=RELATED),
                                          use(after=2, unit=RELATED, region="us-east-1")],
         [("region-never-seen", "app", 2)]),
        ("of the baseline alone", [USUAL, use(before=1, principal="gone")], []),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_what_is_new_to_a_key(name: str, uses: list[Use], found: list[tuple[str, str, int]]) -> None:
    notes = Notes()
    told = never_seen(uses, {KEY: ENOUGH, RELATED: ENOUGH}, baseline_days=14, end="2026-05-15", notes=notes)
    assert [(one.what.id, one.principal, one.count) for one in told] == found, name
    assert not notes.lines()


@pytest.mark.parametrize(
    ("history", "baseline_days", "judged"),
    [
        (History(20, 5), 14, True),
        (History(19, 5), 14, False),
        (History(20, 4), 14, False),
        (History(20, 3), 3, True),
        (None, 14, False),
    ],
)
def test_without_history_nothing_is_new_and_that_is_said(
    history: History | None, baseline_days: int, judged: bool
) -> None:
    notes = Notes()
    uses = [USUAL, use(after=1, principal="new")]
    histories = {} if history is None else {KEY: history}
    found = list(never_seen(uses, histories, baseline_days=baseline_days, end="2026-05-15", notes=notes))
    assert bool(found) is judged
    assert bool(notes.lines()) is not judged
    if not judged:
        assert notes.lines()[0].startswith("1 keys have too little history (20 uses on ")
