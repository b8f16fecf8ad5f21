"""`kms-constructs trail`: what CloudTrail recorded about keys."""

from __future__ import annotations

import click

from kms_constructs.cli.trail_access import access
from kms_constructs.cli.trail_detect import detect
from kms_constructs.cli.trail_impact import impact
from kms_constructs.cli.trail_least_privilege import least_privilege
from kms_constructs.cli.trail_sample import sample


@click.group(short_help="Store, report and judge what CloudTrail recorded about keys.")
def trail() -> None:
    """Store, report and judge what CloudTrail recorded about keys."""


trail.add_command(access)
trail.add_command(detect)
trail.add_command(impact)
trail.add_command(least_privilege)
trail.add_command(sample)
