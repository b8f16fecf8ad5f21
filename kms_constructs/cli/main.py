"""The entry point: the group of commands, and what happens when something goes wrong."""

from __future__ import annotations

import errno
import gc
import io
import os
import sys
from collections.abc import Sequence
from typing import NoReturn

import click

from kms_constructs.cli import output
from kms_constructs.cli.commands import Commands, LoadedWhenAsked
from kms_constructs.errors import KmsConstructsError
from kms_constructs.exit_code import ExitCode

_NO_OUTPUT = frozenset({errno.EBADF, errno.EIO, errno.ENOSPC, errno.EPIPE})
"""What goes wrong where output is written: it is closed, its disk is full, nobody reads it any more."""

_ALLOCATIONS = 50_000
"""How many objects a process makes before it is looked for cycles among them: most live until it ends."""


def _version(context: click.Context, _parameter: click.Parameter, wanted: bool) -> None:
    if wanted and not context.resilient_parsing:
        from kms_constructs.reports.version import tool_version

        click.echo(f"kms-constructs {tool_version()}")
        context.exit()


_COMMANDS = Commands(
    {
        "audit": "Judge the live keys of accounts.",
        "baseline": "Accept what is there today.",
        "check": "Judge keys by the guardrails.",
        "config": "Show the configuration that applies.",
        "diff": "Show who gains and who loses access.",
        "explain": "Show who may do what with a key, and why.",
        "export": "Write organization policies, a StackSet, and JSON schemas.",
        "guardrails": "Show the catalogue of guardrails.",
        "init": "Write an app, cdk.json and a configuration to start from.",
        "material": "Import, renew, rotate and delete imported key material.",
        "remediate": "Plan the exact change for each finding of an audit.",
        "trail": "Store, report and judge what CloudTrail recorded about keys.",
        "verify-sharing": "Try whether another account can read under a key.",
    }
)


@click.group(
    name="kms-constructs",
    commands=_COMMANDS,
    cls=LoadedWhenAsked,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.option(
    "--version",
    is_flag=True,
    expose_value=False,
    is_eager=True,
    callback=_version,
    help="Show the version and exit.",
)
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
@click.pass_context
def cli(context: click.Context, debug: bool) -> None:
    """Guardrails for KMS keys: in CDK apps, templates, Terraform plans, key policies and live accounts.

    \b
    Examples:
      kms-constructs check cdk.out
      kms-constructs audit --profile prod --region eu-west-1
      kms-constructs explain cdk.out --key alias/prod/orders
      kms-constructs diff main/cdk.out cdk.out --fail-on-gain

    \b
    Exit codes:
      0  nothing to object to
      1  violations, or access gained where that was to fail
      2  wrong usage, or input that cannot be read
      3  nothing worse than what cannot be determined
    """
    context.obj = {"debug": debug}


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Runs the command and exits with its code; never with a traceback, unless ``--debug`` asks for it.

    Args:
        arguments: The command line without the program's name; None for that of the process.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    for stream in (sys.stdout, sys.stderr):
        # A terminal that knows ASCII alone gets escapes for the rest. There is no stream where it was closed.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    if arguments is None:
        gc.set_threshold(_ALLOCATIONS)
    code = _run(given)
    output.settle()
    if arguments is None:
        gc.freeze()  # the process ends: nothing that is left has to be looked through for cycles
    sys.exit(code)


def _run(arguments: list[str]) -> int:
    debug = "--debug" in arguments
    try:
        code = cli.main(args=arguments, prog_name="kms-constructs", standalone_mode=False)
    except click.ClickException as error:
        said = io.StringIO()
        error.show(said)
        output.tell(said.getvalue().rstrip("\n"))
        return ExitCode.UNUSABLE
    except click.Abort:
        output.tell("Interrupted.")
        return ExitCode.INTERRUPTED
    except KmsConstructsError as error:
        if debug:
            raise
        output.tell(f"Error: {error}")
        return ExitCode.UNUSABLE
    except OSError as error:
        if debug:
            raise
        output.tell(_of_system(error))
        return ExitCode.UNUSABLE
    except Exception as error:
        if debug:
            raise
        output.tell(_defect(error))
        return ExitCode.UNUSABLE
    return code if isinstance(code, int) else ExitCode.CLEAN


def _of_system(error: OSError) -> str:
    """What is left of the system's errors: of the terminal, and of names that no file can have."""
    if error.errno in _NO_OUTPUT:
        return f"Error: the output cannot be written: {error.strerror}"
    if error.filename is None:
        return _defect(error)
    return (
        f"Error: {os.fsdecode(error.filename)}: it cannot be used: {error.strerror}. "
        "Fix: check the name, the directory and its permissions"
    )


def _defect(error: Exception) -> str:
    return (
        f"Internal error: {type(error).__name__}: {error}\n"
        "This is a defect of kms-constructs: please report it with the input that brought it about. "
        "`kms-constructs --debug …` shows where it happened."
    )
