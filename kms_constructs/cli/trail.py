"""`kms-constructs trail`: what CloudTrail recorded about keys."""

from __future__ import annotations

import click

from kms_constructs.cli.commands import Commands

_COMMANDS = Commands(
    "access", "detect", "impact", "ingest", "least-privilege", "report", "sample", group="trail"
)


@click.group(commands=_COMMANDS, short_help="Store, report and judge what CloudTrail recorded about keys.")
def trail() -> None:
    """Store, report and judge what CloudTrail recorded about keys.

    Log files are read once, into a store of Parquet; everything else asks the store. Needs the extra `trail`.

    \b
    Examples:
      kms-constructs trail ingest ./logs --into trail
      kms-constructs trail ingest s3://my-trail/AWSLogs/ --since 2026-05-01 --into trail
      kms-constructs trail detect trail
    """
