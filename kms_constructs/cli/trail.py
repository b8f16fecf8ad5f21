"""`kms-constructs trail`: what CloudTrail recorded about keys."""

from __future__ import annotations

import click

from kms_constructs.cli.trail_access import access
from kms_constructs.cli.trail_detect import detect
from kms_constructs.cli.trail_impact import impact
from kms_constructs.cli.trail_ingest import ingest
from kms_constructs.cli.trail_least_privilege import least_privilege
from kms_constructs.cli.trail_report import report
from kms_constructs.cli.trail_sample import sample


@click.group(short_help="Store, report and judge what CloudTrail recorded about keys.")
def trail() -> None:
    """Store, report and judge what CloudTrail recorded about keys.

    Log files are read once, into a store of Parquet; everything else asks the store. Needs the extra `trail`.

    \b
    Examples:
      kms-constructs trail ingest ./logs --into trail
      kms-constructs trail ingest s3://my-trail/AWSLogs/ --since 2026-05-01 --into trail
      kms-constructs trail detect trail
    """


for _command in (access, detect, impact, ingest, least_privilege, report, sample):
    trail.add_command(_command)
