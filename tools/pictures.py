"""Makes the pictures of the documentation: ``python -m tools.pictures``; ``--text`` needs no browser.

``explain.svg`` is the matrix that ``kms-constructs explain`` prints for a key; ``report.png``
is the HTML report of a key as ``kms.Key`` makes it, photographed by a headless Chromium.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from io import StringIO
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import MONOKAI
from rich.text import Text

REPOSITORY = Path(__file__).resolve().parents[1]
IMAGES = REPOSITORY / "docs" / "images"
COLUMNS = 118
COMMAND = "kms-constructs explain cdk.out"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
APP = """
import aws_cdk as cdk
from kms_constructs import SecureKmsKey, ServiceAccess
app = cdk.App(analytics_reporting=False)
stack = cdk.Stack(app, "Orders", env=cdk.Environment(account="111122223333", region="eu-west-1"))
role = "arn:aws:iam::111122223333:role/"
SecureKmsKey(
    stack, "Key", alias="prod/orders", description="Encrypts the orders",
    environment="prod", service="orders", data_classification="confidential",
    key_administrators=[role + "Security"], break_glass_principals=[role + "Rescue"],
    key_users=[role + "Orders"], decrypt_only_users=[role + "Reports"],
    services=[ServiceAccess.cloudwatch_logs()], deployment_principals=[role + "Deploy"],
    policy_reviewed_on="2026-11-26",
)
app.synth()
"""
_FONTS = re.compile(r"\s*@font-face \{.*?\}", re.DOTALL)


def explained(directory: Path) -> str:
    """What `explain` prints in colours of the key in the picture."""
    environment = {**os.environ, "COLUMNS": str(COLUMNS), "CDK_OUTDIR": str(directory / "cdk.out")}
    _run([sys.executable, "-c", APP], directory, environment)
    environment |= {"FORCE_COLOR": "1"}
    environment.pop("NO_COLOR", None)
    said = _run(_own("explain", "cdk.out"), directory, environment)
    head, matrix, *_ = said.split("\n\n")
    return f"{head}\n\n{matrix}"


def explain_svg(directory: Path) -> str:
    """The picture of `explain`, as SVG whose fonts are those of the reader."""
    console = Console(record=True, width=COLUMNS, file=StringIO(), force_terminal=True, _environ={})
    console.print(Text.from_ansi(f"$ {COMMAND}\n{explained(directory)}"))
    svg = console.export_svg(title=COMMAND, theme=MONOKAI, unique_id="explain")
    return _FONTS.sub("", svg).replace("font-family: Fira Code", "font-family: ui-monospace, Menlo, Consolas")


def report_png(directory: Path, browser: str, target: Path) -> None:
    """Photographs the HTML report."""
    environment = {**os.environ, "CDK_OUTDIR": str(directory / "plain.out")}
    _run([sys.executable, str(REPOSITORY / "examples" / "plain_key.py")], directory, environment)
    page = directory / "report.html"
    _run(_own("check", "plain.out", "--exit-zero", "-o", str(page)), directory, environment)
    _run(
        [
            browser, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
            "--disable-background-networking", "--disable-component-update", "--disable-sync",
            "--hide-scrollbars",
            f"--user-data-dir={directory / 'profile'}", "--window-size=1200,1500", f"--screenshot={target}",
            page.as_uri(),
        ],
        directory, environment,
    )  # fmt: skip


def _own(*arguments: str) -> list[str]:
    return [
        sys.executable,
        "-c",
        "from kms_constructs.cli.main import main; raise SystemExit(main())",
        *arguments,
    ]


def _run(command: Sequence[str], directory: Path, environment: dict[str, str]) -> str:
    path = os.pathsep.join(filter(None, [str(REPOSITORY), environment.get("PYTHONPATH")]))
    return subprocess.run(  # noqa: S603 - commands of this file
        command, cwd=directory, env={**environment, "PYTHONPATH": path}, check=True, stdout=subprocess.PIPE,
        text=True, stderr=None if "--headless" not in command else subprocess.DEVNULL,
    ).stdout  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> int:
    """Writes the pictures; returns 0, or 2 when no browser is there."""
    parser = argparse.ArgumentParser(prog="python -m tools.pictures", description=__doc__)
    parser.add_argument("--text", action="store_true", help="only the picture that needs no browser")
    given = parser.parse_args(arguments)
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None and not given.text:
        print(f"None of {', '.join(BROWSERS)} is installed. Fix: install one, or --text", file=sys.stderr)  # noqa: T201 - a command
        return 2
    IMAGES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as directory:
        (IMAGES / "explain.svg").write_text(explain_svg(Path(directory)), encoding="utf-8")
        if browser is not None and not given.text:
            report_png(Path(directory), browser, IMAGES / "report.png")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
