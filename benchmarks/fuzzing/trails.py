"""Logs of CloudTrail and stores of them, broken; and whether ingestion told of every record."""

from __future__ import annotations

import gzip
import json
import random
import re
import tempfile
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final

import duckdb

from fuzzing.documents import broken_copy
from fuzzing.run import Run
from fuzzing.texts import cut, flip, wrecked, written
from kms_constructs.runtime.trail.ingest import ingest
from kms_constructs.runtime.trail.sources import LocalFiles, Scope
from tests.runtime.trail.samples import ACCOUNT, KEY, REGION, ROLE, log, record

STORE: Final = "store"
LOGS: Final = "logs"
_BATCH: Final = "20260501T000000-000000000000"
_OTHER: Final = "444455556666"
_TO: Final = KEY.replace("1234abcd", "0987dcba")
_POLICY: Final = {
    "Version": "2012-10-17",
    "Statement": [
        {"Sid": "S", "Effect": "Allow", "Principal": {"AWS": ROLE}, "Action": "kms:*", "Resource": "*"}
    ],
}


def _kms(name: str, request: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"eventName": name, "requestParameters": request, "readOnly": False, **more}


_KINDS: Final[tuple[dict[str, Any], ...]] = (
    {},
    {},
    {},
    {"errorCode": "AccessDenied", "errorMessage": "User is not authorized"},
    {"sharedEventID": "s-1", "recipientAccountId": _OTHER},
    {
        "sourceIPAddress": "s3.amazonaws.com",
        "userIdentity": {"type": "AWSService", "invokedBy": "s3.amazonaws.com"},
    },
    _kms("GenerateDataKey", {"keyId": "alias/orders", "keySpec": "AES_256"}),
    _kms(
        "ReEncrypt",
        {"sourceKeyId": KEY, "destinationKeyId": _TO, "sourceEncryptionContext": {"a": "b"}},
        resources=[{"accountId": ACCOUNT, "ARN": KEY}, {"accountId": ACCOUNT, "ARN": _TO}],
    ),
    _kms("PutKeyPolicy", {"keyId": KEY, "policyName": "default", "policy": json.dumps(_POLICY)}),
    _kms(
        "CreateGrant",
        {"keyId": KEY, "operations": ["Decrypt"], "granteePrincipal": f"arn:aws:iam::{_OTHER}:root"},
        responseElements={"grantId": "g", "keyId": KEY},
    ),
    _kms(
        "ScheduleKeyDeletion",
        {"keyId": KEY, "pendingWindowInDays": 7},
        responseElements={
            "keyId": KEY,
            "keyState": "PendingDeletion",
            "deletionDate": "May 9, 2026, 1:00:00 AM",
        },
    ),
    _kms("DisableKey", {"keyId": KEY}),
    _kms("CreateAlias", {"aliasName": "alias/orders", "targetKeyId": KEY}),
    _kms(
        "CreateKey",
        {"policy": json.dumps(_POLICY)},
        responseElements={"keyMetadata": {"arn": _TO, "keyId": "k"}},
    ),
    {
        "eventName": "RotateKey",
        "eventType": "AwsServiceEvent",
        "serviceEventDetails": {"keyId": KEY},
        "requestParameters": None,
        "userIdentity": {"accountId": ACCOUNT, "invokedBy": "AWS Internal"},
    },
    {
        "eventSource": "s3.amazonaws.com",
        "eventName": "PutObject",
        "resources": [],
        "requestParameters": {"bucketName": "b", "x-amz-server-side-encryption-aws-kms-key-id": KEY},
    },
    {
        "eventSource": "s3.amazonaws.com",
        "eventName": "GetObject",
        "resources": [],
        "requestParameters": {"key": "k"},
    },
    {
        "eventSource": "cloudtrail.amazonaws.com",
        "eventName": "StopLogging",
        "resources": [],
        "requestParameters": {"name": "trail"},
    },
)
_TIMES: Final = (
    "0001-01-01T00:00:00Z",
    "9999-12-31T23:59:59Z",
    "2026-02-30T00:00:00Z",
    "2026-05-01T24:00:00Z",
    "2026-05-01T10:00:00+02:00",
    "2016-12-31T23:59:60Z",
    "1969-12-31T23:59:59Z",
    "",
)
_ODD: Final = (
    "\ud800",
    "\x00",
    "\x01",
    "\x1f",
    "a\rb",
    "a\nb",
    "\u2028",
    "'\"",
    "\\ud800",
    "\x1b[2J",
    "x" * 70_000,
)


