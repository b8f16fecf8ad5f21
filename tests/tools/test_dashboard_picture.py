"""The picture of the dashboard in the documentation is that of the example."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import REPOSITORY
from tools.dashboard_picture import COLUMN, ROW, dashboard_of, main, picture

PICTURE = REPOSITORY / "docs" / "images" / "monitoring-dashboard.svg"
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The template of the example, which passes its guardrails."""
    directory = tmp_path_factory.mktemp("out")
    subprocess.run(
        [sys.executable, str(REPOSITORY / "examples" / "monitoring.py")],
        env={**os.environ, "CDK_OUTDIR": str(directory), "PYTHONPATH": str(REPOSITORY)},
        check=True,
        capture_output=True,
    )
    return directory / "Security.template.json"


@pytest.mark.cdk
def test_the_picture_in_the_documentation_is_current(template: Path) -> None:
    assert main([str(template), "--check", str(PICTURE)]) == 0


@pytest.mark.cdk
def test_every_widget_and_every_name_is_drawn(template: Path) -> None:
    body = dashboard_of(json.loads(template.read_text("utf-8")))
    root = ET.fromstring(picture(body))  # noqa: S314 - drawn just now
    words = {one.text for one in root.iter(f"{SVG}text")}
    assert {one["properties"]["title"] for one in body["widgets"] if one["type"] != "text"} <= words
    assert {"prod-kms-dead-letters", "disable-key-unauthorised", "alias/prod/orders", "usual"} <= words
    frames = [one for one in root.iter(f"{SVG}rect") if one.get("stroke") == "#d5dbdb"]
    assert len(frames) == len(body["widgets"])
    assert all(float(one.get("x", "")) + float(one.get("width", "")) <= 24 * COLUMN for one in frames)


def body(*metrics: Any, **properties: Any) -> dict[str, Any]:
    shown = {"title": "A <b>", "metrics": list(metrics), **properties}
    return {"widgets": [{"type": "metric", "x": 0, "y": 0, "width": 6, "height": 4, "properties": shown}]}


def test_what_is_hidden_is_not_drawn_and_names_are_escaped() -> None:
    drawn = picture(body(["AWS/KMS", "Seen"], ["AWS/KMS", "Hidden", {"visible": False}], [{"label": "sum"}]))
    assert "A &lt;b&gt;" in drawn
    assert ("Seen" in drawn, "Hidden" in drawn, ">sum<" in drawn) == (True, False, True)
    assert f'height="{4 * ROW}"' in drawn


def test_a_template_without_a_dashboard_is_refused() -> None:
    with pytest.raises(ValueError, match="0 dashboards"):
        dashboard_of({"Resources": {}})


def test_the_command_checks_and_writes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    dashboard = {"Type": "AWS::CloudWatch::Dashboard", "Properties": {"DashboardBody": json.dumps(body())}}
    template = tmp_path / "template.json"
    template.write_text(json.dumps({"Resources": {"D": dashboard}}), encoding="utf-8")
    target = tmp_path / "picture.svg"
    target.write_text("old", encoding="utf-8")
    assert main([str(template), "--check", str(target)]) == 1
    assert "is not current: run with --write" in capsys.readouterr().err
    assert main([str(template), "--write", str(target)]) == 0
    assert main([str(template), "--check", str(target)]) == 0
