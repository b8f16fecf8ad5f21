"""`kms-constructs trail least-privilege`: key policies narrowed to what was used."""

from __future__ import annotations

import click

from kms_constructs.cli import output
from kms_constructs.cli.options import Given, output_options, source_options
from kms_constructs.cli.trail_against import TrailGiven, tell_estates, trail_options
from kms_constructs.exit_code import ExitCode
from kms_constructs.reports.formats import NARROWER
from kms_constructs.reports.trail_against import Narrower


@click.command("least-privilege")
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
@output_options(NARROWER.names)
@source_options
def least_privilege(
    *,
    trail: TrailGiven,
    paths: tuple[str, ...],
    outputs: tuple[str, ...],
    format_: str | None,
    given: Given,
) -> int:
    """Narrow key policies to what the trail in STORE shows of their use, as a diff of the JSON.

    Cryptographic actions and CreateGrant are taken from principals that did not call them in the period.
    Administration, reading, root and account statements, Deny statements and conditions stay. A policy is
    shown when it is proven that nobody gains and that every recorded call has the verdict that it has today.

    \b
    Examples:
      kms-constructs trail least-privilege trail/ --against cdk.out --since 2026-02-01
      kms-constructs trail least-privilege trail/ --against answers.json -o narrower.json

    \b
    Exit codes: 0 done, 2 input that cannot be read, or wrong usage, 3 a policy could not be narrowed.
    """
    from kms_constructs.analysis.recorded.least_privilege import narrowings
    from kms_constructs.reports.text import counted, one_line
    from kms_constructs.reports.trail_words import period

    places = output.targets(outputs, format_, NARROWER)
    (estate,), recorded = trail.read(given, paths)
    with output.progress("Narrowing"):
        found = narrowings(recorded, estate, trail.key_map)
        texts = output.draw(places, NARROWER, Narrower(found))
    output.write(places, texts)
    output.tell(period(found.first, found.last), colour="yellow")
    for one in found.keys:
        if one.refused:
            output.tell(f"{one_line(one.key)} stays as it is: {one_line(one.refused)}", colour="magenta")
            continue
        narrower = sum(len(dropped.actions) for dropped in one.dropped)
        output.tell(
            f"{one_line(one.key)}: {counted(narrower, 'permission')} less, {counted(one.calls, 'call')} stay"
        )
        for why in one.kept:
            output.tell(f"{one_line(one.key)}: {one_line(why)}")
    if tell_estates([estate]):
        return ExitCode.UNUSABLE
    return ExitCode.UNDETERMINED if any(one.refused for one in found.keys) else ExitCode.CLEAN
