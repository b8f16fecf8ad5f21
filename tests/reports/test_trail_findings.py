from __future__ import annotations

import csv
import dataclasses
import io
import json

import pytest

from kms_constructs.reports.console import Look
from kms_constructs.reports.trail_findings import (
    COLUMNS,
    FindingRow,
    TrailFindings,
    findings_csv,
    findings_json,
    findings_table,
)

KEY = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd"
ROW = FindingRow(
    level="critical",
    id="made-public",
    title="A key policy lets everybody in",
    control="KMS:004",
    principal="arn:aws:iam::111122223333:role/Intern",
    key=KEY,
    alias="alias/orders",
    count=2,
    first="2026-05-01T10:00:00Z",
    last="2026-05-02T10:00:00Z",
    events=("e-1", "e-2"),
    detail="for everybody",
    reason="Every account of AWS may use the key.",
    expected="nobody",
    respond="Put the policy before back.",
    references=("https://example.com/",),
)
QUIET = dataclasses.replace(ROW, level="information", id="key-rotated", title="KMS rotated a key", count=1,
                            last=ROW.first, detail="", alias="")  # fmt: skip


def told(*rows: FindingRow, **more: object) -> TrailFindings:
    given = {"notes": ("1 grants …",), "calls": 7, "first": "2026-05-01T10:00:00Z",
             "last": "2026-05-30T10:00:00Z", "baseline_end": "2026-05-15"}  # fmt: skip
    return TrailFindings(rows=rows, **{**given, **more})  # type: ignore[arg-type]


def test_a_table() -> None:
    assert findings_table(told(ROW, QUIET), Look(width=200, unicode=False)) == (
        "7 calls from 2026-05-01 to 2026-05-30; usual is what was before 2026-05-15.\n"
        "\n"
        "x A key policy lets everybody in (critical, made-public, KMS:004)\n"
        f"  arn:aws:iam::111122223333:role/Intern on alias/orders, {KEY}\n"
        "    2 events from 2026-05-01T10:00:00Z to 2026-05-02T10:00:00Z: for everybody\n"
        "    such as e-1, e-2\n"
        "  ->  Put the policy before back.\n"
        "\n"
        "- KMS rotated a key (information, key-rotated, KMS:004)\n"
        f"  arn:aws:iam::111122223333:role/Intern on {KEY}\n"
        "    1 event at 2026-05-01T10:00:00Z\n"
        "    such as e-1, e-2\n"
        "  ->  Put the policy before back.\n"
        "\n"
        "1 grants …\n"
        "1 critical, 0 alert, 1 information\n"
    )


def test_an_empty_table() -> None:
    table = findings_table(told(first="", last="", baseline_end="", notes=()), Look(width=80))
    assert table == "The trail has no call in this period.\n\n0 critical, 0 alert, 0 information\n"


@pytest.mark.parametrize(("everything", "lines"), [(False, 10), (True, 30)])
def test_a_long_table_is_cut_unless_all_is_asked_for(everything: bool, lines: int) -> None:
    rows = [dataclasses.replace(ROW, key=f"{KEY}{number}") for number in range(30)]
    table = findings_table(told(*rows, everything=everything), Look(width=200))
    assert table.count("such as") == lines
    assert ("and 20 more" in table) is not everything


def test_json() -> None:
    document = json.loads(findings_json(told(ROW, QUIET)))
    assert document["summary"] == {"critical": 1, "alert": 0, "information": 1}
    assert document["period"] == {"first": "2026-05-01T10:00:00Z", "last": "2026-05-30T10:00:00Z", "calls": 7}
    assert document["findings"][0] == {
        "level": "critical", "detection": "made-public", "control": "KMS:004", "principal": ROW.principal,
        "key": KEY, "alias": "alias/orders", "events": 2, "first": ROW.first, "last": ROW.last,
        "detail": "for everybody", "examples": ["e-1", "e-2"],
    }  # fmt: skip
    assert document["findings"][1]["detail"] is None
    assert document["detections"]["made-public"]["respond"] == "Put the policy before back."
    assert document["notes"] == ["1 grants …"]


def test_csv() -> None:
    first, *rows = csv.reader(io.StringIO(findings_csv(told(ROW, QUIET))))
    assert tuple(first) == COLUMNS
    assert [row[1] for row in rows] == ["made-public", "key-rotated"]
    assert rows[0][COLUMNS.index("examples")] == "e-1 e-2"


def test_what_a_caller_calls_itself_does_not_write_to_terminals_or_spreadsheets() -> None:
    evil = dataclasses.replace(ROW, principal="\x1b[2J=cmd()", detail="a\nb", alias="=HYPERLINK()")
    table = findings_table(told(evil), Look(width=200))
    assert "\x1b" not in table
    assert "a\nb" not in table
    cells = next(iter(list(csv.reader(io.StringIO(findings_csv(told(evil)))))[1:]))
    assert not cells[COLUMNS.index("alias")].startswith("=")
    assert "\x1b" not in json.loads(findings_json(told(evil)))["findings"][0]["principal"]
