"""`kms-constructs guardrails`: the catalogue."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import click

from kms_constructs.cli import output
from kms_constructs.cli.options import output_options
from kms_constructs.exit_code import ExitCode

if TYPE_CHECKING:
    from kms_constructs.guardrails.control import Control

FORMATS = ("table", "json", "markdown")


@click.command(short_help="Show the catalogue of guardrails.")
@click.argument("ids", metavar="[ID]...", nargs=-1)
@output_options(*FORMATS)
def guardrails(ids: tuple[str, ...], outputs: tuple[str, ...], format_: str | None) -> int:
    """Show the catalogue of guardrails, or everything about those named.

    \b
    Examples:
      kms-constructs guardrails
      kms-constructs guardrails IAM-KMS-8
      kms-constructs guardrails --format json
    """
    from kms_constructs.guardrails.catalogue import CATALOGUE, find_control

    places = output.targets(outputs, format_, FORMATS)
    chosen: list[Control] = []
    for name in ids:
        control = find_control(name)
        if control is None:
            raise click.UsageError(f"There is no control {name!r}. Fix: use one of {', '.join(CATALOGUE)}")
        chosen.append(control)
    renderers = _renderers(chosen or list(CATALOGUE.values()), full=bool(chosen))
    output.write(places, output.draw(places, renderers))
    return ExitCode.CLEAN


def _renderers(controls: Sequence[Control], *, full: bool) -> Mapping[str, output.Render]:
    def table(target: output.Target) -> str:
        from kms_constructs.reports.catalogue import catalogue_table, control_details

        draw = control_details if full else catalogue_table
        return draw(controls, target.look())

    def json(_target: output.Target) -> str:
        from kms_constructs.reports.json_report import catalogue_json

        return catalogue_json(controls)

    def markdown(_target: output.Target) -> str:
        from kms_constructs.reports.markdown import catalogue_markdown

        return catalogue_markdown(controls)

    return {"table": table, "json": json, "markdown": markdown}
