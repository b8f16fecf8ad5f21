"""`kms-constructs remediate`: the exact change for each finding of an audit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from kms_constructs.cli import output
from kms_constructs.cli.audit import saved_answers
from kms_constructs.cli.boto import needing_boto3
from kms_constructs.cli.options import config_option
from kms_constructs.errors import SourceError
from kms_constructs.exit_code import ExitCode

if TYPE_CHECKING:
    from kms_constructs.model.estate import Estate
    from kms_constructs.policies.remediation import Change


@click.command
@click.option("--plan", "file", metavar="FILE", required=True, type=click.Path(),
              help="Saved answers (audit --save) to plan for.")  # fmt: skip
@click.option("--control", "controls", metavar="ID", multiple=True, help="Plan for this control only.")
@click.option("--trail", "store", metavar="STORE", type=click.Path(),
              help="Store of `kms-constructs trail ingest`: what it shows may not be denied.")  # fmt: skip
@click.option("--words", type=click.Choice(("cli", "cdk", "terraform")), default="cli", show_default=True,
              help="In whose words to say a change.")  # fmt: skip
@click.option("-f", "--format", "format_", type=click.Choice(("table", "json")), default="table",
              show_default=True, help="Format of the output.")  # fmt: skip
@click.option("--apply", "apply_", is_flag=True, help="Make the changes, after asking for each.")
@click.option("--profile", metavar="NAME", help="Profile that makes the changes.")
@config_option
def remediate(
    *,
    file: str,
    controls: tuple[str, ...],
    store: str | None,
    words: str,
    format_: str,
    apply_: bool,
    profile: str | None,
    config_file: str | None,
) -> int:
    """Plan what exactly would mend the findings of an audit.

    Nothing destructive is ever proposed. A new key policy is judged first: it may not lock anybody out, break
    another guardrail, or take a use of the key from anybody, nor, with --trail, deny a call that was made.
    What needs a decision is left to people.

    \b
    Examples:
      kms-constructs audit --save today.json
      kms-constructs remediate --plan today.json
      kms-constructs remediate --plan today.json --trail trail/ --words terraform
      kms-constructs remediate --plan today.json --apply --profile key-admin

    \b
    Exit codes: 0 nothing is to be done, or all of it was, 1 something is to be done, 2 wrong usage,
    3 something is not known, and nothing else is to be done.
    """
    from kms_constructs.guardrails.config import load_config
    from kms_constructs.guardrails.engine import judge
    from kms_constructs.policies.remediation import Kind, plan
    from kms_constructs.reports.text import json_text
    from kms_constructs.sources.kms_api.estate import estate_from_answers

    settings = load_config(config_file)
    answers = saved_answers(file)
    with output.progress("Planning"):
        estate = estate_from_answers(answers)
        report = judge(estate, settings, controls=controls or None)
        changes = plan(report, estate, answers, settings)
        if store is not None:
            changes = _held_against_trail(changes, estate, store)
    if format_ == "json":
        output.to_terminal(f"{json_text([_data(one) for one in changes], indent=2)}\n", for_people=False)
    else:
        for one in changes:
            click.echo(output.shown(_text(one, words)))
    proposed = [one for one in changes if one.kind is Kind.CHANGE]
    done = [one for one in proposed if apply_ and _applied(one, profile)]
    left = [one for one in changes if one not in done]
    if any(one.kind is not Kind.OPEN for one in left):
        return ExitCode.VIOLATIONS
    return ExitCode.UNDETERMINED if left else ExitCode.CLEAN


def _held_against_trail(changes: tuple[Change, ...], estate: Estate, store: str) -> tuple[Change, ...]:
    """The changes, without those that would have denied what the trail shows."""
    from pathlib import Path

    from kms_constructs.cli.trail_against import TrailGiven
    from kms_constructs.policies.remediation import held_against, with_changes

    trail = TrailGiven(Path(store), None, None, {})
    with trail.opened() as opened:
        recorded = trail.recorded(opened, [with_changes(estate, changes), estate])
    return tuple(held_against(change, estate, recorded) for change in changes)


def _applied(change: Change, profile: str | None) -> bool:
    """Makes one change, if the caller says so. One that AWS does not take leaves the others to be made."""
    with needing_boto3("remediate"):
        from kms_constructs.runtime.applying import apply
        from kms_constructs.runtime.sessions import key_client
    output.tell(change.command)
    if not click.confirm(output.shown(f"Make this change to {change.key}?"), err=True):
        return False
    try:
        apply(key_client(change.key, profile), change.operation, change.parameters, change.before)
    except SourceError as error:
        output.tell(str(error), colour="red")
        return False
    output.tell("Done.")
    return True


def _text(change: Change, words: str) -> str:
    from kms_constructs.reports.text import one_line

    said = {"cli": change.command, "cdk": change.cdk, "terraform": change.terraform}[words]
    lines = [
        f"{change.kind.value}: {', '.join(change.findings)}",
        f"  in   {one_line(change.named)}" + (f", {change.key}" if change.key else ""),
    ]
    lines.append(f"  why  {one_line(change.why)}")
    if said and change.kind.value == "change":
        lines.append(f"  do   {said}")
    return "\n".join(lines)


def _data(change: Change) -> dict[str, Any]:
    return {
        "kind": change.kind.value,
        "findings": list(change.findings),
        "key": change.key,
        "named": change.named,
        "region": change.region,
        "why": change.why,
        "operation": change.operation,
        "parameters": dict(change.parameters),
        "cli": change.command if change.kind.value == "change" else "",
        "cdk": change.cdk,
        "terraform": change.terraform,
    }
