"""Options that several commands share, and the estate and the configuration that they lead to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kms_constructs.errors import SourceError
from kms_constructs.model.frozen import Frozen

if TYPE_CHECKING:
    from kms_constructs.model.estate import Deployment, Estate

_Function = Callable[..., Any]


def paths_argument(function: _Function) -> _Function:
    """``PATH…``: what to read; at least one."""
    return click.argument("paths", metavar="PATH...", nargs=-1, required=True, type=click.Path())(function)


class Given(Frozen, frozen=True):
    """What the caller says beside the paths: handed on as one from the options to the sources.

    Args:
        deployment: What the input does not say itself.
        scps: Files of the service control policies in force.
        rcps: Files of the resource control policies in force.
    """

    deployment: Deployment
    scps: tuple[str, ...]
    rcps: tuple[str, ...]

    def estate(self, paths: Sequence[str]) -> Estate:
        """The estate that the paths hold; ``-`` is standard input."""
        from kms_constructs.sources import load

        return load([_input(path) for path in paths], self.deployment, scps=self.scps, rcps=self.rcps)


def source_options(function: _Function) -> _Function:
    """The options that say what the input does not say itself: as one argument, `given`."""

    @wraps(function)
    def with_given(
        *,
        account: str | None,
        region: str | None,
        parameters: dict[str, str],
        ignore_defaults: bool,
        scps: tuple[str, ...],
        rcps: tuple[str, ...],
        **others: Any,  # noqa: ANN401 - the command's own options
    ) -> Any:  # noqa: ANN401 - whatever the command returns
        from kms_constructs.model.estate import Deployment

        deployment = Deployment(account, region, parameters, ignore_defaults)
        return function(given=Given(deployment, scps, rcps), **others)

    decorated: _Function = with_given
    for option in _SOURCE_OPTIONS:
        decorated = option(decorated)
    return decorated


def config_option(function: _Function) -> _Function:
    """``--config``: where the configuration stands."""
    return click.option(
        "--config",
        "config_file",
        metavar="FILE",
        type=click.Path(),
        help="Configuration (TOML); otherwise [tool.kms-constructs] of the nearest pyproject.toml.",
    )(function)


def output_options(formats: Sequence[str]) -> Callable[[_Function], _Function]:
    """``--format`` and ``--output`` with the formats that a command has, the first of them the default."""

    def decorate(function: _Function) -> _Function:
        function = click.option(
            "-o",
            "--output",
            "outputs",
            metavar="FILE",
            multiple=True,
            type=click.Path(),
            help="Write to a file instead; its ending tells the format, or --format, or FORMAT: before its "
            "name. May be repeated; - is the terminal.",
        )(function)
        return click.option(
            "-f",
            "--format",
            "format_",
            type=click.Choice(formats),
            help=f"Format of the output.  [default: {formats[0]}]",
        )(function)

    return decorate


def _input(path: str) -> Path:
    from kms_constructs.sources.files import STDIN

    if path != "-":
        return Path(path)
    if not STDIN.exists():
        raise SourceError("-", "standard input cannot be read as a file here", "Give the name of a file")
    return STDIN


def _parameters(
    context: click.Context, parameter: click.Parameter, values: tuple[str, ...]
) -> dict[str, str]:
    found: dict[str, str] = {}
    for value in values:
        name, equals, text = value.partition("=")
        if not equals or not name:
            raise click.BadParameter(f"{value!r} is not of the form NAME=VALUE", context, parameter)
        if name in found and found[name] != text:
            raise click.BadParameter(f"{name!r} is given two values", context, parameter)
        found[name] = text
    return found


def _organization_option(kind: str, title: str) -> Callable[[_Function], _Function]:
    return click.option(
        f"--{kind}",
        f"{kind}s",
        metavar="FILE",
        multiple=True,
        type=click.Path(),
        help=f"{title} control policy in force (JSON). May be repeated.",
    )


_SOURCE_OPTIONS = (
    _organization_option("rcp", "Resource"),
    _organization_option("scp", "Service"),
    click.option(
        "--parameter",
        "parameters",
        metavar="NAME=VALUE",
        multiple=True,
        callback=_parameters,
        help="Value of a template parameter. May be repeated.",
    ),
    click.option(
        "--ignore-defaults",
        is_flag=True,
        help="Leave parameters open that --parameter does not give, whatever their defaults.",
    ),
    click.option("--region", metavar="REGION", help="Region, where the input does not say it."),
    click.option(
        "--account",
        metavar="ID",
        help="Account (twelve digits), where the input does not say it.",
    ),
)
