"""Detections over a synthetic trail: what was planted against what is found, and against a plain count.

    python benchmarks/detections.py --events 1000000

Everything planted has to be found and nothing beside it; the numbers have to be those of a count by the
standard library alone, over the same files. Exits with 1 when they are not.
"""

from __future__ import annotations

import argparse
import gzip
import json
import resource
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # the tests stand beside, uninstalled

from kms_constructs.detections.synthetic.trail import SyntheticTrail
from kms_constructs.detections.synthetic.world import TrailOptions
from kms_constructs.detections.trail.detection import Detected
from kms_constructs.runtime.sample_trail import write_trail
from kms_constructs.runtime.trail.detecting import DetectSettings, detect
from kms_constructs.runtime.trail.ingest import ingest
from kms_constructs.runtime.trail.sources import LocalFiles, Scope
from kms_constructs.runtime.trail.store import TrailStore
from tests.runtime.trail.planted import differences

_Result = TypeVar("_Result")
_USES = frozenset(
    (
        "Decrypt",
        "Encrypt",
        "GenerateDataKey",
        "GenerateDataKeyWithoutPlaintext",
        "ReEncrypt",
        "Sign",
        "Verify",
        "GenerateMac",
        "VerifyMac",
    )
)


def measured(what: str, run: Callable[[], _Result]) -> _Result:
    wall, cpu = time.perf_counter(), time.process_time()
    result = run()
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{what:34} {time.process_time() - cpu:8.1f} CPU s {time.perf_counter() - wall:8.1f} s "
          f"{most:8.0f} MiB at most so far")  # fmt: skip
    return result


@dataclass
class Plain:
    """A count of the files by the standard library, one record after the other."""

    baseline_end: str
    calls: set[str] = field(default_factory=set)
    disabled: Counter[tuple[str, str]] = field(default_factory=Counter)
    root: Counter[str] = field(default_factory=Counter)
    refused: Counter[tuple[str, str]] = field(default_factory=Counter)
    decrypted: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    callers: dict[str, dict[str, list[int]]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(lambda: [0, 0]))
    )
    days: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))

    def take(self, record: dict[str, Any]) -> None:
        """Counts a record."""
        if record["eventType"] == "AwsVpceEvent":
            self.calls.add(record["eventID"])
            return
        identity = record["userIdentity"]
        shared = record.get("sharedEventID")
        self.calls.add(shared or record["eventID"])
        if identity.get("type") == "AWSAccount":
            return  # the account of the caller has the same call
        issuer = identity.get("sessionContext", {}).get("sessionIssuer", {})
        caller = issuer.get("arn") or identity.get("arn") or identity.get("invokedBy")
        name, time_, error = record["eventName"], record["eventTime"], record.get("errorCode")
        keys = [one["ARN"] for one in record.get("resources") or () if ":kms:" in one["ARN"]]
        if record["eventSource"] != "kms.amazonaws.com":
            return
        if name == "DisableKey" and not error:
            self.disabled[caller, keys[0]] += 1
        if identity.get("type") == "Root" and name == "Decrypt":
            self.root[keys[0]] += 1
        if name == "Decrypt" and error == "AccessDenied":
            self.refused[caller, keys[0]] += 1
        if name in _USES and not error:
            for key in keys:
                self.callers[key][caller][time_[:10] >= self.baseline_end] += 1
                if time_[:10] < self.baseline_end:
                    self.days[key].add(time_[:10])
            if name in ("Decrypt", "ReEncrypt"):
                self.decrypted[caller, keys[0], time_[:10]] += 1

    def new_callers(self) -> dict[tuple[str, str], int]:
        """Callers after the baseline that a key with enough history did not have in it."""
        return {
            (caller, key): after
            for key, callers in self.callers.items()
            if sum(before for before, _ in callers.values()) >= 20 and len(self.days[key]) >= 5
            for caller, (before, after) in callers.items()
            if after and not before
        }

    def compared(self, found: Detected) -> Iterator[str]:
        """What the detections count otherwise."""
        of = {
            id_: {(one.principal, one.key): one.count for one in found.findings if one.what.id == id_}
            for id_ in ("disable-key-unauthorised", "root-user-use", "denied-burst", "principal-never-seen")
        }
        pairs: Sequence[tuple[str, object, object]] = (
            ("calls", len(self.calls), found.calls),
            ("disabled", dict(self.disabled), of["disable-key-unauthorised"]),
            ("root", dict(self.root), {key: count for (_, key), count in of["root-user-use"].items()}),
            ("refused", {one: self.refused[one] for one in of["denied-burst"]}, of["denied-burst"]),
            ("new callers", self.new_callers(), of["principal-never-seen"]),
        )
        for what, plain, ours in pairs:
            if plain != ours:
                yield f"{what}: {plain} by a plain count, {ours} here"
        for one in found.findings:
            if one.what.id == "decrypt-volume":
                plain_count = self.decrypted[one.principal, one.key, one.first[:10]]
                if plain_count != one.count:
                    yield f"decrypted: {plain_count} by a plain count, {one.count} here"


def counted(files: Sequence[Path], baseline_end: str) -> Plain:
    plain = Plain(baseline_end)
    for path in files:
        for record in json.loads(gzip.decompress(path.read_bytes()))["Records"]:
            plain.take(record)
    return plain


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--no-count", action="store_true", help="leave the plain count out")
    given = parser.parse_args()
    trail = SyntheticTrail(TrailOptions(events=given.events, seed=given.seed))
    print(f"{given.events:,} events, seed {given.seed}, {len(trail.incidents)} incidents and routine works")
    with tempfile.TemporaryDirectory() as place:
        logs, directory = Path(place, "logs"), Path(place, "store")
        files = measured("write the log files", lambda: write_trail(trail, logs))
        size = sum(path.stat().st_size for path in files)
        print(f"{len(files)} files, {size / 1e6:.0f} MB")
        measured("ingest", lambda: ingest(directory, [LocalFiles([logs], Scope())]))
        settings = DetectSettings(authorised=trail.authorised, baseline_days=trail.baseline_days)
        with TrailStore(directory).connect() as connection:
            found = measured("detect", lambda: detect(connection, settings))
        said = differences(trail.incidents, found.findings)
        if not given.no_count:
            plain = measured("plain count, standard library", lambda: counted(files, found.baseline_end))
            said += plain.compared(found)
    planted = sum(len(one.findings) for one in trail.incidents)
    print(
        f"{planted} planted for detections, {len(found.findings)} findings (each a detection, caller, key), "
        f"{len(said)} differences"
    )
    for line in (*said, *found.notes):
        print(f"  {line}")
    return 1 if said else 0


if __name__ == "__main__":
    raise SystemExit(main())
