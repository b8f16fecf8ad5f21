"""`kms-constructs export monitoring`: the template for a StackSet."""

from __future__ import annotations

import json
from pathlib import Path

from kms_constructs.detections.forwarding import BUS, forwarding_template
from tests.cli.conftest import Run

ARN = "arn:aws:events:eu-west-1:111122223333:event-bus/prod-kms"


def test_it_writes_the_template_with_the_bus_as_a_parameter(run: Run) -> None:
    done = run("export", "monitoring")
    assert (done.code, json.loads(done.out)) == (0, forwarding_template())


def test_the_bus_is_the_default_of_the_parameter(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "monitoring.json"
    done = run("export", "monitoring", "--central-bus-arn", ARN, "-o", path)
    assert (done.code, done.out) == (0, "")
    assert json.loads(path.read_text("utf-8"))["Parameters"][BUS]["Default"] == ARN


def test_what_is_no_bus_is_refused_with_the_way_out(run: Run) -> None:
    done = run("export", "monitoring", "--central-bus-arn", "prod-kms")
    assert (done.code, done.out) == (2, "")
    assert "'prod-kms' is refused: it is the ARN of an event bus. Fix: write arn:aws:events:" in done.err
