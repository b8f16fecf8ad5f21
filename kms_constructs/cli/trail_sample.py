"""`kms-constructs trail sample`: log files of a trail that never happened, to try the other commands on."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from kms_constructs.cli import output
from kms_constructs.exit_code import ExitCode

if TYPE_CHECKING:
    from kms_constructs.detections.synthetic.trail import SyntheticTrail

_LEAST = 2000
_MOST_DAYS = 3650


@click.command
@click.option("--into", metavar="DIR", required=True, type=click.Path(file_okay=False),
              help="Directory for AWSLogs; made where it is missing.")  # fmt: skip
@click.option("--events", metavar="N", type=click.IntRange(min=_LEAST), default=10_000, show_default=True,
              help="Number of records.")  # fmt: skip
@click.option("--days", metavar="N", type=click.IntRange(6, _MOST_DAYS), default=30, show_default=True,
              help="Length; incidents are in the second half.")  # fmt: skip
@click.option("--seed", metavar="N", type=int, default=1, show_default=True,
              help="Another seed is another trail; the same is the same, to the byte.")  # fmt: skip
@click.option("--incidents", metavar="FILE", type=click.Path(dir_okay=False),
              help="Write what was planted, and what has to be found, as JSON.")  # fmt: skip
def sample(*, into: str, events: int, days: int, seed: int, incidents: str | None) -> int:
    """Write the log files of a trail that never happened into DIR, as CloudTrail has them in a bucket.

    Nothing of it is real: made-up accounts, addresses that are set aside for documentation and tests. An
    incident of every kind that `trail detect` finds is planted.

    \b
    Example:
      kms-constructs trail sample --into sample/
      kms-constructs trail ingest sample/ --into trail/
      kms-constructs trail detect trail/

    \b
    Exit codes: 0 done, 2 wrong usage.
    """
    from kms_constructs.detections.synthetic.trail import SyntheticTrail
    from kms_constructs.detections.synthetic.world import TrailOptions
    from kms_constructs.runtime.sample_trail import write_trail

    trail = SyntheticTrail(TrailOptions(events=events, days=days, seed=seed))
    try:
        with output.progress("Writing"):
            written = write_trail(trail, Path(into))
        if incidents is not None:
            Path(incidents).write_text(_planted(trail), encoding="utf-8")
    except OSError as error:
        raise click.UsageError(
            f"{error.filename}: it cannot be written: {error.strerror}. "
            "Fix: check the directory and its permissions"
        ) from error
    click.echo(output.shown(f"{events:,} records in {len(written)} files below {Path(into, 'AWSLogs')}"))
    click.echo("Who is authorised in it, for `trail detect`:")
    for control, principals in trail.authorised.items():
        for principal in principals:
            click.echo(f"  --authorised {control}={principal}")
    return ExitCode.CLEAN


def _planted(trail: SyntheticTrail) -> str:
    import json

    told = [
        {
            "kind": one.kind,
            "routine": one.routine,
            "key": one.key or None,
            "principal": one.principal or None,
            "findings": {detection: list(ids) for detection, ids in one.findings.items()},
        }
        for one in trail.incidents
    ]
    return json.dumps(told, indent=2) + "\n"
