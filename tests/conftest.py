"""What every test shares: Node for jsii, CDK's own validation off, and one hypothesis profile."""

from __future__ import annotations

import os
import sys
from pathlib import Path

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
