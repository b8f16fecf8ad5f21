"""What a key of a catalogue costs, from a hundred keys to two thousand, in one Region and in three.

    python benchmarks/key_catalog.py
    python benchmarks/key_catalog.py --keys 100 500 --rounds 3

Each figure comes from a process of its own: it builds a catalogue with `KeyCatalog` and synthesizes it. The
time per key has to stay flat, so each run is compared with the first. Processor time is that of Python and of
CDK's Node process together, which other work on the machine does not lengthen; the clock is shown beside it.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

KEYS = (100, 500, 2000)
REPLICAS = ((), ("us-east-1", "us-west-2"))
KEYS_A_STACK = 80
"""Resources, outputs and bytes of a template stay within CloudFormation's limits."""
FLAT = 1.25
"""Most that a key may cost in a large catalogue, as a multiple of what it costs in the smallest."""
TICKS = os.sysconf("SC_CLK_TCK")
ROLE = "arn:aws:iam::111122223333:role"


def catalogue(keys: int, replicas: tuple[str, ...]) -> dict[str, Any]:
    """Keys as a company has them: three teams' users, services, some signing keys."""
    entries: dict[str, Any] = {}
    for number in range(keys):
        entry: dict[str, Any] = {
            "description": f"Data set {number}",
            "service": f"service-{number % 40}",
            "key_users": [f"{ROLE}/Service{number % 40}"],
        }
        if number % 4 == 1:
            entry["services"] = ["sns", {"cloudwatch_logs": {"log_groups": [f"/service-{number % 40}/*"]}}]
        if number % 10 == 2:
            entry |= {"key_spec": "ECC_NIST_P256", "key_usage": "SIGN_VERIFY"}
        entries[f"team-{number % 20}/data-{number}"] = entry
    return {
        "version": 1,
        "stacks": max(1, keys // KEYS_A_STACK),
        "defaults": {
            "environment": "prod",
            "data_classification": "confidential",
            "key_administrators": [f"{ROLE}/KeyAdmin"],
            "break_glass_principals": [f"{ROLE}/BreakGlass"],
            "replica_regions": list(replicas),
        },
        "keys": entries,
    }


def processor_time() -> float:
    """Seconds of processor time of this process and its children."""
    pids = [os.getpid()]
    for pid in pids:
        for task in Path(f"/proc/{pid}/task").glob("*/children"):
            pids += [int(child) for child in task.read_text().split()]
    total = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        total += sum(int(field) for field in fields[11:15])
    return total / TICKS


def run(keys: int, replicas: tuple[str, ...]) -> dict[str, float]:
    """Builds and synthesizes one catalogue in this process."""
    import aws_cdk as cdk

    from kms_constructs import KeyCatalog

    with tempfile.TemporaryDirectory() as directory:
        app = cdk.App(analytics_reporting=False, outdir=directory)
        env = cdk.Environment(account="111122223333", region="eu-west-1")
        marks = [(time.perf_counter(), processor_time())]
        KeyCatalog.from_mapping(catalogue(keys, replicas)).create(app, env=env)
        marks.append((time.perf_counter(), processor_time()))
        assembly = app.synth()
        marks.append((time.perf_counter(), processor_time()))
        templates = [Path(stack.template_full_path) for stack in assembly.stacks]
        parsed = [json.loads(template.read_text()) for template in templates]
        made = sum(
            resource["Type"] in ("AWS::KMS::Key", "AWS::KMS::ReplicaKey")
            for template in parsed
            for resource in template["Resources"].values()
        )
        if made != keys * (1 + len(replicas)):
            raise SystemExit(f"{made} keys in the templates, and {keys * (1 + len(replicas))} were wanted")
        (clock_0, work_0), (_, work_1), (clock_2, work_2) = marks
        return {
            "build": 1000 * (work_1 - work_0) / keys,
            "synth": 1000 * (work_2 - work_1) / keys,
            "clock": 1000 * (clock_2 - clock_0) / keys,
            "stacks": len(templates),
            "resources": max(len(template["Resources"]) for template in parsed),
            "outputs": max(len(template.get("Outputs", {})) for template in parsed),
            "kilobytes": max(template.stat().st_size for template in templates) / 1000,
        }


def measured(keys: int, replicas: tuple[str, ...], rounds: int) -> dict[str, float]:
    """The median of several runs, each in a process of its own."""
    command = [sys.executable, __file__, "--one", str(keys), *replicas]
    environment = {**os.environ, "CDK_VALIDATION": "false"}
    found = []
    for _ in range(rounds):
        done = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
        found.append(json.loads(done.stdout.splitlines()[-1]))
    return {name: statistics.median(one[name] for one in found) for name in found[0]}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--keys", type=int, nargs="+", default=KEYS, help="sizes of the catalogues")
    parser.add_argument("--rounds", type=int, default=1, help="runs of each; the median is shown")
    parser.add_argument("--one", nargs="+", metavar="N", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        size, *regions = given.one
        print(json.dumps(run(int(size), tuple(regions))))
        return 0
    flat = True
    for replicas in REPLICAS:
        print(f"{1 + len(replicas)} Region{'s' if replicas else ''}; ms a key of processor time")
        print(
            "    keys    build    synth      sum   ratio |  clock   stacks; largest: resources outputs   kB"
        )
        first = 0.0
        for keys in given.keys:
            one = measured(keys, replicas, given.rounds)
            total = one["build"] + one["synth"]
            first = first or total
            flat &= total / first <= FLAT
            print(
                f"  {keys:6d} {one['build']:8.2f} {one['synth']:8.2f} {total:8.2f} {total / first:7.2f} |"
                f" {one['clock']:6.1f} {one['stacks']:8.0f} {one['resources']:19.0f} {one['outputs']:7.0f}"
                f" {one['kilobytes']:5.0f}",
                flush=True,
            )
    print("flat" if flat else f"NOT flat: a key may cost at most {FLAT} times that of the smallest catalogue")
    return 0 if flat else 1


if __name__ == "__main__":
    sys.exit(main())
