"""`kms-constructs trail`: what CloudTrail recorded about keys."""

from __future__ import annotations

import click


@click.group(short_help="Store, report and judge what CloudTrail recorded about keys.")
def trail() -> None:
    """Store, report and judge what CloudTrail recorded about keys."""
