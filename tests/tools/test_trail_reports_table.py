from __future__ import annotations

import dataclasses

from kms_constructs.runtime.trail.catalogue import reports
from tests.conftest import REPOSITORY
from tools.trail_reports_table import TABLE, markdown_tables

DOCUMENT = REPOSITORY / "docs" / "trail-report.md"


def test_the_tables_in_the_documentation_are_current() -> None:
    assert TABLE.main(["--check", str(DOCUMENT)]) == 0


def test_every_report_is_a_heading_and_every_column_a_row() -> None:
    lines = markdown_tables().splitlines()
    assert [line[4:] for line in lines if line.startswith("### ")] == list(reports())
    named = [line.split("`")[1] for line in lines if line.startswith("| `")]
    assert named == [name for query in reports().values() for name in query.columns]


def test_a_column_that_is_added_is_a_row() -> None:
    query = dataclasses.replace(reports()["hours"], columns={"key": "The key."})
    assert markdown_tables([query]).endswith("| `key` | The key. |\n")
