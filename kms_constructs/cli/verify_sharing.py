"""`kms-constructs verify-sharing`: whether another account can read what is encrypted under a key."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import click

from kms_constructs.cli import output
from kms_constructs.cli.boto import needing_boto3
from kms_constructs.exit_code import ExitCode

if TYPE_CHECKING:
    from kms_constructs.runtime.sharing import Step


@click.command("verify-sharing")
@click.option("--source-profile", metavar="NAME", required=True, help="Profile of who writes.")
@click.option("--target-profile", metavar="NAME", required=True, help="Profile of who reads.")
@click.option("--outsider-profile", metavar="NAME", help="Profile of somebody who must not read.")
@click.option("--key", "key_arn", metavar="ARN", required=True, help="ARN of the key.")
@click.option("--bucket", metavar="NAME", required=True, help="Bucket that the object is written to.")
@click.option("--prefix", metavar="TEXT", default="kms-constructs-verify-sharing/", show_default=True,
              help="What the name of the object begins with.")  # fmt: skip
@click.option(
    "--encryption-context", "context", metavar="NAME=VALUE", multiple=True,
    help="Encryption context of the object. May be repeated.",
)  # fmt: skip
@click.option("-f", "--format", "format_", type=click.Choice(("table", "json")), default="table",
              show_default=True, help="Format of the output.")  # fmt: skip
@click.option("--yes", is_flag=True, help="Write the object without asking.")
def verify_sharing(
    *,
    source_profile: str,
    target_profile: str,
    outsider_profile: str | None,
    key_arn: str,
    bucket: str,
    prefix: str,
    context: tuple[str, ...],
    format_: str,
    yes: bool,
) -> int:
    """Verify that the target can read what the source encrypts under a key, and that an outsider cannot.

    The policies of both sides are judged first. Then the source writes an object of 1 KB to the bucket, the
    target reads it, the outsider tries to; the object is deleted in every case. Needs the extra `runtime`.

    \b
    Examples:
      kms-constructs verify-sharing --source-profile data --target-profile analytics \\
        --outsider-profile sandbox --bucket shared-data \\
        --key arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab

    \b
    Exit codes: 0 everything holds, 1 something does not, 2 wrong usage, 3 something is not known.
    """
    from kms_constructs.model.arn import parse_arn

    arn = parse_arn(key_arn)
    if arn is None or not arn.resource.startswith("key/"):
        raise click.UsageError(
            f"--key {key_arn}: it is no ARN of a key. "
            "Fix: give arn:aws:kms:REGION:ACCOUNT:key/ID; an alias may mean another key in another account"
        )
    pairs = dict(_pair(one) for one in context)
    if not yes:
        question = f"Write an object to s3://{bucket}/{prefix}… and delete it again?"
        click.confirm(output.shown(question), abort=True, err=True)
    with needing_boto3("verify-sharing"):
        from kms_constructs.runtime.sessions import party
        from kms_constructs.runtime.sharing import Result, Sharing
    with output.progress("Signing in"):
        sharing = Sharing(
            source=party("source", source_profile, arn.region),
            target=party("target", target_profile, arn.region),
            outsider=None if outsider_profile is None else party("outsider", outsider_profile, arn.region),
            key_arn=key_arn,
            bucket=bucket,
            prefix=prefix,
            context=pairs,
        )
    steps: list[Step] = []
    running = sharing.steps()
    try:
        for step in running:
            steps.append(step)
            if format_ == "table":
                click.echo(output.shown(_line(step)))
    except BaseException as error:
        with contextlib.suppress(type(error)):
            running.throw(error)  # ended from here, not from within: the object is deleted now
        for note in getattr(error, "__notes__", ()):
            output.tell(note, colour="red")
        raise
    if format_ == "json":
        from kms_constructs.reports.text import json_text

        output.to_terminal(f"{json_text([_data(one) for one in steps], indent=2)}\n", for_people=False)
    results = {one.result for one in steps}
    if Result.FAILS in results:
        return ExitCode.VIOLATIONS
    return ExitCode.UNDETERMINED if Result.OPEN in results else ExitCode.CLEAN


def _line(step: Step) -> str:
    from kms_constructs.reports.text import one_line

    return f"{step.result.value:<10} by {step.proof.value:<7} {step.what}" + (
        f" ({one_line(step.why)})" if step.why else ""
    )


def _data(step: Step) -> dict[str, Any]:
    return {"what": step.what, "proof": step.proof.value, "result": step.result.value, "why": step.why}


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise click.UsageError(f"--encryption-context {text!r} is not of the form NAME=VALUE")
    return name, value
