"""What the links of the chain share: the emulator, a directory, and commands that are shown as they run."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from e2e.recording import record
from reference_app.environments import ACCOUNT, REGION, role

REPOSITORY = Path(__file__).resolve().parent.parent
REPLICA_REGION = "eu-west-1"
OPERATOR = role("security-break-glass-role")
"""Whom the calls of the run are put down to, where it does not say."""
REGIONS = (REGION, REPLICA_REGION)


class BrokenError(AssertionError):
    """A link of the chain does not hold."""


@dataclass
class Chain:
    """One run.

    Args:
        endpoint: Address of the emulator.
        directory: Where everything goes that is made.
        synthesized: What `cdk synth` has made of the reference application just now; None to run it.
        made: ARNs of keys and addresses of queues that the run made, by a name of its own.
        records: What a trail would have recorded of the calls to KMS of the run's own clients.
    """

    endpoint: str
    directory: Path
    synthesized: Path | None = None
    made: dict[str, str] = field(default_factory=dict)
    records: list[dict[str, Any]] = field(default_factory=list)

    @property
    def assembly(self) -> Path:
        """What `cdk synth` made."""
        return self.directory / "cdk.out"

    def client(
        self, service: str, region: str = REGION, account: str = ACCOUNT, caller: str = OPERATOR
    ) -> Any:
        """A client of the emulator's; the account is the access key, the caller what the trail says."""
        client = boto3.client(
            service,
            region_name=region,
            endpoint_url=self.endpoint,
            aws_access_key_id=account,
            aws_secret_access_key="none",  # noqa: S106 - it is none
            config=Config(retries={"max_attempts": 0}),
        )
        if service == "kms":
            record(client, self.records, caller=caller, account=account, region=region)
        return client

    def say(self, text: str) -> None:
        """Tells what was shown."""
        for line in text.splitlines() or [""]:
            print(f"   {line}")

    def run(
        self, *command: str, codes: Iterable[int] = (0,), shown: Iterable[str] | None = None, **env: str
    ) -> str:
        """Runs a command as a user does, in a process of its own, against the emulator alone.

        Args:
            command: ``cdk``, ``kms-constructs``, and their arguments.
            codes: Exit codes that it may have.
            shown: What the lines to show hold, first of all matching ones; None to show none.
            env: Variables beside those of the emulator, or instead; empty to take one away.

        Returns:
            What it wrote to its standard output.

        Raises:
            BrokenError: It ended otherwise, or a line that was to be shown is not there.
        """
        print(f"   $ {' '.join(self._short(part) for part in command)}")
        done = subprocess.run(
            [self._program(command[0]), *command[1:]],
            cwd=REPOSITORY,
            env={name: value for name, value in {**self._environment(), **env}.items() if value},
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        if done.returncode not in codes:
            raise BrokenError(
                f"{command[0]} ended with {done.returncode}:\n{done.stdout[-4000:]}{done.stderr[-4000:]}"
            )
        everything = done.stdout + done.stderr
        for wanted in shown or ():
            found = [line for line in everything.splitlines() if wanted in line]
            if not found:
                raise BrokenError(f"{command[0]} does not say {wanted!r}:\n{everything[-6000:]}")
            self.say(self._short(found[0].strip()))
        return done.stdout

    def json(self, *command: str, codes: Iterable[int] = (0, 1, 3), **env: str) -> Any:
        """Runs a command that writes JSON."""
        return json.loads(self.run(*command, codes=codes, **env))

    def expect(self, holds: object, claim: str) -> None:
        """Tells a claim, which has to hold.

        Raises:
            BrokenError: It does not.
        """
        if not holds:
            raise BrokenError(claim)
        self.say(f"✓ {claim}")

    def _short(self, text: str) -> str:
        return text.replace(f"{self.directory}/", "")

    def _program(self, name: str) -> str:
        if name == "cdk":
            return str(REPOSITORY / "node_modules" / ".bin" / "cdk")
        found = shutil.which(name, path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
        if found is None:
            raise BrokenError(f"{name} is not installed: make e2e")
        return found

    def _environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        return {
            **kept,
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": ACCOUNT,
            "AWS_SECRET_ACCESS_KEY": "none",
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_CONFIG_FILE": str(self.directory / "aws-config"),
            "AWS_SHARED_CREDENTIALS_FILE": str(self.directory / "aws-credentials"),
            "AWS_EC2_METADATA_DISABLED": "true",
            "COLUMNS": "110",
        }
