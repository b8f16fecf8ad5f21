"""What an audit of live keys costs and finds, beside Prowler's KMS checks on the same emulated account.

    python benchmarks/audit.py --keys 200
    MOTO_SERVER=/path/to/moto_server PROWLER=/path/to/prowler python benchmarks/audit.py

Both are programs of environments of their own, and run as they are called by people: a whole process, from
its start to its report. One emulated account on the loopback address holds keys of four kinds, as many of
each: plain ones with `kms:*` and without rotation, ones that the public may decrypt with, hardened ones with
rotation, and ones that wait for their deletion. Calls are counted in the emulator's log. Without moto's
server nothing can be measured, and that is said; without Prowler its part is left out, and that is said.

Emulated calls take a millisecond and not thirty, so that what waits for AWS hardly counts here.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3

REGION = "eu-west-1"
ACCOUNT = "123456789012"
"""Moto's."""
TARGET = 0.2
"""Of Prowler's wall time, at 200 keys."""


@contextmanager
def emulator(program: str, folder: Path) -> Iterator[tuple[str, Path]]:
    """The address of an empty account, and the log of its calls."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port = one.getsockname()[1]
    log = folder / "moto.log"
    with log.open("wb") as stream:
        process = subprocess.Popen(
            [program, "-H", "127.0.0.1", "-p", str(port)], stdout=stream, stderr=stream, env=os.environ
        )
    address = f"http://127.0.0.1:{port}"
    try:
        for _ in range(600):
            try:
                urllib.request.urlopen(f"{address}/moto-api/", timeout=1).close()  # noqa: S310 - local
                break
            except OSError:
                time.sleep(0.1)
        yield address, log
    finally:
        process.terminate()
        process.wait(timeout=20)


def seed(address: str, keys: int) -> None:
    """Fills the account."""
    kms = boto3.client("kms", endpoint_url=address, **credentials())
    root = {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}
    read = ["kms:DescribeKey", "kms:GetKeyPolicy", "kms:PutKeyPolicy"]
    for number in range(keys):
        kind = number % 4
        statements: list[dict[str, Any]] = [
            {"Effect": "Allow", "Principal": root, "Action": "kms:*" if kind == 0 else read, "Resource": "*"}
        ]
        if kind == 1:
            statements.append({"Effect": "Allow", "Principal": "*", "Action": "kms:Decrypt", "Resource": "*"})
        policy = json.dumps({"Version": "2012-10-17", "Statement": statements})
        key = kms.create_key(Policy=policy)["KeyMetadata"]["KeyId"]
        kms.create_alias(AliasName=f"alias/key-{number}", TargetKeyId=key)
        if kind == 2:
            kms.enable_key_rotation(KeyId=key)
        if kind == 3:
            kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)


def credentials() -> dict[str, str]:
    """What an emulator takes for credentials."""
    return {"region_name": REGION, "aws_access_key_id": "testing", "aws_secret_access_key": "testing"}


def environment(address: str) -> dict[str, str]:
    """The environment of a program that is to ask the emulator."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    return {
        **kept, "AWS_ENDPOINT_URL": address, "AWS_REGION": REGION, "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing", "PYTHONWARNINGS": "ignore",
    }  # fmt: skip


def timed(command: list[str], address: str, folder: Path, log: Path) -> tuple[float, float, int, str]:
    """Wall and processor seconds of a program, the requests that it made, and what it said."""
    before = requests(log)
    cpu = os.times()
    started = time.perf_counter()
    done = subprocess.run(
        command, env=environment(address), cwd=folder, capture_output=True, text=True, check=False
    )
    wall = time.perf_counter() - started
    after = os.times()
    used = after.children_user + after.children_system - cpu.children_user - cpu.children_system
    return wall, used, requests(log) - before, done.stdout + done.stderr


def requests(log: Path) -> int:
    """Requests in the log of the emulator."""
    return len(re.findall(r'"(?:POST|GET) /', log.read_text("utf-8", errors="replace")))


def of_prowler(folder: Path) -> Counter[str]:
    """Failed checks of Prowler, from its CSV or JSON."""
    found: Counter[str] = Counter()
    for file in folder.rglob("*.ocsf.json"):
        for one in json.loads(file.read_text("utf-8")):
            if one.get("status_code") == "FAIL":
                found[one["metadata"]["event_code"]] += 1
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--keys", type=int, default=200)
    given = parser.parse_args()
    moto = shutil.which(os.environ.get("MOTO_SERVER") or "moto_server")
    prowler = shutil.which(os.environ.get("PROWLER") or "prowler")
    if moto is None or subprocess.run([moto, "--help"], capture_output=True, check=False).returncode:
        print("moto's server is not here: nothing measured. Give MOTO_SERVER (pip install 'moto[server]')")
        return 0
    with tempfile.TemporaryDirectory() as name, emulator(moto, Path(name)) as (address, log):
        folder = Path(name)
        seed(address, given.keys)
        ours = [str(Path(sys.executable).parent / "kms-constructs"), "audit", "--region", REGION]
        ours += ["--no-last-usage", "-o", "audit.json"]
        wall, cpu, calls, said = timed(ours, address, folder, log)
        report = json.loads((folder / "audit.json").read_text("utf-8"))
        kinds = Counter(one["id"] for one in report["findings"] if one["fails"])
        print(
            f"kms-constructs audit, {given.keys} keys: {wall:.1f} s wall, {cpu:.1f} s CPU, {calls} calls, "
            f"{calls / given.keys:.2f} a key"
        )
        for kind, number in sorted(kinds.items()):
            print(f"  {kind:40} {number}")
        if prowler is None:
            print("Prowler is not here: no comparison. Give PROWLER (pip install prowler)")
            return 0
        theirs = [prowler, "aws", "--service", "kms", "--region", REGION, "--output-formats", "json-ocsf"]
        theirs += ["--output-directory", str(folder / "prowler"), "--no-banner", "--ignore-exit-code-3"]
        their_wall, their_cpu, their_calls, said = timed(theirs, address, folder, log)
        failed = of_prowler(folder / "prowler")
        if not failed:
            print(f"Prowler reported nothing; it said:\n{said[-2000:]}")
            return 1
        print(
            f"prowler aws --service kms: {their_wall:.1f} s wall, {their_cpu:.1f} s CPU, {their_calls} calls,"
            f" {their_calls / given.keys:.2f} a key"
        )
        for kind, number in sorted(failed.items()):
            print(f"  {kind:40} {number}")
        print(f"ratio of wall time {wall / their_wall:.2f} (at most {TARGET}), of CPU {cpu / their_cpu:.2f}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
