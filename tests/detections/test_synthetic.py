from __future__ import annotations

import gzip
import ipaddress
import itertools
import json
from collections import Counter
from pathlib import Path

import pytest

from kms_constructs.detections.relations import flatten, is_wanted
from kms_constructs.detections.synthetic.trail import SyntheticTrail
from kms_constructs.detections.synthetic.world import TrailOptions
from kms_constructs.errors import ArgumentError
from kms_constructs.runtime.sample_trail import write_trail

TRAIL = SyntheticTrail(TrailOptions(events=4000, seed=7))
RECORDS = list(TRAIL.records())
ROWS = [flatten(one) for one in RECORDS]


def test_it_has_as_many_records_as_were_ordered_in_the_order_of_time() -> None:
    times = [event.event_time for event, _ in ROWS]
    assert len(times) == 4000
    assert times == sorted(times)
    assert times[0] >= "2026-05-01T00:00:00Z"
    assert times[-1] <= "2026-05-31T00:00:00Z"


def test_no_two_records_have_an_id_in_common() -> None:
    assert len({event.event_id for event, _ in ROWS}) == len(ROWS)
    assert all(is_wanted(one) for one in RECORDS)


def test_the_same_seed_is_the_same_trail_and_another_is_not() -> None:
    def first(seed: int) -> list[str]:
        return [line.text for line in itertools.islice(
            SyntheticTrail(TrailOptions(events=4000, seed=seed)).lines(), 200)]  # fmt: skip

    assert first(7) == [line.text for line in itertools.islice(TRAIL.lines(), 200)]
    assert first(8) != first(7)


@pytest.mark.parametrize(
    ("what", "find"),
    [
        ("services on their own behalf", lambda e: e.caller_type == "AWSService"),
        ("KMS itself", lambda e: e.service == "AWS Internal" and e.caller is None),
        ("services for a role", lambda e: e.service and e.caller),
        ("users", lambda e: e.caller_type == "IAMUser"),
        ("callers of other accounts", lambda e: e.caller_type == "AWSAccount" and e.shared_event_id),
        ("endpoints", lambda e: e.vpc_endpoint and e.source_address.startswith(("10.", "172."))),
        ("IPv6", lambda e: ":" in e.source_address),
        ("old records", lambda e: e.event_version == "1.05" and e.event_category is None),
        ("service events", lambda e: e.event_type == "AwsServiceEvent"),
        ("data events", lambda e: e.event_category == "Data"),
        ("two contexts", lambda e: e.destination_encryption_context),
        ("enclaves", lambda e: e.additional and "attestationDocument" in e.additional),
    ],
)  # fmt: skip
def test_it_has_what_real_trails_have(what: str, find: object) -> None:
    assert sum(bool(find(event)) for event, _ in ROWS) > 0, what  # type: ignore[operator]


def test_keys_are_named_by_arn_by_id_and_by_alias() -> None:
    named = Counter(
        "arn" if name.startswith("arn:") else "alias" if name.startswith("alias/") else "id"
        for name in (json.loads(event.request or "{}").get("keyId") for event, _ in ROWS)
        if name
    )
    assert set(named) == {"arn", "alias", "id"}
    assert all(key.key.startswith("arn:aws:kms:") for _, keys in ROWS for key in keys)


def test_a_call_across_accounts_is_recorded_by_both() -> None:
    shared: dict[str, list[str]] = {}
    for event, _ in ROWS:
        if event.shared_event_id:
            shared.setdefault(event.shared_event_id, []).append(str(event.account))
    pairs = [accounts for accounts in shared.values() if len(accounts) == 2]
    assert pairs
    assert all(len(set(accounts)) == 2 for accounts in pairs)


def test_no_address_is_one_of_the_internet() -> None:
    for address in {event.source_address for event, _ in ROWS}:
        try:
            found = ipaddress.ip_address(str(address))
        except ValueError:
            continue
        assert not found.is_global, address


def test_every_incident_tells_events_that_the_trail_has() -> None:
    ids = {event.event_id: event for event, _ in ROWS}
    halfway = "2026-05-15"
    for incident in TRAIL.incidents:
        assert incident.findings
        for detection, events in incident.findings.items():
            assert events, detection
            assert all(ids[one].event_time > halfway for one in events)


def test_what_is_usual_is_there_within_the_baseline() -> None:
    """So nothing usual is new after it."""
    planted = {one for incident in TRAIL.incidents for ids in incident.findings.values() for one in ids}
    seen = {"before": set(), "after": set()}  # type: ignore[var-annotated]
    for event, keys in ROWS:
        if event.event_id not in planted and event.event_name == "Decrypt" and not event.error_code:
            part = "before" if event.event_time < "2026-05-16" else "after"
            for key in keys:
                where = event.vpc_endpoint or str(event.source_address).rpartition(".")[0]
                seen[part].add((key.key, event.caller or event.service, where if "." in where else ""))
    assert not {one for one in seen["after"] - seen["before"] if "app-late" not in str(one[1])}


def test_the_files_hold_every_record_once(tmp_path: Path) -> None:
    files = write_trail(TRAIL, tmp_path, records_a_file=100)
    texts = [gzip.decompress(path.read_bytes()) for path in files]
    found = [record for text in texts for record in json.loads(text)["Records"]]
    assert sorted(one["eventID"] for one in found) == sorted(one["eventID"] for one in RECORDS)
    for path, text in zip(files, texts, strict=True):
        top, account, kind, region, *date = path.relative_to(tmp_path).parts[:-1]
        assert (top, kind, len(date)) == ("AWSLogs", "CloudTrail", 3)
        records = json.loads(text)["Records"]
        assert 1 <= len(records) <= 100
        assert {(r["recipientAccountId"], r["awsRegion"], r["eventTime"][:10]) for r in records} == {
            (account, region, "-".join(date))
        }
        assert path.name.startswith(f"{account}_CloudTrail_{region}_{''.join(date)}T")
    assert len({path.name for path in files}) == len(files)
    again = write_trail(TRAIL, tmp_path / "again", records_a_file=100)
    assert [path.read_bytes() for path in again] == [path.read_bytes() for path in files]


@pytest.mark.parametrize(
    "wrong",
    [{"events": 0, "incidents": False}, {"events": 1999}, {"days": 5}, {"accounts": 0}, {"keys": 5},
     {"principals": 3}, {"regions": ()}],
)  # fmt: skip
def test_what_no_trail_can_be_made_of_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ArgumentError):
        TrailOptions(**wrong)  # type: ignore[arg-type]


def test_a_small_trail_without_incidents() -> None:
    trail = SyntheticTrail(TrailOptions(events=3, incidents=False))
    assert len(list(trail.records())) == 3
    assert trail.incidents == ()


@pytest.mark.parametrize("accounts", [1, 5])
@pytest.mark.parametrize("seed", range(4))
def test_any_seed_will_do(accounts: int, seed: int) -> None:
    trail = SyntheticTrail(TrailOptions(events=2000, seed=seed, accounts=accounts))
    assert sum(1 for _ in trail.lines()) == 2000
