"""The rows of a store are those that `flatten` gives, for every API of KMS and over a whole trail."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from kms_constructs.detections.relations import EVENT_COLUMNS, KEY_COLUMNS, flatten, is_wanted
from kms_constructs.detections.synthetic.trail import SyntheticTrail
from kms_constructs.detections.synthetic.world import TrailOptions
from kms_constructs.runtime.trail.ingest import ingest
from kms_constructs.runtime.trail.sources import LocalFiles, Scope
from kms_constructs.runtime.trail.store import TrailStore
from tests.detections.test_relations import CASES

EVERY_API = [case.record | {"eventID": f"event-{number:04}"} for number, case in enumerate(CASES)]
TRAIL = list(SyntheticTrail(TrailOptions(events=3000)).records())

Rows = list[tuple[object, ...]]


def _stored(records: list[dict[str, Any]], into: Path, separators: tuple[str, str] | None) -> list[Rows]:
    log = into / "log.json.gz"
    log.write_bytes(gzip.compress(json.dumps({"Records": records}, separators=separators).encode()))
    summary = ingest(into / "store", [LocalFiles([log], Scope())])
    assert not summary.quarantined
    connection = TrailStore(into / "store").connect()
    found = []
    for view, columns in (("events", EVENT_COLUMNS), ("event_keys", KEY_COLUMNS)):
        asked = ", ".join(
            f"strftime({name}, '%Y-%m-%dT%H:%M:%SZ')" if name == "event_time" else name for name in columns
        )
        found.append(connection.execute(f"SELECT {asked} FROM {view} ORDER BY ALL").fetchall())  # noqa: S608
    return found


def _flattened(records: list[dict[str, Any]]) -> list[Rows]:
    rows = [flatten(one) for one in records if is_wanted(one)]
    keys = [tuple(key) for _, named in rows for key in named]
    return [[tuple(event) for event, _ in rows], keys]


def _parsed(rows: Rows) -> list[tuple[object, ...]]:
    """Without what does not matter in JSON: blanks and the order of names."""
    return sorted(
        (
            tuple(json.loads(one) if isinstance(one, str) and one.startswith("{") else one for one in row)
            for row in rows
        ),
        key=repr,
    )


@pytest.mark.parametrize("records", [EVERY_API, TRAIL], ids=["every API", "a trail"])
@pytest.mark.parametrize("separators", [(",", ":"), None], ids=["as CloudTrail", "with blanks"])
def test_a_store_has_the_rows_that_flatten_gives(
    records: list[dict[str, Any]], separators: tuple[str, str] | None, tmp_path: Path
) -> None:
    events, keys = _stored(records, tmp_path, separators)
    expected_events, expected_keys = _flattened(records)
    assert _parsed(events) == _parsed(expected_events)
    assert sorted(keys, key=repr) == sorted(expected_keys, key=repr)