def _records(dice: random.Random, most: int = 20) -> list[dict[str, Any]]:
    found = []
    for number in range(dice.choice((0, 1, 2, 5, most))):
        one = record(number * dice.choice((1, 60, 1_441)), **dice.choice(_KINDS))
        if dice.random() < 0.1:
            one["eventID"] = "e-0"
        if dice.random() < 0.03:
            one["eventTime"] = dice.choice(_TIMES)
        if dice.random() < 0.05:
            one[dice.choice(tuple(one))] = dice.choice(_ODD)
        if dice.random() < 0.05:
            one["requestParameters"] = {
                "keyId": KEY,
                "encryptionContext": {dice.choice(_ODD): dice.choice(_ODD)},
            }
        found.append(one)
    return found


# --- the forms that records are kept in ---------------------------------------------------------------------


def _text(value: Any, dice: random.Random) -> bytes:
    return written(value, dice)[0]


def _lines(records: Sequence[Any], dice: random.Random) -> bytes:
    return b"\n".join(_text(one, dice) for one in records)


def _looked_up(records: Sequence[Any], dice: random.Random) -> bytes:
    return _text({"Events": [{"EventId": "e", "CloudTrailEvent": json.dumps(one)} for one in records]}, dice)


def _lake(records: Sequence[Any], dice: random.Random) -> bytes:
    quoted = (json.dumps(one).replace('"', '""') for one in records)
    return "\n".join(["eventID,eventJson", *(f'e,"{one}"' for one in quoted)]).encode(
        "utf-8", "surrogatepass"
    )


def _answered(records: Sequence[Any], dice: random.Random) -> bytes:
    return _text({"QueryResultRows": [[{"eventJson": json.dumps(one)}] for one in records]}, dice)


def _delivered(records: Sequence[Any], dice: random.Random) -> bytes:
    text = json.dumps({"Records": records}, separators=(",", ":"), ensure_ascii=dice.random() < 0.5)
    return text.encode("utf-8", "surrogatepass")


_FORMS: Final[tuple[Callable[[Sequence[Any], random.Random], bytes], ...]] = (
    _delivered, _delivered, _delivered, _delivered, _lines, _looked_up, _lake, _answered,
    _text, lambda records, dice: _text({"Records": records, "more": 1}, dice),
)  # fmt: skip


def _content(dice: random.Random) -> bytes:
    """A log as stored."""
    records = broken_copy(_records(dice), dice, (0, 0, 0, 1, 2, 4))
    form = dice.choice(_FORMS) if isinstance(records, list) else _delivered
    content = form(records, dice)
    if dice.random() < 0.2:
        content = wrecked(content, dice)
    return _packed(content, dice) if dice.random() < 0.4 else content


def _packed(content: bytes, dice: random.Random) -> bytes:
    half = dice.randrange(len(content) + 1)
    packed = gzip.compress(content, 1, mtime=0)
    return dice.choice((
        lambda: packed, lambda: packed, lambda: cut(packed, dice), lambda: flip(packed, dice),
        lambda: gzip.compress(content[:half], mtime=0) + gzip.compress(content[half:], mtime=0),
        lambda: packed + b"\0" * dice.choice((1, 512)), lambda: packed + b"rubbish",
        lambda: gzip.compress(content + b" " * 2_200_000, 1, mtime=0),
        lambda: gzip.compress(packed, mtime=0),
    ))()  # fmt: skip


_NAMES: Final = (
    "a.json", "b.json.gz", "c.jsonl", "d.csv", "e.txt", "f\x1b[2J.json", "g'h.json", "i\udcff.json",
    "\u202e.json.gz",
    f"{ACCOUNT}_CloudTrail_{REGION}_20260501T0005Z_a.json.gz",
    f"{ACCOUNT}_CloudTrail_us-east-1_20260430T2355Z_b.json.gz",
    f"{ACCOUNT}_CloudTrail_{REGION}_99999999T9999Z_c.json",
    f"{ACCOUNT}_CloudTrail-Digest_{REGION}_t_{REGION}_20260501T000500Z.json.gz", "result_sign.json",
)  # fmt: skip


def logs(dice: random.Random) -> dict[str, bytes]:
    """Log files, in a directory."""
    files = {f"{LOGS}/{dice.choice(_NAMES)}": _content(dice) for _ in range(dice.choice((1, 1, 2, 4)))}
    if dice.random() < 0.1:
        files[f"{LOGS}/copy.json"] = dice.choice(tuple(files.values()))
    return files


# --- stores -------------------------------------------------------------------------------------------------


