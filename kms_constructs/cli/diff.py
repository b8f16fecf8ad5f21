"""`kms-constructs diff`: who gains and who loses what."""

from __future__ import annotations

import click

from kms_constructs.cli import output
from kms_constructs.cli.options import Given, output_options, source_options
from kms_constructs.exit_code import ExitCode
from kms_constructs.reports.formats import CHANGES, Changes


@click.command
@click.argument("old", type=click.Path())
@click.argument("new", type=click.Path())
@output_options(CHANGES.names)
@click.option("--fail-on-gain", is_flag=True, help="Exit with 1 when anybody gains access.")
@source_options
def diff(
    *,
    old: str,
    new: str,
    outputs: tuple[str, ...],
    format_: str | None,
    fail_on_gain: bool,
    given: Given,
) -> int:
    """Show who gains and who loses access to KMS keys between OLD and NEW.

    Both are what `kms-constructs check` takes, and so are the options beside them. Keys are matched by stack
    and logical id, and then by alias. What is given under other conditions than before counts as a gain, for
    it is not proven to be less.

    \b
    Examples:
      kms-constructs diff main/cdk.out cdk.out
      kms-constructs diff before.yaml after.yaml --fail-on-gain
      kms-constructs diff main/cdk.out cdk.out --format markdown >> "$GITHUB_STEP_SUMMARY"

    \b
    Exit codes: 0 done, 1 access gained and --fail-on-gain, 2 input that cannot be read, or wrong usage.
    """
    from kms_constructs.analysis.diff import diff_access

    places = output.targets(outputs, format_, CHANGES)
    with output.working("Reading"):
        before, after = given.estate([old]), given.estate([new])
    # The two sides report a parameter that neither needs alike.
    problems = tuple(dict.fromkeys((*before.problems, *after.problems)))
    with output.working("Comparing"):
        changes = diff_access(before, after)
        texts = output.draw(places, CHANGES, Changes(changes, problems))
    output.write(places, texts)
    output.tell_problems(problems)
    output.tell_notes(tuple(dict.fromkeys((*before.notes, *after.notes))))
    if problems:
        output.tell("What could not be read counts as absent: some of these are no changes.", colour="yellow")
    gained = sum(change.gains for change in changes)
    output.tell(f"{gained} gained, {len(changes) - gained} lost", colour="red" if gained else "green")
    if problems:
        return ExitCode.UNUSABLE
    return ExitCode.VIOLATIONS if gained and fail_on_gain else ExitCode.CLEAN
