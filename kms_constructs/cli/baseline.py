"""`kms-constructs baseline`: accepts what is there today, so that only what is new or worse fails."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

import click

from kms_constructs.cli import output
from kms_constructs.cli.options import Given, config_option, paths_argument, source_options
from kms_constructs.exit_code import ExitCode

DEFAULT_FILE = ".kms-constructs.baseline.json"


@click.command
@paths_argument
@click.option(
    "-o",
    "--output",
    "file",
    metavar="FILE",
    type=click.Path(),
    default=DEFAULT_FILE,
    show_default=True,
    help="The baseline; - for standard output.",
)
@click.option("--update", is_flag=True, help="Take out what has been mended, and add nothing.")
@click.option("--force", is_flag=True, help="Make it anew although it is there: accepts what is new as well.")
@config_option
@source_options
def baseline(
    *,
    paths: tuple[str, ...],
    file: str,
    update: bool,
    force: bool,
    config_file: str | None,
    given: Given,
) -> int:
    """Write what fails in PATH today into a baseline; `check --baseline` then fails for what is new or worse.

    The baseline is JSON, one sorted line for each finding and principal: commit it, and review what it
    accepts. It accepts no input that cannot be read.

    \b
    Examples:
      kms-constructs baseline cdk.out
      kms-constructs check cdk.out --baseline .kms-constructs.baseline.json
      kms-constructs baseline cdk.out --update
    """
    from kms_constructs.guardrails.baseline import Baseline
    from kms_constructs.guardrails.config import load_config
    from kms_constructs.guardrails.engine import judge
    from kms_constructs.reports.text import counted

    if update and force:
        raise click.UsageError("--update adds nothing, --force accepts everything. Fix: give one of them")
    if update and file == output.TERMINAL:
        raise click.UsageError("--update changes a file. Fix: name it with --output")
    target = None if file == output.TERMINAL else Path(file)
    old = Baseline.read(target) if update and target is not None else None
    if target is not None and old is None and not force and target.exists():
        raise click.UsageError(
            f"{file} is there already, and to make it anew would accept what is new. Fix: give --update to "
            "take out what has been mended, or --force"
        )
    settings = load_config(config_file)
    with output.working("Reading"):
        estate = given.estate(paths)
    if estate.problems:
        output.tell_problems(estate.problems)
        output.tell("No baseline was written: what cannot be read cannot be accepted.", colour="red")
        return ExitCode.UNUSABLE
    report = judge(estate, settings, pause_gc=True, baseline=old)
    if old is None:
        new = Baseline.of(report.findings, file)
        said = f"{file} accepts {counted(len(report.failures), 'finding')} of {counted(report.keys, 'key')}."
        code = ExitCode.CLEAN
    else:
        new = Baseline(old.left(), file)
        gone = len(old.entries) - len(new.entries)
        said = f"{file}: {counted(gone, 'entry', 'entries')} mended and taken out, {len(new.entries):,} left."
        if report.failures:
            said += (
                f" {counted(len(report.failures), 'finding')} not in it: `kms-constructs check` shows them."
            )
        code = ExitCode(report.exit_code)
    if target is None:
        output.to_terminal(new.to_text(), for_people=False)
        said = said.replace(f"{file} accepts", "The baseline accepts", 1)
    else:
        _replace(target, new.to_text())
    output.tell(said)
    return code


def _replace(target: Path, text: str) -> None:
    """Writes the file whole or not at all: half a baseline would accept half of what it says."""
    if not target.name:
        raise click.UsageError("--output names no file. Fix: give the name of one")
    draft = target.with_name(f"{target.name}.tmp")
    try:
        draft.write_text(text, "utf-8")
        os.replace(draft, target)  # noqa: PTH105 - both are files of one directory
    except OSError as error:
        with contextlib.suppress(OSError):  # a name that is too long for the one is so for the other
            draft.unlink(missing_ok=True)
        raise click.UsageError(f"{target}: it cannot be written: {error.strerror}") from error
