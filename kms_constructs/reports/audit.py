"""What an audit has to say beside its findings: the score with its formula, the requirements of others."""

from __future__ import annotations

import json
from collections import Counter

from kms_constructs.guardrails.finding import Report
from kms_constructs.guardrails.frameworks import CHECKLIST, Status, requirements
from kms_constructs.guardrails.score import FORMULA, Score
from kms_constructs.model.estate import Estate
from kms_constructs.reports.inventory import inventory
from kms_constructs.reports.json_report import report_json
from kms_constructs.reports.text import printable


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
