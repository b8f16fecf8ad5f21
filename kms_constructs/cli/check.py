"""`kms-constructs check`: judges keys by the guardrails."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from kms_constructs.cli import output
from kms_constructs.cli.options import (
    Given,
    config_option,
    output_options,
    paths_argument,
    source_options,
)
from kms_constructs.exit_code import ExitCode
from kms_constructs.guardrails.finding import Severity
from kms_constructs.reports.formats import JUDGED, Judged

if TYPE_CHECKING:
    from kms_constructs.guardrails.finding import Report

LEVELS = tuple(level.value for level in Severity)


@click.command(short_help="Judge keys by the guardrails.")
@paths_argument
@output_options(JUDGED.names)
@click.option("--all", "everything", is_flag=True, help="Show what is compliant or does not apply, too.")
@click.option(
    "--control",
    "controls",
    metavar="ID",
    multiple=True,
    help="Judge by this control only. May be repeated.",
)
@config_option
@source_options
@click.option("--undetermined-ok", is_flag=True, help="Only warn of what cannot be determined.")
@click.option("-q", "--quiet", is_flag=True, help="Only what fails; nothing when nothing does.")
@click.option(
    "--severity",
    metavar="LEVEL",
    type=click.Choice(LEVELS),
    help=f"Least severity shown: {', '.join(LEVELS)}. What is not shown counts all the same.",
)
@click.option(
    "--fail-on",
    metavar="LEVEL",
    type=click.Choice(LEVELS),
    help="Least severity that fails; what is less severe is a warning.  [default: low]",
)
@click.option("--exit-zero", is_flag=True, help="Exit with 0 whatever was found; not if input is unreadable.")
def check(
    *,
    paths: tuple[str, ...],
    outputs: tuple[str, ...],
    format_: str | None,
    everything: bool,
    controls: tuple[str, ...],
    config_file: str | None,
    given: Given,
    undetermined_ok: bool,
    quiet: bool,
    severity: str | None,
    fail_on: str | None,
    exit_zero: bool,
) -> int:
    """Judge every KMS key in PATH by the guardrails.

    PATH is a cdk.out directory, a CloudFormation template (JSON or YAML), a plan or state as terraform show
    -json writes it, a key policy (JSON), a directory of these, or - for standard input. All paths are judged
    together: a key in one template, the roles and policies in another.

    \b
    Examples:
      kms-constructs check cdk.out
      kms-constructs check template.yaml --parameter AdminArn=arn:aws:iam::111122223333:role/Admin
      kms-constructs check cdk.out --control IAM-KMS-8 --control KMS:001
      kms-constructs check cdk.out -o report.html -o report.sarif -o -
      kms-constructs check cdk.out -o github:- -o gitlab:gl-code-quality-report.json -o report.csv
      kms-constructs check cdk.out --quiet --fail-on high
      aws kms get-key-policy --key-id alias/orders --output text --query Policy | kms-constructs check -
      terraform show -json plan.out | kms-constructs check -

    \b
    Exit codes:
      0  no violation             1  violations
      2  input that cannot be read, or wrong usage (what can be read is judged all the same)
      3  nothing worse than what cannot be determined
    """
    from kms_constructs.guardrails.config import load_config
    from kms_constructs.guardrails.engine import judge
    from kms_constructs.reports.selection import failing_from, failures_of, shown_from
    from kms_constructs.reports.text import counted

    places = output.targets(outputs, format_, JUDGED)
    settings = load_config(config_file)
    if undetermined_ok:
        settings = replace(settings, undetermined_fails=False)
    with output.progress("Reading"):
        estate = given.estate(paths)
    with output.progress(f"Judging {counted(len(estate.keys), 'key')}"):
        report = judge(estate, settings, controls=controls or None, pause_gc=True)
        if fail_on is not None:
            report = failing_from(report, Severity(fail_on))
        if severity is not None:
            report = shown_from(report, Severity(severity))
        if quiet:
            report = failures_of(report)
        texts = output.draw(places, JUDGED, Judged(report, estate, everything=everything, quiet=quiet))
    output.write(places, texts)
    _tell(places, report, quiet=quiet)
    if exit_zero and not report.problems:
        return ExitCode.CLEAN
    return report.exit_code


def _tell(places: Sequence[output.Target], report: Report, *, quiet: bool) -> None:
    """The result in one line, where the report on the terminal does not end with it anyway."""
    from kms_constructs.guardrails.verdict import Verdict
    from kms_constructs.reports.summary import Summary

    on_terminal = any(place.file == output.TERMINAL and place.format == "table" for place in places)
    if not on_terminal:
        output.tell_problems(report.problems)
    if not on_terminal and not quiet:
        colours = {Verdict.CLEAN: "green", Verdict.UNDETERMINED: "magenta"}
        output.tell(str(Summary.of(report)), colour=colours.get(report.verdict, "red"))
    output.tell_notes(report.notes)
    if not report.keys and not report.problems and not quiet:
        output.tell("There is no KMS key in what was given.", colour="yellow")
