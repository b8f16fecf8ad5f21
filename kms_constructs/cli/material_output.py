"""What the commands on key material say: plans, imports, and the status of keys."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from kms_constructs.cli import output
from kms_constructs.exit_code import ExitCode

if TYPE_CHECKING:
    from kms_constructs.runtime.material.importing import Imported, Step
    from kms_constructs.runtime.material.upkeep import KeyStatus


def tell_plan(steps: Sequence[Step], first: str) -> int:
    """Says what would be imported where."""
    click.echo(f"{first}. Nothing was changed. It would be imported into:")
    for step in steps:
        renews = "renews the material that is there" if step.renews else "first, or missing, material"
        click.echo(output.shown(f"  {step.key.arn} ({step.key.state}: {renews}), {_validity(step.valid_to)}"))
    return ExitCode.CLEAN


def tell_imported(done: Sequence[Imported], say: Callable[[str], object]) -> int:
    """Says what was imported where."""
    for one in done:
        what = f"material {one.material_id}" if one.material_id else "the material"
        say(output.shown(f"Imported into {one.step.key.arn}: {what}, {_validity(one.step.valid_to)}."))
    return ExitCode.CLEAN


def shown(moment: datetime) -> str:
    """A moment, in UTC."""
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def _validity(moment: datetime | None) -> str:
    return "never expires" if moment is None else f"valid to {shown(moment)}"


def due(status: KeyStatus, moment: datetime, days: int) -> bool:
    """Whether the key cannot be used, or not for so many days any more."""
    left = status.days_left(moment)
    return not status.usable or (left is not None and left < days)


def status_text(found: Sequence[KeyStatus], moment: datetime) -> str:
    """The status for people."""
    lines = []
    for one in found:
        left = one.days_left(moment)
        if left is not None:
            expiry = f"expires {shown(one.key.valid_to) if one.key.valid_to else 'soon'} (in {left} days)"
        elif one.usable:
            expiry = "never expires" if not one.unknown else "no expiry of the key is known"
        else:
            expiry = "no material can be used"
        kind = "" if one.key.primary is None else (", replica" if one.key.is_replica else ", primary")
        lines.append(f"{one.key.arn}\n  {one.key.spec.key_spec}{kind}: {one.key.state}, {expiry}")
        if one.unknown:
            lines.append(f"  Its materials are not known: {one.unknown}")
        for each in one.materials:
            there = _validity(each.valid_to) if each.imported else "not there: import it again"
            note = f" {each.description!r}" if each.description else ""
            lines.append(f"  material {each.id}{note}: {each.state}, {there}")
    return "".join(f"{output.shown(line)}\n" for line in lines)


def status_json(found: Sequence[KeyStatus], moment: datetime) -> str:
    """The status for programs."""

    def iso(value: datetime | None) -> str | None:
        return None if value is None else value.isoformat()

    return (
        json.dumps(
            {
                "keys": [
                    {
                        "arn": one.key.arn,
                        "region": one.key.region,
                        "keySpec": one.key.spec.key_spec,
                        "state": one.key.state,
                        "replicaOf": one.key.primary if one.key.is_replica else None,
                        "expirationModel": one.key.expiration_model or None,
                        "validTo": iso(one.key.valid_to),
                        "daysLeft": one.days_left(moment),
                        "materials": None
                        if one.unknown
                        else [
                            {
                                "id": each.id,
                                "state": each.state,
                                "imported": each.imported,
                                "validTo": iso(each.valid_to),
                                "description": each.description,
                                "rotatedOn": iso(each.rotated_on),
                            }
                            for each in one.materials
                        ],
                        "unknown": one.unknown or None,
                    }
                    for one in found
                ]
            },
            indent=2,
        )
        + "\n"
    )
