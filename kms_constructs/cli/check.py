"""`kms-constructs check`: judges keys by the guardrails."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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

if TYPE_CHECKING:
    from kms_constructs.guardrails.finding import Report
    from kms_constructs.model.estate import Estate

FORMATS = ("table", "json", "sarif", "junit", "html")


@click.command(short_help="Judge keys by the guardrails.")
@paths_argument
@output_options(*FORMATS)
@click.option("--all", "everything", is_flag=True, help="Show what is compliant or does not apply, too.")
@click.option("--verbose", is_flag=True, help="Show every finding by itself, with its id, and all resources.")
@click.option(
    "--baseline",
    "baseline_file",
    metavar="FILE",
    type=click.Path(),
    help="Accept what `kms-constructs baseline` found: only what is new or worse fails.",
)
@click.option(
    "--no-declarations",
    is_flag=True,
    help="Refuse what the input says of itself: whom it authorises, what it accepts.",
)
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
@click.option("--exit-zero", is_flag=True, help="Exit with 0 whatever was found; not if input is unreadable.")
def check(
    *,
    paths: tuple[str, ...],
    outputs: tuple[str, ...],
    format_: str | None,
    everything: bool,
    verbose: bool,
    baseline_file: str | None,
    no_declarations: bool,
    controls: tuple[str, ...],
    config_file: str | None,
    given: Given,
    undetermined_ok: bool,
    exit_zero: bool,
) -> int:
    """Judge every KMS key in PATH by the guardrails.

    PATH is a cdk.out directory, a CloudFormation template (JSON or YAML), a key policy (JSON), a directory
    of these, or - for standard input. All paths are judged together: a key in one template, the roles and
    policies in another.

    \b
    Examples:
      kms-constructs check cdk.out
      kms-constructs check template.yaml --parameter AdminArn=arn:aws:iam::111122223333:role/Admin
      kms-constructs check cdk.out --control IAM-KMS-8 --control KMS:001
      kms-constructs check cdk.out -o report.html -o report.sarif -o -
      kms-constructs check cdk.out --baseline .kms-constructs.baseline.json
      aws kms get-key-policy --key-id alias/orders --output text --query Policy | kms-constructs check -

    \b
    Exit codes:
      0  no violation             1  violations
      2  input that cannot be read, or wrong usage (what can be read is judged all the same)
      3  nothing worse than what cannot be determined
    """
    from kms_constructs.guardrails.baseline import Baseline
    from kms_constructs.guardrails.config import load_config
    from kms_constructs.guardrails.engine import judge
    from kms_constructs.reports.text import counted

    places = output.targets(outputs, format_, FORMATS)
    settings = load_config(config_file)
    baseline = None if baseline_file is None else Baseline.read(baseline_file)
    if undetermined_ok:
        settings = replace(settings, undetermined_fails=False)
    with output.progress("Reading"):
        estate = given.estate(paths)
    with output.progress(f"Judging {counted(len(estate.keys), 'key')}"):
        report = judge(
            estate,
            settings,
            controls=controls or None,
            pause_gc=True,
            baseline=baseline,
            declarations=not no_declarations,
        )
        texts = output.draw(places, _renderers(report, estate, everything=everything, verbose=verbose))
    output.write(places, texts)
    _tell(places, report)
    if exit_zero and not report.problems:
        return ExitCode.CLEAN
    return report.exit_code


def _renderers(
    report: Report, estate: Estate, *, everything: bool, verbose: bool
) -> Mapping[str, output.Render]:
    def table(target: output.Target) -> str:
        from kms_constructs.reports.table import report_table

        return report_table(report, target.look(), everything=everything, titles=_titles(), verbose=verbose)

    def json(_target: output.Target) -> str:
        from kms_constructs.reports.json_report import report_json

        return report_json(report)

    def sarif(_target: output.Target) -> str:
        from kms_constructs.reports.sarif import report_sarif

        return report_sarif(report, everything=everything)

    def junit(_target: output.Target) -> str:
        from kms_constructs.reports.junit import report_junit

        return report_junit(report)

    def html(_target: output.Target) -> str:
        from kms_constructs.analysis.within import EstateAccess
        from kms_constructs.reports.html import report_html

        matrices = EstateAccess(estate).matrices(estate.keys)
        return report_html(report, matrices, titles=_titles())

    return {"table": table, "json": json, "sarif": sarif, "junit": junit, "html": html}


def _titles() -> dict[str, str]:
    from kms_constructs.guardrails.catalogue import CATALOGUE

    return {control.id: control.title for control in CATALOGUE.values()}


def _tell(places: Sequence[output.Target], report: Report) -> None:
    """The result in one line, where the report on the terminal does not end with it anyway."""
    from kms_constructs.guardrails.verdict import Verdict
    from kms_constructs.reports.summary import Summary

    on_terminal = any(place.file == output.TERMINAL and place.format == "table" for place in places)
    if not on_terminal:
        output.tell_problems(report.problems)
        colours = {Verdict.CLEAN: "green", Verdict.UNDETERMINED: "magenta"}
        output.tell(str(Summary.of(report)), colour=colours.get(report.verdict, "red"))
    if not report.keys and not report.problems:
        output.tell("There is no KMS key in what was given.", colour="yellow")
