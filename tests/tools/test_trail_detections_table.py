from __future__ import annotations

import pytest

from kms_constructs.detections.trail.catalogue import DETECTIONS
from kms_constructs.guardrails.catalogue import CATALOGUE
from tests.conftest import REPOSITORY
from tools import peer_detections, trail_detections_table

DOCUMENT = REPOSITORY / "docs" / "trail-detections.md"


@pytest.mark.parametrize("tool", [trail_detections_table, peer_detections], ids=lambda tool: tool.TABLE.name)
def test_the_table_in_the_documentation_is_current(tool: object) -> None:
    assert tool.TABLE.main(["--check", str(DOCUMENT)]) == 0  # type: ignore[attr-defined]


def test_every_detection_is_a_row() -> None:
    rows = trail_detections_table.markdown_table().splitlines()[2:]
    assert [row.split("`")[1] for row in rows] == [one.id for one in DETECTIONS]


def test_every_detection_serves_a_control_and_says_all_that_a_person_needs() -> None:
    for one in DETECTIONS:
        assert one.control in CATALOGUE
        assert all((one.title, one.events, one.expected, one.reason, one.respond, one.references))
        assert not one.title.endswith(".")
        assert one.reason.endswith(".")
        assert one.respond.endswith(".")
        assert all(page.startswith("https://") for page in one.references)
