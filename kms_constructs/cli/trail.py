"""`kms-constructs trail`: what CloudTrail recorded about keys."""

from __future__ import annotations

import click

from kms_constructs.cli.commands import Commands, LoadedWhenAsked

_COMMANDS = Commands(
    {
        "access": "Show who uses a key against who may.",
        "detect": "Find what somebody should hear of.",
        "impact": "Show which recorded calls a change would have denied.",
        "ingest": "Put what CloudTrail recorded into a store.",
        "least-privilege": "Narrow key policies to what was used, as a diff.",
        "report": "Who called on which keys, when, from where, and what failed.",
        "sample": "Write the log files of a trail that never happened.",
    },
    group="trail",
)


@click.group(commands=_COMMANDS, cls=LoadedWhenAsked)
def trail() -> None:
    """Store, report and judge what CloudTrail recorded about keys.

    Log files are read once, into a store of Parquet; everything else asks the store. Needs the extra `trail`.

    \b
    Examples:
      kms-constructs trail ingest ./logs --into trail
      kms-constructs trail ingest s3://my-trail/AWSLogs/ --since 2026-05-01 --into trail
      kms-constructs trail detect trail
    """
