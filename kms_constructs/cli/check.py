"""`kms-constructs check`: judges keys by the guardrails."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from kms_constructs.cli import output
from kms_constructs.cli.judging import Judging, judging_options
from kms_constructs.cli.options import Given, paths_argument, source_options
from kms_constructs.reports.formats import JUDGED, Judged

if TYPE_CHECKING:
    from kms_constructs.guardrails.finding import Report
    from kms_constructs.model.estate import Estate


@click.command
@paths_argument
@judging_options(JUDGED.names)
@source_options
def check(*, paths: tuple[str, ...], given: Given, judging: Judging) -> int:
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
      kms-constructs check cdk.out --baseline .kms-constructs.baseline.json
      aws kms get-key-policy --key-id alias/orders --output text --query Policy | kms-constructs check -
      terraform show -json plan.out | kms-constructs check -

    \b
    Exit codes:
      0  no violation             1  violations
      2  input that cannot be read, or wrong usage (what can be read is judged all the same)
      3  nothing worse than what cannot be determined
    """

    def read() -> Estate:
        with output.working("Reading"):
            return given.estate(paths)

    return judging.run(read, JUDGED, _shown)


def _shown(report: Report, estate: Estate, judging: Judging) -> Judged:
    return Judged(report, estate, everything=judging.everything, quiet=judging.quiet, verbose=judging.verbose)
