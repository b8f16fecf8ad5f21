"""The documentation is a site without a link that leads nowhere, and its pictures show what is so."""

from __future__ import annotations

import html
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY
from tools.pictures import IMAGES, explain_svg

PNG = b"\x89PNG\r\n\x1a\n"


@pytest.mark.slow
def test_every_link_of_the_site_leads_somewhere(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--quiet", "--site-dir", str(tmp_path / "site")],
        cwd=REPOSITORY, env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr.strip()) == (0, "")
    pages = {
        path.relative_to(REPOSITORY / "docs").with_suffix(".html")
        for path in (REPOSITORY / "docs").rglob("*.md")
    }
    made = {path.relative_to(tmp_path / "site") for path in (tmp_path / "site").rglob("*.html")}
    assert pages <= made
    shown = (tmp_path / "site" / "index.html").read_text("utf-8")
    assert re.findall(r'(?:src|href)="(https?://[^"]+)"', shown) == [
        "https://squidfunk.github.io/mkdocs-material/"
    ]
    # Classes that no decorator marks are shown with what makes them.
    api = html.unescape(re.sub("<[^>]+>", "", (tmp_path / "site/reference/api.html").read_text("utf-8")))
    assert "GuardrailConfig(*,authorised:Mapping[str,tuple[str,...]]=dict()," in "".join(api.split())


def words(svg: str) -> str:
    """The text of a picture, without its coordinates."""
    return html.unescape(" ".join(re.findall(r"<text [^>]*>([^<]*)</text>", svg))).replace("\xa0", " ")


@pytest.mark.cdk
@pytest.mark.slow
def test_the_picture_of_explain_is_what_it_prints(tmp_path: Path) -> None:
    assert words(explain_svg(tmp_path)) == words((IMAGES / "explain.svg").read_text("utf-8"))


def test_the_pictures_ask_nobody_for_anything() -> None:
    svg = (IMAGES / "explain.svg").read_text("utf-8")
    assert "url(http" not in svg
    assert "@font-face" not in svg
    assert (IMAGES / "report.png").read_bytes().startswith(PNG)
