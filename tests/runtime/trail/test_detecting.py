from __future__ import annotations

import dataclasses
import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from kms_constructs.detections.relations import flatten
from kms_constructs.detections.synthetic.trail import SyntheticTrail
from kms_constructs.detections.synthetic.world import TrailOptions
from kms_constructs.detections.trail.calls import Call, principal_of
from kms_constructs.detections.trail.catalogue import everything
from kms_constructs.detections.trail.detection import Detected, TrailFinding, grouped
from kms_constructs.detections.trail.requests import judge_call
from kms_constructs.errors import ArgumentError
from kms_constructs.runtime.trail.detecting import DetectSettings, detect
from kms_constructs.runtime.trail.ingest import ingest
from kms_constructs.runtime.trail.sources import LocalFiles, Scope
from kms_constructs.runtime.trail.store import TrailStore
from tests.detections.events import ALICE, call
from tests.detections.trail.test_requests import CASES_OF_CALLS
from tests.runtime.trail.planted import differences, expected_of

RECORDS = 4000


def opened(records: Iterable[dict[str, Any]], into: Path) -> duckdb.DuckDBPyConnection:
    """A store of records."""
    into.mkdir(parents=True, exist_ok=True)
    log = into / "log.json"
    log.write_text(json.dumps({"Records": list(records)}, separators=(",", ":")))
    ingest(into / "store", [LocalFiles([log], Scope())])
    return TrailStore(into / "store").connect(threads=1)


def settings_of(trail: SyntheticTrail, **more: Any) -> DetectSettings:
    return DetectSettings(authorised=trail.authorised, baseline_days=trail.baseline_days, **more)


@pytest.fixture(scope="module")
def trail() -> SyntheticTrail:
    return SyntheticTrail(TrailOptions(events=RECORDS, seed=11))