@cache
def _good_store() -> dict[str, bytes]:
    """The files of a store, as ingestion leaves them, under names that are the same in every run."""
    records = [record(number * 977, **kind) for number, kind in enumerate(_KINDS * 2)]
    with tempfile.TemporaryDirectory() as place:
        source = Path(place, "a.json")
        source.write_bytes(log(records))
        store = Path(place, STORE)
        ingest(store, [LocalFiles((source,), Scope())])
        (name,) = {file.stem for file in store.rglob("*.parquet")}
        files = {
            str(Path(STORE, file.relative_to(store))).replace(name, _BATCH): file.read_bytes()
            for file in sorted(store.rglob("*"))
            if file.is_file()
        }
    told = json.loads(files[f"{STORE}/manifest.jsonl"])
    files[f"{STORE}/manifest.jsonl"] = (
        json.dumps({**told, "batch": _BATCH, "at": "2026-05-01"}).encode() + b"\n"
    )
    lists = f"{STORE}/files/{_BATCH}.jsonl"
    files[lists] = re.sub(rb'"name":"[^"]*","mark":"[^"]*"', b'"name":"a.json","mark":"1:1"', files[lists])
    return files


def store(dice: random.Random) -> dict[str, bytes]:
    """The files of a store of which some are broken, or missing."""
    files = dict(_good_store())
    for _ in range(dice.choice((0, 0, 0, 1, 1, 2))):
        name = dice.choice(sorted(files))
        if name.endswith(".jsonl") and dice.random() < 0.6:
            document = broken_copy(json.loads(_good_store()[name]), dice, (1, 2))
            files[name] = written(document, dice)[0] + dice.choice((b"\n", b"\n", b""))
            continue
        if dice.random() < 0.15:
            del files[name]
            continue
        files[name] = dice.choice((cut, flip, flip, wrecked))(files[name], dice)
    return files


# --- what ingestion has to tell -----------------------------------------------------------------------------


def accounting(run: Run, code: int, out: str) -> list[str]:
    """What the summary of ingestion, as JSON, leaves out of the logs of a run."""
    if not out.startswith("{"):
        return [] if code == 2 else [f"it ended with {code} and told nothing"]
    told = json.loads(out)
    bad = [one for one in told["quarantined"] if re.search(r", record \d+$", one["name"])]
    whole = [one for one in told["quarantined"] if one not in bad]
    found = []
    if bool(told["quarantined"]) != (code == 3):
        found.append(f"{len(told['quarantined'])} things are quarantined, and it ended with {code}")
    given = {name: content for name, content in run.files.items() if name.startswith(f"{LOGS}/")}
    taken = told["files"] + told["known"] + told["other"] + told["outside"] + len(whole)
    if run.arguments[2] == LOGS:
        given = {name: one for name, one in given.items() if not name.endswith(".txt")}
    if taken != len(given):
        found.append(f"of {len(given)} files it tells of {taken}: {told}")
    parts = told["kept"] + told["unrelated"] + told["duplicates"] + len(bad)
    if told["events"] != parts:
        found.append(f"of {told['events']} records it tells of {parts}: {told}")
    if not run.before and told["total"] != told["kept"]:
        found.append(f"of {told['kept']} events the store has {told['total']}")
    if told["total"] != (rows := _rows()):
        found.append(f"of {told['total']} events the store has {rows} in its files")
    if not (told["known"] or told["other"] or told["outside"]):
        found += _missing(given, told["events"], {Path(one["name"]).name for one in whole})
    return found


def _missing(given: dict[str, bytes], events: int, refused: set[str]) -> list[str]:
    """Whether every record of the files that were taken was counted, and what nobody can read was refused."""
    expected = 0
    for name, content in given.items():
        number = _number(content)
        if Path(name).name.encode("utf-8", "backslashreplace").decode() in refused:
            continue
        if number is None:
            return []
        if number < 0:
            return [f"{name} cannot be read, and was taken"]
        expected += number
    return [] if expected == events else [f"of {expected} records in files it read {events}"]


def _number(content: bytes) -> int | None:
    """The records of a log, read plainly; -1 when it cannot be read, None when its form is not plain."""
    try:
        text = (gzip.decompress(content) if content.startswith(b"\x1f\x8b") else content).decode("utf-8-sig")
    except (OSError, EOFError, ValueError):
        return -1
    except Exception:  # noqa: BLE001 - zlib's own error is no OSError
        return -1
    try:
        whole = json.loads(text)
    except ValueError:
        return None
    except RecursionError:
        return -1
    if isinstance(whole, list):
        return len(whole)
    for name in ("Records", "Events", "QueryResultRows") if isinstance(whole, dict) else ():
        if name in whole:
            return len(whole[name]) if isinstance(whole[name], list) else None
    return None


_connections: list[duckdb.DuckDBPyConnection] = []


def _rows() -> int:
    """The events in the files of the store."""
    files = [str(one) for one in Path(STORE).glob("events/month=*/*.parquet")]
    if not files:
        return 0
    if not _connections:
        _connections.append(duckdb.connect())
    (found,) = _connections[0].execute("SELECT count(*) FROM read_parquet(?)", [files]).fetchone() or (0,)
    return int(found)
