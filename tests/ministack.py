"""MiniStack, an emulator in a process and an environment of its own, for what moto cannot do.

It pins a botocore of its own, so `make pytest` puts it into .venv-ministack. Where it is not installed,
what needs it is skipped, and says so.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config

from tests.conftest import REPOSITORY

PROGRAM = os.environ.get("MINISTACK") or str(REPOSITORY / ".venv-ministack" / "bin" / "ministack")
REGION = "eu-west-1"


class MiniStack:
    """A running emulator."""

    def __init__(self, endpoint: str) -> None:
        self.endpoint = endpoint

    def client(self, service: str, region: str = REGION, account: str = "111122223333") -> Any:
        """A client of the emulator's; the account is the twelve digits of the access key."""
        return boto3.client(
            service,
            region_name=region,
            endpoint_url=self.endpoint,
            aws_access_key_id=account,
            aws_secret_access_key="none",  # noqa: S106 - it is none
            config=Config(retries={"max_attempts": 0}),
        )


@contextmanager
def running(state: Path, **more: str) -> Iterator[MiniStack]:
    """An empty emulator on a free port of this machine alone, with more settings of its own."""
    if shutil.which(PROGRAM) is None:
        pytest.skip(f"MiniStack is not installed as {PROGRAM}: make pytest")
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port = one.getsockname()[1]
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "PYTHON"))}
    settings = {"BIND_HOST": "127.0.0.1", "GATEWAY_PORT": str(port), "TMPDIR": str(state), **more}
    with (state / "ministack.log").open("wb") as log:
        process = subprocess.Popen([PROGRAM], env={**kept, **settings}, stdout=log, stderr=log, cwd=state)
    try:
        endpoint = f"http://127.0.0.1:{port}"
        _wait(endpoint, process, state / "ministack.log")
        yield MiniStack(endpoint)
    finally:
        process.terminate()
        process.wait(timeout=20)


def _wait(endpoint: str, process: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(600):
        assert process.poll() is None, log.read_text("utf-8", errors="replace")
        try:
            with urllib.request.urlopen(f"{endpoint}/_ministack/health", timeout=5):  # noqa: S310 - local
                return
        except OSError:
            time.sleep(0.05)
    raise AssertionError(log.read_text("utf-8", errors="replace"))
