"""`kms-constructs trail ingest`: puts what CloudTrail recorded into a store."""

from __future__ import annotations

import os
import re
from dataclasses import asdict
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from kms_constructs.cli import output
from kms_constructs.cli.boto import needing_trail
from kms_constructs.exit_code import ExitCode
from kms_constructs.model.arn import is_region_name

if TYPE_CHECKING:
    from kms_constructs.runtime.trail.ingest import Summary

_MAXIMUM_LISTED = 20
_UNITS = {"": 1, "K": 2**10, "M": 2**20, "G": 2**30}


def _day(_context: click.Context, _parameter: click.Parameter, text: str | None) -> date | None:
    if text is None:
        return None
    try:
        if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
            raise ValueError
        return date.fromisoformat(text)
    except ValueError:
        raise click.BadParameter(f"{text!r} is no day. Fix: write it as 2026-05-31") from None


def _regions(_context: click.Context, _parameter: click.Parameter, names: tuple[str, ...]) -> frozenset[str]:
    for name in names:
        if not is_region_name(name):
            raise click.BadParameter(f"{name!r} is no name of a Region. Fix: write it as eu-central-1")
    return frozenset(names)


def _size(_context: click.Context, _parameter: click.Parameter, text: str) -> int:
    told = re.fullmatch(r"([0-9]{1,6})([KMG]?)B?", text.strip().upper())
    if told is None or not int(told[1]):
        raise click.BadParameter(f"{text!r} is no size. Fix: write it as 512M or 2G")
    return int(told[1]) * _UNITS[told[2]]


@click.command
@click.argument("sources", metavar="SOURCE...", nargs=-1, required=True)
@click.option(
    "--into", "directory", metavar="DIR", required=True, type=click.Path(file_okay=False),
    help="The store; made where it is missing.",
)  # fmt: skip
@click.option("--since", metavar="DATE", callback=_day, help="First day, UTC: 2026-05-01.")
@click.option("--until", metavar="DATE", callback=_day, help="Last day, UTC.")
@click.option(
    "--region", "regions", metavar="REGION", multiple=True, callback=_regions,
    help="Region of the log files, or to look up events in. May be repeated.  [default: all]",
)  # fmt: skip
@click.option("--profile", metavar="NAME", help="Profile to ask AWS with.")
@click.option(
    "--max-file-size", metavar="SIZE", default="256M", show_default=True, callback=_size,
    help="What a file may have, unpacked.",
)  # fmt: skip
@click.option("-q", "--quiet", is_flag=True, help="Say nothing but what could not be taken.")
@click.option(
    "-f", "--format", "format_", type=click.Choice(("table", "json")), default="table", show_default=True,
    help="Format of the summary.",
)  # fmt: skip
def ingest(
    *,
    sources: tuple[str, ...],
    directory: str,
    since: date | None,
    until: date | None,
    regions: frozenset[str],
    profile: str | None,
    max_file_size: int,
    quiet: bool,
    format_: str,
) -> int:
    """Put what CloudTrail recorded into a store, for reports and detections to ask.

    A SOURCE is a log file or a directory of them, s3://BUCKET/PREFIX as a trail delivers to it, the word
    lookup-events for the last 90 days of the account as CloudTrail keeps them by itself, what
    `aws cloudtrail lookup-events` said, or an export of CloudTrail Lake with its column eventJson. Kept are
    the events of KMS and CloudTrail, and those of every service that name a KMS key.

    Files that the store has are skipped, and an event that is delivered twice counts once. The command may be
    stopped at any moment and called again. What cannot be read is named and tried again the next time.
    --since, --until and --region go by the names of log files and folders, and leave files of other names in.

    \b
    Examples:
      kms-constructs trail ingest ./logs --into trail
      kms-constructs trail ingest s3://my-trail/AWSLogs/ --since 2026-05-01 --region eu-central-1 --into trail
      kms-constructs trail ingest lookup-events --region eu-central-1 --since 2026-05-01 --into trail

    \b
    Exit codes:
      0  everything was taken
      2  wrong usage, or a source or the store cannot be used at all
      3  files or records were quarantined: the store does not know them
    """
    if since is not None and until is not None and since > until:
        raise click.UsageError(f"--since {since} is after --until {until}. Fix: give them in order")
    with needing_trail("trail ingest"):
        from kms_constructs.runtime.trail.ingest import ingest as run
        from kms_constructs.runtime.trail.places import sources_of
        from kms_constructs.runtime.trail.sources import Scope

    scope = Scope(since=since, until=until, regions=regions)
    found = sources_of(sources, scope, profile, without=Path(directory))
    with output.bar("Reading") as bar:
        summary = run(Path(directory), found, max_file_bytes=max_file_size, progress=None if quiet else bar)
    _tell_quarantined(summary)
    if format_ == "json":
        from kms_constructs.reports.text import json_text

        click.echo(json_text(asdict_of(summary), indent=2))
    elif not quiet:
        click.echo(output.shown(_table(summary, directory)))
    return ExitCode.UNDETERMINED if summary.quarantined else ExitCode.CLEAN


def asdict_of(summary: Summary) -> dict[str, object]:
    """The summary as JSON has it."""
    told = asdict(summary)
    told["quarantined"] = [{"name": one.name, "problem": one.problem} for one in summary.quarantined]
    return told


def _tell_quarantined(summary: Summary) -> None:
    from kms_constructs.reports.text import counted, one_line

    for one in summary.quarantined[:_MAXIMUM_LISTED]:
        name = one.name.removeprefix(f"{Path.cwd()}{os.sep}")
        output.tell(f"Quarantined: {one_line(name)}: {one_line(one.problem)}", colour="red")
    if (more := len(summary.quarantined) - _MAXIMUM_LISTED) > 0:
        output.tell(f"… and {counted(more, 'more file or record', 'more files or records')}", colour="red")


def _table(summary: Summary, directory: str) -> str:
    lines = [
        ("files taken", summary.files),
        ("  taken before", summary.known),
        ("  no log files", summary.other),
        ("  of other days or Regions", summary.outside),
        ("events read", summary.events),
        ("  new in the store", summary.kept),
        ("  not about keys", summary.unrelated),
        ("  delivered before", summary.duplicates),
        ("quarantined", len(summary.quarantined)),
        ("events in the store", summary.total),
    ]
    shown = [f"{name:<28}{number:>12,}" for name, number in lines if number or not name.startswith(" ")]
    if summary.total:
        shown.append(f"from {_moment(summary.first)} to {_moment(summary.last)}, in {directory}")
    return "\n".join(shown)


def _moment(text: str) -> str:
    return datetime.fromisoformat(text).strftime("%Y-%m-%d %H:%M:%S UTC")