@pytest.fixture(scope="module")
def store(
    trail: SyntheticTrail, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[duckdb.DuckDBPyConnection]:
    connection = opened(trail.records(), tmp_path_factory.mktemp("trail"))
    yield connection
    connection.close()


@pytest.fixture(scope="module")
def found(trail: SyntheticTrail, store: duckdb.DuckDBPyConnection) -> Detected:
    return detect(store, settings_of(trail))


@pytest.mark.parametrize(
    "options",
    [
        TrailOptions(events=RECORDS, seed=11),
        TrailOptions(events=2000, seed=12),
        TrailOptions(events=2500, seed=13, accounts=1, regions=("eu-west-1",)),
        TrailOptions(events=6000, seed=14, accounts=4, keys=60, principals=80, days=20),
        TrailOptions(events=3000, seed=15, days=60),
    ],
    ids=lambda options: f"{options.events} events, seed {options.seed}",
)
def test_everything_planted_is_found_and_nothing_is_invented(options: TrailOptions, tmp_path: Path) -> None:
    trail = SyntheticTrail(options)
    with opened(trail.records(), tmp_path) as connection:
        found = detect(connection, settings_of(trail))
    assert differences(trail.incidents, found.findings) == []


def test_without_incidents_nothing_is_found(tmp_path: Path) -> None:
    trail = SyntheticTrail(TrailOptions(events=3000, seed=3, incidents=False))
    with opened(trail.records(), tmp_path) as connection:
        assert detect(connection, settings_of(trail)).findings == ()


def test_every_detection_is_planted(trail: SyntheticTrail) -> None:
    planted = {detection for one in trail.incidents for detection in one.findings}
    by_others = {one.removesuffix("-unauthorised") for one in planted}
    assert by_others == {one.id for one in everything()}


def test_the_same_is_found_by_plain_python(
    trail: SyntheticTrail, found: Detected, store: duckdb.DuckDBPyConnection
) -> None:
    """What calls tell by themselves, and refusals and volumes counted one by one: no SQL, no shared code."""
    shared: dict[str, list[Call]] = defaultdict(list)
    for record in trail.records():
        call = Call(*flatten(record))
        shared[call.event.shared_event_id or call.event.event_id].append(call)
    calls = [
        min(same, key=lambda one: (one.event.caller is None, one.event.event_id)) for same in shared.values()
    ]
    assert found.calls == len(calls)

    told: Counter[tuple[str, str, str]] = Counter()
    for call in calls:
        for one in judge_call(call, authorised=trail.authorised):
            told[one.what.id, one.key, one.principal] += 1
    ids = {detection for detection, _, _ in told}
    assert {
        (one.what.id, one.key, one.principal): one.count for one in found.findings if one.what.id in ids
    } == dict(told)

    (burst,) = [one for one in found.findings if one.what.id == "denied-burst"]
    refused = [
        call for call in calls
        if call.event.error_code == "AccessDenied" and call.event.event_name == "Decrypt"
        and principal_of(call.event) == burst.principal and call.key == burst.key
    ]  # fmt: skip
    assert burst.count == len(refused)
    assert (burst.first, burst.last) == (
        min(call.event.event_time for call in refused),
        max(call.event.event_time for call in refused),
    )
    (volume,) = [one for one in found.findings if one.what.id == "decrypt-volume"]
    assert volume.count == sum(
        call.event.event_name in ("Decrypt", "ReEncrypt") and call.event.error_code is None
        and principal_of(call.event) == volume.principal and call.key == volume.key
        and call.event.event_time[:10] == volume.first[:10]
        for call in calls
    )  # fmt: skip


def test_the_engine_and_python_name_callers_alike(store: duckdb.DuckDBPyConnection) -> None:
    from kms_constructs.runtime.trail import detecting

    columns = "caller, service, caller_account, principal_id"
    asked = f"SELECT DISTINCT {columns}, {detecting._PRINCIPAL} FROM events"  # noqa: S608
    row = flatten(
        {"eventID": "e", "eventTime": "2026-05-01T00:00:00Z", "eventName": "n", "eventSource": "s"}
    )[0]
    rows = store.execute(asked).fetchall()
    assert len(rows) > 20
    for caller, service, account, unique, principal in rows:
        event = row._replace(caller=caller, service=service, caller_account=account, principal_id=unique)
        assert principal_of(event) == principal
    for event in (row, row._replace(caller_account="1"), row._replace(principal_id="AROA:s")):
        asked = f"SELECT {detecting._PRINCIPAL} FROM (SELECT $a AS caller, $b AS service, $c AS caller_account, $d AS principal_id)"  # noqa: S608, E501
        told = {"a": event.caller, "b": event.service, "c": event.caller_account, "d": event.principal_id}
        ((principal,),) = store.execute(asked, told).fetchall()
        assert principal_of(event) == principal


def test_no_call_that_tells_something_is_left_out(
    trail: SyntheticTrail, found: Detected, store: duckdb.DuckDBPyConnection
) -> None:
    """The engine hands over few calls; judged one by one, all others set off nothing."""
    handed = {event for (event,) in store.execute("SELECT event_id FROM detect_candidates").fetchall()}
    assert len(handed) < RECORDS / 10
    for record in trail.records():
        call = Call(*flatten(record))
        if list(judge_call(call, authorised=trail.authorised)):
            assert call.event.event_id in handed


def test_every_case_is_told_by_a_store_as_by_the_call_alone(tmp_path: Path) -> None:
    """The cases of `tests.detections.trail.test_requests`, each a call of its own in one trail."""
    expected: Counter[str] = Counter()
    records = []
    for number, case in enumerate(CASES_OF_CALLS):
        record = call(case.name.split(":")[0], **{"by": ALICE, **case.told})["detail"]
        records.append(record | {"eventID": f"case-{number:03}"})
        expected.update(one.what.id for one in judge_call(Call(*flatten(records[-1]))))
    with opened(records, tmp_path) as connection:
        found = detect(connection)
    counted: Counter[str] = Counter()
    for one in found.findings:
        counted[one.what.id] += one.count
    follows = {"replica-new-region", "policy-gained", "made-public", "use-after-deletion-announced"}
    assert {id_: count for id_, count in counted.items() if id_ not in follows} == dict(expected)


def _by_detection(findings: Iterable[TrailFinding]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = defaultdict(set)
    for one in findings:
        found[one.what.id].add(one.key)
    return found


def test_one_key_alone(trail: SyntheticTrail, store: duckdb.DuckDBPyConnection, found: Detected) -> None:
    key = next(one.key for one in trail.incidents if one.kind == "principal-never-seen")
    for name in (key, key.rpartition("/")[2]):
        alone = detect(store, settings_of(trail, keys=(name,)))
        about = [one for one in alone.findings if one.key]
        assert about == [one for one in found.findings if one.key == key]
        # A trail is about no key, and hides what is done to this one.
        assert {one.what.id for one in alone.findings if not one.key} >= {
            "trail-stopped",
            "trail-without-kms",
        }


def test_a_key_by_its_alias(trail: SyntheticTrail, store: duckdb.DuckDBPyConnection) -> None:
    named = store.execute("SELECT alias, key FROM event_keys WHERE alias IS NOT NULL").fetchone()
    assert named is not None
    detected = detect(store, settings_of(trail, keys=(named[0],)))
    assert {one.key for one in detected.findings} <= {"", named[1]}


def test_a_key_that_nobody_named_is_refused(store: duckdb.DuckDBPyConnection) -> None:
    with pytest.raises(ArgumentError, match="no event of the store names such a key"):
        detect(store, DetectSettings(keys=("alias/nobody",)))


def test_a_period(trail: SyntheticTrail, store: duckdb.DuckDBPyConnection) -> None:
    early = detect(store, settings_of(trail, until=date(2026, 5, 10)))
    assert early.findings == ()
    assert early.last < "2026-05-11"
    assert early.baseline_end == ""
    assert any("nothing is said of what is new" in note for note in early.notes)


def test_a_late_period_is_compared_with_what_was_before(
    trail: SyntheticTrail, store: duckdb.DuckDBPyConnection, found: Detected
) -> None:
    """Day after day, with a fortnight before each: together they tell what one run over all of it tells."""
    begin = date(2026, 5, 15)
    daily = Counter[tuple[str, str, str]]()
    for number in range(16):
        day = begin + timedelta(days=number)
        told = detect(store, settings_of(trail, since=day, until=day))
        assert told.first[:10] == told.last[:10] == told.baseline_end == str(day)
        for one in told.findings:
            assert one.first >= str(day)
            daily[one.what.id, one.key, one.principal] += one.count
    whole = Counter({(one.what.id, one.key, one.principal): one.count for one in found.findings})
    # What is new on one day is usual on later ones, and so does not come again.
    assert daily == whole


def test_without_anything_before_nothing_is_compared(
    trail: SyntheticTrail, store: duckdb.DuckDBPyConnection
) -> None:
    found = detect(store, settings_of(trail, since=date(2026, 4, 1)))
    assert found.baseline_end == ""
    assert any(note.startswith("The store has nothing before 2026-04-01") for note in found.notes)
    assert "disable-key-unauthorised" in _by_detection(found.findings)


def test_nothing_at_all(store: duckdb.DuckDBPyConnection) -> None:
    found = detect(store, DetectSettings(since=date(2030, 1, 1)))
    assert (found.findings, found.calls, found.notes) == ((), 0, ("There is no call in this time.",))


@pytest.mark.parametrize(
    "wrong", [{"baseline_days": 0}, {"since": date(2026, 5, 2), "until": date(2026, 5, 1)}]
)
def test_settings_that_make_no_sense_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ArgumentError):
        DetectSettings(**wrong)


def test_who_is_authorised_on_one_key_is_not_on_another(
    trail: SyntheticTrail, store: duckdb.DuckDBPyConnection
) -> None:
    kinds = {one.kind: one for one in trail.incidents}
    disabled, policy = kinds["disable-key-unauthorised"], kinds["policy-gained"]
    by_key = {
        disabled.key: {"IAM-KMS-4": [disabled.principal]},
        policy.key: {"IAM-KMS-3": [policy.principal]},
    }
    settings = dataclasses.replace(settings_of(trail), by_key=by_key)
    found = {(one.what.id, one.key) for one in detect(store, settings).findings}
    assert ("disable-key", disabled.key) in found
    assert ("disable-key-unauthorised", disabled.key) not in found
    assert ("put-key-policy-unauthorised", policy.key) in found


@pytest.mark.parametrize("events", [1, 300, 1500])
def test_slices_of_any_size_tell_the_same(
    events: int, trail: SyntheticTrail, store: duckdb.DuckDBPyConnection, found: Detected,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    # By its own globals: other tests have modules imported anew.
    monkeypatch.setitem(detect.__globals__, "_SLICE", events)
    assert detect(store, settings_of(trail)) == found


def test_findings_are_one_a_caller_and_key_loudest_first(found: Detected) -> None:
    places = [(one.what.id, one.key, one.principal) for one in found.findings]
    assert len(set(places)) == len(places)
    levels = [one.level.value for one in found.findings]
    assert levels == sorted(levels, key=["critical", "alert", "information"].index)
    assert grouped(found.findings) == found.findings
    assert all(one.events and one.first <= one.last for one in found.findings)


def test_a_trail_read_twice_is_told_once(trail: SyntheticTrail, tmp_path: Path, found: Detected) -> None:
    records = list(trail.records())
    with opened([*records, *records[: RECORDS // 2]], tmp_path) as connection:
        again = detect(connection, settings_of(trail))
    assert again == found


def test_what_is_expected_names_every_incident(trail: SyntheticTrail) -> None:
    assert len(expected_of(trail.incidents)) >= len({one.kind for one in trail.incidents})
