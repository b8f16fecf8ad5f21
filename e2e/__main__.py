"""Runs the whole chain against an emulator of its own.

    python -m e2e                # in a directory that is removed afterwards
    python -m e2e --keep DIR     # everything that was made stays there
    python -m e2e --synthesized cdk.out    # of what `make synth` made there, instead of once more

Needs MiniStack in .venv-ministack, Node and the CDK's command line: `make e2e` installs all of it.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from e2e import deployment, live_audit, material, monitoring, sharing, trail
from e2e.chain import BrokenError, Chain
from tests.ministack import running

LINKS: tuple[tuple[str, Callable[[Chain], None]], ...] = (
    ("The reference application is deployed", deployment.deploy),
    ("The live keys are judged as at synth", live_audit.audited),
    ("What watches keys is deployed", monitoring.deployed),
    ("A forbidden call brings a message", monitoring.told),
    ("Key material is imported", material.imported),
    ("A change by hand is found", live_audit.drifted),
    ("Sharing between two accounts is verified", sharing.verified),
    ("The trail of all this is read", trail.read),
)


def main() -> int:
    """Runs every link; the first that does not hold ends the run with exit code 1."""
    parser = argparse.ArgumentParser(prog="python -m e2e", description="The whole chain against an emulator.")
    parser.add_argument("--keep", type=Path, help="directory, empty, for everything that is made")
    parser.add_argument(
        "--synthesized", type=Path, help="what cdk synth has made of the reference application"
    )
    given = parser.parse_args()
    if given.keep is not None:
        given.keep.mkdir(parents=True, exist_ok=True)
        return _run(given.keep.resolve(), given.synthesized)
    with tempfile.TemporaryDirectory() as folder:
        return _run(Path(folder), given.synthesized)


def _run(directory: Path, synthesized: Path | None) -> int:
    state = directory / "emulator"
    state.mkdir()
    started = time.monotonic()
    with running(state, CLOUDTRAIL_RECORDING="1") as emulator:
        chain = Chain(emulator.endpoint, directory, synthesized)
        for number, (title, link) in enumerate(LINKS, 1):
            print(f"{number}. {title}", flush=True)
            begun = time.monotonic()
            try:
                link(chain)
            except BrokenError as error:
                print(f"   ✗ {error}", flush=True)
                return 1
            print(f"   ({time.monotonic() - begun:.0f} s)", flush=True)
    print(f"The whole chain holds ({time.monotonic() - started:.0f} s).")
    return 0


if __name__ == "__main__":
    sys.exit(main())
