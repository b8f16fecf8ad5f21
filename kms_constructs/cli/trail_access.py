"""`kms-constructs trail access`: who uses a key against who may, and the policy that would be enough."""

from __future__ import annotations

import click

from kms_constructs.cli import output
from kms_constructs.cli.options import Given, output_options, source_options
from kms_constructs.cli.trail_against import TrailGiven, tell_estates, trail_options
from kms_constructs.exit_code import ExitCode
from kms_constructs.reports.formats import USAGES
from kms_constructs.reports.trail_against import Usages


@click.command
@trail_options
@click.option(
    "--against",
    "paths",
    metavar="PATH",
    multiple=True,
    required=True,
    type=click.Path(),
    help="Policies: all that `kms-constructs check` takes, saved answers of `audit`, too. May be repeated.",
)
@output_options(USAGES.names)
@source_options
def access(
    *,
    trail: TrailGiven,
    paths: tuple[str, ...],
    outputs: tuple[str, ...],
    format_: str | None,
    given: Given,
) -> int:
    """Show who uses each key, who may and does not, and who is named nowhere.

    The calls that the trail in STORE recorded are held against key policies, IAM policies and grants in PATH:
    permissions that were not used, calls that nothing in PATH allows, and callers that nothing names.

    \b
    Examples:
      kms-constructs trail access trail/ --against cdk.out
      kms-constructs trail access trail/ --against answers.json --since 2026-02-01 -o access.csv

    \b
    Exit codes: 0 done, 2 input that cannot be read, or wrong usage.
    """
    from kms_constructs.analysis.recorded.usage import usage_of

    places = output.targets(outputs, format_, USAGES)
    (estate,), recorded = trail.read(given, paths)
    with output.progress("Comparing"):
        found = usage_of(recorded, estate, trail.key_map)
        texts = output.draw(places, USAGES, Usages(found))
    output.write(places, texts)
    return ExitCode.UNUSABLE if tell_estates([estate]) else ExitCode.CLEAN
