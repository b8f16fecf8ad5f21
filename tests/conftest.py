"""What every test shares: Node for jsii, CDK's own validation off, one hypothesis profile, less waiting."""

from __future__ import annotations

import contextlib
import functools
import gc
import importlib
import os
import sys
import warnings
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

REPOSITORY = Path(__file__).resolve().parent.parent

# jsii starts Node when aws_cdk is first imported: before any test module is.
_node = Path(sys.executable).parent / "node"
if _node.exists():
    os.environ.setdefault("JSII_NODE", str(_node))
os.environ.setdefault("JSII_SILENCE_WARNING_UNTESTED_NODE_VERSION", "1")
# CDK's template validation takes seconds per synth; tests that mean it switch it on in a child process.
os.environ["CDK_VALIDATION"] = "false"

# The same examples in every run, so that CI never turns red by luck. To look further:
# HYPOTHESIS_PROFILE=explore pytest
settings.register_profile(
    "repeatable", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("explore", deadline=None, max_examples=2_000, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "repeatable"))

# aws_cdk, moto and thousands of tests stay until the end: to look through them again and again for cycles
# was a sixth of the run.
gc.set_threshold(100_000, 20, 20)

# What tests write need not outlive the machine: to wait for its disk was a fifth of the tests of ingestion.
# Processes that tests start do wait.
os.fsync = os.fstat  # type: ignore[assignment]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with slow tests come first: one of them at the end would leave the other workers idle."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


@pytest.hookimpl(trylast=True)
def pytest_collection_finish() -> None:
    """Leaves what collection made out of later searches for cycles, and lets clients of AWS share models.

    Each session of botocore reads its descriptions of services anew, in 0.1 s; the tests make hundreds.
    """
    gc.freeze()
    botocore = sys.modules.get("botocore.session")
    if botocore is not None:
        botocore.create_loader = functools.cache(botocore.create_loader)  # type: ignore[attr-defined]


@pytest.hookimpl(tryfirst=True)
def pytest_collection(session: pytest.Session) -> None:
    """Lets the workers share what a clean clone has to compile: each begins with files of its own.

    All of them need every file. If they went through them in one order, each would compile the same at the
    same time: 15 s of CPU a worker, for assertions are rewritten and what pip installed has no byte code.
    """
    worker, workers = (os.environ.get(f"PYTEST_XDIST_WORKER{more}", "") for more in ("", "_COUNT"))
    if worker and session.config.args == session.config.getini("testpaths"):
        files = sorted((REPOSITORY / "tests").rglob("test_*.py"))
        own = len(files) * int(worker.removeprefix("gw")) // int(workers)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            for file in files[own : own + len(files) // int(workers)]:
                # What fails, collection imports again, and tells.
                with contextlib.suppress(Exception, pytest.skip.Exception):
                    importlib.import_module(".".join(file.relative_to(REPOSITORY).with_suffix("").parts))
