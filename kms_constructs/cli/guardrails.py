"""`kms-constructs guardrails`: the catalogue."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from kms_constructs.cli import output
from kms_constructs.cli.options import output_options
from kms_constructs.exit_code import ExitCode
from kms_constructs.reports.formats import CONTROLS, Controls

if TYPE_CHECKING:
    from kms_constructs.guardrails.control import Control


@click.command
@click.argument("ids", metavar="[ID]...", nargs=-1)
@output_options(CONTROLS.names)
def guardrails(ids: tuple[str, ...], outputs: tuple[str, ...], format_: str | None) -> int:
    """Show the catalogue of guardrails, or everything about those named.

    \b
    Examples:
      kms-constructs guardrails
      kms-constructs guardrails IAM-KMS-8
      kms-constructs guardrails --format json
    """
    from kms_constructs.guardrails.catalogue import CATALOGUE, find_control

    places = output.targets(outputs, format_, CONTROLS)
    chosen: list[Control] = []
    for name in ids:
        control = find_control(name)
        if control is None:
            raise click.UsageError(f"There is no control {name!r}. Fix: use one of {', '.join(CATALOGUE)}")
        chosen.append(control)
    shown = Controls(chosen or list(CATALOGUE.values()), full=bool(chosen))
    output.write(places, output.draw(places, CONTROLS, shown))
    return ExitCode.CLEAN
