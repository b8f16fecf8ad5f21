"""Who uses a key against who may, for terminals, programs and spreadsheets."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from io import StringIO
from typing import TYPE_CHECKING, Any

from kms_constructs.analysis.recorded.replay import Verdict
from kms_constructs.analysis.recorded.usage import KeyUsage, PrincipalUsage, Usage, Used
from kms_constructs.model.actions import ACTIONS, ActionClass
from kms_constructs.reports.console import Drawn, Look, Pen, draw
from kms_constructs.reports.csv_report import safe_cell
from kms_constructs.reports.text import counted, one_line, printable
from kms_constructs.reports.trail_words import days_of, keys_json, matching_lines, period, version

if TYPE_CHECKING:
    from rich.console import RenderableType

_USE = frozenset({ActionClass.CRYPTOGRAPHIC, ActionClass.GRANT})
_NOT_GIVEN = {
    Verdict.DENIED: "given elsewhere if at all",
    Verdict.UNDETERMINED: "cannot be told whether it is given here",
}
LIMITS = (
    "CloudTrail records every call to KMS, unless a trail leaves KMS out. Unused means: in this period, in "
    "the accounts and Regions of this trail. What runs once a quarter or in an emergency may be missing."
)
"""What has to be known before anything unused is taken away."""

COLUMNS = (
    "key",
    "arn",
    "principal",
    "named",
    "action",
    "status",
    "services",
    "calls",
    "first",
    "last",
    "reasons",
)
"""Names of the columns of CSV, in the first line. New ones are added behind."""


def usage_table(usage: Usage, look: Look | None = None) -> str:
    """Key by key: what each principal did, what it may and did not, and who is named nowhere."""
    look = look or Look()
    pen = Pen(look)
    parts: list[RenderableType] = [
        pen.paragraph(period(usage.first, usage.last), indent=0),
        pen.paragraph(LIMITS, indent=0, style="dim"),
        Drawn(),
    ]
    for key in usage.keys:
        parts.append(pen.paragraph(one_line(key.key), indent=0, style="bold underline"))
        for who, actions in key.open_to.items():
            use = ", ".join(_parted(actions)[0]) or "reading and managing alone"
            parts.append(pen.paragraph(f"also open to {one_line(who)}: {use}", indent=2, style="dim"))
        for principal in key.principals:
            parts += [*_principal(principal, look, pen, days_of(usage.first, usage.last))]
        parts.append(Drawn())
    parts += [pen.paragraph(line, indent=0) for line in matching_lines(usage.matching, usage.named)]
    return draw(parts, look)


def _principal(one: PrincipalUsage, look: Look, pen: Pen, days: int) -> Iterator[Drawn]:
    unknown = "  named by no policy in the input" if not one.named else ""
    yield pen.line(2, (one_line(one.principal), "bold"), (unknown, "bold magenta"))
    for used in one.used:
        yield from _used(used, look, pen)
    use, manage = _parted(one.unused)
    if use:
        mark = look.mark("○", "o")
        yield pen.paragraph(
            f"{mark} unused in {counted(days, 'day')}: {', '.join(use)}", indent=4, style="yellow"
        )
    if manage:
        yield pen.paragraph(
            f"  and {counted(len(manage), 'action')} to read and manage", indent=4, style="dim"
        )


def _used(used: Used, look: Look, pen: Pen) -> Iterator[Drawn]:
    given = used.verdict is Verdict.ALLOWED
    mark = look.mark("✓", "+") if given else look.mark("!", "!")
    through = f" through {', '.join(map(one_line, used.services))}" if used.services else ""
    text = f"{mark} {one_line(used.action)}{through}, {counted(used.calls, 'call')}, last on {used.last[:10]}"
    yield pen.paragraph(text, indent=4, style="" if given else "bold magenta")
    if not given:
        yield pen.paragraph(f"{_NOT_GIVEN[used.verdict]}: {one_line(used.reasons[0])}", indent=6)


def _parted(actions: tuple[str, ...]) -> tuple[list[str], list[str]]:
    """What uses the key or gives its use away, and the rest."""
    use = [action for action in actions if ACTIONS[action].classification in _USE]
    return use, [action for action in actions if action not in use]


def usage_json(usage: Usage) -> str:
    """Everything, with every action by its name."""
    document: dict[str, Any] = {
        **version("trail access"),
        "period": {
            "first": usage.first or None,
            "last": usage.last or None,
            "days": days_of(usage.first, usage.last),
        },
        "limits": LIMITS,
        "usage": [_json_key(key) for key in usage.keys],
        "keys": keys_json(usage.matching),
        "names": {printable(one.logical_id): printable(one.name) for one in usage.named},
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _json_key(key: KeyUsage) -> dict[str, Any]:
    return {
        "key": printable(key.key),
        "arn": printable(key.arn),
        "openTo": {printable(who): list(actions) for who, actions in key.open_to.items()},
        "principals": [
            {
                "principal": printable(one.principal),
                "named": one.named,
                "used": [
                    {
                        "action": printable(used.action),
                        "verdict": used.verdict.value,
                        "reasons": [printable(reason) for reason in used.reasons],
                        "services": [printable(service) for service in used.services],
                        "calls": used.calls,
                        "first": used.first,
                        "last": used.last,
                    }
                    for used in one.used
                ],
                "unused": list(one.unused),
            }
            for one in key.principals
        ],
    }


def usage_csv(usage: Usage) -> str:
    """One line for each principal and action, used and unused."""
    file = StringIO(newline="")
    writer = csv.writer(file)
    writer.writerow(COLUMNS)
    for key in usage.keys:
        for one in key.principals:
            who = (key.key, key.arn, one.principal, "true" if one.named else "false")
            for used in one.used:
                status = "used" if used.verdict is Verdict.ALLOWED else f"used, {used.verdict.value} here"
                cells = (
                    *who,
                    used.action,
                    status,
                    "; ".join(used.services),
                    str(used.calls),
                    used.first,
                    used.last,
                )
                writer.writerow([safe_cell(cell) for cell in (*cells, "; ".join(used.reasons))])
            for action in one.unused:
                writer.writerow([safe_cell(cell) for cell in (*who, action, "unused", "", "0", "", "", "")])
    return file.getvalue()
