"""`kms-constructs explain`: who may do what with a key, and why."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from kms_constructs.cli import output
from kms_constructs.cli.options import Given, output_options, paths_argument, source_options
from kms_constructs.exit_code import ExitCode
from kms_constructs.model.globs import glob_matches
from kms_constructs.reports.formats import ACCESSES, Accesses

if TYPE_CHECKING:
    from kms_constructs.model.estate import Estate, Key


@click.command
@paths_argument
@output_options(ACCESSES.names)
@click.option(
    "--key",
    "wanted",
    metavar="NAME",
    multiple=True,
    help="Only this key: alias, logical id, construct path or ARN; * is a wildcard. May be repeated.",
)
@click.option(
    "--principal",
    "principals",
    metavar="ARN",
    multiple=True,
    help="What this role, user or service may do, named or not. May be repeated.",
)
@source_options
def explain(
    *,
    paths: tuple[str, ...],
    outputs: tuple[str, ...],
    format_: str | None,
    wanted: tuple[str, ...],
    principals: tuple[str, ...],
    given: Given,
) -> int:
    """Show the access matrix of every KMS key in PATH: principals, capabilities, statements responsible.

    PATH and the options beside it are what `kms-constructs check` takes. IAM policies in PATH count where
    the key policy leaves the decision to the account; what an organization policy denies nobody has.

    \b
    Examples:
      kms-constructs explain cdk.out
      kms-constructs explain cdk.out --key alias/prod/orders
      kms-constructs explain cdk.out --principal arn:aws:iam::111122223333:role/OrderService
      kms-constructs explain cdk.out -o access.html

    \b
    Exit codes: 0 done, 2 input that cannot be read, no such key, or wrong usage.
    """
    from kms_constructs.analysis.worlds import matrices_of
    from kms_constructs.reports.text import counted

    places = output.targets(outputs, format_, ACCESSES)
    with output.working("Reading"):
        estate = given.estate(paths)
    keys = select_keys(estate, wanted)
    with output.working(f"Looking at {counted(len(keys), 'key')}"):
        matrices = matrices_of(estate, {key.id for key in keys}, principals)
        texts = output.draw(places, ACCESSES, Accesses(matrices, estate))
    output.write(places, texts)
    output.tell_problems(estate.problems)
    output.tell_notes(estate.notes)
    if not keys and not estate.problems:
        output.tell("There is no KMS key in what was given.", colour="yellow")
    return ExitCode.UNUSABLE if estate.problems else ExitCode.CLEAN


def select_keys(estate: Estate, wanted: Sequence[str]) -> tuple[Key, ...]:
    """The keys of these names, whatever world they are in; all of them when no name is given.

    Raises:
        click.UsageError: No key has one of the names.
    """
    every = tuple(key for world in estate.every_world for key in world.estate.keys)
    if not wanted:
        return tuple({key.id: key for key in reversed(every)}.values())[::-1]
    chosen: dict[str, Key] = {}
    for name in wanted:
        found = [key for key in every if any(glob_matches(name, own) for own in _names(key))]
        if not found and not estate.problems:
            raise click.UsageError(f"--key {name}: no key is called so. {_known(estate)}")
        chosen |= {key.id: key for key in found}
    return tuple(chosen[name] for name in dict.fromkeys(key.id for key in every) if name in chosen)


def _names(key: Key) -> set[str]:
    from kms_constructs.model.text import display

    location = key.location
    names = {key.id, location.logical_id, location.construct_path or "", location.source, key.arn_pattern}
    if location.construct_path:
        names.add(location.construct_path.removesuffix("/Resource"))
    if location.stack:
        names.add(f"{location.stack}/{location.logical_id}")
    for alias in key.aliases:
        names |= {alias, alias.removeprefix("alias/")}
    return {display(name) for name in names if name}


_SHOWN_NAMES = 10


def _known(estate: Estate) -> str:
    from kms_constructs.reports.access_view import key_title
    from kms_constructs.reports.text import one_line

    names = [one_line(key.aliases[0]) if key.aliases else key_title(key) for key in estate.keys]
    if not names:
        return "Fix: give input that holds keys"
    more = f" and {len(names) - _SHOWN_NAMES} more" if len(names) > _SHOWN_NAMES else ""
    return f"Fix: use one of {', '.join(names[:_SHOWN_NAMES])}{more}"
