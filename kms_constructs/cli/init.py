"""`kms-constructs init`: a small app to start from."""

from __future__ import annotations

import json
import os
import tomllib
from datetime import date
from pathlib import Path
from string import Template

import click

from kms_constructs.cli import output
from kms_constructs.exit_code import ExitCode
from kms_constructs.model.arn import is_account_id, is_region_name
from kms_constructs.model.reading import bounded_text

FILES = {
    "app.py": "app.py.txt",
    "cdk.json": "cdk.json.txt",
    "requirements.txt": "requirements.txt",
    "pyproject.toml": "pyproject.toml.txt",
}
"""What is written, and the template that each is made of."""

_CONFIGURATION = "pyproject.toml"


@click.command
@click.argument("directory", metavar="[DIR]", default=".", type=click.Path(file_okay=False))
@click.option("--account", metavar="ID", default="111122223333", help="Account (twelve digits) of the app.")
@click.option("--region", metavar="REGION", default="eu-west-1", help="Region of the app.")
@click.option(
    "--force",
    is_flag=True,
    help="Overwrite what is there; a pyproject.toml is kept, and given the table that it lacks.",
)
def init(*, directory: str, account: str, region: str, force: bool) -> int:
    """Write app.py, cdk.json, requirements.txt and [tool.kms-constructs] of pyproject.toml into DIR.

    The app has a key with its policy, a bucket that the key encrypts, and the guardrails. Without --force
    nothing is written when one of the files is there.

    \b
    Examples:
      kms-constructs init
      kms-constructs init orders --account 111122223333 --region eu-central-1

    \b
    Exit codes: 0 written, 2 something is in the way, or wrong usage.
    """
    if not is_account_id(account):
        raise click.UsageError(f"--account {account}: this is no account id. Fix: give its twelve digits")
    if not is_region_name(region):
        raise click.UsageError(f"--region {region}: this is no Region. Fix: write it as in eu-west-1")
    place = Path(directory)
    # A link that leads nowhere is in the way as well.
    there = [name for name in FILES if os.path.lexists(place / name)]
    if there and not force:
        raise click.UsageError(
            f"{', '.join(there)} in {place}: there already. Fix: choose another directory, or give --force"
        )
    try:
        texts = _texts(place, account, region)
        place.mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            (place / name).write_text(text, "utf-8")
    except OSError as error:
        raise click.UsageError(
            f"{error.filename or place}: it cannot be written: {error.strerror}. "
            "Fix: check the directory and its permissions"
        ) from error
    output.tell(f"Wrote {', '.join(texts) or 'nothing'} to {place}.", colour="green")
    click.echo(output.shown(_NEXT.format(cd="" if place == Path() else f"  cd {place}\n")), nl=False)
    return ExitCode.CLEAN


_NEXT = """\
Next, with your account and roles in app.py:
{cd}  pip install -r requirements.txt     # it says how to install from a checkout
  python app.py                       # or: npx aws-cdk@2 synth
  kms-constructs explain cdk.out
"""


def _texts(place: Path, account: str, region: str) -> dict[str, str]:
    from importlib.resources import files

    from kms_constructs.guardrails.settings import Settings
    from kms_constructs.model.arn import of_region
    from kms_constructs.reports.version import tool_version

    templates = files("kms_constructs.cli").joinpath("data", "init")
    values = {
        "account": account,
        "region": region,
        "partition": of_region(region).name,
        "today": date.today().isoformat(),  # noqa: DTZ011 - the day where the reader is
        "version": tool_version().partition("+")[0],
        "production": json.dumps(list(Settings().production_environments)),
    }
    found = {
        name: Template(templates.joinpath(template).read_text("utf-8")).substitute(values)
        for name, template in FILES.items()
    }
    kept = _with_table(place / _CONFIGURATION, found.pop(_CONFIGURATION))
    return found if kept is None else {**found, _CONFIGURATION: kept}


def _with_table(file: Path, table: str) -> str | None:
    """The configuration file with the table, or None when it has one: what is the user's own is kept.

    Raises:
        click.UsageError: The file cannot be read.
    """
    from kms_constructs.guardrails.config import TABLE_NAME

    if not file.is_file():
        return table
    try:
        text = bounded_text(file)
        tool = tomllib.loads(text).get("tool", {})
    except (OSError, RecursionError, ValueError) as error:
        raise click.UsageError(
            f"{file}: it cannot be read: {error}. Fix: correct it, or move it away"
        ) from error
    if isinstance(tool, dict) and TABLE_NAME in tool:
        return None
    return f"{text.rstrip()}\n\n{table}" if text.strip() else table
