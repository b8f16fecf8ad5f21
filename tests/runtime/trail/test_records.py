"""The fast way says what `flatten` says, whatever the records are."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from kms_constructs.detections.relations import EVENT_COLUMNS, flatten, is_wanted
from kms_constructs.runtime.trail.ingest import ingest
from kms_constructs.runtime.trail.records import Reader
from kms_constructs.runtime.trail.sources import LocalFiles, Scope
from kms_constructs.runtime.trail.store import TrailStore
from tests.runtime.trail.samples import ACCOUNT, KEY, REGION, log, record

JSONS = ("encryption_context", "destination_encryption_context", "request", "response", "additional")
ANOTHER = "arn:aws:kms:us-east-1:444455556666:key/mrk-1"

texts = st.one_of(
    st.sampled_from(
        ["", "kms.amazonaws.com", "é\u2028", "a\nb", "\x1f\x01", "\r", '"', "\\", "\x00", "None"]
    ),
    st.text(max_size=8),
)
scalars = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), texts
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(texts, inner, max_size=2),
    max_leaves=4,
)
keys = st.sampled_from(
    [KEY, ANOTHER, "1234abcd-12ab-34cd-56ef-1234567890ab", "alias/orders",
     f"arn:aws:kms:{REGION}:{ACCOUNT}:alias/orders", "mrk-1"]
)  # fmt: skip
contexts = st.dictionaries(texts, texts, max_size=3)
TIMES = ("2026-05-01T10:00:00Z", "2026-05-31T23:59:59Z", "2026-02-01T00:00:00.5Z")
HEADER = "x-amz-server-side-encryption-aws-kms-key-id"
requests = st.one_of(
    values,
    st.fixed_dictionaries(
        {},
        optional={
            "keyId": keys | texts, "sourceKeyId": keys, "destinationKeyId": keys, "targetKeyId": keys,
            HEADER: keys | scalars, "encryptionContext": contexts | values, "limit": scalars,
            "sourceEncryptionContext": contexts, "destinationEncryptionContext": contexts | st.none(),
        },
    ),
)  # fmt: skip
resources = st.one_of(
    values,
    st.lists(st.fixed_dictionaries({"ARN": keys | scalars}, optional={"type": texts}), max_size=3),
)
identities = st.one_of(
    values,
    st.fixed_dictionaries(
        {},
        optional={
            "type": texts, "arn": texts | st.just("arn:aws:iam::111122223333:user/a"), "accountId": texts,
            "principalId": texts | st.none(), "invokedBy": texts,
            "sessionContext": st.fixed_dictionaries(
                {}, optional={"sessionIssuer": st.fixed_dictionaries({}, optional={"arn": texts | st.none()})}
            ) | st.none(),
        },
    ),
)  # fmt: skip
records = st.fixed_dictionaries(
    {
        "eventTime": st.sampled_from(TIMES),
        "eventSource": st.sampled_from(["kms.amazonaws.com", "s3.amazonaws.com", "cloudtrail.amazonaws.com"]),
        "eventName": st.sampled_from(["Decrypt", "PutObject", "é\nName"]),
    },
    optional={
        "eventVersion": texts, "sharedEventID": texts | st.none(), "eventType": texts, "eventCategory": texts,
        "readOnly": st.booleans() | st.none() | texts, "recipientAccountId": st.just(ACCOUNT) | scalars,
        "awsRegion": st.sampled_from([REGION, "cn-north-1", ""]), "userIdentity": identities,
        "sourceIPAddress": texts, "userAgent": texts | st.none(), "vpcEndpointId": texts, "errorCode": texts,
        "errorMessage": texts, "requestParameters": requests, "resources": resources,
        "responseElements": st.none()
        | st.dictionaries(st.just(HEADER) | texts, keys | values, max_size=2),
        "serviceEventDetails": st.one_of(st.none(), st.fixed_dictionaries({"keyId": keys})),
        "additionalEventData": values | st.none(),
    },
)  # fmt: skip


def stored(found: Sequence[Mapping[str, object]]) -> tuple[list[object], list[object]]:
    """What the store holds of a log file with these records."""
    with TemporaryDirectory() as directory:
        file = Path(directory, "a.json")
        file.write_bytes(log(found))
        ingest(Path(directory, "store"), [LocalFiles((file,), Scope())])
        with TrailStore(Path(directory, "store")).connect(threads=1) as connection:
            events = connection.table("events").order("event_id").fetchall()
            keyed = connection.table("event_keys").fetchall()
    return [plain(row[:-1]) for row in events], sorted(repr((row[0], *row[2:-1])) for row in keyed)


def flattened(found: Sequence[Mapping[str, object]]) -> tuple[list[object], list[object]]:
    """What it should hold: that of `flatten`."""
    pairs = [flatten(one) for one in found if is_wanted(one)]
    events = sorted((event for event, _ in pairs), key=lambda event: event.event_id)
    keyed = sorted(repr((key.event_id, *key[2:])) for _, keys in pairs for key in keys)
    return [plain((*event[:3], datetime.fromisoformat(event[3][:-1]), *event[4:])) for event in events], keyed


def plain(row: Sequence[object]) -> object:
    """A row, its JSON parsed."""
    return {
        name: json.loads(value) if name in JSONS and isinstance(value, str) else value
        for name, value in zip(EVENT_COLUMNS, row, strict=True)
    }


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(records, min_size=1, max_size=6))
@example([{"eventTime": "2026-05-01T10:00:00Z", "eventSource": "kms.amazonaws.com", "eventName": "D",
           "requestParameters": {"keyId": KEY, "encryptionContext": {"b": "1", "a": "\ud800"}}}])  # fmt: skip
def test_the_store_holds_what_flatten_says(found: list[dict[str, object]]) -> None:
    numbered = [{**one, "eventID": f"e-{number}"} for number, one in enumerate(found)]
    assert stored(numbered) == flattened(numbered)


def test_requests_that_are_forgotten_are_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kms_constructs.runtime.trail.records._CACHED", 2)
    order = (1, 2, 1, 3, 4, 1, 5, 6, 7, 1, 2)
    found = [{**record(request), "eventID": f"e-{place}"} for place, request in enumerate(order)]
    assert stored(found) == flattened(found)


@pytest.mark.parametrize("number", range(3))
def test_contexts_have_their_names_sorted(number: int) -> None:
    found = record(number, requestParameters={"encryptionContext": {"b": "é", "a": '"', "B": "1"}})
    reader = Reader()
    reader.read(log([found]))
    assert reader.requests[0].split("\x1f")[0] == '{"B":"1","a":"\\"","b":"é"}'


def test_what_cloudtrail_delivers_takes_the_fast_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kms_constructs.runtime.trail.records.flatten", flatten)
    monkeypatch.setattr(
        "kms_constructs.runtime.trail.records.records_of", lambda _document: pytest.fail("the general way")
    )
    reader = Reader()
    lines = b"\n".join(json.dumps(record(n), separators=(",", ":")).encode() for n in range(2))
    answer = json.dumps({"Events": [{"EventId": "e", "CloudTrailEvent": json.dumps(record(1))}]}, indent=4)
    for document in (log([record(1), record(2, eventSource="s3.amazonaws.com")]), lines, answer.encode()):
        assert reader.read(document).events
