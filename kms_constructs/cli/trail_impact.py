"""`kms-constructs trail impact`: what a change would have broken."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from kms_constructs.cli import output
from kms_constructs.cli.options import Given, output_options, source_options
from kms_constructs.cli.trail_against import TrailGiven, tell_estates, trail_options
from kms_constructs.exit_code import ExitCode
from kms_constructs.reports.formats import IMPACTS
from kms_constructs.reports.trail_against import Impacts

if TYPE_CHECKING:
    from kms_constructs.analysis.recorded.impact import Impact


@click.command
@trail_options
@click.option(
    "--against",
    "planned",
    metavar="PATH",
    multiple=True,
    required=True,
    type=click.Path(),
    help="What is planned: all that `kms-constructs check` takes. May be repeated.",
)
@click.option(
    "--before",
    metavar="PATH",
    multiple=True,
    type=click.Path(),
    help="What is deployed today: only what changes is shown then. May be repeated.",
)
@click.option("--all", "everything", is_flag=True, help="Also what is allowed, and what does not change.")
@output_options(IMPACTS.names)
@source_options
def impact(
    *,
    trail: TrailGiven,
    planned: tuple[str, ...],
    before: tuple[str, ...],
    everything: bool,
    outputs: tuple[str, ...],
    format_: str | None,
    given: Given,
) -> int:
    """Show which calls that the trail in STORE recorded would be denied by what is planned.

    Every call that succeeded is judged by the planned key policies, IAM policies and grants, and by the
    policies of the organization that are given. What the trail does not record, and what grants or IAM
    policies that are not in the input may allow, cannot be told: it is neither a pass nor a denial.

    Keys are matched by ARN, by alias, and by CloudFormation's tags. Account and Region are those of the trail
    where it has one and the input says none.

    \b
    Examples:
      kms-constructs trail impact trail/ --against cdk.out
      kms-constructs trail impact trail/ --against cdk.out --before main/cdk.out --since 2026-02-01
      kms-constructs trail impact trail/ --against policy.json --key-map 1234abcd-…=policy.json

    \b
    Exit codes: 0 nothing would be denied, 1 something would, 2 input that cannot be read, or wrong usage,
    3 nothing would be denied for certain and something cannot be told.
    """
    from kms_constructs.analysis.recorded.impact import impact_of

    places = output.targets(outputs, format_, IMPACTS)
    estates, recorded = trail.read(given, planned, before)
    after, earlier = estates[0], estates[1] if before else None
    with output.progress("Judging"):
        found = impact_of(recorded, after, earlier, trail.key_map)
        texts = output.draw(places, IMPACTS, Impacts(found, everything))
    output.write(places, texts)
    unreadable = tell_estates(estates)
    if not found.matching.matched:
        output.tell(_NOTHING, colour="yellow")
    return ExitCode.UNUSABLE if unreadable else _exit_code(found)


_NOTHING = (
    "No key of the trail is in the input, so nothing was judged. "
    "Fix: say which is which with --key-map KEY=NAME, or give the account's own trail"
)


def _exit_code(found: Impact) -> ExitCode:
    from kms_constructs.analysis.recorded.replay import Verdict

    if found.calls(Verdict.DENIED):
        return ExitCode.VIOLATIONS
    if found.calls(Verdict.UNDETERMINED) or not found.matching.matched:
        return ExitCode.UNDETERMINED
    return ExitCode.CLEAN
