"""`kms-constructs export`: what other tools take in."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import click

from kms_constructs.cli import output
from kms_constructs.exit_code import ExitCode

_Function = Callable[..., Any]

_output_option = click.option(
    "-o",
    "--output",
    "file",
    metavar="FILE",
    type=click.Path(),
    default=output.TERMINAL,
    help="Write to a file instead of the terminal.",
)


@click.group
def export() -> None:
    """Write the organization policies of the catalogue, a StackSet for monitoring, or a JSON schema.

    \b
    Examples:
      kms-constructs export scp --exempt 'arn:aws:iam::*:role/BreakGlass' > scp.json
      kms-constructs export rcp --organization-id o-a1b2c3d4e5 -o rcp.json
      kms-constructs export monitoring --central-bus-arn ARN -o monitoring.json
      kms-constructs export schema
      kms-constructs export catalog-schema -o keys.schema.json
      kms-constructs export config-schema -o kms-constructs.schema.json
    """


def _policy_options(function: _Function) -> _Function:
    for option in (
        _output_option,
        click.option("--compact", is_flag=True, help="Without white space, as AWS counts the size."),
        click.option(
            "--minimum-pending-window",
            metavar="DAYS",
            type=int,
            help="Deny a shorter pending window, 7 to 30.  [default: 30]",
        ),
        click.option(
            "--grant-principal",
            "grant_principals",
            metavar="ARN",
            multiple=True,
            help="May create grants directly. May be repeated.",
        ),
        click.option(
            "--deployment-principal",
            "deployment_principals",
            metavar="ARN",
            multiple=True,
            help="May change key policies, and no more. May be repeated.",
        ),
        click.option(
            "--exempt",
            "exempt_principals",
            metavar="ARN",
            multiple=True,
            help="May delete and disable keys and change policies; the account may be *. May be repeated.",
        ),
    ):
        function = option(function)
    return function


@export.command(short_help="A service control policy.")
@_policy_options
def scp(*, file: str, compact: bool, **arguments: Any) -> int:  # noqa: ANN401 - options by name
    """Write a service control policy: it denies the guarded actions to the accounts of an organization.

    \b
    Example:
      kms-constructs export scp --exempt 'arn:aws:iam::*:role/BreakGlass' \\
        --deployment-principal 'arn:aws:iam::*:role/cdk-hnb659fds-cfn-exec-role-*'
    """
    from kms_constructs.policies.organization import service_control_policy

    return _write(file, service_control_policy(**_given(arguments)), compact=compact)


@export.command(short_help="A resource control policy.")
@_policy_options
@click.option(
    "--organization-id",
    metavar="ID",
    help="Keep principals outside this organization from using the keys.",
)
@click.option(
    "--trusted-account",
    "trusted_accounts",
    metavar="ID",
    multiple=True,
    help="Account outside the organization that may use the keys. May be repeated.",
)
def rcp(*, file: str, compact: bool, **arguments: Any) -> int:  # noqa: ANN401 - options by name
    """Write a resource control policy: it denies the guarded actions to everyone, on an organization's keys.

    \b
    Example:
      kms-constructs export rcp --exempt 'arn:aws:iam::*:role/BreakGlass' --organization-id o-a1b2c3d4e5
    """
    from kms_constructs.policies.organization import resource_control_policy

    return _write(file, resource_control_policy(**_given(arguments)), compact=compact)


@export.command(short_help="A template that sends KMS events to a central account.")
@_output_option
@click.option(
    "--central-bus-arn",
    "bus_arn",
    metavar="ARN",
    help="Event bus of the security account; else the StackSet's parameter CentralBusArn.",
)
def monitoring(file: str, bus_arn: str | None) -> int:
    """Write a CloudFormation template that sends the KMS events of an account and Region to a central bus.

    The security account has the bus: KmsMonitoring with organization_id. Deploy the template as a StackSet to
    every other account and Region; it needs CAPABILITY_IAM.

    \b
    Example:
      kms-constructs export monitoring -o monitoring.json \\
        --central-bus-arn arn:aws:events:eu-west-1:111122223333:event-bus/prod-kms
    """
    from kms_constructs.detections.forwarding import forwarding_template

    return _write(file, forwarding_template(bus_arn), compact=False)


@export.command(short_help="The JSON schema of the output of --format json.")
@_output_option
def schema(file: str) -> int:
    """Write the JSON schema of what check, explain, diff and guardrails write with --format json."""
    from kms_constructs.reports.json_report import output_schema

    return _write(file, output_schema(), compact=False)


@export.command("config-schema", short_help="The JSON schema of the configuration, for editors.")
@_output_option
def config_schema(file: str) -> int:
    """Write the JSON schema of the configuration, so that an editor checks it while typing.

    It describes a configuration in a TOML file of its own; in pyproject.toml, [tool.kms-constructs].

    \b
    Example:
      kms-constructs export config-schema -o kms-constructs.schema.json
      # and as the first line of guardrails.toml:
      #:schema ./kms-constructs.schema.json
    """
    from kms_constructs.guardrails.config_schema import config_schema as made

    return _write(file, made(), compact=False)


@export.command("catalog-schema", short_help="The JSON schema of a catalogue of keys, for editors.")
@_output_option
def catalog_schema(file: str) -> int:
    """Write the JSON schema of the files that KeyCatalog reads, so that an editor checks them while typing.

    \b
    Example:
      kms-constructs export catalog-schema -o keys.schema.json
      # and as the first line of keys.yaml:
      # yaml-language-server: $schema=keys.schema.json
    """
    from importlib.resources import files

    # The file alone: the construct that reads catalogues would load aws_cdk.
    text = (
        files("kms_constructs").joinpath("cdk", "fleet", "data", "key-catalog.schema.json").read_text("utf-8")
    )
    return _write(file, json.loads(text), compact=False)


def _given(arguments: dict[str, Any]) -> dict[str, Any]:
    """The options that were given; the others have the defaults of the function that they go to."""
    return {name: value for name, value in arguments.items() if value is not None}


def _write(file: str, document: dict[str, Any], *, compact: bool) -> int:
    from kms_constructs.reports.text import json_text

    text = json_text(document, indent=None if compact else 2, compact=compact)
    output.write([output.Target(file, "json")], [f"{text}\n"])
    return ExitCode.CLEAN
