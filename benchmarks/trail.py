"""`python -m benchmarks.trail [EVENTS…]`: what ingestion costs beside a count with the standard library.

For each number of events (100,000 and 1,000,000 if none is given) a synthetic trail is written as CloudTrail
delivers it. A process each then

- counts it with json and gzip: by event name, caller, key and error, in one pass, a file at a time,
- ingests it,
- asks the store the same four questions,

and the CPU time of each (user and system, all threads), its time and its peak memory are printed, with the
ratios. The counts have to be equal. The bound is 0.75 times the CPU time of the count, from a
million events on.
"""

from __future__ import annotations

import gzip
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from kms_constructs.detections.synthetic.trail import SyntheticTrail
from kms_constructs.detections.synthetic.world import TrailOptions

BOUND = 0.75
FROM = 1_000_000
"""Events from which on the bound holds: starting DuckDB takes as long as a hundred thousand of them."""
PER_FILE = 5_000
RUNS = 3
"""The best of so many counts: other work on the machine makes each of them slower, never faster."""

Counts = list[list[tuple[str, int]]]


def deliver(directory: Path, events: int) -> int:
    """Writes log files, and tells their size in bytes."""
    options = TrailOptions(events=events, days=90, accounts=3, keys=60, principals=200)
    waiting: dict[tuple[str, str], list[str]] = {}
    begun: dict[tuple[str, str], str] = {}
    size = number = 0

    def write(place: tuple[str, str]) -> None:
        nonlocal size, number
        account, region = place
        moment = begun.pop(place).replace("-", "").replace(":", "")[:13]
        number += 1
        file = directory / f"{account}_CloudTrail_{region}_{moment}Z_{number:016}.json.gz"
        content = gzip.compress(f'{{"Records":[{",".join(waiting.pop(place))}]}}'.encode(), 6)
        size += file.write_bytes(content)

    for line in SyntheticTrail(options).lines():
        place = line.account, line.region
        begun.setdefault(place, line.time)
        waiting.setdefault(place, []).append(line.text)
        if len(waiting[place]) == PER_FILE:
            write(place)
    for place in list(waiting):
        write(place)
    return size


def count(logs: Path) -> Counts:
    """The count with the standard library."""
    names: Counter[str] = Counter()
    callers: Counter[str] = Counter()
    keys: Counter[str] = Counter()
    errors: Counter[str] = Counter()
    for file in sorted(logs.glob("*.json.gz")):
        with gzip.open(file, "rb") as stream:
            records = json.load(stream)["Records"]
        for record in records:
            names[record["eventName"]] += 1
            identity = record.get("userIdentity") or {}
            issuer = (identity.get("sessionContext") or {}).get("sessionIssuer") or {}
            callers[issuer.get("arn") or identity.get("arn") or ""] += 1
            for resource_ in record.get("resources") or ():
                if ":key/" in resource_.get("ARN", ""):
                    keys[resource_["ARN"]] += 1
            errors[record.get("errorCode") or ""] += 1
    return [sorted(one.items()) for one in (names, callers, keys, errors)]


def take(logs: Path, store: Path) -> None:
    """Ingestion."""
    from kms_constructs.runtime.trail.ingest import ingest
    from kms_constructs.runtime.trail.sources import LocalFiles, Scope

    summary = ingest(store, [LocalFiles((logs,), Scope())])
    if summary.quarantined or summary.unrelated:
        raise SystemExit(f"not everything was taken: {summary}")


def ask(store: Path) -> Counts:
    """The same questions to the store, but that about keys, whose relation knows more than the resources."""
    from kms_constructs.runtime.trail.store import TrailStore

    with TrailStore(store).connect() as connection:
        return [
            connection.execute(
                f"SELECT coalesce({column}, '') AS what, count(*) FROM events GROUP BY ALL ORDER BY what"  # noqa: S608 - names of columns
            ).fetchall()
            for column in ("event_name", "caller", "error_code")
        ]


def measured(name: str, *paths: Path) -> tuple[float, float, int, object]:
    """CPU seconds, seconds and peak memory (MB) of one of these in a process of its own, and what it says."""
    command = [sys.executable, "-m", "benchmarks.trail", name, *map(str, paths)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    cpu, wall, memory, said = json.loads(done.stdout)
    return cpu, wall, memory, said


def run(name: str, *paths: Path) -> None:
    """One of these, measured from within: the interpreter's own start is not counted for anybody."""
    todo: dict[str, Callable[..., object]] = {"count": count, "take": take, "ask": ask}
    begun = time.perf_counter()
    said = todo[name](*paths)
    wall = time.perf_counter() - begun
    used = resource.getrusage(resource.RUSAGE_SELF)
    print(json.dumps([used.ru_utime + used.ru_stime, wall, used.ru_maxrss // 1024, said]))


def compare(events: int) -> bool:
    """Measures one number of events, and tells whether the bound holds."""
    with tempfile.TemporaryDirectory(prefix="trail-") as directory:
        logs = Path(directory, "logs")
        logs.mkdir()
        size = deliver(logs, events)
        print(f"\n{events:,} events, {len(list(logs.iterdir()))} files, {size / 2**20:.0f} MB")
        print(f"{'':<22}{'CPU s':>9}{'s':>9}{'MB':>7}")
        best = [1e9, 1e9, 0.0]
        for _ in range(RUNS if events <= 1_000_000 else 1):
            # In turn, so that what else the machine does hits both.
            cpu, wall, memory, counted = measured("count", logs)
            store = Path(directory, f"store-{time.monotonic_ns()}")
            taken = measured("take", logs, store)
            print(f"{'standard library':<22}{cpu:>9.2f}{wall:>9.2f}{memory:>7}")
            print(f"{'trail ingest':<22}{taken[0]:>9.2f}{taken[1]:>9.2f}{taken[2]:>7}")
            best = [min(best[0], cpu), min(best[1], taken[0]), max(best[2], taken[2])]
        asked = measured("ask", store)
        print(f"{'three reports':<22}{asked[0]:>9.2f}{asked[1]:>9.2f}{asked[2]:>7}")
        ratio = best[1] / best[0]
        bound = f"bound {BOUND}" if events >= FROM else f"no bound: the start counts below {FROM:,} events"
        print(f"CPU ratio {ratio:.2f}, {bound}")
        if [counted[0], counted[1], counted[3]] != asked[3]:  # type: ignore[index]
            raise SystemExit("the counts differ")
        return ratio <= BOUND or events < FROM


def main(arguments: list[str]) -> int:
    """Runs what the arguments say."""
    if arguments and arguments[0] in {"count", "take", "ask"}:
        run(arguments[0], *map(Path, arguments[1:]))
        return 0
    held = [compare(int(one.replace("_", ""))) for one in arguments or ("100_000", "1_000_000")]
    return 0 if all(held) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
