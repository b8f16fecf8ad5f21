"""`kms-constructs trail detect`: what a stored trail tells that somebody should hear of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import click

from kms_constructs.cli import output
from kms_constructs.cli.options import Given, config_option, output_options, source_options
from kms_constructs.cli.trail_against import TrailGiven, at_home, tell_estates, trail_options
from kms_constructs.detections.watch import Level
from kms_constructs.exit_code import ExitCode
from kms_constructs.reports.formats import DETECTED

if TYPE_CHECKING:
    from kms_constructs.analysis.recorded.call import RecordedKey
    from kms_constructs.detections.trail.detection import Detected, TrailFinding
    from kms_constructs.guardrails.config import GuardrailConfig
    from kms_constructs.model.estate import Estate
    from kms_constructs.reports.trail_findings import FindingRow, TrailFindings

_LEVELS = tuple(level.value for level in Level)
"""Loudest first. What draws them loads rich, and is loaded when it draws."""
_DAYS = click.IntRange(1, 36_500)


def _authorised(
    context: click.Context, parameter: click.Parameter, values: tuple[str, ...]
) -> dict[str, tuple[str, ...]]:
    from kms_constructs.detections.authorised import checked_authorised
    from kms_constructs.errors import ArgumentError
    from kms_constructs.model.guarded_actions import GUARDED_ACTIONS

    controls = sorted({action.control for action in GUARDED_ACTIONS.values()})
    found: dict[str, tuple[str, ...]] = {}
    for value in values:
        control, equals, arn = value.partition("=")
        if not equals or not arn:
            raise click.BadParameter(f"{value!r} is not of the form CONTROL=ARN", context, parameter)
        if control not in controls:
            raise click.BadParameter(
                f"{control!r} guards no action; these do: {', '.join(controls)}", context, parameter
            )
        try:
            found[control] = checked_authorised((*found.get(control, ()), arn))
        except ArgumentError as error:
            raise click.BadParameter(
                f"{arn!r}: {error.rule}. Fix: {error.fix}", context, parameter
            ) from error
    return found


def _accounts(context: click.Context, parameter: click.Parameter, values: tuple[str, ...]) -> tuple[str, ...]:
    from kms_constructs.model.arn import is_account_id

    for value in values:
        if not is_account_id(value):
            raise click.BadParameter(f"{value!r} is no account id of twelve digits", context, parameter)
    return values


@click.command
@trail_options
@click.option("--key", "keys", metavar="KEY", multiple=True,
              help="Only what concerns this key: ARN, id or alias. May be repeated.")  # fmt: skip
@click.option("--authorised", metavar="CONTROL=ARN", multiple=True, callback=_authorised,
              help="Who may do what a control guards, on every key, as in "
              "IAM-KMS-3=arn:aws:iam::*:role/Rescue. May be repeated.")  # fmt: skip
@click.option("--against", "paths", metavar="PATH", multiple=True, type=click.Path(),
              help="Keys that declare whom they authorise: all that `kms-constructs check` takes. May be "
              "repeated.")  # fmt: skip
@click.option("--trusted", metavar="ACCOUNT", multiple=True, callback=_accounts,
              help="An account that may be given keys, beside those of the configuration. May be "
              "repeated.")  # fmt: skip
@click.option("--baseline-days", metavar="N", type=_DAYS, default=14, show_default=True,
              help="Days that say what is usual: before --since, else the first of the trail.")  # fmt: skip
@click.option("--level", type=click.Choice(_LEVELS), default=_LEVELS[-1], show_default=True,
              help="Least level shown.")  # fmt: skip
@click.option("--fail-on", type=click.Choice([*_LEVELS, "never"]), default=_LEVELS[0], show_default=True,
              help="Least level that exits with 1.")  # fmt: skip
@click.option("--all", "everything", is_flag=True, help="List every caller and key in the table.")
@config_option
@output_options(DETECTED.names)
@source_options
def detect(
    *,
    trail: TrailGiven,
    keys: tuple[str, ...],
    authorised: dict[str, tuple[str, ...]],
    paths: tuple[str, ...],
    trusted: tuple[str, ...],
    baseline_days: int,
    level: str,
    fail_on: str,
    everything: bool,
    config_file: str | None,
    outputs: tuple[str, ...],
    format_: str | None,
    given: Given,
) -> int:
    """Find what somebody should hear of in the trail in STORE.

    What rules of EventBridge watch for, over what was recorded; and what only a trail tells: callers,
    networks, VPC endpoints and Regions that a key had never seen before, refusals in a burst, decryption far
    beyond its baseline, keys handed to other accounts, who gained by a new key policy, use after a deletion
    was announced.

    Who is authorised is taken from --authorised, from the configuration, and for keys in PATH from what they
    declare: their calls are alerts, and everybody else's critical.

    \b
    Examples:
      kms-constructs trail detect trail/
      kms-constructs trail detect trail/ --against cdk.out --level alert
      kms-constructs trail detect trail/ --since 2026-05-01 --key alias/orders -o findings.json

    \b
    Exit codes: 0 nothing as loud as --fail-on, 1 something that is, 2 wrong usage, or a store that cannot
    be read.
    """
    from kms_constructs.guardrails.config import load_config
    from kms_constructs.runtime.trail.detecting import DetectSettings
    from kms_constructs.runtime.trail.detecting import detect as detected_in
    from kms_constructs.runtime.trail.recorded import recorded_keys

    places = output.targets(outputs, format_, DETECTED)
    config = load_config(config_file)
    with trail.opened() as opened:
        connection = opened.connection
        estates: list[Estate] = []
        by_key: Mapping[str, Mapping[str, Sequence[str]]] = {}
        if paths:
            with output.progress("Reading"):
                estates.append(at_home(given, opened).estate(paths))
            by_key = _declared(recorded_keys(connection), estates[0], config, trail.key_map)
        settings = DetectSettings(
            authorised=_joined(authorised, config),
            by_key=by_key,
            trusted=frozenset((*trusted, *config.trusted_accounts)),
            since=None if trail.since is None else trail.since.date(),
            until=trail.last_day,
            keys=keys,
            baseline_days=baseline_days,
        )
        with output.progress("Looking"):
            found = detected_in(connection, settings)
            aliases = {one.arn: one.aliases[0] for one in recorded_keys(connection) if one.aliases}
            shown = _shown(found, Level(level), aliases, everything=everything)
            texts = output.draw(places, DETECTED, shown)
    output.write(places, texts)
    unreadable = tell_estates(estates)
    if unreadable:
        return ExitCode.UNUSABLE
    loud = fail_on != "never" and any(one.is_at_least(Level(fail_on)) for one in found.findings)
    return ExitCode.VIOLATIONS if loud else ExitCode.CLEAN


def _joined(authorised: Mapping[str, Sequence[str]], config: GuardrailConfig) -> dict[str, tuple[str, ...]]:
    """Those of the command line and those of the configuration."""
    return {
        control: (*authorised.get(control, ()), *config.authorised.get(control, ()))
        for control in {**authorised, **config.authorised}
    }


def _declared(
    recorded: Sequence[RecordedKey], estate: Estate, config: GuardrailConfig, key_map: Mapping[str, str]
) -> dict[str, Mapping[str, Sequence[str]]]:
    """Whom the keys of the input authorise, by the ARN that the trail has of each."""
    from kms_constructs.analysis.recorded.keys import match_keys
    from kms_constructs.guardrails.declarations import limited

    believed = limited(estate, config.may_declare)
    matching = match_keys(recorded, believed.keys, key_map)
    unknown = [key for key in matching.only_given if key.authorised]
    if unknown:
        output.tell_notes(
            [f"Of {len(unknown)} keys of the input the trail tells nothing, or not which they are: --key-map"]
        )
    return {one.recorded.arn: one.key.authorised for one in matching.matched}


def _shown(found: Detected, level: Level, aliases: Mapping[str, str], *, everything: bool) -> TrailFindings:
    from kms_constructs.reports.trail_findings import TrailFindings

    return TrailFindings(
        rows=tuple(_row(one, aliases.get(one.key, "")) for one in found.findings if one.is_at_least(level)),
        notes=found.notes,
        calls=found.calls,
        first=found.first,
        last=found.last,
        baseline_end=found.baseline_end,
        everything=everything,
    )


def _row(finding: TrailFinding, alias: str) -> FindingRow:
    from kms_constructs.reports.trail_findings import FindingRow

    what = finding.what
    return FindingRow(
        level=finding.level.value,
        id=what.id,
        title=what.title,
        control=what.control,
        principal=finding.principal,
        key=finding.key,
        alias=alias,
        count=finding.count,
        first=finding.first,
        last=finding.last,
        events=finding.events,
        detail=finding.detail,
        reason=what.reason,
        expected=what.expected,
        respond=what.respond,
        references=what.references,
    )
