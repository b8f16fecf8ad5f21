"""What an audit has to say beside its findings: the score with its formula, the requirements of others."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import date

from kms_constructs.guardrails.finding import Report
from kms_constructs.guardrails.frameworks import CHECKLIST, Status, requirements
from kms_constructs.guardrails.score import FORMULA, Score
from kms_constructs.model.estate import Estate, Key
from kms_constructs.model.text import display
from kms_constructs.model.unknown import is_unknown
from kms_constructs.reports.causes import by_cause, patterns, place_name
from kms_constructs.reports.html import PageTable
from kms_constructs.reports.inventory import inventory
from kms_constructs.reports.json_report import report_json
from kms_constructs.reports.summary import status_of
from kms_constructs.reports.text import counted, printable


def audit_text(report: Report, estate: Estate) -> str:
    """The score, the frameworks in a line each, and the checklist, for a terminal."""
    lines = ["", f"Score: {Score.of(report)}", f"  {FORMULA}", ""]
    found = requirements(report, estate)
    for framework in dict.fromkeys(one.framework for one in found):
        mine = [one for one in found if one.framework == framework]
        if framework == CHECKLIST:
            lines += [
                f"{CHECKLIST}:",
                *(f"  {one.status.value}: {one.name} ({one.evidence})" for one in mine),
            ]
            continue
        counts = Counter(one.status for one in mine)
        told = ", ".join(f"{counts[status]} {status.value}" for status in Status if counts[status])
        lines.append(f"{framework}: {told}")
    return "\n".join(lines) + "\n"


def audit_markdown(report: Report, estate: Estate) -> str:
    """The score, and every requirement in a table."""
    lines = ["", "## Score", "", f"**{Score.of(report)}**", "", FORMULA, "", "## Requirements", ""]
    lines += ["| Framework | Requirement | Status | Evidence |", "|---|---|---|---|"]
    lines += [
        f"| {one.framework} | {one.name} | {one.status.value} | {one.evidence} |"
        for one in requirements(report, estate)
    ]
    return "\n".join(lines) + "\n"


def audit_json(report: Report, estate: Estate) -> str:
    """The findings as `check` writes them, and beside them the score, the requirements and the keys."""
    document = json.loads(report_json(report))
    score = Score.of(report)
    document["report"] = "audit"
    document["score"] = {
        "value": score.value,
        "keys": score.keys,
        "weight": score.weight,
        "formula": FORMULA,
    }
    document["requirements"] = [
        {
            "framework": one.framework,
            "name": one.name,
            "status": one.status.value,
            "evidence": one.evidence,
        }
        for one in requirements(report, estate)
    ]
    document["keys"] = [{name: printable(value) for name, value in row.items()} for row in inventory(estate)]
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def audit_tables(report: Report, estate: Estate, today: date) -> tuple[PageTable, ...]:
    """What the page of an audit has before its resources: score, requirements, inventory, days ahead, grants.

    Args:
        report: What was found.
        estate: What was judged.
        today: The day that "ahead" is counted from.
    """
    found = requirements(report, estate)
    return (
        PageTable(title=f"Score: {Score.of(report)}", note=FORMULA),
        PageTable(
            title="Findings by cause",
            note="What is wrong for one reason, in one key or in many; the worst first.",
            columns=("Result", "Severity", "Controls", "What is wrong", "Where", "What to do"),
            rows=tuple(_causes(report)),
        ),
        PageTable(
            title="Inventory",
            note="Cost: US dollars a month for keeping the key, least and most.",
            columns=_KEY_COLUMNS,
            rows=tuple(map(_key_row, inventory(estate))),
        ),
        PageTable(
            title="Days ahead",
            note="Rotations, deletions, and expiries of key material, the next first.",
            columns=("Day", "In days", "Key", "What happens"),
            rows=tuple(_ahead(estate, today)),
        ),
        PageTable(
            title="Grants",
            columns=("Key", "Grant", "Grantee", "Operations", "Constraints", "Made on"),
            rows=tuple(_grants(estate)),
        ),
        PageTable(
            title="Requirements of others",
            columns=("Framework", "Requirement", "Status", "Evidence"),
            rows=tuple((one.framework, one.name, one.status.value, one.evidence) for one in found),
        ),
    )


_MOST_NAMED = 3
_KEY_COLUMNS = (
    "Where", "Key", "Aliases", "Key spec", "State", "Rotation", "Last used", "Grants", "Cost",
    "Quantum computers",
)  # fmt: skip


def _key_row(row: Mapping[str, str]) -> tuple[str, ...]:
    least, most = row["monthly_cost_least"], row["monthly_cost_most"]
    rotation = f"every {row['rotation_period']} days" if row["rotation_period"] else row["rotation"]
    return (
        f"{row['account']}/{row['region']}",
        row["key_id"],
        row["aliases"],
        row["key_spec"],
        row["state"],
        rotation if row["rotation"] == "on" else row["rotation"],
        row["last_used"],
        row["grants"],
        least if least == most else f"{least} to {most}",
        row["quantum"],
    )


def _causes(report: Report) -> Iterator[tuple[str, ...]]:
    loud = (one for one in report.findings if not status_of(one).quiet)
    for pattern in patterns(by_cause(loud)):
        cause = pattern.first
        places = list(dict.fromkeys(place_name(one.location) for one in pattern.causes))
        more = len(places) - _MOST_NAMED
        yield (
            cause.status.value,
            cause.worst.severity.value,
            ", ".join(dict.fromkeys(one.control for one in cause.findings)),
            cause.worst.message,
            ", ".join(places[:_MOST_NAMED]) + (f" and {counted(more, 'more resource')}" if more > 0 else ""),
            cause.worst.fix,
        )


def _named(key: Key) -> str:
    return f"{key.location.source}: {key.location.title}"


def _ahead(estate: Estate, today: date) -> Iterator[tuple[str, ...]]:
    events: list[tuple[str, str, str]] = []
    for key in estate.keys:
        place = _named(key)
        deleted = key.live.deletion_date if key.live is not None else None
        if isinstance(deleted, str):
            events.append((deleted, place, "KMS deletes the key"))
        rotated = key.live.next_rotation if key.live is not None else None
        if rotated is not None and deleted is None:
            events.append((rotated, place, "KMS rotates the key material"))
        if isinstance(key.material_expires, str):
            events.append((key.material_expires, place, "The imported key material expires"))
    for day, place, what in sorted(events):
        yield day, str((date.fromisoformat(day[:10]) - today).days), place, what


def _grants(estate: Estate) -> Iterator[tuple[str, ...]]:
    for key in estate.keys:
        for grant in key.grants:
            yield (
                _named(key),
                grant.name or grant.id,
                "unknown" if is_unknown(grant.grantee) else display(grant.grantee),
                "unknown" if is_unknown(grant.operations) else ", ".join(grant.operations),
                "; ".join(
                    f"{kind}: {', '.join(f'{name}={value}' for name, value in sorted(pairs.items()))}"
                    for kind, pairs in sorted(grant.constraints.items())
                ),
                grant.created or "",
            )
